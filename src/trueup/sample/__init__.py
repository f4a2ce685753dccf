"""A sample workspace to try Trueup with: invented, the same each time, and as uneven as real traffic."""

"""The rules, as pure functions over frames: no database, no clock, no randomness."""

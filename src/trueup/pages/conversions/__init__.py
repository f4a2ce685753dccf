"""The conversions, as a list."""

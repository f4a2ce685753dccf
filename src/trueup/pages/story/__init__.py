"""The story of one conversion."""

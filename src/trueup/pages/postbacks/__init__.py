"""Postbacks and pixels as they came, and deciding them again."""

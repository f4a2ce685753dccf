"""Clicks, and what became of each."""

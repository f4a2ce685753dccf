"""Search: an exact id opens at once, other words find pages and files."""

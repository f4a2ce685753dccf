"""Lists: what their columns, order, filters and pages are, and the same as a file."""

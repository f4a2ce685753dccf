"""Files that are sent over the API, from their first byte to their results."""

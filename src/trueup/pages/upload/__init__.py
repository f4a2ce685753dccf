"""The page that takes a file from its choice to its undo."""

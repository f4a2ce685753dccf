"""The command line: one file per command, each a thin front to a use case."""

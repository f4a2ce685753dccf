"""The database: tables, reads and commits. It knows no rules."""

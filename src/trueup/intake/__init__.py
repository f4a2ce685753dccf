"""Use cases: what a person or a machine can do to the ledger, each through the one door."""

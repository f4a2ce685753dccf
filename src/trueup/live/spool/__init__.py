"""Clicks on disk before the ledger has them."""

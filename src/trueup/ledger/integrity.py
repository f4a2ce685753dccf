"""The database's own word on whether its files are whole."""

from typing import Final

import polars as pl

from trueup.ledger.database import Readable

_ALL_IS_WELL: Final = "ok"
_BROKEN_INDEXES: Final = """
    SELECT 'index ' || i.indexrelid::regclass::text || ' is not valid'
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
"""
_FAILED_CHECKSUMS: Final = """
    SELECT checksum_failures || ' pages failed their checksum, the last on ' || checksum_last_failure
    FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0
"""


def integrity_troubles(database: Readable) -> list[str]:
    """What the database finds wrong with itself, in its own words; nothing when all is well.

    SQLite checks every page and index. PostgreSQL says which indexes are not valid and which pages failed their
    checksum; reading every row, as an audit does, has it check them.
    """
    checks = ["PRAGMA integrity_check"] if database.is_sqlite else [_BROKEN_INDEXES, _FAILED_CHECKSUMS]
    found = [text for check in checks for text in database.read_sql(check, {"text": pl.String})["text"].to_list()]
    return [text for text in found if text != _ALL_IS_WELL]

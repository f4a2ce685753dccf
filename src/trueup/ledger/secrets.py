"""What must stay the same, and stay secret, as long as the ledger lives."""

from collections.abc import Callable
from typing import Final

import polars as pl
from sqlalchemy import bindparam, select

from trueup.ledger.database import Database
from trueup.ledger.schema import secrets

CLICK_KEY: Final = "click_key"
CLICK_KEY_BYTES: Final = 32

_VALUE: Final = select(secrets.c.value).where(secrets.c.name == bindparam("of_name"))


def click_key(database: Database, randomness: Callable[[int], bytes]) -> bytes:
    """The key of our own click ids, made when it is asked for first.

    Takes: where random bytes come from. However many programs ask at once, all get the same key.
    """
    stored = _read(database, CLICK_KEY)
    if not stored:
        made = pl.DataFrame([{"name": CLICK_KEY, "value": randomness(CLICK_KEY_BYTES).hex()}])
        with database.transaction():
            database.insert_new(secrets, made)  # where another program was quicker, its key stays
        stored = _read(database, CLICK_KEY)
    return bytes.fromhex(stored)


def _read(database: Database, name: str) -> str:
    found = database.read(_VALUE, {"value": pl.String}, {"of_name": name})
    return str(found.item()) if found.height else ""

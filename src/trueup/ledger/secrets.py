"""What must stay the same, and stay secret, as long as the ledger lives."""

from collections.abc import Callable
from typing import Final

import polars as pl
from sqlalchemy import bindparam, select

from trueup.ledger.database import Database, Readable
from trueup.ledger.schema import secrets

CLICK_KEY: Final = "click_key"
CLICK_KEY_BYTES: Final = 32
LEDGER_ID: Final = "ledger_id"
LEDGER_ID_BYTES: Final = 16
BROWSER_KEY: Final = "browser_key"
BROWSER_KEY_BYTES: Final = 32

_VALUE: Final = select(secrets.c.value).where(secrets.c.name == bindparam("of_name"))


def click_key(database: Database, randomness: Callable[[int], bytes]) -> bytes:
    """The key of our own click ids. It is made when it is first needed.

    However many programs ask at once, all get the same key.

    Args:
        database: An open ledger.
        randomness: Gives as many random bytes as it is asked for.
    """
    return bytes.fromhex(_made_once(database, CLICK_KEY, CLICK_KEY_BYTES, randomness))


def browser_key(database: Database, randomness: Callable[[int], bytes]) -> bytes:
    """The key of the marks on browsers that persons have signed in with. Otherwise as `click_key`.

    Args:
        database: An open ledger.
        randomness: Gives as many random bytes as it is asked for.
    """
    return bytes.fromhex(_made_once(database, BROWSER_KEY, BROWSER_KEY_BYTES, randomness))


def ledger_id(database: Database, randomness: Callable[[int], bytes]) -> str:
    """What tells this ledger from every other. It is made when it is first needed, and its backups have the same.

    However many programs ask at once, all get the same id.

    Args:
        database: An open ledger.
        randomness: Gives as many random bytes as it is asked for.
    """
    return _made_once(database, LEDGER_ID, LEDGER_ID_BYTES, randomness)


def _made_once(database: Database, name: str, size: int, randomness: Callable[[int], bytes]) -> str:
    stored = _read(database, name)
    if stored is not None:
        return stored
    made = pl.DataFrame([{"name": name, "value": randomness(size).hex()}])
    with database.transaction() as transaction:
        transaction.insert_new(secrets, made)  # if another program was quicker, its value stays
    kept = _read(database, name)
    assert kept is not None  # noqa: S101 - it is there now
    return kept


def _read(database: Readable, name: str) -> str | None:
    found = database.read(_VALUE, {"value": pl.String}, {"of_name": name})
    return str(found.item()) if found.height else None

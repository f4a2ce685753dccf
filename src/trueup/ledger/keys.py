"""The API's keys as they are stored: never the key itself, only the digest of its secret."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import bindparam, func, insert, select, update

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import api_keys

_STORED: Final = {
    "key_id": pl.Int64,
    "name": pl.String,
    "scopes": pl.String,
    "sha256": pl.String,
    "made_at": pl.Int64,
    "last_used_at": pl.Int64,
    "revoked_at": pl.Int64,
}
_ALL: Final = select(*(api_keys.c[name] for name in _STORED)).order_by(api_keys.c.key_id)
_ONE: Final = _ALL.where(api_keys.c.key_id == bindparam("of_key"))
_USED: Final = (
    update(api_keys)
    .where(api_keys.c.key_id == bindparam("of_key"), api_keys.c.last_used_at < bindparam("used_at"))
    .values(last_used_at=bindparam("used_at"))
)


@dataclass(frozen=True)
class KeyRecord:
    """One key."""

    key_id: int
    name: str
    scopes: str  # its words, with spaces between
    sha256: str  # of its secret, hex
    made_at: int  # microseconds since the epoch, as are the next two
    last_used_at: int | None = None  # None for never
    revoked_at: int | None = None  # None while it is good


def insert_key(transaction: Transaction, name: str, scopes: str, sha256: str, now: int) -> int:
    """Store a key.

    Args:
        transaction: What it is written in.
        name: What the key is called.
        scopes: The words of its scopes, with spaces between.
        sha256: The digest of its secret, hex. The secret itself never comes here.
        now: Microseconds since the epoch.

    Returns:
        The key's number.
    """
    row = {"name": name, "scopes": scopes, "sha256": sha256, "made_at": now}
    made = transaction.returning(insert(api_keys).values(row).returning(api_keys.c.key_id), {"key_id": pl.Int64})
    return int(made.item())


def read_keys(database: Readable) -> list[KeyRecord]:
    """All keys, revoked ones too, in the order they were made."""
    return [_record(row) for row in database.read(_ALL, _STORED).iter_rows(named=True)]


def read_key(database: Readable, key_id: int) -> KeyRecord | None:
    """One key, None when there is no such."""
    found = database.read(_ONE, _STORED, {"of_key": key_id})
    return _record(found.row(0, named=True)) if found.height else None


def count_keys(database: Readable) -> int:
    """How many keys were ever made."""
    return int(database.read(select(func.count()).select_from(api_keys), {"keys": pl.Int64}).item())


def set_revoked(transaction: Transaction, key_id: int, now: int) -> bool:
    """Revoke a key.

    Args:
        transaction: What it is written in.
        key_id: The key's number.
        now: The moment, in microseconds since the epoch.

    Returns:
        Whether the key was good until now.
    """
    good = (api_keys.c.key_id == key_id) & (api_keys.c.revoked_at == 0)
    gone = update(api_keys).where(good).values(revoked_at=now).returning(api_keys.c.key_id)
    return bool(transaction.returning(gone, {"key_id": pl.Int64}).height)


def set_last_used(transaction: Transaction, key_id: int, now: int) -> None:
    """Note when a key was used."""
    transaction.execute(_USED, {"of_key": key_id, "used_at": now})


def lock_keys(transaction: Transaction) -> None:
    """Keep other writers of the keys out until the transaction ends. On SQLite there is one writer anyway."""
    if not transaction.is_sqlite:
        transaction.run("LOCK TABLE api_keys IN EXCLUSIVE MODE")


def _record(row: dict[str, Any]) -> KeyRecord:
    never = {name: row[name] or None for name in ("last_used_at", "revoked_at")}
    return KeyRecord(**row | never)

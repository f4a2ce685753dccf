"""Persons as they are stored: never a password, only its hash."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import bindparam, delete, func, insert, select, update

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import one_time_links, preferences, sessions, users
from trueup.model.frames import Schema
from trueup.model.words import Role

STORED: Final[Schema] = {
    "user_id": pl.Int64,
    "email": pl.String,
    "name": pl.String,
    "role": pl.String,
    "password": pl.String,
    "made_at": pl.Int64,
    "signed_in_at": pl.Int64,
}
_ALL: Final = select(*(users.c[name] for name in STORED)).order_by(users.c.user_id)
_ONE: Final = _ALL.where(users.c.user_id == bindparam("of_user"))
_BY_EMAIL: Final = _ALL.where(users.c.email == bindparam("of_email"))


@dataclass(frozen=True)
class UserRecord:
    """One person."""

    user_id: int
    email: str
    name: str
    role: Role
    password: str  # its hash; '' for none
    made_at: int  # microseconds since the epoch, as is the next
    signed_in_at: int | None = None  # None for never


def insert_user(transaction: Transaction, email: str, name: str, role: Role, password: str, now: int) -> int:
    """Store a person.

    Args:
        transaction: What it is written in.
        email: By what they sign in, in small letters.
        name: What they are called.
        role: What they may do.
        password: The hash of their password, '' for none yet.
        now: Microseconds since the epoch.

    Returns:
        The person's number.
    """
    row = {"email": email, "name": name, "role": role.value, "password": password, "made_at": now}
    made = transaction.returning(insert(users).values(row).returning(users.c.user_id), {"user_id": pl.Int64})
    return int(made.item())


def read_users(database: Readable) -> list[UserRecord]:
    """All persons, in the order they were made."""
    return [_record(row) for row in database.read(_ALL, STORED).iter_rows(named=True)]


def read_user(database: Readable, user_id: int) -> UserRecord | None:
    """One person, None when there is no such."""
    found = database.read(_ONE, STORED, {"of_user": user_id})
    return _record(found.row(0, named=True)) if found.height else None


def read_user_by_email(database: Readable, email: str) -> UserRecord | None:
    """The person who signs in by an address, in small letters; None when there is no such."""
    found = database.read(_BY_EMAIL, STORED, {"of_email": email})
    return _record(found.row(0, named=True)) if found.height else None


def count_users(database: Readable) -> int:
    """How many persons there are."""
    return int(database.read(select(func.count()).select_from(users), {"users": pl.Int64}).item())


def set_user(transaction: Transaction, user_id: int, **values: str | int) -> None:
    """Change what is stored of a person.

    Args:
        transaction: What it is written in.
        user_id: The person's number.
        values: The new values, by column.
    """
    transaction.execute(update(users).where(users.c.user_id == user_id).values(values))


def delete_user(transaction: Transaction, user_id: int) -> None:
    """Take a person away, with all that is theirs. What they made keeps their name."""
    for table in (sessions, one_time_links, preferences, users):
        transaction.execute(delete(table).where(table.c.user_id == user_id))


def put_preferences(transaction: Transaction, user_id: int, values: dict[str, str]) -> None:
    """Store preferences of a person, values by names. Others of theirs stay."""
    rows = [{"user_id": user_id, "name": name, "value": value} for name, value in values.items()]
    transaction.put(preferences, pl.DataFrame(rows))


def lock_users(transaction: Transaction) -> None:
    """Keep other writers of the persons out until the transaction ends. On SQLite there is one writer anyway."""
    if not transaction.is_sqlite:
        transaction.run("LOCK TABLE users IN EXCLUSIVE MODE")


def _record(row: dict[str, Any]) -> UserRecord:
    return UserRecord(**row | {"role": Role(row["role"]), "signed_in_at": row["signed_in_at"] or None})

"""Sessions of persons as they are stored: never the token of the cookie, only its digest."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import Delete, bindparam, delete, insert, select, update

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import preferences, sessions, users
from trueup.model.frames import Schema
from trueup.model.words import Role

_STORED: Final[Schema] = {
    "session_id": pl.Int64,
    "user_id": pl.Int64,
    "signed_in_at": pl.Int64,
    "last_used_at": pl.Int64,
    "address": pl.String,
    "user_agent": pl.String,
}
_COLUMNS: Final = [sessions.c[name] for name in _STORED]
_OF_USER: Final = (
    select(*_COLUMNS)
    .where(sessions.c.user_id == bindparam("of_user"))
    .order_by(sessions.c.last_used_at.desc(), sessions.c.session_id.desc())
)
# A session with its person, once for each of their preferences: one read for each request of a page.
_BY_TOKEN: Final = (
    select(
        *_COLUMNS,
        users.c.name.label("person"),
        users.c.email,
        users.c.role,
        preferences.c.name.label("preference"),
        preferences.c.value,
    )
    .select_from(sessions)
    .join(users, users.c.user_id == sessions.c.user_id)
    .outerjoin(preferences, preferences.c.user_id == sessions.c.user_id)
    .where(sessions.c.sha256 == bindparam("of_sha256"))
)
_WITH_PERSON: Final[Schema] = {
    **_STORED,
    **dict.fromkeys(("person", "email", "role", "preference", "value"), pl.String),
}
_USED: Final = (
    update(sessions)
    .where(sessions.c.session_id == bindparam("of_session"), sessions.c.last_used_at < bindparam("used_at"))
    .values(last_used_at=bindparam("used_at"))
)


@dataclass(frozen=True)
class SessionRecord:
    """One session."""

    session_id: int
    user_id: int
    signed_in_at: int  # microseconds since the epoch, as is the next
    last_used_at: int
    address: str
    user_agent: str


@dataclass(frozen=True)
class SessionOfPerson:
    """A session, and whose it is."""

    session: SessionRecord
    name: str
    email: str
    role: Role
    preferences: dict[str, str]  # values by names


def insert_session(transaction: Transaction, sha256: str, user_id: int, now: int, address: str, user_agent: str) -> int:
    """Store a session that begins.

    Args:
        transaction: What it is written in.
        sha256: The digest of its token, hex. The token itself never comes here.
        user_id: Whose it is.
        now: Microseconds since the epoch.
        address: Where the person signs in from.
        user_agent: What their browser says it is.

    Returns:
        The session's number.
    """
    row = {"sha256": sha256, "user_id": user_id, "signed_in_at": now, "last_used_at": now}
    statement = insert(sessions).values({**row, "address": address, "user_agent": user_agent})
    return int(transaction.returning(statement.returning(sessions.c.session_id), {"session_id": pl.Int64}).item())


def find_session(database: Readable, sha256: str) -> SessionOfPerson | None:
    """The session of a token, by the token's digest, with whose it is; None when there is no such."""
    found = database.read(_BY_TOKEN, _WITH_PERSON, {"of_sha256": sha256})
    if not found.height:
        return None
    rows = found.rows(named=True)
    row = rows[0]
    chosen = {each["preference"]: each["value"] for each in rows if each["preference"] is not None}
    return SessionOfPerson(_record(row), row["person"], row["email"], Role(row["role"]), chosen)


def read_sessions(database: Readable, user_id: int) -> list[SessionRecord]:
    """A person's sessions, the one that was used last first."""
    return [_record(row) for row in database.read(_OF_USER, _STORED, {"of_user": user_id}).iter_rows(named=True)]


def set_last_used(transaction: Transaction, session_id: int, now: int) -> None:
    """Note when a session was used."""
    transaction.execute(_USED, {"of_session": session_id, "used_at": now})


def set_token(transaction: Transaction, session_id: int, sha256: str) -> None:
    """Give a session another token, by its digest. The one that it had is good for nothing from then on."""
    transaction.execute(update(sessions).where(sessions.c.session_id == session_id).values(sha256=sha256))


def delete_session(transaction: Transaction, session_id: int, user_id: int) -> bool:
    """End a session of a person.

    Returns:
        Whether there was one.
    """
    ended = delete(sessions).where(sessions.c.session_id == session_id, sessions.c.user_id == user_id)
    return _count(transaction, ended) > 0


def delete_session_of(transaction: Transaction, sha256: str) -> bool:
    """End the session of a token, by the token's digest.

    Returns:
        Whether there was one.
    """
    return _count(transaction, delete(sessions).where(sessions.c.sha256 == sha256)) > 0


def delete_sessions(transaction: Transaction, user_id: int, but: int = 0) -> int:
    """End the sessions of a person.

    Args:
        transaction: What it is written in.
        user_id: The person's number.
        but: The session that stays, 0 for none.

    Returns:
        How many there were.
    """
    theirs = (sessions.c.user_id == user_id) & (sessions.c.session_id != but)
    return _count(transaction, delete(sessions).where(theirs))


def delete_sessions_before(transaction: Transaction, signed_in: int, used: int) -> None:
    """End the sessions that began, or were used last, before a moment each (microseconds)."""
    over = (sessions.c.signed_in_at < signed_in) | (sessions.c.last_used_at < used)
    transaction.execute(delete(sessions).where(over))


def _count(transaction: Transaction, statement: Delete) -> int:
    return transaction.returning(statement.returning(sessions.c.session_id), {"session_id": pl.Int64}).height


def _record(row: dict[str, Any]) -> SessionRecord:
    return SessionRecord(**{name: row[name] for name in _STORED})

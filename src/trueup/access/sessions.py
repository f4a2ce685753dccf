"""Sessions: a browser's cookie holds a random token, and the ledger its digest, so that each can be ended from here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.access.preferences import preferences_from
from trueup.access.tokens import digest_of_token, new_token
from trueup.access.users import Person
from trueup.ledger import sessions as stored
from trueup.ledger.database import Database, Readable
from trueup.ledger.sessions import SessionRecord
from trueup.ledger.users import UserRecord, lock_users, read_user, set_user

USED_EVERY: Final = 60 * 1_000_000  # microseconds: how often it is written down that a session was used
_HOUR: Final = 3_600 * 1_000_000
_CLOCK_SLACK: Final = 5 * 60 * 1_000_000  # by so much may clocks of servers differ, or a clock be set back
_USER_AGENT_MAX: Final = 256


@dataclass(frozen=True)
class Limits:
    """How long a session lasts."""

    idle_hours: int  # without being used
    absolute_hours: int  # whether it is used or not


@dataclass(frozen=True)
class Browser:
    """What is known of where a person signs in."""

    address: str
    user_agent: str


def find_session(database: Readable, token: str) -> tuple[SessionRecord, Person] | None:
    """Find the session of a token, and whose it is; None when there is none. It may be over."""
    digest = digest_of_token(token)
    found = stored.find_session(database, digest) if digest else None
    if found is None:
        return None
    chosen = preferences_from(found.preferences)
    return found.session, Person(found.session.user_id, found.name, found.email, found.role, chosen)


def is_over(session: SessionRecord, now: int, limits: Limits) -> bool:
    """Whether a session has lasted its time. One from the future was begun under a wrong clock, and is over, too.

    Args:
        session: The session.
        now: Microseconds since the epoch.
        limits: How long sessions last.

    Returns:
        Whether it is good no more.
    """
    age, idle = now - session.signed_in_at, now - session.last_used_at
    if min(age, idle) < -_CLOCK_SLACK:
        return True
    return age >= limits.absolute_hours * _HOUR or idle >= limits.idle_hours * _HOUR


def open_session(
    database: Database,
    user: UserRecord,
    browser: Browser,
    now: int,
    limits: Limits,
    randomness: Callable[[int], bytes],
    replaces: str = "",
) -> str | None:
    """Begin a session, with a token that nobody has seen before.

    Args:
        database: The ledger.
        user: Whose it is, as they were found when they showed who they are.
        browser: Where the person signs in.
        now: Microseconds since the epoch.
        limits: How long sessions last; those that are over are cleared away.
        randomness: Gives so many random bytes.
        replaces: The token that the browser brought, '' for none: its session ends.

    Returns:
        The token; None where the person was removed meanwhile, or the password is another one.
    """
    token = new_token(randomness)
    digest, before = _digest(token), digest_of_token(replaces)
    with database.transaction() as transaction:
        lock_users(transaction)
        if not _is_still(transaction, user):
            return None
        stored.delete_sessions_before(transaction, now - limits.absolute_hours * _HOUR, now - limits.idle_hours * _HOUR)
        if before:
            stored.delete_session_of(transaction, before)
        user_agent = "".join(char for char in browser.user_agent if char.isprintable())[:_USER_AGENT_MAX]
        stored.insert_session(transaction, digest, user.user_id, now, browser.address, user_agent)
        set_user(transaction, user.user_id, signed_in_at=now)
    return token


def change_password(
    database: Database, user: UserRecord, session_id: int, password: str, randomness: Callable[[int], bytes]
) -> str | None:
    """Give a person another password. Their other sessions end, and this one gets another token.

    Args:
        database: The ledger.
        user: The person, as they were found when they gave the password that they had.
        session_id: The session in which they change it.
        password: The new password's hash.
        randomness: Gives so many random bytes.

    Returns:
        The session's new token; None where the person was removed meanwhile, or the password is another one.
    """
    token = new_token(randomness)
    with database.transaction() as transaction:
        lock_users(transaction)
        if not _is_still(transaction, user):
            return None
        set_user(transaction, user.user_id, password=password)
        stored.delete_sessions(transaction, user.user_id, but=session_id)
        stored.set_token(transaction, session_id, _digest(token))
    return token


def renew_hash(database: Database, user: UserRecord, password: str) -> None:
    """Keep a password under a hash that takes today's work, unless the password was changed meanwhile.

    Args:
        database: The ledger.
        user: Whose it is, as they were found.
        password: The new hash of the same password.
    """
    with database.transaction() as transaction:
        lock_users(transaction)
        if _is_still(transaction, user):
            set_user(transaction, user.user_id, password=password)


def end_session(database: Database, session_id: int, user_id: int) -> bool:
    """End a session of a person.

    Args:
        database: The ledger.
        session_id: The session's number.
        user_id: Whose it is: nobody ends another person's.

    Returns:
        Whether there was such a session.
    """
    with database.transaction() as transaction:
        return stored.delete_session(transaction, session_id, user_id)


def end_sessions(database: Database, user_id: int, but: int = 0) -> int:
    """End all sessions of a person.

    Args:
        database: The ledger.
        user_id: The person's number.
        but: The session that stays, 0 for none.

    Returns:
        How many ended.
    """
    with database.transaction() as transaction:
        return stored.delete_sessions(transaction, user_id, but)


def note_use(database: Database, session_id: int, now: int) -> None:
    """Note when a session was used (microseconds UTC)."""
    with database.transaction() as transaction:
        stored.set_last_used(transaction, session_id, now)


def _is_still(database: Readable, user: UserRecord) -> bool:
    """Whether a person is there, with the password that they showed."""
    there = read_user(database, user.user_id)
    return there is not None and there.password == user.password


def _digest(token: str) -> str:
    digest = digest_of_token(token)
    assert digest is not None  # noqa: S101 - it was made as one
    return digest

"""Keys of the API: what they look like, what each may do, making, checking and revoking them.

A key is `tru_<number>_<secret>`: its number finds it, and the SHA-256 of its secret shows that it is the right one. 160
random bits need no slow hash. The secret is told once, and reaches the database only as its digest.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.ledger import keys as stored
from trueup.ledger.database import Database, Readable, Transaction
from trueup.ledger.keys import KeyRecord

SECRET_BYTES: Final = 20
NAME_MAX: Final = 128
FIRST_NAME: Final = "first admin"
_KEY: Final = re.compile(rf"tru_([1-9][0-9]{{0,17}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")


class KeyScope(StrEnum):
    """What a key may do."""

    READ = "read"  # see everything but keys
    UPLOAD = "upload"  # send rows, update statuses, undo; and read
    SETUP = "setup"  # change what the workspace is set up as, see and rotate postback keys; and read
    ADMIN = "admin"  # all of it, and the API's own keys


_INCLUDED: Final = {
    KeyScope.READ: {KeyScope.READ},
    KeyScope.UPLOAD: {KeyScope.READ, KeyScope.UPLOAD},
    KeyScope.SETUP: {KeyScope.READ, KeyScope.SETUP},
    KeyScope.ADMIN: set(KeyScope),
}


@dataclass(frozen=True)
class Caller:
    """Who calls: a key that was found good."""

    key_id: int
    name: str
    scopes: frozenset[KeyScope]  # also those that its own scopes include
    last_used_at: int | None = None  # as it is stored, microseconds since the epoch; None for never


class KeyNameError(ValueError):
    """A key cannot be called that. The message says why."""


def parse_key(text: str) -> tuple[int, str] | None:
    """The number and the secret in a key, None for a text that is none of our keys."""
    found = _KEY.fullmatch(text)
    return (int(found[1]), found[2]) if found else None


def verify_key(database: Readable, text: str) -> Caller | None:
    """Who a key belongs to; None for a key that was never made, or was revoked. Compares in constant time."""
    key_id, secret = parse_key(text) or (None, "")
    record = stored.read_key(database, key_id) if key_id is not None else None
    expected = record.sha256 if record else ""
    fits = hmac.compare_digest(digest_of(secret), expected)
    if record is None or not fits or record.revoked_at is not None:
        return None
    return Caller(record.key_id, record.name, included(scopes_of(record)), record.last_used_at)


def digest_of(text: str) -> str:
    """By what a secret is known: its SHA-256, hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def scopes_of(record: KeyRecord) -> tuple[KeyScope, ...]:
    """The scopes that a key was made with."""
    return tuple(KeyScope(word) for word in record.scopes.split())


def included(scopes: Collection[KeyScope]) -> frozenset[KeyScope]:
    """All that some scopes allow."""
    return frozenset[KeyScope]().union(*(_INCLUDED[scope] for scope in scopes))


def create_key(
    database: Database,
    name: str,
    scopes: Collection[KeyScope],
    now: int,
    randomness: Callable[[int], bytes],
    also: Callable[[Transaction, tuple[str, KeyRecord]], None] = lambda *_: None,
) -> tuple[str, KeyRecord]:
    """Make a key of the API, and store it.

    Args:
        database: The ledger.
        name: What the key is called.
        scopes: What it may do, one scope at least.
        now: The moment, in microseconds since the epoch.
        randomness: Gives so many random bytes.
        also: What else to do in the same transaction.

    Returns:
        The key, which is shown this once, and how it is stored.

    Raises:
        KeyNameError: The name cannot be used.
    """
    with database.transaction() as transaction:
        made = _create(transaction, named(name), scopes, now, randomness)
        also(transaction, made)
    return made


def first_admin(database: Database, clock: Callable[[], int], randomness: Callable[[int], bytes]) -> str | None:
    """Make the first key, of an admin, where no key was ever made.

    Of several programs that begin at once, one makes it.

    Args:
        database: The ledger.
        clock: Gives microseconds since the epoch.
        randomness: Gives so many random bytes.

    Returns:
        The key; None where there is, or was, one already.
    """
    if stored.count_keys(database):
        return None
    with database.transaction() as transaction:
        stored.lock_keys(transaction)
        if stored.count_keys(transaction):
            return None
        return _create(transaction, FIRST_NAME, [KeyScope.ADMIN], clock(), randomness)[0]


def revoke_key(database: Database, key_id: int, now: int) -> bool:
    """Revoke a key for good.

    Args:
        database: The ledger.
        key_id: The number in the key.
        now: The moment, in microseconds since the epoch.

    Returns:
        Whether the key was good until now.
    """
    with database.transaction() as transaction:
        return stored.set_revoked(transaction, key_id, now)


def note_use(database: Database, key_id: int, now: int) -> None:
    """Note when a key was used (microseconds UTC)."""
    with database.transaction() as transaction:
        stored.set_last_used(transaction, key_id, now)


def named(name: str) -> str:
    """Check a key's name.

    Args:
        name: The name as a person gives it.

    Returns:
        The name as it is kept.

    Raises:
        KeyNameError: The name cannot be used.
    """
    name = name.strip()
    if not 1 <= len(name) <= NAME_MAX:
        raise KeyNameError(f"a key's name has 1 to {NAME_MAX} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        raise KeyNameError("a key's name has no line breaks or control characters")
    return name


def _create(
    transaction: Transaction, name: str, scopes: Collection[KeyScope], now: int, randomness: Callable[[int], bytes]
) -> tuple[str, KeyRecord]:
    words = " ".join(scope.value for scope in KeyScope if scope in scopes)
    secret = randomness(SECRET_BYTES).hex()
    key_id = stored.insert_key(transaction, name, words, digest_of(secret), now)
    return f"tru_{key_id}_{secret}", KeyRecord(key_id, name, words, digest_of(secret), now)

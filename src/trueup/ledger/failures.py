"""What the database's failures mean to the caller: try again, leave this data out, or have a person look.

Drivers say what failed by SQLSTATE (PostgreSQL) or in words (SQLite). A failure in neither table is not the data's.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from adbc_driver_manager import AdbcStatusCode
from adbc_driver_manager import Error as DriverError


class DatabaseError(Exception):
    """The database could not be opened, read or written. The message says what is wrong, without secrets.

    One that is neither of the two below is broken (a missing table, a damaged page) or unknown: what was to be written
    may be as good as ever, so keep it and try again.
    """


class DatabaseUnavailableError(DatabaseError):
    """The database cannot be used now, whatever is asked of it: it is gone, locked, full, slow or may not be written.

    The same again may go well later. Where it says so of a commit, that may have been done all the same.
    """


class DatabaseRefusedError(DatabaseError):
    """The database refuses this very data (a sum that leaves 64 bits, text it cannot hold), now and always.

    Other data goes well meanwhile, on the same connection.
    """


Kind = type[DatabaseError]

# By SQLSTATE: the whole code where it stands here, else its class, which is the first two characters.
_BY_SQLSTATE: Final[Mapping[str, Kind]] = {
    "08": DatabaseUnavailableError,  # the connection
    "22003": DatabaseRefusedError,  # a number that leaves its type
    "22021": DatabaseRefusedError,  # bytes that are no text
    "22P02": DatabaseRefusedError,  # text that is no such value
    "22P05": DatabaseRefusedError,  # text that cannot be translated
    "23502": DatabaseRefusedError,  # not null
    "23514": DatabaseRefusedError,  # a check; what is there twice (23505) speaks against the ledger, not the data
    "25006": DatabaseUnavailableError,  # read-only: a standby, or a disk that is full
    "25P03": DatabaseUnavailableError,  # idle in a transaction for too long
    "25P04": DatabaseUnavailableError,  # a transaction that took too long
    "28": DatabaseUnavailableError,  # who may come in; an administrator mends it
    "3D": DatabaseUnavailableError,  # there is no such database, such as while a backup is restored
    "40": DatabaseUnavailableError,  # a deadlock, or two that cannot both be done
    "53": DatabaseUnavailableError,  # memory, disk, connections
    "54000": DatabaseRefusedError,  # larger than anything can be
    "55006": DatabaseUnavailableError,  # in use
    "55P03": DatabaseUnavailableError,  # a lock was not to be had in time
    "57": DatabaseUnavailableError,  # shut down, starting, or the statement took too long
    "58": DatabaseUnavailableError,  # the system below, such as a failing disk
}
# By what SQLite says, from its beginning on.
_BY_WORDS: Final[Mapping[str, Kind]] = {
    "database is locked": DatabaseUnavailableError,
    "database table is locked": DatabaseUnavailableError,
    "database schema is locked": DatabaseUnavailableError,
    "database schema has changed": DatabaseUnavailableError,
    "database or disk is full": DatabaseUnavailableError,
    "disk I/O error": DatabaseUnavailableError,
    "attempt to write a readonly database": DatabaseUnavailableError,
    "unable to open database": DatabaseUnavailableError,
    "locking protocol": DatabaseUnavailableError,
    "out of memory": DatabaseUnavailableError,
    "interrupted": DatabaseUnavailableError,
    "CHECK constraint failed": DatabaseRefusedError,
    "NOT NULL constraint failed": DatabaseRefusedError,
    "datatype mismatch": DatabaseRefusedError,
    "integer overflow": DatabaseRefusedError,
    "string or blob too big": DatabaseRefusedError,
}
# What the drivers put before the database's own words: a status, where it happened, the statement.
_BEFORE: Final = re.compile(
    r"(?s)\A[A-Z_]+: (?:\[\w+\] )?(?:failed to [\w ]+(?:'.*')?: )?(?:PGRES_\w+ )?", re.IGNORECASE
)
_PRIMARY: Final = b"PG_DIAG_MESSAGE_PRIMARY"


def failure(error: DriverError, *, is_sqlite: bool) -> DatabaseError:
    """The error of ours that a driver's error means."""
    words = _words(error)
    if is_sqlite:
        return next((kind for said, kind in _BY_WORDS.items() if words.startswith(said)), DatabaseError)(words)
    if error.sqlstate:
        kind = _BY_SQLSTATE.get(error.sqlstate) or _BY_SQLSTATE.get(error.sqlstate[:2], DatabaseError)
        return kind(f"{words} ({error.sqlstate})")
    if error.status_code == AdbcStatusCode.IO:  # libpq itself, about its connection: it has no codes
        return DatabaseUnavailableError(words or "the connection to the database is lost")
    return DatabaseError(words)


def _words(error: DriverError) -> str:
    """The database's own words, in one line: further lines repeat the statement and may hold values."""
    details: Mapping[Any, bytes] = dict(error.details or ())  # by names that are bytes, whatever the driver declares
    text = details.get(_PRIMARY, b"").decode(errors="replace") or _BEFORE.sub("", str(error), count=1)
    return next(iter(text.strip().splitlines()), "")

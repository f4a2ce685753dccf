"""One connection to SQLite or PostgreSQL through ADBC: opened, guarded and closed.

Whoever reads or writes takes its cursor for one statement at a time; what fails there comes out as an error of ours.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import Any, Final

import adbc_driver_sqlite.dbapi
from adbc_driver_manager import Error as DriverError
from adbc_driver_manager.dbapi import Connection as DriverConnection
from adbc_driver_manager.dbapi import Cursor

from trueup.ledger import postgresql as server
from trueup.ledger.failures import DatabaseUnavailableError, failure
from trueup.ledger.statements import as_record
from trueup.ledger.urls import SQLITE, refuse_unreadable, without_secrets
from trueup.ledger.waits import Waits, with_waits

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # NORMAL loses acknowledged commits when the power goes
    "PRAGMA cache_size = -131072",  # 128 MiB
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 8000",
)


def place_of(url: str) -> tuple[int, int] | None:
    """Which file a SQLite database is, by device and number; None for no file, and for PostgreSQL.

    Args:
        url: The database.
    """
    if not url.startswith(SQLITE):
        return None
    try:
        found = os.stat(url.removeprefix(SQLITE))  # noqa: PTH116 - asked after each commit
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Connection:
    """An open connection. Threads that share it have to agree on its transaction; their statements wait in turn."""

    def __init__(self, url: str, waits: Waits) -> None:
        """Open.

        Args:
            url: `sqlite:///path`, or a `postgresql://` URL.
            waits: How long anything may take.

        Raises:
            DatabaseError: It is no database's URL.
            DatabaseUnavailableError: It cannot be opened now.
        """
        refuse_unreadable(url)
        self.is_sqlite = url.startswith(SQLITE)
        self.is_lost = False  # its transaction cannot be ended, so nothing may follow in it
        self.has_failed = False  # whether a statement of the transaction failed
        self._lent = Lock()
        self._url = url if self.is_sqlite else with_waits(url, waits)
        try:
            self._driver, self._cursor = self._open(waits)
            self._place = place_of(url)
        except DriverError as error:
            said = str(failure(error, is_sqlite=self.is_sqlite))
            plain = said if self.is_sqlite else without_secrets(said, url)
            raise DatabaseUnavailableError(f"the database cannot be opened: {plain}") from None

    def _open(self, waits: Waits) -> tuple[DriverConnection, Cursor]:
        connection: DriverConnection
        with ExitStack() as on_failure:
            if self.is_sqlite:
                _make_private(self._url.removeprefix(SQLITE))
                connection = adbc_driver_sqlite.dbapi.connect(self._url.removeprefix(SQLITE), autocommit=True)
            else:
                connection = server.connect(self._url)
            on_failure.callback(connection.close)
            cursor = connection.cursor()
            waiting = f"PRAGMA busy_timeout = {round(waits.lock * 1000)}"  # first: the other statements may wait
            for pragma in (waiting, *_SQLITE_PRAGMAS) if self.is_sqlite else ():
                cursor.execute(pragma)
                cursor.fetchall()
            on_failure.pop_all()
        return connection, cursor

    def refuse_moved(self) -> None:
        """Make sure that SQLite's file is still at its place: a program goes on writing to a file that was moved.

        Raises:
            DatabaseUnavailableError: It was moved, deleted or replaced. What was committed last may be in no ledger.
        """
        if self._place is not None and self._place != place_of(self._url):
            raise DatabaseUnavailableError("the database's file was moved, deleted or replaced")

    def close(self) -> None:
        """Close. What is not committed is lost. Closing a connection that is lost already raises nothing."""
        for part in (self._cursor, self._driver):
            with suppress(DriverError):
                part.close()

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """Lend the cursor for one statement; others wait meanwhile.

        Raises:
            DatabaseError: What the driver says of the statement, as an error of ours.
        """
        if self.is_lost:
            raise DatabaseUnavailableError("the connection to the database is lost")
        try:
            with self._lent:
                yield self._cursor
        except DriverError as error:
            self.has_failed = True
            told = failure(error, is_sqlite=self.is_sqlite)
            if isinstance(told, DatabaseUnavailableError) and not self.is_sqlite:
                server.lose(self._url)
            raise told from error

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a plain SQL text that returns no rows."""
        with self.cursor() as cursor:  # `executemany`: PostgreSQL's driver has `execute` try to read rows, as COPY
            cursor.executemany(sql, as_record(parameters) if parameters else None)


def _make_private(path: str) -> None:
    """Make a new database file that its owner alone can read: it holds secrets. One that is there stays as it is."""
    with suppress(OSError):  # the driver says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))

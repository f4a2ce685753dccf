"""The writer's way to the ledger: one connection, opened when it can be, closed when it fails, and opened again."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from trueup.ledger.connection import place_of
from trueup.ledger.database import Database, DatabaseError, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.ledger.secrets import click_key
from trueup.ledger.waits import LIVE
from trueup.live.events import WriterEvents
from trueup.live.health import Health
from trueup.live.last_setup import LastSetup, keep_last_setup, read_last_setup
from trueup.model.catalog import Catalog
from trueup.recording.context import Clock
from trueup.recording.incoming import LiveLedger

_RETRY_SECONDS: Final = 0.5


class LedgerLink:
    """Holds the ledger while it is open, and always what was last known of the setup."""

    def __init__(
        self,
        url: str,
        folder: Path,
        clock: Clock,
        made_by: str,
        belongs_here: Callable[[Database], None],
        health: Health,
        events: WriterEvents,
        say: Callable[[Exception], str],
    ) -> None:
        """Read the setup that was kept beside the spool. Nothing is opened.

        Args:
            url: The database.
            folder: The server's folder.
            clock: Gives microseconds since the epoch.
            made_by: Who the batches are made by.
            belongs_here: Raises a DatabaseError where the folder belongs to another ledger.
            health: How the process stands.
            events: Who looks on.
            say: Puts into words why it cannot be opened.
        """
        self._url, self._folder, self._clock, self._made_by = url, folder, clock, made_by
        self._belongs_here, self._health, self._events, self._say = belongs_here, health, events, say
        self._next_try = 0.0
        self._place: tuple[int, int] | None = None
        self.ledger: LiveLedger | None = None
        last = read_last_setup(folder)
        self.catalog = last.catalog if last else Catalog()
        self.click_key = bytes.fromhex(last.click_key) if last else None  # None: nothing is known of the setup yet

    @property
    def due_in(self) -> float:
        """In how many seconds it is time to try again."""
        return max(0.0, self._next_try - monotonic())

    def open(self, take_over: Callable[[LiveLedger], None]) -> None:
        """Open the ledger, and have it take what waits; only then is it there for others.

        A failure is kept in the process' health, and it is tried again later.

        Args:
            take_over: Records what waits for the ledger.
        """
        try:
            self._refuse_another_file()
            database = open_ledger(self._url, LIVE)
            self._place = place_of(self._url)
            try:
                self._belongs_here(database)
                key = click_key(database, os.urandom)
                ledger = LiveLedger(database, self._clock, self._made_by, key)
                take_over(ledger)
            except BaseException:
                with suppress(Exception):
                    database.close()
                raise
        except (DatabaseError, OSError) as error:
            self._next_try = monotonic() + _RETRY_SECONDS
            why = self._say(error)
            if why != self._health.database:
                self._events.failed(why)
            self._health.database_lost(why)
            return
        self.ledger = ledger
        self._note(ledger.catalog, key)
        self._health.database_back()

    def _refuse_another_file(self) -> None:
        """Take no other file in the place of the first: what would be recorded in a copy is lost with the copy.

        It is not even opened. Beside it may stand the log of the first, and SQLite would clear that away.

        Raises:
            DatabaseUnavailableError: It is another file, or none.
        """
        if self._place is not None and place_of(self._url) != self._place:
            raise DatabaseUnavailableError(
                "the database's file is gone, or another file stands in its place: put the first one back, or, if "
                "another is the ledger from now on, start the server again"
            )

    def lose(self, why: str) -> None:
        """Close a connection that failed. It is opened again later."""
        self._next_try = monotonic() + _RETRY_SECONDS
        self._events.failed(why)
        self._health.database_lost(why)
        ledger, self.ledger = self.ledger, None
        if ledger is not None:
            with suppress(Exception):
                ledger.database.close()

    def close(self) -> None:
        """Finish the open batches, and close."""
        if self.ledger is None:
            return
        ledger, self.ledger = self.ledger, None
        try:
            if self._health.has_ledger:
                ledger.finish()
        except DatabaseError as error:
            self._events.failed(str(error))
        with suppress(Exception):
            ledger.database.close()

    def note_setup(self) -> None:
        """Keep the setup as the ledger has it now, where it has changed."""
        if self.ledger is not None and self.click_key is not None and self.ledger.catalog is not self.catalog:
            self._note(self.ledger.catalog, self.click_key)

    def _note(self, catalog: Catalog, key: bytes) -> None:
        self.click_key, self.catalog = key, catalog  # in this order: whoever finds a link in the setup needs the key
        try:
            keep_last_setup(self._folder, LastSetup(key.hex(), catalog))
        except OSError as error:
            self._events.failed(f"the setup cannot be kept beside the spool: {error.strerror or error}")

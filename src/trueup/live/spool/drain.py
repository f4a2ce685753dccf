"""Clicks leave the spool for the ledger: those of this process, and those that other processes left in the folder.

A record leaves the spool only when its click is stored. A click that cannot be, whatever is tried, is laid aside with
the reason; whatever goes wrong with the database, all of them stay where they are.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Final

import polars as pl

from trueup.ledger.database import DatabaseError, DatabaseRefusedError
from trueup.ledger.spools import may_be_elsewhere, note_drained
from trueup.live.events import WriterEvents
from trueup.live.spool.dead_letters import DeadLetter, DeadLetters
from trueup.live.spool.folder import SpoolFolder
from trueup.live.spool.queue import Spool
from trueup.model.ids import made_at
from trueup.model.traffic import Click
from trueup.recording.context import Clock
from trueup.recording.incoming import LiveLedger

# What is a click's own fault; the last ones are those of a record that is none, such as of another program's version.
_OWN_FAULTS: Final = (DatabaseRefusedError, ValueError, TypeError, OverflowError, pl.exceptions.PolarsError)
_AT_ONCE: Final = 5_000  # clicks that share one commit
_ADOPT_SECONDS: Final = 2.0  # how often it is looked for files that nobody holds
_NOTE_SECONDS: Final = 2.0  # how often other machines are told how far this folder is
FORGOTTEN_MICROS: Final = 24 * 3_600 * 1_000_000  # a folder that was not heard of for so long is taken to be gone


class Drain:
    """Takes clicks out of the spool, into the ledger."""

    def __init__(
        self, spool: Spool, folder: SpoolFolder, dead_letters: DeadLetters, clock: Clock, events: WriterEvents
    ) -> None:
        """Nothing is taken before `run`.

        Args:
            spool: The spool of this process.
            folder: Where the files of all processes are.
            dead_letters: Where clicks go that the database refuses.
            clock: Gives microseconds since the epoch.
            events: Who looks on.

        Raises:
            OSError: The folder cannot be used.
        """
        self._spool, self._folder, self._dead_letters = spool, folder, dead_letters
        self._clock, self._events = clock, events
        self._folder_id = folder.identity()
        self._next_adoption = self._next_note = 0.0

    def run(self, ledger: LiveLedger) -> None:
        """Have the ledger take all that is there now.

        Args:
            ledger: The open ledger.

        Raises:
            DatabaseError: The ledger cannot take them. They stay in the spool, and come again.
            OSError: A file cannot be read or emptied. Its clicks come again.
        """
        for _ in range(self._spool.parts):
            began, clicks = monotonic(), self._spool.clicks()
            self._record(ledger, clicks)
            self._spool.recorded()
            self._events.gathered(len(clicks), 0, monotonic() - began)

    def adopt(self, ledger: LiveLedger, *, at_once: bool = False) -> None:
        """Have the ledger take what is in files that nobody holds: their process is gone.

        Args:
            ledger: The open ledger.
            at_once: Whether to look now, or only when it is time again.

        Raises:
            DatabaseError: The ledger cannot take them. They stay in their files.
            OSError: A file cannot be read or emptied. Its clicks come again.
        """
        if not at_once and monotonic() < self._next_adoption:
            return
        self._next_adoption = monotonic() + _ADOPT_SECONDS
        with ExitStack() as on_end:
            files = self._folder.adopt()
            for file in files:
                on_end.callback(file.close)
            for file in files:
                contents = file.read()
                self._record(ledger, contents.clicks)
                file.empty()
                self._events.adopted(len(contents.clicks))
                if contents.damaged:
                    self._events.damaged(len(contents.damaged))

    def note(self, ledger: LiveLedger) -> None:
        """Tell the servers on other machines that the ledger has all clicks of this folder, now and then.

        Args:
            ledger: The open ledger.

        Raises:
            DatabaseError: It is not told, and is tried again.
            OSError: Nobody can tell whether it has.
        """
        if ledger.database.is_sqlite or monotonic() < self._next_note:
            return
        self._next_note = monotonic() + _NOTE_SECONDS
        until = self._clock()
        if not self._folder.waiting_bytes():
            with ledger.database.transaction() as transaction:
                note_drained(transaction, self._folder_id, until)

    def may_be_on_its_way(self, ledger: LiveLedger | None, click_ids: Iterable[str]) -> bool:
        """Whether some spool may have clicks of our own making that the ledger lacks.

        Args:
            ledger: The open ledger; None where it was lost.
            click_ids: The clicks.

        Returns:
            True also where nobody can tell.
        """
        try:
            if ledger is None or self.others_wait():
                return True
            if ledger.database.is_sqlite:
                return False
            newest = max(map(made_at, click_ids), default=0)
            heard_since = self._clock() - FORGOTTEN_MICROS
            return may_be_elsewhere(ledger.database, self._folder_id, newest, heard_since)
        except (DatabaseError, OSError):
            return True

    def others_wait(self) -> int:
        """How many bytes of clicks wait in files of other processes, or of those that are gone.

        Raises:
            OSError: A file cannot be read.
        """
        return self._folder.waiting_bytes(but=self._spool.paths)

    def laid_aside(self) -> int:
        """Count the dead letters: clicks that the database refused, and that wait for a person.

        Returns:
            How many there are, those included that cannot be read.

        Raises:
            OSError: Their file cannot be read.
        """
        return self._dead_letters.count() + self._dead_letters.unreadable()

    def _record(self, ledger: LiveLedger, clicks: Sequence[Click]) -> None:
        for place in range(0, len(clicks), _AT_ONCE):
            self._record_or_part(ledger, clicks[place : place + _AT_ONCE])

    def _record_or_part(self, ledger: LiveLedger, clicks: Sequence[Click]) -> None:
        """Record clicks together. Where the database refuses one of them, find it, and record the others."""
        try:
            ledger.record_clicks(clicks)
        except _OWN_FAULTS as error:
            if len(clicks) == 1:
                self._dead_letters.add([DeadLetter(clicks[0], str(error), self._clock())])
                self._events.laid_aside(str(error))
                return
            half = len(clicks) // 2
            self._record_or_part(ledger, clicks[:half])
            self._record_or_part(ledger, clicks[half:])

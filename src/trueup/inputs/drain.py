"""Clicks leave the spool for the ledger: those of this process, and those that other processes left in the folder.

A record leaves the spool only when its click is stored. A click that the database refuses by itself is laid aside with
the reason; whatever else goes wrong, all of them stay where they are.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Final

from trueup.inputs.dead_letters import DeadLetter, DeadLetters
from trueup.inputs.spool import Spool
from trueup.inputs.spool_folder import SpoolFolder
from trueup.inputs.watch import Watch
from trueup.intake.door import Clock
from trueup.intake.live import LiveLedger
from trueup.ledger.database import DatabaseRefusedError
from trueup.model.traffic import Click

_AT_ONCE: Final = 5_000  # clicks that share one commit
_ADOPT_SECONDS: Final = 2.0  # how often it is looked for files that nobody holds


class Drain:
    """Takes clicks out of the spool, into the ledger."""

    def __init__(
        self, spool: Spool, folder: SpoolFolder, dead_letters: DeadLetters, clock: Clock, watch: Watch
    ) -> None:
        """Nothing is taken before `run`.

        Args:
            spool: The spool of this process.
            folder: Where the files of all processes are.
            dead_letters: Where clicks go that the database refuses.
            clock: Gives microseconds since the epoch.
            watch: Who looks on.
        """
        self._spool, self._folder, self._dead_letters = spool, folder, dead_letters
        self._clock, self._watch = clock, watch
        self._next_adoption = 0.0

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
            self._watch.gathered(len(clicks), 0, monotonic() - began)

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
                self._watch.adopted(len(contents.clicks))
                if contents.damaged:
                    self._watch.damaged(len(contents.damaged))

    def others_wait(self) -> int:
        """How many bytes of clicks wait in files of other processes, or of those that are gone.

        Raises:
            OSError: A file cannot be read.
        """
        return self._folder.waiting_bytes(but=self._spool.paths)

    def laid_aside(self) -> int:
        """How many clicks the database refused that nobody has seen to yet. Raises: OSError."""
        return self._dead_letters.count()

    def _record(self, ledger: LiveLedger, clicks: Sequence[Click]) -> None:
        for place in range(0, len(clicks), _AT_ONCE):
            self._record_or_part(ledger, clicks[place : place + _AT_ONCE])

    def _record_or_part(self, ledger: LiveLedger, clicks: Sequence[Click]) -> None:
        """Record clicks together. Where the database refuses one of them, find it, and record the others."""
        try:
            ledger.record_clicks(clicks)
        except DatabaseRefusedError as error:
            if len(clicks) == 1:
                self._dead_letters.add([DeadLetter(clicks[0], str(error), self._clock())])
                self._watch.laid_aside(str(error))
                return
            half = len(clicks) // 2
            self._record_or_part(ledger, clicks[:half])
            self._record_or_part(ledger, clicks[half:])

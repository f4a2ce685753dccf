"""The spool: where clicks are on disk before the ledger has them, so that no visitor waits for the database.

One thread writes whatever clicks have come, syncs them, and only then answers their visitors. There are two files: one
takes clicks while the ledger takes the other's. Where other programs decide about the same clicks, the ledger must have
a click before its visitor can do anything: then a click is held until the ledger has it, and is written only while the
database cannot be.
"""

from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import Final

from trueup.inputs.callers import STOPPING, Caller, Callers, answer
from trueup.inputs.spool_file import SpoolFile
from trueup.inputs.watch import Watch
from trueup.model.traffic import Click

_REMEMBERED_MOST: Final = 20_000  # clicks of a file that need not be read again from it
_IDLE_SECONDS: Final = 1.0
_PATIENCE: Final = 3.0  # a sync is short beside what the event loop has to do for those who shared it


class _Half:
    """One of the two files, and what waits with it."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self.remembered: list[Click] | None = None if file.taken else []  # what is in the file; None: read it
        self.written = 0  # clicks, since the file was last empty
        self.held: list[Caller[Click]] = []  # in no file: these are answered when the ledger has them

    @property
    def is_empty(self) -> bool:
        return not (self.file.taken or self.held)

    def clicks(self) -> list[Click]:
        in_file = self.file.read().clicks if self.remembered is None else self.remembered
        return [*in_file, *(caller.brought for caller in self.held)]

    def write(self, callers: Sequence[Caller[Click]]) -> int:
        """Write clicks. Returns: for how many there was room. Raises: OSError, and then none is written."""
        clicks = [caller.brought for caller in callers]
        kept = self.file.keep(clicks)
        self.written += kept
        if self.remembered is not None:
            self.remembered += clicks[:kept]
            if len(self.remembered) > _REMEMBERED_MOST:
                self.remembered = None
        return kept

    def clear(self) -> None:
        """Forget all of it. Those that are held are answered."""
        answer(self.held, [None] * len(self.held))
        self.held, self.remembered, self.written = [], [], 0
        if self.file.taken:
            self.file.empty()


class Spool:
    """Two files of clicks, and the thread that writes them."""

    def __init__(
        self, files: tuple[SpoolFile, SpoolFile], watch: Watch, most: int, ledger_wake: Event, *, answers_first: bool
    ) -> None:
        """What an earlier program left in the files is the first that `clicks` gives.

        Takes: two files; who looks on; how many callers may wait; what wakes the ledger's thread; whether a visitor is
        sent on once the click is in a file, or when the ledger has it.
        """
        self._back, self._front = map(_Half, files)
        self._watch, self._ledger_wake, self._answers_first = watch, ledger_wake, answers_first
        self._lock, self._wake = Lock(), Event()
        self._callers: Callers[Click] = Callers(self._wake, most, _PATIENCE)
        self._has_ledger = True
        self._is_stopping = False
        self._thread = Thread(target=self._run, name="spool", daemon=True)

    def start(self) -> None:
        """Begin to take clicks."""
        self._thread.start()

    async def keep(self, click: Click) -> None:
        """Have a click kept. Returns once it is on disk, or counted as lost.

        Raises: UnavailableError when no more can wait; nothing is counted then.
        """
        await self._callers.bring(click)

    @property
    def taken(self) -> int:
        """How many bytes of clicks the ledger is still to have."""
        return self._front.file.taken + self._back.file.taken

    @property
    def parts(self) -> int:
        """In how many parts `clicks` gives all that is here now: none when the ledger has everything."""
        return (not self._back.is_empty) + (not self._front.is_empty)

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return len(self._callers) + len(self._front.held) + len(self._back.held)

    def clicks(self) -> list[Click]:
        """What the ledger is to have next, in the order it came; the same again until `recorded` is said."""
        with self._lock:
            if self._back.is_empty:
                self._front, self._back = self._back, self._front
            return self._back.clicks()

    def recorded(self) -> None:
        """The ledger has what `clicks` gave last."""
        with self._lock:
            self._back.clear()

    def ledger_is_back(self) -> None:
        """The database can be written."""
        self._has_ledger = True

    def ledger_is_lost(self) -> None:
        """The database cannot be written: those that wait for it are answered once they are in the files."""
        with self._lock:
            self._has_ledger = False
            self._watch.spooled(self._back.written + self._front.written, 0)
            for half in (self._back, self._front):
                held, half.held = half.held, []
                if held:
                    self._write(held)

    def stop(self) -> None:
        """Let no more clicks come, and write those that have."""
        self._callers.turn_away(STOPPING)
        self._is_stopping = True
        self._wake.set()
        self._thread.join()
        self._callers.close()

    def close(self) -> None:
        """Let go of the files."""
        self._front.file.close()
        self._back.file.close()

    def _run(self) -> None:
        while not (self._is_stopping and not self._callers):
            self._callers.wait(_IDLE_SECONDS)
            if callers := self._callers.take():
                self._take(callers)

    def _take(self, callers: list[Caller[Click]]) -> None:
        with self._lock:
            was_empty = self._front.is_empty
            if self._has_ledger and not self._answers_first:
                self._front.held += callers
            else:
                self._write(callers)
        if was_empty:
            self._ledger_wake.set()

    def _write(self, callers: list[Caller[Click]]) -> None:
        """Write clicks, and answer. Those without room wait for the ledger; while it is lost they are too."""
        kept = self._written(self._front, callers)
        if kept < len(callers) and self._back.is_empty:
            self._front, self._back = self._back, self._front
            kept += self._written(self._front, callers[kept:])
        left = callers[kept:]
        if self._has_ledger:
            self._front.held += left
            callers = callers[:kept]
        else:
            self._watch.spooled(kept, len(left))
        self._callers.answer(callers, [None] * len(callers))

    def _written(self, half: _Half, callers: list[Caller[Click]]) -> int:
        try:
            return half.write(callers)
        except OSError as error:
            self._watch.failed(f"the spool cannot be written: {error}")
            return 0

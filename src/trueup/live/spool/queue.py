"""The spool: where clicks are on disk before the ledger has them, so that no visitor waits for the database.

One thread writes whatever clicks have come, syncs them, and only then answers their visitors. There are two files: one
takes clicks while the ledger takes the other's. Where other programs decide about the same clicks, the ledger must have
a click before its visitor can do anything: then a click is held until the ledger has it, and is written only when that
takes too long, or the database cannot be written. A click that finds no place on disk is never acknowledged.
"""

from collections.abc import Sequence
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from trueup.live.commit_queue import STOPPING, CommitQueue, UnavailableError, Waiter, answer
from trueup.live.events import WriterEvents
from trueup.live.health import Health
from trueup.live.spool.file import SpoolFile
from trueup.model.traffic import Click

_REMEMBERED_MOST: Final = 20_000  # clicks of a file that need not be read again from it
_IDLE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.2  # how often held clicks are looked at
_PATIENCE: Final = 3.0  # a sync is short beside what the event loop has to do for those who shared it


class _Segment:
    """One of the two files, and what waits with it."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self.remembered: list[Click] | None = None if file.taken else []  # what is in the file; None: read it
        self.written = 0  # clicks, since the file was last empty
        self.damaged = 0  # stretches of the file, when it was read last
        self.held: list[Waiter[Click]] = []  # in no file: these are answered when the ledger has them

    @property
    def is_empty(self) -> bool:
        return not (self.file.taken or self.held)

    def clicks(self) -> list[Click]:
        in_file = self.remembered
        if in_file is None:
            contents = self.file.read()
            in_file, self.damaged = contents.clicks, len(contents.damaged)
        return [*in_file, *(caller.brought for caller in self.held)]

    def write(self, waiters: Sequence[Waiter[Click]]) -> int:
        """Write clicks.

        Args:
            waiters: The clicks, each with its caller.

        Returns:
            For how many of them there was room, from the first on.

        Raises:
            OSError: None is written.
        """
        clicks = [caller.brought for caller in waiters]
        kept = self.file.keep(clicks)
        self.written += kept
        if self.remembered is not None:
            self.remembered += clicks[:kept]
            if len(self.remembered) > _REMEMBERED_MOST:
                self.remembered = None
        return kept

    def clear(self) -> None:
        """Forget all of it, and answer the callers whose clicks are held.

        Raises:
            OSError: The file cannot be emptied: what is in it stays.
        """
        held, self.held = self.held, []
        answer(held, [None] * len(held))
        self.remembered = None  # should the file not be emptied, it gives them again
        if self.file.taken:
            self.file.empty()
        self.remembered, self.written = [], 0


class Spool:
    """Two files of clicks, and the thread that writes them."""

    def __init__(
        self,
        files: tuple[SpoolFile, SpoolFile],
        health: Health,
        events: WriterEvents,
        ledger_wake: Event,
        *,
        most: int,
        deadline: float,
        answers_first: bool,
    ) -> None:
        """What an earlier program left in the files is the first that `clicks` gives.

        Args:
            files: Two files.
            health: How the process stands.
            events: Who looks on.
            ledger_wake: Wakes the ledger's thread.
            most: How many callers may wait.
            deadline: For how many seconds a click is held for the ledger.
            answers_first: Whether a visitor is sent on once the click is in a file, or when the ledger has it.
        """
        self._back, self._front = map(_Segment, files)
        self._health, self._events, self._ledger_wake = health, events, ledger_wake
        self._deadline, self._answers_first = deadline, answers_first
        self._lock, self._wake = Lock(), Event()
        self.queue: CommitQueue[Click] = CommitQueue(self._wake, most, _PATIENCE)
        self._had_ledger = True
        self._is_stopping = False
        self._thread = Thread(target=self._run, name="spool", daemon=True)

    def start(self) -> None:
        """Begin to take clicks."""
        self._thread.start()

    @property
    def paths(self) -> frozenset[str]:
        """Where the two files stand."""
        return frozenset((str(self._front.file.path), str(self._back.file.path)))

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
        return len(self.queue) + len(self._front.held) + len(self._back.held)

    def clicks(self) -> list[Click]:
        """What the ledger is to have next, in the order it came; the same again until `recorded` is said.

        Raises:
            OSError: The file cannot be read.
        """
        with self._lock:
            if self._back.is_empty:
                self._front, self._back = self._back, self._front
            clicks = self._back.clicks()
            if self._back.damaged:
                self._events.damaged(self._back.damaged)
                self._back.damaged = 0
            return clicks

    def recorded(self) -> None:
        """Forget what `clicks` gave last: the ledger has it.

        Raises:
            OSError: The file cannot be emptied. `clicks` gives the same again.
        """
        with self._lock:
            self._back.clear()

    def wake(self) -> None:
        """Have the thread look how things stand: the database was lost."""
        self._wake.set()

    def stop(self, seconds: float) -> None:
        """Let no more clicks come, and write those that have.

        Args:
            seconds: How long to wait for the disk at most.
        """
        self.queue.turn_away(STOPPING)
        self._is_stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        self.queue.close()

    def close(self, *, in_use: bool) -> None:
        """Let go of the files. Those that the ledger did not take are written before.

        Args:
            in_use: A thread that hangs may still come back to the files: they stay open until the process ends.
        """
        if self._lock.acquire(timeout=1.0):
            self._write_held(0.0)
            self._lock.release()
        if not (in_use or self._thread.is_alive()):
            self._front.file.close()
            self._back.file.close()

    def _run(self) -> None:
        try:
            while not (self._is_stopping and not self.queue):
                self.queue.wait(_LOOK_SECONDS if self._front.held or self._back.held else _IDLE_SECONDS)
                self._look_around()
                if waiters := self.queue.drain():
                    self._take(waiters)
                    self.queue.done()
        except BaseException as error:  # noqa: BLE001 - without this thread nothing is acknowledged any more
            self._health.die(f"the spool's thread ended: {type(error).__name__}: {error}")
            self.queue.turn_away("the server is about to start again")
            self.queue.close()

    def _look_around(self) -> None:
        """See what became of the ledger and of the disk."""
        has_ledger = self._health.has_ledger
        if self._had_ledger and not has_ledger:
            self._events.spooled(self._back.written + self._front.written, 0)
        self._had_ledger = has_ledger
        with self._lock:
            self._write_held(self._deadline if has_ledger else 0.0)
        if self._health.spool:
            try:
                self._front.file.check()
                self._health.spool_back()
            except OSError as error:
                self._health.spool_lost(_said(error))

    def _take(self, waiters: list[Waiter[Click]]) -> None:
        with self._lock:
            was_empty = self._front.is_empty
            if self._health.has_ledger and not self._answers_first:
                self._front.held += waiters
            else:
                left = self._write(waiters)
                if self._health.has_ledger:
                    self._front.held += left
                else:
                    self._refuse(left)
        if was_empty:
            self._ledger_wake.set()

    def _write(self, waiters: list[Waiter[Click]]) -> list[Waiter[Click]]:
        """Write clicks, and answer their callers.

        Args:
            waiters: The clicks, each with its caller.

        Returns:
            Those for whom there is no room.
        """
        kept = self._written(self._front, waiters)
        if kept < len(waiters) and self._back.is_empty:
            self._front, self._back = self._back, self._front
            kept += self._written(self._front, waiters[kept:])
        if not self._health.has_ledger:
            self._events.spooled(kept, 0)
        self.queue.answer(waiters[:kept], [None] * kept)
        return waiters[kept:]

    def _write_held(self, seconds: float) -> None:
        """Write those that were held for so long, and answer. Those for whom there is no room are told."""
        held_before = monotonic() - seconds
        for segment in (self._back, self._front):
            late = [caller for caller in segment.held if caller.came_at <= held_before]
            if not late:
                continue
            segment.held = segment.held[len(late) :]
            kept = self._written(segment, late)  # the ledger may be at work on this very segment: it stays whole
            self.queue.answer(late[:kept], [None] * kept)
            left = late[kept:]
            self._events.spooled(kept, 0)
            self._refuse(self._write(left) if left else [])

    def _refuse(self, waiters: list[Waiter[Click]]) -> None:
        why = self._health.spool or "the spool is full"
        answer(waiters, [UnavailableError(why)] * len(waiters))

    def _written(self, segment: _Segment, waiters: list[Waiter[Click]]) -> int:
        if not waiters:
            return 0
        try:
            kept = segment.write(waiters)
        except OSError as error:
            self._health.spool_lost(_said(error))
            self._events.failed(f"the spool cannot be written: {error}")
            return 0
        if self._health.spool:
            self._health.spool_back()
        return kept


def _said(error: OSError) -> str:
    return f"the spool cannot be written: {error.strerror or error}"

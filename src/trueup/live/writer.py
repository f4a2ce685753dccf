"""The one writer of a server process: whatever messages wait are recorded together, and only then answered.

An idle writer takes one message at once; while it commits, others gather, and they share the next commit. The clicks
that the spool has go before them: a message never finds less than its visitor did. Longer work (an upload, an undo)
comes as slices, and live traffic goes before each. A second thread watches over the first: nobody waits for longer than
a deadline, and nothing is acknowledged once a thread has ended that should not have.
"""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from time import monotonic
from typing import Final, TypeVar

from trueup.ledger.database import Database, DatabaseError, DatabaseUnavailableError
from trueup.live.commit_queue import STOPPING, CommitQueue, UnavailableError, Waiter
from trueup.live.events import WriterEvents
from trueup.live.group_commit import MessageRecorder, ResultOrError
from trueup.live.health import Health
from trueup.live.ledger_link import LedgerLink
from trueup.live.slices import SliceQueue
from trueup.live.spool.drain import Drain
from trueup.live.spool.queue import Spool
from trueup.model.traffic import Click, IncomingConversion, RowResult
from trueup.recording.chunks import Slices, single_slice
from trueup.recording.incoming import LiveLedger

T = TypeVar("T")

DEADLINE_SECONDS: Final = 2.0  # then a click goes to the spool, and a message is put off
_TOGETHER_SECONDS: Final = 0.05  # how long the ledger lets clicks gather that are on disk already
_IDLE_SECONDS: Final = 1.0  # how often an idle writer looks whether the setup has changed
_LOOK_SECONDS: Final = 0.2  # how often a busy one does
_WATCH_SECONDS: Final = 0.25
_STOP_SECONDS: Final = 8.0  # for what was accepted, when the server stops
_PATIENCE: Final = 0.75
_AGAIN: Final = "the server is about to start again"


class Writer:
    """A thread with the only connection that this process writes through."""

    def __init__(
        self,
        link: LedgerLink,
        spool: Spool,
        drain: Drain,
        health: Health,
        events: WriterEvents,
        wake: threading.Event,
        *,
        waiting: int,
        is_alone: bool,
    ) -> None:
        """Nothing is opened before `start`. `make_writer` puts the parts together."""
        self.health = health
        self.link, self._spool, self._drain = link, spool, drain
        self._events, self._wake, self._is_alone = events, wake, is_alone
        self._queue: CommitQueue[IncomingConversion] = CommitQueue(wake, waiting, _PATIENCE)
        self._messages = MessageRecorder(link, drain, self._is_wanted, self._lose, events)
        self._slices = SliceQueue(events)
        self._stopping, self._ended, self._tried = threading.Event(), threading.Event(), threading.Event()
        self._next_look = self._next_clicks = 0.0
        self._busy_since = 0.0  # 0: the thread waits
        self._thread = threading.Thread(target=self._live, name="writer", daemon=True)
        self._watching = threading.Thread(target=self._watch_over, name="events", daemon=True)

    def start(self, seconds: float = DEADLINE_SECONDS) -> None:
        """Begin. Returns once the ledger has answered, or soon after where it does not: clicks are taken either way.

        Args:
            seconds: How long to wait for the ledger at most.
        """
        self._spool.start()
        self._thread.start()
        self._watching.start()
        self._tried.wait(seconds)

    def stop(self) -> None:
        """Record what was accepted, then end. New callers are turned away. What hangs is left behind."""
        if self._ended.is_set():
            return
        self.health.stop()
        self._queue.turn_away(STOPPING)
        self._slices.close(STOPPING)
        self._spool.stop(_STOP_SECONDS)
        self._stopping.set()
        self._wake.set()
        self._thread.join(_STOP_SECONDS)
        self._ended.set()
        self._queue.close()
        hangs = self._thread.is_alive()
        if hangs:
            self._events.failed("the database does not answer: what it was asked last is left to it")
        self._spool.close(in_use=hangs)

    @property
    def trouble(self) -> str:
        """Why nothing can be recorded now, '' while it can."""
        if self.health.has_ledger:
            return ""
        return self.health.database or "the ledger has not answered yet"

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return len(self._queue) + self._spool.waiting

    @property
    def spooled(self) -> int:
        """How many bytes of clicks wait for the database to be written again."""
        return self._spool.taken if self.trouble else 0

    @property
    def left_behind(self) -> int | None:
        """How many bytes of clicks wait in files that other processes wrote; None: nobody can tell."""
        try:
            return self._drain.others_wait()
        except OSError:
            return None

    @property
    def laid_aside(self) -> int | None:
        """How many clicks the database refuses, and wait for a person; None: nobody can tell."""
        try:
            return self._drain.laid_aside()
        except OSError:
            return None

    async def click(self, click: Click) -> None:
        """Record a click. Returns once it is on disk, in the ledger or in the spool.

        Raises:
            UnavailableError: It is not on disk: it is lost, and nobody may be told its id.
        """
        try:
            await self._spool.queue.submit(click)
        except UnavailableError:
            self._events.spooled(0, 1)
            raise

    async def tell(self, message: IncomingConversion) -> RowResult:
        """Record a message. Returns once it is on disk.

        Raises:
            UnavailableError: It is not recorded; its sender is to send it again.
        """
        if self.trouble:
            raise UnavailableError(self.trouble)
        told: RowResult = await self._queue.submit(message)
        return told

    async def try_out(self, message: IncomingConversion) -> RowResult:
        """Decide a message without recording it.

        Args:
            message: The message.

        Returns:
            What it would come to now.

        Raises:
            UnavailableError: The ledger cannot be asked now.
        """
        if self.trouble:
            raise UnavailableError(self.trouble)

        def tried(_database: Database) -> RowResult:
            assert self.link.ledger is not None  # noqa: S101 - a slice is taken only while the database is there
            return self.link.ledger.try_out(message)

        return await asyncio.wrap_future(self.submit(single_slice(tried)))

    def submit(self, slices: Slices[T]) -> "Future[T]":
        """Do longer work on the writer's own connection, a slice at a time. Its failure is the future's.

        Work that waits longer than the database's trouble lasts is done then; stopping the server cuts it off between
        two slices, as a kill would.
        """
        done = self._slices.submit(slices)
        self._wake.set()
        return done

    def setup_changed(self) -> None:
        """Have the setup read again before anything else is recorded. Called by work that changed it."""
        if self.link.ledger is not None:
            self.link.ledger.changed()
            self.link.ledger.refresh()
            self.link.note_setup()

    # --- the writer's thread

    def _live(self) -> None:
        try:
            while not self._is_done():
                self._queue.wait(self._idle_seconds())
                self._busy_since = monotonic()
                self._turn()
                self._busy_since = 0.0
            self.link.close()
        except BaseException as error:  # noqa: BLE001 - without this thread nothing is recorded any more
            self.health.die(f"the writer's thread ended: {type(error).__name__}: {error}")
            self._slices.close(_AGAIN)
            self._queue.turn_away(_AGAIN)
            self._queue.close()
            self.link.close()
        finally:
            self._tried.set()

    def _is_done(self) -> bool:
        return self._stopping.is_set() and not self._queue and (not self._spool.parts or bool(self.trouble))

    def _idle_seconds(self) -> float:
        """How long to wait for a caller before anything else is due."""
        if self._stopping.is_set():
            return 0.0
        if self.link.ledger is None:
            return self.link.due_in
        seconds = _IDLE_SECONDS
        if len(self._slices):
            seconds = self._slices.due_in
        if self._spool.parts:
            seconds = min(seconds, self._next_clicks - monotonic())
        return max(0.0, seconds)

    def _turn(self) -> None:
        """Do what is due: the ledger is there first, then messages, then a slice of longer work.

        Those who were taken stay so where the thread ends of it: they are told with all others.
        """
        try:
            self._see_to_the_ledger()
            self._gather()
            if len(self._slices) and not self._slices.due_in and not self.trouble and not self._stopping.is_set():
                self._take_clicks()
                self._slices.take_slice(self._ledger.database)
        except (DatabaseError, OSError) as error:
            self._lose(error)
            self._queue.give_up(0.0, str(error))
        self._queue.done()

    @property
    def _ledger(self) -> LiveLedger:
        assert self.link.ledger is not None  # noqa: S101 - asked for only where `trouble` says nothing
        return self.link.ledger

    def _see_to_the_ledger(self) -> None:
        if self.link.ledger is None:
            if not self.link.due_in:
                self.link.open(self._take_over)
                self._tried.set()
        elif not self.health.has_ledger:  # it did not answer for a while, and does now
            self._take_over(self.link.ledger)
            self.health.database_back()
        elif monotonic() >= self._next_look:
            self._next_look = monotonic() + _LOOK_SECONDS
            self.link.ledger.refresh()
            self.link.note_setup()

    def _take_over(self, ledger: LiveLedger) -> None:
        self._drain.run(ledger)
        self._drain.adopt(ledger, at_once=True)

    def _is_wanted(self) -> bool:
        return not self._queue.are_given_up

    def _lose(self, error: Exception) -> None:
        self.link.lose(str(error))
        self._slices.cut_off(DatabaseUnavailableError(str(error)))
        self._spool.wake()

    def _gather(self) -> None:
        """Record whatever waits, and answer."""
        waiters = self._queue.drain()
        if not self.trouble and (waiters or self._stopping.is_set() or monotonic() >= self._next_clicks):
            self._take_clicks()  # after the messages: the spool has any click that they can speak of
        for origin in {caller.brought.origin: None for caller in waiters}:
            self._record_and_answer([caller for caller in waiters if caller.brought.origin is origin])
        self._slices.had_traffic |= bool(waiters)

    def _take_clicks(self) -> None:
        """Have the ledger take all that the spool has now."""
        if self.trouble:
            return
        self._slices.had_traffic |= bool(self._spool.parts) and not self._is_alone  # their visitors wait for it
        try:
            self._drain.run(self._ledger)
            self._drain.adopt(self._ledger)
            self._drain.note(self._ledger)
        except DatabaseError as error:
            self._lose(error)
        except OSError as error:  # a file that cannot be emptied gives its clicks again
            self._events.failed(str(error))
            self.health.spool_lost(f"the spool cannot be written: {error.strerror or error}")
        self._next_clicks = monotonic() + (_TOGETHER_SECONDS if self._is_alone else 0.0)

    def _record_and_answer(self, messages: Sequence[Waiter[IncomingConversion]]) -> None:
        """Record messages of one origin, and answer."""
        began = monotonic()
        self._queue.answer(messages, self._answers([caller.brought for caller in messages]))
        self._events.gathered(0, len(messages), monotonic() - began)

    def _answers(self, messages: Sequence[IncomingConversion]) -> Sequence[ResultOrError]:
        return [UnavailableError(self.trouble)] * len(messages) if self.trouble else self._messages.recorded(messages)

    # --- the thread that watches over it

    def _watch_over(self) -> None:
        """Let nobody wait for longer than the deadline, and tell what does not answer."""
        while not self._ended.wait(_WATCH_SECONDS):
            busy_since = self._busy_since
            if busy_since and monotonic() - busy_since > DEADLINE_SECONDS and self.health.has_ledger:
                self.health.database_lost(f"the database has not answered for {DEADLINE_SECONDS:.0f} seconds")
                self._spool.wake()
            self._queue.give_up(DEADLINE_SECONDS)
            if self._spool.queue.give_up(DEADLINE_SECONDS):
                self.health.spool_lost(f"the disk has not answered for {DEADLINE_SECONDS:.0f} seconds")

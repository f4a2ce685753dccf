"""The one writer of a server process: whatever messages wait are recorded together, and only then answered.

An idle writer takes one message at once; while it commits, others gather, and they share the next commit. The clicks
that the spool has go before them: a message never finds less than its visitor did. Longer work (an upload, an undo)
comes as slices, and live traffic goes before each.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

from trueup.inputs.callers import STOPPING, Caller, Callers, UnavailableError
from trueup.inputs.spool import Spool
from trueup.inputs.spool_file import SpoolFile
from trueup.inputs.watch import Watch
from trueup.intake.chunks import Slices, at_once
from trueup.intake.door import Clock
from trueup.intake.live import LiveLedger
from trueup.ledger.database import Database, DatabaseError, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.model.catalog import Catalog
from trueup.model.traffic import Click, Message, Told

T = TypeVar("T")

_CLICKS_AT_ONCE: Final = 5_000  # clicks that share one commit
_TOGETHER_SECONDS: Final = 0.05  # how long the ledger lets clicks gather that are on disk already
_BUSY_SECONDS: Final = 2.0  # how long live traffic waits for another program's write
_RETRY_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 1.0  # how often an idle writer looks whether the setup has changed
_LOOK_SECONDS: Final = 0.2  # how often a busy one does
_PATIENCE: Final = 0.75


@dataclass(slots=True)
class _Job:
    slices: Slices[Any]
    done: "Future[Any]"
    running: Generator[None, None, Any] | None = None


class Writer:
    """A thread with the only connection that this process writes through."""

    def __init__(
        self,
        url: str,
        files: tuple[SpoolFile, SpoolFile],
        clock: Clock,
        made_by: str,
        watch: Watch,
        waiting: int,
        *,
        is_alone: bool = False,
    ) -> None:
        """Nothing is opened before `start`.

        Takes: the database's URL; the spool's files; who its batches are made by; who looks on; how many callers may
        wait; whether no other program decides about the clicks that come here, so that being in the spool is enough.
        """
        self._url, self._clock, self._made_by = url, clock, made_by
        self._watch, self._is_alone = watch, is_alone
        self._wake = threading.Event()
        self._callers: Callers[Message] = Callers(self._wake, waiting, _PATIENCE)
        self._spool = Spool(files, watch, waiting, self._wake, answers_first=is_alone)
        self._jobs: deque[_Job] = deque()
        self._stopping = False
        self._ledger: LiveLedger | None = None
        self._next_try = self._next_slice = self._next_look = self._next_clicks = 0.0
        self._gathered_since_slice = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.catalog = Catalog()
        self.trouble = ""  # why the database cannot be written, '' while it can

    def start(self) -> None:
        """Open the ledger and begin. Raises: DatabaseError."""
        self._connect()
        self._spool.start()
        self._thread.start()

    def stop(self) -> None:
        """Record what was accepted, then end. New callers are turned away."""
        self._callers.turn_away(STOPPING)
        self._spool.stop()
        self._stopping = True
        self._wake.set()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return len(self._callers) + self._spool.waiting

    @property
    def spooled(self) -> int:
        """How many bytes of clicks wait for the database to be written again."""
        return self._spool.taken if self.trouble else 0

    async def click(self, click: Click) -> None:
        """Record a click. Returns once it is on disk, in the ledger or in the spool.

        Raises: UnavailableError, and then the click is lost.
        """
        try:
            await self._spool.keep(click)
        except UnavailableError:
            self._watch.spooled(0, 1)
            raise

    async def tell(self, message: Message) -> Told:
        """Record a message. Returns once it is on disk. Raises: UnavailableError."""
        told: Told = await self._callers.bring(message)
        return told

    async def try_out(self, message: Message) -> Told:
        """Say what a message would come to. Raises: UnavailableError."""

        def tried(_database: Database) -> Told:
            assert self._ledger is not None  # noqa: S101 - a slice is taken only while the database is there
            return self._ledger.try_out(message)

        return await asyncio.wrap_future(self.submit(at_once(tried)))

    def submit(self, slices: Slices[T]) -> "Future[T]":
        """Do longer work on the writer's own connection, a slice at a time. Its failure is the future's.

        Work that waits longer than the database's trouble lasts is done then; stopping the server cuts it off between
        two slices, as a kill would.
        """
        job = _Job(slices, Future())
        job.done.set_running_or_notify_cancel()  # a caller that goes away must not cancel what the writer will answer
        if self._stopping:
            job.done.set_exception(UnavailableError(STOPPING))
        else:
            self._jobs.append(job)
            self._wake.set()
        return job.done

    def setup_changed(self) -> None:
        """Have the setup read again before anything else is recorded. Called by work that changed it."""
        if self._ledger is not None:
            self._ledger.changed()
            self._ledger.refresh()
            self.catalog = self._ledger.catalog

    def _run(self) -> None:
        while not self._is_done():
            self._callers.wait(self._idle_seconds())
            if self.trouble and monotonic() >= self._next_try:
                self._connect_again()
            self._gather()
            self._take_slice()
        self._end()

    def _is_done(self) -> bool:
        return self._stopping and not self._callers and (not self._spool.parts or bool(self.trouble))

    def _idle_seconds(self) -> float:
        """How long to wait for a caller before anything else is due."""
        if self.trouble:
            return _RETRY_SECONDS
        seconds = _IDLE_SECONDS
        if self._jobs:
            seconds = self._next_slice - monotonic() if self._gathered_since_slice else 0.0
        if self._spool.parts:
            seconds = min(seconds, self._next_clicks - monotonic())
        return max(0.0, seconds)

    def _gather(self) -> None:
        """Record whatever waits, and answer."""
        callers = self._callers.take()
        if monotonic() >= self._next_look:
            self._refresh()
        if callers or self._stopping or monotonic() >= self._next_clicks:
            self._take_clicks()  # after the messages: the spool has any click that they can speak of
        if callers:
            self._gathered_since_slice = True
        for origin in {caller.brought.origin: None for caller in callers}:
            self._record_and_answer([caller for caller in callers if caller.brought.origin is origin])

    def _record_and_answer(self, messages: Sequence[Caller[Message]]) -> None:
        """Record messages of one origin, and answer."""
        began = monotonic()
        self._callers.answer(messages, self._recorded(messages))
        self._watch.gathered(0, len(messages), monotonic() - began)

    def _recorded(self, messages: Sequence[Caller[Message]]) -> list[Told | Exception]:
        """What each message is answered. An exception is raised at its caller."""
        if self._ledger is None or self.trouble:
            return [UnavailableError(self.trouble)] * len(messages)
        try:
            told = self._ledger.record([caller.brought for caller in messages])
        except DatabaseUnavailableError as error:
            self._lose(str(error))
            return [UnavailableError(self.trouble)] * len(messages)
        except Exception as error:  # noqa: BLE001 - one message's trouble must end neither the others' nor the thread
            if len(messages) == 1:
                self._watch.failed(f"{type(error).__name__}: {error}")
                return [UnavailableError("it could not be recorded")]
            half = len(messages) // 2  # part them, so that what is wrong with one harms no other
            return self._recorded(messages[:half]) + self._recorded(messages[half:])
        self.catalog = self._ledger.catalog
        self._watch.told(told)
        return list(told)

    def _take_clicks(self) -> None:
        """Have the ledger take all that the spool has now."""
        if self._ledger is None or self.trouble:
            return
        try:
            self._record_spooled(self._ledger, perhaps_known=False)
        except DatabaseUnavailableError as error:
            self._lose(str(error))

    def _record_spooled(self, ledger: LiveLedger, *, perhaps_known: bool) -> None:
        for _ in range(self._spool.parts):
            began, clicks = monotonic(), self._spool.clicks()
            for place in range(0, len(clicks), _CLICKS_AT_ONCE):
                self._record_clicks(ledger, clicks[place : place + _CLICKS_AT_ONCE], perhaps_known=perhaps_known)
            self._spool.recorded()
            self._watch.gathered(len(clicks), 0, monotonic() - began)
        self._next_clicks = monotonic() + (_TOGETHER_SECONDS if self._is_alone else 0.0)
        self._gathered_since_slice |= not self._is_alone

    def _record_clicks(self, ledger: LiveLedger, clicks: Sequence[Click], *, perhaps_known: bool) -> None:
        try:
            ledger.record_clicks(clicks, perhaps_known=perhaps_known)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - one click's trouble must end neither the others' nor the thread
            if len(clicks) == 1:
                self._watch.failed(f"{type(error).__name__}: {error}")
                self._watch.spooled(0, 1)
                return
            half = len(clicks) // 2
            self._record_clicks(ledger, clicks[:half], perhaps_known=perhaps_known)
            self._record_clicks(ledger, clicks[half:], perhaps_known=perhaps_known)

    def _take_slice(self) -> None:
        """Do one slice of the longer work, and leave live traffic as much time as it took."""
        is_soon = self._gathered_since_slice and monotonic() < self._next_slice
        if not self._jobs or is_soon or self._stopping:
            return
        self._take_clicks()
        if self.trouble or self._ledger is None:
            return
        job, began = self._jobs.popleft(), monotonic()
        try:
            job.running = job.running or job.slices(self._ledger.database)
            next(job.running)
            self._jobs.append(job)
        except StopIteration as ended:
            job.done.set_result(ended.value)
        except BaseException as error:  # noqa: BLE001 - whatever it is, its caller is told, and the writer lives on
            job.done.set_exception(error)
            if isinstance(error, DatabaseUnavailableError):
                self._lose(str(error))
        self._next_slice = 2 * monotonic() - began
        self._gathered_since_slice = False
        self._watch.sliced(monotonic() - began)

    def _refresh(self) -> None:
        """Look whether the setup has changed: now and then, whatever the load."""
        self._next_look = monotonic() + _LOOK_SECONDS
        if self._ledger is not None and not self.trouble:
            try:
                self._ledger.refresh()
                self.catalog = self._ledger.catalog
            except DatabaseError as error:
                self._lose(str(error))

    def _connect(self) -> None:
        database = open_ledger(self._url, _BUSY_SECONDS)
        try:
            self._ledger = LiveLedger(database, self._clock, self._made_by)
            self._record_spooled(self._ledger, perhaps_known=True)  # their commit may not have been heard of
        except BaseException:
            database.close()
            self._ledger = None
            raise
        self.catalog = self._ledger.catalog

    def _connect_again(self) -> None:
        try:
            self._connect()
            self.trouble = ""
            self._spool.ledger_is_back()
            self._watch.recovered()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            self.trouble = str(error)
            self._next_try = monotonic() + _RETRY_SECONDS

    def _lose(self, trouble: str) -> None:
        self.trouble, self._next_try = trouble, monotonic() + _RETRY_SECONDS
        self._watch.failed(trouble)
        self._spool.ledger_is_lost()
        if self._ledger is not None:
            ledger, self._ledger = self._ledger, None
            for job in [job for job in self._jobs if job.running]:  # what they have read so far is of a lost connection
                self._jobs.remove(job)
                job.done.set_exception(DatabaseUnavailableError(trouble))
            with suppress(Exception):
                ledger.database.close()

    def _end(self) -> None:
        for job in self._jobs:
            job.done.set_exception(UnavailableError(STOPPING))
        self._callers.close()
        try:
            if self._ledger is not None:
                self._ledger.finish()
                self._ledger.database.close()
        except DatabaseError as error:
            self._watch.failed(str(error))
        self._spool.close()

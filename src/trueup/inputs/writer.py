"""The one writer of a server process: whatever waits is recorded together, and only then is anyone answered.

There is no timer. An idle writer takes one caller's click at once; while it commits, others gather, and they share the
next commit. Longer work (an upload, an undo) comes as slices, and live traffic goes before each.
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

from trueup.inputs.spool import Spool
from trueup.inputs.watch import Watch
from trueup.intake.chunks import Slices
from trueup.intake.door import Clock
from trueup.intake.live import LiveLedger
from trueup.ledger.database import Database, DatabaseError, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.model.catalog import Catalog
from trueup.model.traffic import Click, Message, Told

T = TypeVar("T")

GATHERED_MOST: Final = 2_000  # callers that share one commit
_BUSY_SECONDS: Final = 2.0  # how long live traffic waits for another program's write
_RETRY_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 1.0  # how often an idle writer looks whether the setup has changed
_LOOK_SECONDS: Final = 0.2  # how often a busy one does


class UnavailableError(Exception):
    """What came cannot be recorded now; the sender is to try again later. The message says why."""


@dataclass(slots=True)
class _Waiting:
    """One caller: what it brought, and where its answer goes."""

    brought: Click | Message
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"


@dataclass(slots=True)
class _Job:
    slices: Slices[Any]
    done: "Future[Any]"
    running: Generator[None, None, Any] | None = None


class Writer:
    """A thread with the only connection that this process writes through."""

    def __init__(self, url: str, spool: Spool, clock: Clock, made_by: str, watch: Watch, waiting: int) -> None:
        """Takes: the database's URL; who its batches are made by; who looks on; how many callers may wait."""
        self._url, self._spool, self._clock, self._made_by = url, spool, clock, made_by
        self._watch, self._most = watch, waiting
        self._callers: deque[_Waiting] = deque()
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._ledger: LiveLedger | None = None
        self._next_try = self._next_slice = self._next_look = 0.0
        self._gathered_since_slice = False
        self._is_called = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.catalog = Catalog()
        self.trouble = ""  # why the database cannot be written, '' while it can

    def start(self) -> None:
        """Open the ledger and begin. Raises: DatabaseError."""
        self._connect()
        self._thread.start()

    def stop(self) -> None:
        """Record what was accepted, then end. New callers are turned away."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return len(self._callers)

    @property
    def spooled(self) -> int:
        """How many bytes of clicks wait in the spool."""
        return self._spool.taken

    async def click(self, click: Click) -> None:
        """Record a click. Returns once it is on disk, in the ledger or in the spool.

        Raises: UnavailableError, and then the click is lost.
        """
        try:
            await self._brought(click)
        except UnavailableError:
            self._watch.spooled(0, 1)
            raise

    async def tell(self, message: Message) -> Told:
        """Record a message. Returns once it is on disk. Raises: UnavailableError."""
        told: Told = await self._brought(message)
        return told

    async def try_out(self, message: Message) -> Told:
        """Say what a message would come to. Raises: UnavailableError."""

        def tried(_database: Database) -> Generator[None, None, Told]:
            yield
            assert self._ledger is not None  # noqa: S101 - a slice is taken only while the database is there
            return self._ledger.try_out(message)

        return await asyncio.wrap_future(self.submit(tried))

    def submit(self, slices: Slices[T]) -> "Future[T]":
        """Do longer work on the writer's own connection, a slice at a time. Its failure is the future's.

        Work that waits longer than the database's trouble lasts is done then; stopping the server cuts it off between
        two slices, as a kill would.
        """
        job = _Job(slices, Future())
        job.done.set_running_or_notify_cancel()  # a caller that goes away must not cancel what the writer will answer
        if self._stopping:
            job.done.set_exception(UnavailableError("the server is stopping"))
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

    async def _brought(self, brought: Click | Message) -> Any:  # noqa: ANN401 - each caller says what it gets
        if self._stopping:
            raise UnavailableError("the server is stopping")
        if len(self._callers) >= self._most:
            raise UnavailableError("too many wait already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._callers.append(_Waiting(brought, loop, answer))
        if not self._is_called:
            self._is_called = True
            loop.call_soon(self._call)  # after the others that the loop has ready now: they come along
        return await answer

    def _call(self) -> None:
        self._is_called = False
        self._wake.set()

    def _run(self) -> None:
        while not (self._stopping and not self._callers):
            if not self._callers or self._is_called:
                self._wake.wait(self._idle_seconds())
            self._wake.clear()
            if self.trouble and monotonic() >= self._next_try:
                self._connect_again()
            self._gather()
            self._take_slice()
        self._end()

    def _idle_seconds(self) -> float:
        """How long to wait for a caller before anything else is due."""
        if self.trouble:
            return _RETRY_SECONDS
        if self._jobs:
            return max(0.0, self._next_slice - monotonic()) if self._gathered_since_slice else 0.0
        return _IDLE_SECONDS

    def _gather(self) -> None:
        """Record whatever waits, and answer."""
        callers = [self._callers.popleft() for _ in range(min(len(self._callers), GATHERED_MOST))]
        if not callers or monotonic() >= self._next_look:
            self._refresh()
        if not callers:
            return
        self._gathered_since_slice = True
        clicks = [caller for caller in callers if isinstance(caller.brought, tuple)]
        messages = [caller for caller in callers if not isinstance(caller.brought, tuple)]
        if not messages:
            self._record_and_answer(clicks, [])
        for origin in {caller.brought.origin: None for caller in messages}:  # type: ignore[union-attr]  # messages alone
            self._record_and_answer(clicks, [m for m in messages if m.brought.origin is origin])  # type: ignore[union-attr]  # the same
            clicks = []

    def _record_and_answer(self, clicks: Sequence[_Waiting], messages: Sequence[_Waiting]) -> None:
        began = monotonic()
        answers = self._recorded(clicks, messages)
        self._watch.gathered(len(clicks), len(messages), monotonic() - began)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for caller, answer in zip((*clicks, *messages), answers, strict=True):
            by_loop.setdefault(caller.loop, []).append((caller.answer, answer))
        for loop, answered in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed: the server is gone, and with it whoever asked
                loop.call_soon_threadsafe(_answer, answered)

    def _recorded(self, clicks: Sequence[_Waiting], messages: Sequence[_Waiting]) -> list[Any]:
        """What each caller is answered: clicks first, then messages. An exception is raised at its caller."""
        if self._ledger is None or self.trouble:
            return self._spooled(clicks) + [UnavailableError(self.trouble)] * len(messages)
        try:
            told = self._ledger.record([c.brought for c in clicks], [m.brought for m in messages])  # type: ignore[misc]  # parted by kind above
        except DatabaseUnavailableError as error:
            self._lose(str(error))
            return self._spooled(clicks) + [UnavailableError(self.trouble)] * len(messages)
        except Exception as error:  # noqa: BLE001 - one caller's trouble must end neither the others' nor the thread
            return self._one_by_one(clicks, messages, error)
        self.catalog = self._ledger.catalog
        self._watch.told(told)
        return [None] * len(clicks) + told

    def _one_by_one(self, clicks: Sequence[_Waiting], messages: Sequence[_Waiting], error: Exception) -> list[Any]:
        """Part a group that the ledger refuses, so that what is wrong with one caller harms no other."""
        if clicks and messages:
            return self._recorded(clicks, []) + self._recorded([], messages)
        group = clicks or messages
        if len(group) == 1:
            self._watch.failed(f"{type(error).__name__}: {error}")
            if clicks:
                self._watch.spooled(0, 1)
            return [None if clicks else UnavailableError("it could not be recorded")]
        half = len(group) // 2
        parts = (group[:half], group[half:])
        return [answer for part in parts for answer in self._recorded(*((part, []) if clicks else ([], part)))]

    def _spooled(self, clicks: Sequence[_Waiting]) -> list[Any]:
        """Keep clicks for later. A visitor is sent on even where there is no room."""
        if clicks:
            try:
                kept = self._spool.keep([caller.brought for caller in clicks])  # type: ignore[misc]  # clicks alone
            except OSError as error:
                self._watch.failed(f"the spool cannot be written: {error}")
                kept = 0
            self._watch.spooled(kept, len(clicks) - kept)
        return [None] * len(clicks)

    def _take_slice(self) -> None:
        """Do one slice of the longer work, and leave live traffic as much time as it took."""
        if not self._jobs or self.trouble or self._ledger is None or self._stopping:
            return
        if self._gathered_since_slice and monotonic() < self._next_slice:
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
            elif not isinstance(error, DatabaseError):
                self._watch.failed(f"{type(error).__name__}: {error}")
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
            kept = self._spool.kept()
            if kept:
                self._ledger.keep_spooled(kept)
                self._spool.empty()
        except BaseException:
            database.close()
            self._ledger = None
            raise
        self.catalog = self._ledger.catalog

    def _connect_again(self) -> None:
        try:
            self._connect()
            self.trouble = ""
            self._watch.recovered()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            self.trouble = str(error)
            self._next_try = monotonic() + _RETRY_SECONDS

    def _lose(self, trouble: str) -> None:
        self.trouble, self._next_try = trouble, monotonic() + _RETRY_SECONDS
        self._watch.failed(trouble)
        if self._ledger is not None:
            ledger, self._ledger = self._ledger, None
            for job in [job for job in self._jobs if job.running]:  # what they have read so far is of a lost connection
                self._jobs.remove(job)
                job.done.set_exception(DatabaseUnavailableError(trouble))
            with suppress(Exception):
                ledger.database.close()

    def _end(self) -> None:
        for job in self._jobs:
            job.done.set_exception(UnavailableError("the server is stopping"))
        try:
            if self._ledger is not None:
                self._ledger.finish()
                self._ledger.database.close()
        except DatabaseError as error:
            self._watch.failed(str(error))
        self._spool.close()


def _answer(answered: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for answer, value in answered:
        if answer.done():  # its caller has gone
            continue
        if isinstance(value, BaseException):
            answer.set_exception(value)
        else:
            answer.set_result(value)

"""Callers that wait for a thread: each brings something from an event loop, and gets an answer there.

A caller costs a future and a place in a queue. A thread that answers sixty of them wakes each event loop once. Nobody
waits for longer than a deadline, whatever the thread is held up by.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

GATHERED_MOST: Final = 2_000  # callers that share one commit, or one sync
STOPPING: Final = "the server is stopping"
_TOO_LATE: Final = "it took too long"
_LOOK_SECONDS: Final = 0.0003
_PATIENCE_SECONDS: Final = 0.005  # at most


class UnavailableError(Exception):
    """What came cannot be recorded now; the sender is to try again later. The message says why."""


@dataclass(slots=True)
class Waiter(Generic[T]):
    """One that waits: what it brought, and where its answer goes."""

    brought: T
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"
    came_at: float = field(default_factory=monotonic)


class CommitQueue(Generic[T]):
    """Those that wait for one thread."""

    def __init__(self, wake: Event, most: int, patience: float) -> None:
        """Nobody is there yet.

        Args:
            wake: Wakes the thread.
            most: How many may wait.
            patience: For how long those are waited for whom the thread answered last, as a multiple of what its work
                for them took.
        """
        self._wake, self._most, self._patience = wake, most, patience
        self._expected, self._taken_at, self._waits_until = 0, 0.0, 0.0
        self._lock = Lock()  # of leaving the queue: by the thread, or because it took too long
        self._waiting: deque[Waiter[T]] = deque()
        self._taken: Sequence[Waiter[T]] = ()
        self._turned_away = ""
        self._are_coming = False  # more than are here: the thread is woken once all are
        self.are_given_up = False  # those that were taken have been told that it took too long

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def submit(self, brought: T) -> Any:  # noqa: ANN401 - what the thread answers
        """Wait for the answer.

        Raises:
            UnavailableError: No more may wait, or it took too long; or what the thread answers with.
        """
        if self._turned_away or len(self._waiting) >= self._most:
            raise UnavailableError(self._turned_away or "too many wait already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(Waiter(brought, loop, answer))
        if not self._are_coming:
            self._are_coming = True
            loop.call_soon(self._come)  # after all that the loop has ready now
        return await answer

    def turn_away(self, why: str) -> None:
        """Let no more come. Those that wait are still to be answered."""
        self._turned_away = why

    def close(self) -> None:
        """Answer those that came while the thread ended, and those whom it leaves behind: nobody else will."""
        self.give_up(0.0, self._turned_away)

    def give_up(self, seconds: float, why: str = _TOO_LATE) -> int:
        """Tell those that have waited for too long that they have. Called by any thread but the one they wait for.

        Those that wait in the queue leave it: what they brought is not done. What those brought who were taken may
        still be done; `are_given_up` tells the thread that nobody waits for it any more.

        Args:
            seconds: How long is too long.
            why: What they are told.

        Returns:
            How many were told.
        """
        came_before = monotonic() - seconds
        with self._lock:
            late = [caller for caller in self._taken if caller.came_at <= came_before and not caller.answer.done()]
            self.are_given_up = self.are_given_up or bool(late)
            while self._waiting and self._waiting[0].came_at <= came_before:
                late.append(self._waiting.popleft())
        answer(late, [UnavailableError(why)] * len(late))
        return len(late)

    def wait(self, seconds: float) -> None:
        """Wait until some have come, all that the loop has ready, or the thread is woken for something else.

        Called by the thread.

        Args:
            seconds: For how long at most.
        """
        if not self._waiting or self._are_coming:
            self._wake.wait(seconds)
        self._wake.clear()

    def drain(self, most: int = GATHERED_MOST) -> list[Waiter[T]]:
        """Those that have waited longest. Called by the thread, which answers them.

        Those whom it answered last are about to be back, or others in their place: where as many as then do not wait
        yet, it lets the loop hear them first. A caller that comes to an idle thread is taken at once.
        """
        while 0 < len(self._waiting) < self._expected and monotonic() < self._waits_until:
            sleep(_LOOK_SECONDS)
        self._taken_at = monotonic()
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), most))]
            self._taken, self.are_given_up = taken, False
        return taken

    def answer(self, waiters: Sequence[Waiter[T]], answers: Sequence[Any]) -> None:
        """Answer those that were taken, as `answer` does."""
        answer(waiters, answers)
        now = monotonic()
        self._waits_until = now + min(self._patience * (now - self._taken_at), _PATIENCE_SECONDS)
        self._expected = len(waiters) + len(self._waiting)

    def done(self) -> None:
        """All that were taken are answered, or wait elsewhere now. Called by the thread."""
        self._taken = ()

    def _come(self) -> None:
        self._are_coming = False
        self._wake.set()


def answer(waiters: Sequence[Waiter[Any]], answers: Sequence[Any]) -> None:
    """Answer callers, each with its own; an exception is raised at its caller. Called by a thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for caller, value in zip(waiters, answers, strict=True):
        by_loop.setdefault(caller.loop, []).append((caller.answer, value))
    for loop, answered in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: the server is gone, and with it whoever asked
            loop.call_soon_threadsafe(_settle, answered)


def _settle(answered: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, value in answered:
        if future.done():  # its caller has gone, or was told that it took too long
            continue
        if isinstance(value, BaseException):
            future.set_exception(value)
        else:
            future.set_result(value)

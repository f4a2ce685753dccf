"""Callers that wait in the event loop for an answer that a thread gives.

All that the loop has ready at one time come together, and so do those who were answered together and come back: a
thread that ran off with the first of them would do its work once for that one and once more for the rest, and the
two would fight for the interpreter.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from time import monotonic, sleep
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

GATHERED_MOST: Final = 2_000  # callers that share one commit, or one sync
STOPPING: Final = "the server is stopping"
_LOOK_SECONDS: Final = 0.0003
_PATIENCE_SECONDS: Final = 0.005  # at most


class UnavailableError(Exception):
    """What came cannot be recorded now; the sender is to try again later. The message says why."""


@dataclass(slots=True)
class Caller(Generic[T]):
    """One that waits: what it brought, and where its answer goes."""

    brought: T
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"


class Callers(Generic[T]):
    """Those that wait for one thread."""

    def __init__(self, wake: Event, most: int, patience: float) -> None:
        """Nobody is there yet.

        Takes: what wakes the thread; how many may wait; for how long those are waited for whom it answered last, as a
        multiple of what its work for them took.
        """
        self._wake, self._most, self._patience = wake, most, patience
        self._expected, self._taken_at, self._waits_until = 0, 0.0, 0.0
        self._waiting: deque[Caller[T]] = deque()
        self._turned_away = ""
        self._are_coming = False  # more than are here: the thread is woken once all are

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def bring(self, brought: T) -> Any:  # noqa: ANN401 - what the thread answers
        """Wait for the answer. Raises: UnavailableError, or what the thread answers with."""
        if self._turned_away or len(self._waiting) >= self._most:
            raise UnavailableError(self._turned_away or "too many wait already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(Caller(brought, loop, answer))
        if not self._are_coming:
            self._are_coming = True
            loop.call_soon(self._come)  # after all that the loop has ready now
        return await answer

    def turn_away(self, why: str) -> None:
        """Let no more come. Those that wait are still to be answered."""
        self._turned_away = why

    def close(self) -> None:
        """Answer those that came while the thread ended: nobody else will."""
        late = self.take(len(self))
        answer(late, [UnavailableError(self._turned_away)] * len(late))

    def wait(self, seconds: float) -> None:
        """Wait until some have come, all that the loop has ready, or the thread is woken for something else.

        Takes: for how long at most. Called by the thread.
        """
        if not self._waiting or self._are_coming:
            self._wake.wait(seconds)
        self._wake.clear()

    def take(self, most: int = GATHERED_MOST) -> list[Caller[T]]:
        """Those that have waited longest. Called by the thread, which answers them.

        Those whom it answered last are about to be back, or others in their place: where as many as then do not wait
        yet, it lets the loop hear them first. A caller that comes to an idle thread is taken at once.
        """
        while 0 < len(self._waiting) < self._expected and monotonic() < self._waits_until:
            sleep(_LOOK_SECONDS)
        self._taken_at = monotonic()
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), most))]

    def answer(self, callers: Sequence[Caller[T]], answers: Sequence[Any]) -> None:
        """Answer those that were taken, as `answer` does."""
        answer(callers, answers)
        now = monotonic()
        self._waits_until = now + min(self._patience * (now - self._taken_at), _PATIENCE_SECONDS)
        self._expected = len(callers) + len(self._waiting)

    def _come(self) -> None:
        self._are_coming = False
        self._wake.set()


def answer(callers: Sequence[Caller[Any]], answers: Sequence[Any]) -> None:
    """Answer callers, each with its own; an exception is raised at its caller. Called by a thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for caller, value in zip(callers, answers, strict=True):
        by_loop.setdefault(caller.loop, []).append((caller.answer, value))
    for loop, answered in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: the server is gone, and with it whoever asked
            loop.call_soon_threadsafe(_settle, answered)


def _settle(answered: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, value in answered:
        if future.done():  # its caller has gone
            continue
        if isinstance(value, BaseException):
            future.set_exception(value)
        else:
            future.set_result(value)

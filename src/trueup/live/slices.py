"""Longer work on the writer's connection: it comes as slices, and live traffic goes before each."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from trueup.ledger.database import Database, DatabaseUnavailableError
from trueup.live.commit_queue import UnavailableError
from trueup.live.events import WriterEvents
from trueup.recording.chunks import Slices

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    slices: Slices[Any]
    done: "Future[Any]"
    running: Generator[None, None, Any] | None = None


class SliceQueue:
    """Work that waits for its next slice, in turn."""

    def __init__(self, events: WriterEvents) -> None:
        """Nothing waits yet.

        Args:
            events: Who looks on.
        """
        self._events, self._lock = events, Lock()
        self._jobs: deque[_Job] = deque()
        self._closed = ""
        self._next_slice = 0.0
        self.had_traffic = False  # live traffic came since the last slice

    def __len__(self) -> int:
        """How many pieces of work wait."""
        return len(self._jobs)

    def submit(self, slices: Slices[T]) -> "Future[T]":
        """Have work done. Its failure is the future's."""
        job = _Job(slices, Future())
        job.done.set_running_or_notify_cancel()  # a caller that goes away must not cancel what will be answered
        with self._lock:
            if not self._closed:
                self._jobs.append(job)
                return job.done
        job.done.set_exception(UnavailableError(self._closed))
        return job.done

    @property
    def due_in(self) -> float:
        """In how many seconds the next slice may be taken: live traffic gets as much time as the last one took."""
        return max(0.0, self._next_slice - monotonic()) if self.had_traffic else 0.0

    def take_slice(self, database: Database) -> None:
        """Do one slice of the work that has waited longest.

        Args:
            database: The writer's connection.

        Raises:
            DatabaseUnavailableError: The connection is of no use any more. The work's caller was told.
        """
        began = monotonic()
        with self._lock:
            job = self._jobs.popleft()
        try:
            job.running = job.running or job.slices(database)
            next(job.running)
        except StopIteration as ended:
            job.done.set_result(ended.value)
        except BaseException as error:
            job.done.set_exception(error)
            if isinstance(error, DatabaseUnavailableError) or not isinstance(error, Exception):
                raise
        else:
            with self._lock:
                if not self._closed:
                    self._jobs.append(job)
            if self._closed and not job.done.done():
                job.done.set_exception(UnavailableError(self._closed))
        finally:
            self._next_slice = 2 * monotonic() - began
            self.had_traffic = False
            self._events.sliced(monotonic() - began)

    def cut_off(self, error: Exception) -> None:
        """Fail what has begun: what it has read so far is of a connection that is lost."""
        with self._lock:
            begun = [job for job in self._jobs if job.running]
            self._jobs = deque(job for job in self._jobs if not job.running)
        for job in begun:
            job.done.set_exception(error)

    def close(self, why: str) -> None:
        """Fail all that waits, and whatever comes from now on."""
        with self._lock:
            self._closed = why
            left, self._jobs = self._jobs, deque()
        for job in left:
            job.done.set_exception(UnavailableError(why))

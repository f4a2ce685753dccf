"""How endpoints reach the ledger: connections to read with, and the way to the one writer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from threading import Lock
from time import monotonic
from typing import Any, Final, TypeVar

from starlette.concurrency import run_in_threadpool

from trueup.ledger.database import READING, Database, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.recording.chunks import Slices, single_slice

T = TypeVar("T")

OPEN_MOST: Final = 8  # connections that read at once; a ninth request waits for one of them
_WAIT_SECONDS: Final = 10.0  # for a connection, or for the writer to begin
_MEMORY_KIB: Final = 16_384  # of each: there are several beside the writer's
_LOOK_SECONDS: Final = 0.5  # how soon it is noticed that the writer has lost the database


class Readers:
    """Open connections of one process, lent to one request at a time."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before it is needed.

        Args:
            url: The database's URL.
        """
        self._url = url
        self._idle: list[Database] = []
        self._places = asyncio.Semaphore(OPEN_MOST)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Database]:
        """Lend a connection.

        Yields:
            The connection.

        Raises:
            UnavailableError: All connections are busy for long.
            DatabaseError: The database cannot be used.
        """
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise UnavailableError("too many read already") from None
        try:
            while not self._idle:
                await run_in_threadpool(self._open)
            database = self._idle.pop()
            try:
                yield database
            except DatabaseUnavailableError:
                database.close()
                self.close()  # the others were opened to the same database, which is gone
                raise
            except BaseException:
                self._idle.append(database)
                raise
            self._idle.append(database)
        finally:
            self._places.release()

    async def look(self, work: Callable[[Database], T]) -> T:
        """Read something, in a thread of its own.

        Args:
            work: A function of a connection that only reads.

        Returns:
            What the function returns.
        """
        async with self.lent() as database:
            return await run_in_threadpool(work, database)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _open(self) -> None:
        """Open one more. It is idle first: whoever it was opened for may have left meanwhile."""
        database = open_ledger(self._url, READING)
        database.only_read(_MEMORY_KIB)
        self._idle.append(database)


async def written(context: ServerContext, work: Callable[[Database], T]) -> T:
    """Have the writer do a short piece of work, and wait for it.

    Args:
        context: What every route stands on.
        work: A function of the writer's own connection; it makes its own transactions.

    Returns:
        What the work returns.

    Raises:
        UnavailableError: The writer cannot begin soon. The work will not be done.
        Exception: What the work raises.
    """
    return await written_in_slices(context, single_slice(work))


async def written_in_slices(context: ServerContext, work: Slices[T]) -> T:
    """Have the writer do a longer piece of work, live traffic between its slices, and wait for it. As `written`."""
    if context.writer.trouble:
        raise UnavailableError(context.writer.trouble)
    beginning = _Beginning()

    def slices(database: Database) -> Generator[None, None, T]:
        if not beginning.take():
            raise UnavailableError("nobody waits for it any more")
        return (yield from work(database))

    done = asyncio.wrap_future(context.writer.submit(slices))
    done.add_done_callback(_looked_at)
    gives_up = monotonic() + _WAIT_SECONDS
    while not done.done():
        await asyncio.wait([done], timeout=_LOOK_SECONDS)
        if (context.writer.trouble or monotonic() > gives_up) and not done.done() and beginning.take():
            raise UnavailableError(context.writer.trouble or "the database is busy")
    return await asyncio.shield(done)


def _looked_at(done: "asyncio.Future[Any]") -> None:
    """Or asyncio would complain of a failure that nobody waits for any more."""
    if not done.cancelled():
        done.exception()


class _Beginning:
    """Taken once: by the writer that begins, or by the caller that gives up before."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False

    def take(self) -> bool:
        """Take it, before anybody else does.

        Returns:
            Whether it was still there.
        """
        with self._lock:
            taken, self._taken = self._taken, True
        return not taken

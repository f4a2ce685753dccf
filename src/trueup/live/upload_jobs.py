"""The work on sent files in this process: where it is found, how it begins with the server, and how it ends."""

import asyncio
from time import monotonic
from typing import Final, TypeVar

from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.spool.mark import SENT_FILES
from trueup.live.writer import Writer
from trueup.uploads.folder import SentFolder
from trueup.uploads.jobs import Jobs

T = TypeVar("T")

_LOOK_SECONDS: Final = 0.25  # how soon it is noticed that the server stops
_JOBS: Final[dict[Writer, Jobs]] = {}


def sent_folder(context: ServerContext) -> SentFolder:
    """Where sent files stand."""
    return SentFolder(context.settings.folder / SENT_FILES)


def jobs_of(context: ServerContext) -> Jobs:
    """The work of this process."""
    found = _JOBS.get(context.writer)
    if found is None:
        made = Jobs(
            context.settings.database_url,
            sent_folder(context),
            context.writer.submit,
            UnavailableError,
            context.clock,
            context.settings.sent_file_days,
            context.writer.setup_changed,
        )
        found = _JOBS.setdefault(context.writer, made)
    return found


def resume_uploads(context: ServerContext) -> None:
    """Take up again what was cut off when the server was stopped or killed. Returns at once."""
    jobs_of(context).go_on()


def stop_uploads(context: ServerContext) -> None:
    """Break off what can go on later. Returns at once."""
    jobs = _JOBS.pop(context.writer, None)
    if jobs is not None:
        jobs.stop()


async def waited(context: ServerContext, work: "asyncio.Future[T]", seconds: float) -> bool:
    """Wait for work, unless the server stops. The work goes on whether or not anybody waits for it.

    Args:
        context: What every route stands on.
        work: The work.
        seconds: How long to wait at most.

    Returns:
        Whether the work ended.
    """
    ends = monotonic() + seconds
    while not work.done() and monotonic() < ends and not context.is_stopping():
        await asyncio.wait([work], timeout=min(_LOOK_SECONDS, ends - monotonic()))
    work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # it may fail when nobody looks
    return work.done()

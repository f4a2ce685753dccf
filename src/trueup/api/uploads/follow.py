"""How a sent file stands, as events while it changes, and the outcome of each of its rows, as CSV."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any, Final

from fastapi import APIRouter
from fastapi.sse import ServerSentEvent
from starlette.responses import Response, StreamingResponse

from trueup.access.keys import KeyScope
from trueup.api.http.event_streams import event_stream
from trueup.api.http.gate import needs
from trueup.api.http.jobs import Look
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere
from trueup.api.resources.answers import Answer
from trueup.api.resources.wording import WAYS, in_words
from trueup.api.uploads.answers import ProgressAnswer, progress_of
from trueup.api.uploads.found import UploadId, known_upload
from trueup.dialects.choices import UnreadableFile
from trueup.ledger.batches import read_batch
from trueup.ledger.database import DatabaseError, Readable
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.downloads import WORKBOOK
from trueup.live.outcome_files import NoOutcomesError, refused_answer, results_answer
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.model.words import UploadState
from trueup.uploads.folder import SentFolder

router = APIRouter()

_READ: Final = needs(KeyScope.READ)
_LOOK_SECONDS: Final = 0.25
_RETRY_MILLISECONDS: Final = 2_000
# A stream ends by itself, and its caller asks again: so it ends for callers that have left, too.
STREAM_SECONDS: Final = 15.0
_LAST: Final = frozenset({UploadState.DONE, UploadState.CANCELLED, UploadState.FAILED})
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `state` and `progress`, each with the upload's state, progress and batch as JSON.",
        "content": {"text/event-stream": {"schema": {"type": "object"}}},  # the schema of one event
    }
}
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A file of text.", "content": {"text/csv": {"schema": {"type": "string"}}}},
    **declared(ProblemKind.WRONG_STATE, ProblemKind.UNREADABLE_FILE, ProblemKind.NO_ROOM),
}


_XLSX: Final[dict[int | str, dict[str, Any]]] = {
    **_CSV,
    200: {"description": "A workbook.", "content": {WORKBOOK: {"schema": {"type": "string", "format": "binary"}}}},
}


class EventAnswer(Answer):
    """How an upload stands."""

    state: UploadState
    trouble: str | None
    batch_id: int | None
    progress: ProgressAnswer | None


@router.get(
    "/uploads/{upload_id}/events",
    summary="Follow an upload",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_EVENTS,
)
async def follow_upload(look: Look, context: ContextHere, upload_id: UploadId) -> Response:
    """Server-sent events: how it stands, then every change.

    They end when it is done, cancelled or failed; and after some seconds, then ask again.
    """
    await look(partial(known_upload, upload_id=upload_id))
    return event_stream(_events(look, context, upload_id))


@router.get(
    "/uploads/{upload_id}/results.csv",
    summary="Get what happened to each row",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_CSV,
)
async def get_results(context: ContextHere, upload_id: UploadId) -> Response:
    """What happened to every row, by which mode, and what it comes to now where that differs.

    Before it is applied: what its last preview said.
    """
    work = partial(_results, upload_id=upload_id, folder=sent_folder(context))
    return await asyncio.wrap_future(jobs_of(context).aside(work))


@router.get(
    "/uploads/{upload_id}/refused.csv",
    summary="Get the refused rows",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_CSV,
)
async def get_refused(context: ContextHere, upload_id: UploadId) -> Response:
    """The refused rows as they came, each with its outcome and a message: ready to be mended and sent again."""
    work = partial(_refused, upload_id=upload_id, folder=sent_folder(context), clock=context.clock)
    return await asyncio.wrap_future(jobs_of(context).aside(work))


@router.get(
    "/uploads/{upload_id}/results.xlsx",
    summary="Get what happened to each row, as a workbook",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_XLSX,
)
async def get_results_workbook(context: ContextHere, upload_id: UploadId) -> Response:
    """The same as `results.csv`, as a workbook."""
    work = partial(_results, upload_id=upload_id, folder=sent_folder(context), as_workbook=True)
    return await asyncio.wrap_future(jobs_of(context).aside(work))


@router.get(
    "/uploads/{upload_id}/refused.xlsx",
    summary="Get the refused rows as a workbook",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_XLSX,
)
async def get_refused_workbook(context: ContextHere, upload_id: UploadId) -> Response:
    """The same as `refused.csv`, as a workbook. All cells are text, so that no id is taken for a number."""
    folder = sent_folder(context)
    work = partial(_refused, upload_id=upload_id, folder=folder, clock=context.clock, as_workbook=True)
    return await asyncio.wrap_future(jobs_of(context).aside(work))


async def _events(look: Look, context: ServerContext, upload_id: str) -> AsyncGenerator[ServerSentEvent | None, None]:
    """How an upload stands, each time that something is new.

    Yields:
        What is new, None for nothing.
    """
    yield ServerSentEvent(retry=_RETRY_MILLISECONDS)
    state, sent, ends = None, "", monotonic() + STREAM_SECONDS
    while monotonic() < ends and not context.is_stopping():
        try:
            event = await look(partial(_event, context=context, upload_id=upload_id))
        except (UnavailableError, DatabaseError):
            event = None  # the database is away for now
        except Problem:  # it was deleted
            return
        text = event.model_dump_json() if event else sent
        if event and text != sent:
            yield ServerSentEvent(event="progress" if event.state is state else "state", raw_data=text)
            state, sent = event.state, text
        if state in _LAST:
            return
        yield None
        await asyncio.sleep(_LOOK_SECONDS)


def _event(database: Readable, context: ServerContext, upload_id: str) -> EventAnswer:
    record = known_upload(database, upload_id)
    batch = read_batch(database, record.batch_id) if record.batch_id is not None else None
    progress = progress_of(record, batch, jobs_of(context))
    trouble = in_words(record.trouble) or None
    return EventAnswer(state=record.state, trouble=trouble, batch_id=record.batch_id, progress=progress)


def _results(database: Readable, upload_id: str, folder: SentFolder, *, as_workbook: bool = False) -> Response:
    record = known_upload(database, upload_id)
    with _told():
        return results_answer(database, record, folder, WAYS, as_workbook=as_workbook)


def _refused(
    database: Readable, upload_id: str, folder: SentFolder, clock: Callable[[], int], *, as_workbook: bool = False
) -> Response:
    record = known_upload(database, upload_id)
    with _told():
        return refused_answer(database, record, folder, WAYS, clock, as_workbook=as_workbook)


@contextmanager
def _told() -> Iterator[None]:
    """Say why there is no file of outcomes.

    Raises:
        Problem: There is none.
    """
    try:
        yield
    except NoOutcomesError as error:
        raise Problem(ProblemKind.WRONG_STATE, str(error)) from None
    except UnreadableFile as error:
        raise Problem(ProblemKind.UNREADABLE_FILE, in_words(error.remark)) from None

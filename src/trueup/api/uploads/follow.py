"""How a sent file stands, as events while it changes."""

import asyncio
from collections.abc import AsyncGenerator
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
from trueup.api.http.problems import Problem
from trueup.api.http.readers import ContextHere
from trueup.api.resources.answers import Answer
from trueup.api.resources.wording import in_words
from trueup.api.uploads.answers import ProgressAnswer, progress_of
from trueup.api.uploads.found import UploadId, batch_of, known_upload
from trueup.ledger.database import DatabaseError, Readable
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.upload_jobs import jobs_of
from trueup.model.words import UploadState

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
    batch = batch_of(database, record)
    progress = progress_of(record, batch, jobs_of(context))
    trouble = in_words(record.trouble) or None
    return EventAnswer(state=record.state, trouble=trouble, batch_id=record.batch_id, progress=progress)

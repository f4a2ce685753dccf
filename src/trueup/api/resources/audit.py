"""The audit over the API: prove the ledger, law by law."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from typing import Any, Final

from fastapi import APIRouter
from fastapi.sse import ServerSentEvent
from starlette.responses import Response, StreamingResponse

from trueup.access.keys import KeyScope
from trueup.api.http.event_streams import event_stream
from trueup.api.http.gate import needs
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere
from trueup.api.resources.answers import Answer
from trueup.api.resources.wording import in_words
from trueup.ledger.open import open_ledger
from trueup.live.context import ServerContext
from trueup.recording.audit import Law, audit

router = APIRouter(tags=["audit"])

_LOOK_SECONDS: Final = 0.5
_ONE: Final = threading.Lock()  # one audit at a time in a process
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `progress` (done, of: rows of the journal), at last `laws`, or `trouble`.",
        "content": {"text/event-stream": {"schema": {"type": "object"}}},  # the schema of one event
    },
    **declared(ProblemKind.WRONG_STATE),
}


class LawAnswer(Answer):
    """One thing that must hold, and what speaks against it."""

    law: str
    text: str
    held: bool
    looked_at: int
    broken: int
    evidence: list[str]

    @classmethod
    def of(cls, law: Law) -> "LawAnswer":
        """Show a law."""
        return cls(
            law=law.name,
            text=law.text,
            held=law.held,
            looked_at=law.looked_at,
            broken=law.broken,
            evidence=[in_words(finding) for finding in law.evidence],
        )


class _Leaving(Exception):  # noqa: N818 - it ends the work, and is no error
    """Nobody listens any more."""


class _Work:
    """One audit, in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.progress = (0, 0)
        self.listened = True

    def run(self) -> list[Law]:
        """Do it.

        Returns:
            The laws, each held or broken.

        Raises:
            _Leaving: Nobody listens any more.
        """
        try:
            with open_ledger(self._url) as database:
                return audit(database, self._note_progress)
        finally:
            _ONE.release()

    def _note_progress(self, done: int, rows: int) -> None:
        if not self.listened:
            raise _Leaving
        self.progress = (done, rows)


@router.post(
    "/audit",
    summary="Audit the ledger",
    dependencies=[needs(KeyScope.READ)],
    response_class=StreamingResponse,
    responses=_EVENTS,
)
async def audit_ledger(context: ContextHere) -> Response:
    """Prove the ledger from the ground up, as of one moment. It takes long on a large ledger, and disturbs nobody.

    The answer is server-sent events; the last one has every law, held or broken. Whoever leaves ends it.
    """
    if not _ONE.acquire(blocking=False):
        raise Problem(ProblemKind.WRONG_STATE, "an audit is at work already")
    work = _Work(context.settings.database_url)
    laws = asyncio.get_running_loop().run_in_executor(None, work.run)
    return event_stream(_events(context, work, laws))


async def _events(
    context: ServerContext, work: _Work, laws: "asyncio.Future[list[Law]]"
) -> AsyncGenerator[ServerSentEvent | None, None]:
    """How far the audit is, each time that something is new, and what it found.

    Yields:
        What is new, None for nothing.
    """
    sent = (-1, -1)
    try:
        while not laws.done():
            if work.progress != sent:
                sent = work.progress
                yield _event("progress", {"done": sent[0], "of": sent[1]})
            if context.is_stopping():
                yield _event("trouble", {"trouble": "The server is stopping; ask again."})
                return
            yield None
            await asyncio.wait([laws], timeout=_LOOK_SECONDS)
        try:
            yield _event("laws", [LawAnswer.of(law).model_dump() for law in laws.result()])
        except Exception as error:  # noqa: BLE001 - the stream has begun: whatever it is, the stream says it
            yield _event("trouble", {"trouble": f"The audit could not be finished: {type(error).__name__}."})
    finally:
        work.listened = False


def _event(name: str, data: object) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=json.dumps(data))

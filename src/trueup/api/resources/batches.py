"""Batches over the API: what came in, what it did, and how to take it back."""

import asyncio
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.jobs import Look, Wait
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import Problem, ProblemKind, declared, not_found
from trueup.api.http.readers import ContextHere, KnownLines, Reader, recording_for
from trueup.api.resources.answers import Answer, BatchAnswer, BatchDetails, RowAnswer, row_answers
from trueup.api.resources.queries import NUMBER_MAX
from trueup.api.resources.summaries import SummaryAnswer
from trueup.api.resources.wording import in_words
from trueup.ledger.batches import BatchMovedError, batches_before, read_batch, undone_batches, undos_of
from trueup.ledger.database import Readable
from trueup.ledger.pages import rows_of_batch
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.words import BatchKind, BatchState, Outcome
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.summary import Summary
from trueup.recording.undo import UndoRefusal, UndoRefusedError, preview_undo, undoable
from trueup.reports.now import with_now
from trueup.uploads.jobs import Asker

router = APIRouter(tags=["batches"])

_READ: Final = needs(KeyScope.READ)

BatchId = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="The batch's number.")]


class UndoAnswer(Answer):
    """An undo: what it would do, or how far it has come."""

    undoes: int = Field(description="The batch that is undone.")
    preview: SummaryAnswer | None = Field(description="What undoing it would do; null where it is done.")
    undo: BatchDetails | None = Field(description="The undo, a batch itself; null while it has not begun.")


@router.get("/batches", summary="List batches, newest first", dependencies=[_READ])
def list_batches(database: Reader, asked: Asked) -> Page[BatchAnswer]:
    """Uploads, status updates, click imports, undos, and the postbacks of each hour."""
    (before,) = asked.after(int) or (NUMBER_MAX,)
    left_out = undone_batches(database)
    found = batches_before(database, before, asked.limit + 1)
    return asked.page(found, lambda batch: BatchAnswer.of(batch, left_out), lambda batch: [batch.batch_id])


@router.get("/batches/{batch_id}", summary="Show a batch", dependencies=[_READ])
def get_batch(database: Reader, context: ContextHere, batch_id: BatchId) -> BatchDetails:
    """A batch, what its rows came to, and the workspace's numbers before and after it."""
    return BatchDetails.with_sums(known_batch(database, batch_id), undone_batches(database), context.catalog)


@router.get("/batches/{batch_id}/rows", summary="List a batch's rows", dependencies=[_READ])
def list_batch_rows(
    database: Reader,
    lines: KnownLines,
    asked: Asked,
    batch_id: BatchId,
    outcome: Annotated[list[Outcome] | None, Query(description="Those that were told this; repeat for more.")] = None,
) -> Page[RowAnswer]:
    """The rows of a batch by their lines, each as it was told, and as it is now. Undos and click imports have none."""
    batch = known_batch(database, batch_id)
    (after,) = asked.after(int) or (-1,)
    outcomes = [each.value for each in outcome or ()]
    found = rows_of_batch(database, lines, batch, outcomes, after, asked.limit + 1)
    return asked.page(row_answers(with_now(database, found)), lambda row: row, lambda row: [row.line])


@router.post(
    "/batches/{batch_id}/undo",
    summary="Undo a batch",
    responses={202: {"model": UndoAnswer, "description": "It is at work."}, **declared(ProblemKind.WRONG_STATE)},
)
async def undo_batch(
    caller: Annotated[Caller, needs(KeyScope.UPLOAD)],
    look: Look,
    context: ContextHere,
    response: Response,
    batch_id: BatchId,
    preview: Annotated[bool, Query(description="Say what it would do; change nothing.")] = False,
    wait: Wait = 10.0,
) -> UndoAnswer:
    """Make the ledger what it would be had a batch never come. Undoing an undo brings that batch back."""
    jobs = jobs_of(context)
    batch = await look(partial(undoable_batch, batch_id=batch_id))
    if preview:
        recording = partial(recording_for, caller, context)
        summary = await asyncio.wrap_future(jobs.aside(lambda database: _previewed(recording(database), batch)))
        return UndoAnswer(undoes=batch_id, preview=SummaryAnswer.of(summary, context.catalog), undo=None)
    work = asyncio.wrap_future(jobs.undo(batch_id, batch.rows_total, Asker(caller.name)))
    if await waited(context, work, wait):
        try:
            work.result()
        except UndoRefusedError as error:  # it was undone meanwhile
            raise _refused(error) from None
        except BatchMovedError as error:
            if error.batch_id == batch_id:
                raise Problem(ProblemKind.WRONG_STATE, f"somebody else began to undo batch {batch_id}") from None
            # otherwise another program carries on the undo, or it was undone itself: the answer says how it stands
    answer = await look(partial(_undo_now, batch_id=batch_id, catalog=context.catalog))
    if answer.undo and answer.undo.state is BatchState.STOPPED:
        undo = answer.undo.batch_id
        raise Problem(ProblemKind.WRONG_STATE, f"the undo, batch {undo}, was undone before all of it was done")
    if answer.undo is None or answer.undo.state is BatchState.RUNNING:
        response.status_code = 202
    return answer


def known_batch(database: Readable, batch_id: int) -> BatchRecord:
    """Find a batch.

    Args:
        database: The ledger.
        batch_id: The batch's number.

    Returns:
        The batch.

    Raises:
        Problem: There is no such batch.
    """
    batch = read_batch(database, batch_id)
    if batch is None:
        raise not_found(f"batch {batch_id}")
    return batch


def undoable_batch(database: Readable, batch_id: int) -> BatchRecord:
    """Find a batch that can be undone, or whose undo can be resumed.

    Args:
        database: The ledger.
        batch_id: The batch's number.

    Returns:
        The batch.

    Raises:
        Problem: There is no such batch, or it cannot be undone.
    """
    try:
        batch, _ = undoable(database, batch_id)
    except UndoRefusedError as error:
        raise _refused(error) from None
    return batch


def _refused(error: UndoRefusedError) -> Problem:
    kind = ProblemKind.NOT_FOUND if error.reason is UndoRefusal.NO_SUCH_BATCH else ProblemKind.WRONG_STATE
    return Problem(kind, in_words(error.remark))


def _previewed(recording: RecordingContext, batch: BatchRecord) -> Summary:
    _, resumed = undoable(recording.database, batch.batch_id)
    return preview_undo(recording, batch, resumed, RunOptions())


def _undo_now(database: Readable, batch_id: int, catalog: Catalog) -> UndoAnswer:
    undos = [undo for undo in undos_of(database, batch_id) if undo.kind is BatchKind.UNDO]
    undo = BatchDetails.with_sums(undos[-1], undone_batches(database), catalog) if undos else None
    return UndoAnswer(undoes=batch_id, preview=None, undo=undo)

"""What can be done with a sent file: preview, apply, resume, cancel, undo.

Long work is done outside the request. The request waits for it as long as its caller says, and answers how it stands.
"""

import asyncio
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.bodies import BodyRoute
from trueup.api.http.gate import needs
from trueup.api.http.jobs import Look, Wait
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere
from trueup.api.resources.batches import UndoAnswer, undo_batch
from trueup.api.uploads.answers import OtherChoices, UploadDetails
from trueup.api.uploads.found import UploadId, details_of, fitting, known_upload, mapped, wrong_state
from trueup.live.context import ServerContext
from trueup.live.readers import written
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.times import time_text
from trueup.model.upload import UploadRecord
from trueup.model.words import UploadState
from trueup.uploads.jobs import SERVER_FAILED
from trueup.uploads.states import Refusal, RefusalKind, begin_applying, begin_preview, cancel, go_on

router = APIRouter(route_class=BodyRoute)

_UPLOAD: Final = needs(KeyScope.UPLOAD)
_AT_WORK: Final[dict[int | str, dict[str, Any]]] = {202: {"model": UploadDetails, "description": "It is at work."}}
_REFUSED: Final = {
    RefusalKind.BEING_APPLIED: "the same file is being applied: {when}; finish or undo that first",
    RefusalKind.APPLIED_BEFORE: "the same file was applied before: {when}; say again=true if it is meant",
    RefusalKind.SENT_TWICE: "the same file is being applied: upload {upload_id}; finish or cancel it first",
    RefusalKind.WRONG_STATE: "it is at work, or has ended",
}


@router.post(
    "/uploads/{upload_id}/preview",
    summary="See what an upload would do",
    responses={**_AT_WORK, **declared(ProblemKind.WRONG_STATE, ProblemKind.UNREADABLE_FILE)},
)
async def preview_upload(
    caller: Annotated[Caller, _UPLOAD],
    look: Look,
    context: ContextHere,
    response: Response,
    upload_id: UploadId,
    other: OtherChoices | None = None,
    wait: Wait = 10.0,
) -> UploadDetails:
    """Read the file and decide its rows, and change nothing. Other choices take the place of those it was sent with."""
    record = await look(partial(known_upload, upload_id=upload_id))
    choices = fitting(other.over(record.choices), caller) if other else record.choices
    if other and "mapping" in other.model_fields_set:
        choices = await look(partial(mapped, choices=choices))
    _refuse_batch(record)
    if not await written(context, partial(begin_preview, upload_id=upload_id, choices=choices)):
        raise await wrong_state(look, upload_id)
    return await _worked_on(look, context, response, upload_id, wait)


@router.post(
    "/uploads/{upload_id}/apply",
    summary="Apply an upload",
    dependencies=[_UPLOAD],
    responses={
        **_AT_WORK,
        **declared(ProblemKind.WRONG_STATE, ProblemKind.SAME_FILE, ProblemKind.UNREADABLE_FILE),
    },
)
async def apply_upload(
    look: Look,
    context: ContextHere,
    response: Response,
    upload_id: UploadId,
    again: Annotated[bool, Query(description="Apply it although the same file was applied before.")] = False,
    wait: Wait = 10.0,
) -> UploadDetails:
    """Apply the file's rows. Good rows are applied whatever happens to bad ones. To ask twice is to ask once."""
    record = await look(partial(known_upload, upload_id=upload_id))
    if record.state in (UploadState.APPLYING, UploadState.DONE):
        return await _to_response(look, context, response, upload_id)
    _refuse_batch(record)
    refusal = await written(context, partial(begin_applying, record=record, again=again or record.choices.again))
    if refusal:
        raise _problem(refusal)
    return await _worked_on(look, context, response, upload_id, wait)


@router.post(
    "/uploads/{upload_id}/resume",
    summary="Go on with an upload",
    dependencies=[_UPLOAD],
    responses={**_AT_WORK, **declared(ProblemKind.WRONG_STATE, ProblemKind.UNREADABLE_FILE)},
)
async def resume_upload(
    look: Look, context: ContextHere, response: Response, upload_id: UploadId, wait: Wait = 10.0
) -> UploadDetails:
    """Go on where a failure stopped it. After a stop or a crash of the server it goes on by itself."""
    record = await look(partial(known_upload, upload_id=upload_id))
    if record.can_go_on:
        await written(context, partial(go_on, upload_id=upload_id))
        record = await look(partial(known_upload, upload_id=upload_id))  # it may have been moved meanwhile
    if record.state is not UploadState.APPLYING:
        raise Problem(ProblemKind.WRONG_STATE, f"the upload is {record.state}: there is nothing to go on with")
    return await _worked_on(look, context, response, upload_id, wait)


@router.post(
    "/uploads/{upload_id}/cancel",
    summary="Cancel an upload",
    dependencies=[_UPLOAD],
    responses=declared(ProblemKind.WRONG_STATE),
)
async def cancel_upload(look: Look, context: ContextHere, upload_id: UploadId) -> UploadDetails:
    """Do no more of it. What is applied stays, and can be undone."""
    record = await look(partial(known_upload, upload_id=upload_id))
    if record.state is not UploadState.CANCELLED and not await written(context, partial(cancel, upload_id=upload_id)):
        raise await wrong_state(look, upload_id)
    return await details_of(look, context, upload_id)


@router.post(
    "/uploads/{upload_id}/undo",
    summary="Undo an upload",
    responses={202: {"model": UndoAnswer, "description": "It is at work."}, **declared(ProblemKind.WRONG_STATE)},
)
async def undo_upload(
    caller: Annotated[Caller, _UPLOAD],
    look: Look,
    context: ContextHere,
    response: Response,
    upload_id: UploadId,
    preview: Annotated[bool, Query(description="Say what it would do; change nothing.")] = False,
    wait: Wait = 10.0,
) -> UndoAnswer:
    """Undo the batch that the upload became."""
    record = await look(partial(known_upload, upload_id=upload_id))
    if record.batch_id is None:
        raise Problem(ProblemKind.WRONG_STATE, "nothing of it was applied")
    if record.state is UploadState.APPLYING and not preview:
        await written(context, partial(cancel, upload_id=upload_id))
    return await undo_batch(caller, look, context, response, record.batch_id, preview=preview, wait=wait)


def _refuse_batch(record: UploadRecord) -> None:
    """Refuse what begins anew for a file that became a batch.

    Raises:
        Problem: The file became a batch.
    """
    if record.batch_id is not None:
        raise Problem(ProblemKind.WRONG_STATE, f"it is batch {record.batch_id} already: resume or undo it")


def _problem(refusal: Refusal) -> Problem:
    """Say why a file is not applied now."""
    if refusal.batch is None:
        kind = ProblemKind.WRONG_STATE if refusal.kind is RefusalKind.WRONG_STATE else ProblemKind.SAME_FILE
        return Problem(kind, _REFUSED[refusal.kind].format(upload_id=refusal.upload_id))
    batch = refusal.batch
    when = f"batch {batch.batch_id}, {time_text(batch.received_at)} by {batch.made_by}"
    return Problem(ProblemKind.SAME_FILE, _REFUSED[refusal.kind].format(when=when))


async def _worked_on(
    look: Look, context: ServerContext, response: Response, upload_id: str, wait: float
) -> UploadDetails:
    """Have a file worked on as its state says, and wait a while."""
    record = await look(partial(known_upload, upload_id=upload_id))
    await waited(context, asyncio.wrap_future(jobs_of(context).work_on(record)), wait)
    return await _to_response(look, context, response, upload_id)


async def _to_response(look: Look, context: ServerContext, response: Response, upload_id: str) -> UploadDetails:
    """Show how a file stands.

    Raises:
        Problem: The file cannot be read.
    """
    details = await details_of(look, context, upload_id)
    if details.state is UploadState.FAILED and not details.batch_id:
        kind = ProblemKind.FAILURE if details.trouble == SERVER_FAILED else ProblemKind.UNREADABLE_FILE
        raise Problem(kind, details.trouble or "the file cannot be read")
    if details.progress:
        response.status_code = 202
    return details

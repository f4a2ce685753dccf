"""Uploads over the API: send a file, list the files, delete one. What can be done with a file: actions.py."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.claims import Also, answered_once
from trueup.api.http.gate import needs
from trueup.api.http.jobs import Look
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import json_answer
from trueup.api.uploads import actions as upload_actions
from trueup.api.uploads import follow as upload_follow
from trueup.api.uploads import row_files as upload_row_files
from trueup.api.uploads.answers import SentChoices, UploadAnswer, UploadDetails, upload_answer, upload_details
from trueup.api.uploads.found import UploadId, details_of, fitting, known_upload, mapped, wrong_state
from trueup.ledger.database import Database, Transaction
from trueup.ledger.uploads import read_uploads
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.readers import written
from trueup.live.receiving import FORM, PLAIN, arriving, media_of
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.model.upload import UploadRecord
from trueup.model.words import Origin
from trueup.uploads.states import forget, receive

router = APIRouter(tags=["uploads"])
router.include_router(upload_actions.router)
router.include_router(upload_follow.router)
router.include_router(upload_row_files.router)

_READ: Final = needs(KeyScope.READ)
_UPLOAD: Final = needs(KeyScope.UPLOAD)
_BEYOND_ALL: Final = "v"  # comes after all upload ids, which begin with a u

_FILE: Final = {"type": "string", "format": "binary"}
_BODY: Final = {
    "required": True,
    "content": {
        **{media: {"schema": _FILE} for media in PLAIN},
        FORM: {
            "schema": {
                "type": "object",
                "properties": {"file": _FILE},
                "required": ["file"],
                "description": "One file; the choices may be fields instead of parameters.",
            }
        },
    },
}


@router.post(
    "/uploads",
    summary="Send a file",
    status_code=201,
    response_model=UploadDetails,
    openapi_extra={"requestBody": _BODY},
    responses=declared(ProblemKind.NO_ROOM),
)
async def send_upload(
    caller: Annotated[Caller, _UPLOAD],
    request: Request,
    look: Look,
    context: ContextHere,
    query: Annotated[SentChoices, Query()],
) -> Response:
    """Send a file of conversions, of statuses or of clicks; nothing is done with its rows before they are applied.

    The body is the file itself, or a form with it. What is not chosen is recognised, and said by a preview.
    """
    if media_of(request.headers.get("content-type", "")) not in (FORM, *PLAIN):
        raise Problem(ProblemKind.WRONG_MEDIA_TYPE, f"send the file as {', '.join(PLAIN)}, or in a {FORM}")
    record = await _received(request, look, context, caller, query)
    place = f"{request.scope.get('root_path', '')}/uploads/{record.upload_id}"

    def work(database: Database, also: Also[UploadDetails]) -> UploadDetails:
        def beside(transaction: Transaction) -> UploadDetails:
            details = upload_details(transaction, record, sent_folder(context), jobs_of(context), context.catalog)
            also(transaction, details)
            return details

        return receive(database, record, beside)

    def answer(details: UploadDetails) -> Response:
        return json_answer(details, 201, place)

    try:
        return await answered_once(request, context, work, answer)
    except (Problem, UnavailableError):  # no caller knows of the file, so it is sent again
        await run_in_threadpool(sent_folder(context).forget, record.upload_id)
        raise


@router.get("/uploads", summary="List uploads, newest first", dependencies=[_READ])
def list_uploads(database: Reader, asked: Asked) -> Page[UploadAnswer]:
    """The files that were sent."""
    (before,) = asked.after(str) or (_BEYOND_ALL,)
    return asked.page(read_uploads(database, before, asked.limit + 1), upload_answer, lambda row: [row.upload_id])


@router.get("/uploads/{upload_id}", summary="Show an upload", dependencies=[_READ])
async def get_upload(look: Look, context: ContextHere, upload_id: UploadId) -> UploadDetails:
    """Where it stands, how the file was read, what a preview came to, and what is applied so far."""
    return await details_of(look, context, upload_id)


@router.delete(
    "/uploads/{upload_id}",
    summary="Delete a sent file",
    status_code=204,
    dependencies=[_UPLOAD],
    responses=declared(ProblemKind.WRONG_STATE),
)
async def delete_upload(look: Look, context: ContextHere, upload_id: UploadId) -> None:
    """Delete the file, and forget that it was sent. The batch that it became stays, and can be undone."""
    await look(partial(known_upload, upload_id=upload_id))
    if not await written(context, partial(forget, upload_id=upload_id)):
        raise await wrong_state(look, upload_id)
    await run_in_threadpool(sent_folder(context).forget, upload_id)


async def _received(
    request: Request, look: Look, context: ServerContext, caller: Caller, query: SentChoices
) -> UploadRecord:
    """Put the body on disk, and record what it is.

    Raises:
        ReceivingError: The body cannot be received.
        Problem: The choices do not go together.
    """
    async with arriving(context) as arrival:
        receiver = arrival.receiver
        content_type, length = (request.headers.get(name, "") for name in ("content-type", "content-length"))
        request.state.body.most = receiver.body_most(content_type)
        await receiver.receive(content_type, length, request.stream())
        choices = _with_fields(query, receiver.fields)
        chosen = await look(partial(mapped, choices=fitting(choices.chosen(), caller)))
        return await arrival.keep(choices.file_name or receiver.file_name, chosen, caller.name, Origin.API)


def _with_fields(query: SentChoices, fields: list[tuple[str, str]]) -> SentChoices:
    """Put a form's fields in the place of the query's parameters.

    Raises:
        RequestValidationError: A field is not as it should be.
    """
    given: dict[str, Any] = query.model_dump(exclude_unset=True)
    columns = [value for name, value in fields if name == "columns"]
    given |= {name: value for name, value in fields if name != "columns" and value}
    try:
        return SentChoices.model_validate(given | ({"columns": columns} if columns else {}))
    except ValidationError as error:
        mistakes = [{**found, "loc": ("body", *found["loc"])} for found in error.errors()]
        raise RequestValidationError(mistakes) from None

"""The files that tell of a sent file's rows: what happened to each, and the refused ones; as CSV and as workbooks."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from trueup.access.keys import KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere
from trueup.api.resources.wording import WAYS, in_words
from trueup.api.uploads.found import UploadId, known_upload
from trueup.dialects.choices import UnreadableFile
from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.downloads import WORKBOOK
from trueup.live.outcome_files import NoOutcomesError, refused_answer, results_answer
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.model.upload import UploadRecord

router = APIRouter()

_READ: Final = needs(KeyScope.READ)
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A file of text.", "content": {"text/csv": {"schema": {"type": "string"}}}},
    **declared(ProblemKind.WRONG_STATE, ProblemKind.UNREADABLE_FILE, ProblemKind.NO_ROOM),
}
_XLSX: Final[dict[int | str, dict[str, Any]]] = {
    **_CSV,
    200: {"description": "A workbook.", "content": {WORKBOOK: {"schema": {"type": "string", "format": "binary"}}}},
}


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
    return await _made(context, _results(context), upload_id)


@router.get(
    "/uploads/{upload_id}/refused.csv",
    summary="Get the refused rows",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_CSV,
)
async def get_refused(context: ContextHere, upload_id: UploadId) -> Response:
    """The refused rows as they came, each with its outcome and a message: ready to be mended and sent again."""
    return await _made(context, _refused(context), upload_id)


@router.get(
    "/uploads/{upload_id}/results.xlsx",
    summary="Get what happened to each row, as a workbook",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_XLSX,
)
async def get_results_workbook(context: ContextHere, upload_id: UploadId) -> Response:
    """The same as `results.csv`, as a workbook."""
    return await _made(context, _results(context, as_workbook=True), upload_id)


@router.get(
    "/uploads/{upload_id}/refused.xlsx",
    summary="Get the refused rows as a workbook",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_XLSX,
)
async def get_refused_workbook(context: ContextHere, upload_id: UploadId) -> Response:
    """The same as `refused.csv`, as a workbook. All cells are text, so that no id is taken for a number."""
    return await _made(context, _refused(context, as_workbook=True), upload_id)


async def _made(
    context: ServerContext,
    answer: Callable[[Database, UploadRecord], Response],
    upload_id: str,
) -> Response:
    """Make a file aside.

    Raises:
        Problem: There is nothing to make it of.
    """

    def work(database: Database) -> Response:
        return answer(database, known_upload(database, upload_id))

    try:
        return await asyncio.wrap_future(jobs_of(context).aside(work))
    except NoOutcomesError as error:
        raise Problem(ProblemKind.WRONG_STATE, str(error)) from None
    except UnreadableFile as error:
        raise Problem(ProblemKind.UNREADABLE_FILE, in_words(error.remark)) from None


def _results(context: ServerContext, *, as_workbook: bool = False) -> Callable[[Database, UploadRecord], Response]:
    folder = sent_folder(context)
    return lambda database, record: results_answer(database, record, folder, WAYS, as_workbook=as_workbook)


def _refused(context: ServerContext, *, as_workbook: bool = False) -> Callable[[Database, UploadRecord], Response]:
    folder = sent_folder(context)
    return lambda database, record: refused_answer(
        database, record, folder, WAYS, context.clock, as_workbook=as_workbook
    )

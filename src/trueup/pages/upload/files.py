"""The files that tell of an upload's rows: each row's outcome, and the refused rows to be mended."""

import asyncio
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.dialects.choices import UnreadableFile
from trueup.ledger.database import Readable
from trueup.ledger.uploads import find_upload
from trueup.live.context import ServerContext
from trueup.live.outcome_files import NoOutcomesError, refused_answer, results_answer
from trueup.live.receiving import ReceivingError
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import pages_of
from trueup.pages.upload.words import WAYS, in_words


async def results(request: Request) -> Response:
    """What happened to every row."""
    return await _answer(request, is_refused=False)


async def refused(request: Request) -> Response:
    """The refused rows as they came."""
    return await _answer(request, is_refused=True)


async def _answer(request: Request, *, is_refused: bool) -> Response:
    context = pages_of(request).context
    form = request.path_params["form"]
    if form not in ("csv", "xlsx"):
        raise HTTPException(404)
    work = partial(
        _file,
        context=context,
        upload_id=request.path_params["upload_id"],
        is_refused=is_refused,
        as_workbook=form == "xlsx",
    )
    try:
        return await asyncio.wrap_future(jobs_of(context).aside(work))
    except NoOutcomesError as error:
        raise HTTPException(409, f"There is nothing to download: {error}.") from None
    except UnreadableFile as error:
        raise HTTPException(409, in_words(error.remark)) from None
    except ReceivingError as error:
        raise HTTPException(507, str(error)) from None


def _file(
    database: Readable, context: ServerContext, upload_id: str, *, is_refused: bool, as_workbook: bool
) -> Response:
    record, folder = find_upload(database, upload_id), sent_folder(context)
    if record is None:
        raise HTTPException(404)
    if is_refused:
        return refused_answer(database, record, folder, WAYS, context.clock, as_workbook=as_workbook)
    return results_answer(database, record, folder, WAYS, as_workbook=as_workbook)


routes = [
    PageRoute("/upload/{upload_id}/results.{form}", results, needs=Role.VIEWER, name="results"),
    PageRoute("/upload/{upload_id}/refused.{form}", refused, needs=Role.VIEWER, name="refused"),
]

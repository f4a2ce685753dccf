"""A file, pasted lines, or what another page made of ticked rows: it becomes a sent file whose preview begins.

Other pages end in `begin`: their rows are seen, applied and undone as those of any file.
"""

import asyncio
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.ledger.database import Database
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.readers import written
from trueup.live.receiving import arriving
from trueup.live.upload_jobs import jobs_of, sent_folder, waited
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import Origin
from trueup.pages.rendering import pages_of, person_of
from trueup.uploads.states import begin_preview, receive

WAIT_SECONDS: Final = 1.5  # for a small file: its preview is there when the page is


async def begin(request: Request, content: bytes, name: str, choices: UploadChoices) -> Response:
    """Have rows previewed, and lead to their page.

    Args:
        request: The request of a person who may upload.
        content: The rows, as a file has them.
        name: What the file is called: the person knows it by this, such as `Status of 93 conversions`.
        choices: How it is read. Say `again` where the same rows may well come twice.

    Returns:
        A redirect to the page of the upload.

    Raises:
        ReceivingError: The disk has no room for it.
        UnavailableError: The database cannot be used now.
    """
    context = pages_of(request).context
    async with arriving(context) as arrival:
        await arrival.put(content)
        record = await arrival.keep(name, choices, name_of(request), Origin.PAGE)
    await note(context, record)
    await preview(context, record, choices)
    return to_page(record.upload_id)


async def note(context: ServerContext, record: UploadRecord) -> None:
    """Have the ledger know a file that is here. A file that it does not come to know is gone."""
    try:
        await written(context, partial(_note, record=record))
    except UnavailableError:
        sent_folder(context).forget(record.upload_id)
        raise


def _note(database: Database, record: UploadRecord) -> None:
    receive(database, record, lambda _transaction: None)


async def preview(context: ServerContext, record: UploadRecord, choices: UploadChoices) -> bool:
    """Begin a preview, and wait a little for it.

    Returns:
        Whether it may begin, from the state that the file is in.
    """
    if not await written(context, partial(begin_preview, upload_id=record.upload_id, choices=choices)):
        return False
    await work_on(context, record)
    return True


async def work_on(context: ServerContext, record: UploadRecord) -> None:
    """Have a file worked on as its state says now, and wait a little."""
    await waited(context, asyncio.wrap_future(jobs_of(context).work_on(record)), WAIT_SECONDS)


def to_page(upload_id: str) -> Response:
    """Lead to the page of an upload."""
    return RedirectResponse(f"/upload/{upload_id}", 303)


def name_of(request: Request) -> str:
    """Who asks, as batches say it."""
    person = person_of(request)
    return person.name if person else ""

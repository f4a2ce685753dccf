"""Rows that a page makes: written as Trueup's own files are, and sent on to the Preview as any file."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Final

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database, ReadTransaction
from trueup.live.receiving import ReceivingError, ReceivingTrouble
from trueup.model.upload import UploadChoices
from trueup.pages.rendering import is_partial, pages_of
from trueup.pages.upload.begin import begin
from trueup.reports.export import write_csv

DIALECT: Final = "trueup"
ROWS_MOST: Final = 2_000_000  # that are made at once: they are in memory until they are a file
_NUMBERS: Final = ("payout",)
_STATUSES: Final = {ReceivingTrouble.TOO_LARGE: 413, ReceivingTrouble.MALFORMED: 400, ReceivingTrouble.NO_ROOM: 507}

Made = Callable[[ReadTransaction], Iterable[pl.DataFrame]]


def as_file(pages: Iterable[pl.DataFrame], dialect: str | None = DIALECT) -> bytes:
    """Write rows as a file.

    Args:
        pages: One at least: text columns, named as the fields of a row are.
        dialect: What it is read by. Our own takes back the apostrophe before text that a spreadsheet would run.
    """
    if dialect != DIALECT:
        return pl.concat(pages).write_csv().encode()
    out = BytesIO()
    write_csv(pages, _NUMBERS, out)
    return out.getvalue()


async def made_of(request: Request, made: Made) -> bytes:
    """Make rows from what the ledger holds, as of one moment.

    Args:
        request: The request.
        made: Makes them, in pages.

    Raises:
        HTTPException: They are too many.
    """

    def counted(pages: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        rows = 0
        for page in pages:
            rows += page.height
            if rows > ROWS_MOST:
                raise HTTPException(413, f"These are more than {ROWS_MOST:,} conversions. Narrow the filters.")
            yield page

    def work(database: Database) -> bytes:
        with database.read_transaction() as transaction:
            return as_file(counted(made(transaction)))

    return await pages_of(request).look(work)


async def send_on(request: Request, content: bytes, name: str, choices: UploadChoices) -> Response:
    """Have made rows previewed, and lead to their Preview.

    Args:
        request: The request.
        content: The rows.
        name: What was done, such as `Set status of 93 conversions`.
        choices: How they are read, besides that they are of our own dialect.

    Raises:
        HTTPException: They are more than a file may be, or the disk has no room.
    """
    most = pages_of(request).context.settings.upload_bytes
    if len(content) > most:
        raise HTTPException(413, f"The rows are more than the {most:,} bytes that a file may have. Choose fewer.")
    try:
        answer = await begin(request, content, name, choices)
    except ReceivingError as error:
        raise HTTPException(_STATUSES[error.trouble], str(error)) from None
    return to_page(request, answer.headers["location"])


def to_page(request: Request, where: str) -> Response:
    """Lead to a page, from a pop-up, too: what sent its form would follow a redirect within itself."""
    if is_partial(request):
        return Response(status_code=204, headers={"HX-Redirect": where})
    return Response(status_code=303, headers={"location": where})

"""A list as a file: CSV or a workbook, of exactly the rows and columns that are shown, all pages of them."""

import tempfile
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import IO, Final, TypeVar
from urllib.parse import quote

import polars as pl
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse

from trueup.ledger.database import Database
from trueup.pages.rendering import Pages
from trueup.reports.export import write_csv, write_xlsx

Place = TypeVar("Place")

_IN_MEMORY_BYTES: Final = 4 << 20
_PIECE_BYTES: Final = 1 << 18


class FileForm(StrEnum):
    """The forms that a list can be had in."""

    CSV = "csv"
    XLSX = "xlsx"


_TYPES: Final = {
    FileForm.CSV: "text/csv; charset=utf-8",
    FileForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_form(request: Request) -> FileForm:
    """The form that a path ends with.

    Raises:
        HTTPException: There is no such form.
    """
    try:
        return FileForm(request.path_params["form"])
    except ValueError:
        raise HTTPException(404) from None


Table = Callable[[Database], Iterator[pl.DataFrame]]


def page_by_page(read: Callable[[Place], tuple[pl.DataFrame, Place]], first: Place) -> Iterator[pl.DataFrame]:
    """Read a list to its end.

    Args:
        read: Reads the page that comes after a place. Returns it, and the place of the next one: nothing on the last.
        first: The place that the first page comes after.
    """
    place = first
    while True:
        rows, place = read(place)
        yield rows
        if not place:
            return


async def file_of(pages: Pages, form: FileForm, name: str, numbers: tuple[str, ...], table: Table) -> StreamingResponse:
    """Answer with a list as a file. It is made whole before its first byte is sent, so no broken file looks whole.

    Args:
        pages: What every page stands on.
        form: Which form.
        name: What the file is called, without its ending; the sheet of a workbook, too.
        numbers: The text columns that hold numbers.
        table: Reads the list, in pages: one at least, all with the same columns.
    """
    made: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it is sent

    def write(database: Database) -> None:
        if form is FileForm.CSV:
            write_csv(table(database), numbers, made)  # type: ignore[arg-type]  # it is written to as any file is
        else:
            write_xlsx(table(database), numbers, made, name=name)  # type: ignore[arg-type]  # the same

    try:
        await pages.look(write)
    except BaseException:
        made.close()
        raise
    size = made.tell()
    made.seek(0)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}.{form.value}",
        "content-length": str(size),
    }
    pieces = iter(lambda: made.read(_PIECE_BYTES), b"")
    return StreamingResponse(pieces, headers=headers, media_type=_TYPES[form], background=BackgroundTask(made.close))

"""The files that tell of a sent file's rows: what happened to each, and the refused ones; as CSV and as workbooks."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple, TextIO

import polars as pl
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from trueup.access.keys import KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.jobs import jobs_of, sent_folder
from trueup.api.http.problems import Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere
from trueup.api.resources.answers import WORKBOOK
from trueup.api.resources.wording import WAYS, in_words
from trueup.api.uploads.files import csv_answer, workbook_answer
from trueup.api.uploads.found import UploadId, batch_of, known_upload
from trueup.dialects.choices import UnreadableFile
from trueup.ledger.arrivals import read_brought
from trueup.ledger.batches import read_rows
from trueup.ledger.database import Database, Readable
from trueup.live.context import ServerContext
from trueup.model.batches import BatchRecord
from trueup.model.frames import RowOutcomes
from trueup.model.upload import UploadRecord
from trueup.model.words import UploadKind
from trueup.reports.now import with_now
from trueup.reports.result_files import (
    ROW_COLUMNS,
    refused_rows,
    write_click_results,
    write_click_results_xlsx,
    write_refused,
    write_refused_xlsx,
    write_results,
    write_results_xlsx,
)
from trueup.uploads.click_file import ClickFile, click_results, refused_clicks
from trueup.uploads.click_setup import as_planned
from trueup.uploads.files import SentFile, read_sent
from trueup.uploads.folder import SentFolder

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
    return await _made(context, _results, upload_id)


@router.get(
    "/uploads/{upload_id}/refused.csv",
    summary="Get the refused rows",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_CSV,
)
async def get_refused(context: ContextHere, upload_id: UploadId) -> Response:
    """The refused rows as they came, each with its outcome and a message: ready to be mended and sent again."""
    return await _made(context, _refused, upload_id)


@router.get(
    "/uploads/{upload_id}/results.xlsx",
    summary="Get what happened to each row, as a workbook",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_XLSX,
)
async def get_results_workbook(context: ContextHere, upload_id: UploadId) -> Response:
    """The same as `results.csv`, as a workbook."""
    return await _made(context, _results, upload_id, as_workbook=True)


@router.get(
    "/uploads/{upload_id}/refused.xlsx",
    summary="Get the refused rows as a workbook",
    dependencies=[_READ],
    response_class=StreamingResponse,
    responses=_XLSX,
)
async def get_refused_workbook(context: ContextHere, upload_id: UploadId) -> Response:
    """The same as `refused.csv`, as a workbook. All cells are text, so that no id is taken for a number."""
    return await _made(context, _refused, upload_id, as_workbook=True)


class _Asked(NamedTuple):
    """A file that tells of a sent file's rows, as it is asked for."""

    upload_id: str
    folder: SentFolder
    clock: Callable[[], int]
    as_workbook: bool

    def answer(self, what: str, csv: Callable[[TextIO], None], workbook: Callable[[BinaryIO], None]) -> Response:
        """Answer with it, in the form that is asked for.

        Args:
            what: What it holds; a part of its name.
            csv: Writes it as CSV.
            workbook: Writes it as a workbook.
        """
        name = f"{self.upload_id}-{what}"
        if self.as_workbook:
            return workbook_answer(f"{name}.xlsx", self.folder.folder, workbook)
        return csv_answer(f"{name}.csv", self.folder.folder, csv)


async def _made(
    context: ServerContext,
    make: Callable[[Database, _Asked], Response],
    upload_id: str,
    *,
    as_workbook: bool = False,
) -> Response:
    asked = _Asked(upload_id, sent_folder(context), context.clock, as_workbook)
    return await asyncio.wrap_future(jobs_of(context).aside(lambda database: make(database, asked)))


def _results(database: Database, asked: _Asked) -> Response:
    record = known_upload(database, asked.upload_id)
    if record.choices.kind is UploadKind.CLICKS:
        rows, csv, workbook = _click_rows(database, record, asked.folder), write_click_results, write_click_results_xlsx
    else:
        rows, csv, workbook = _rows(database, record, asked.folder), write_results, write_results_xlsx
        rows = with_now(database, rows) if record.batch_id is not None else rows
    return asked.answer("results", partial(csv, rows, words=WAYS), partial(workbook, rows, words=WAYS))


def _refused(database: Database, asked: _Asked) -> Response:
    record = known_upload(database, asked.upload_id)
    batch = batch_of(database, record)
    with _read_again(database, record, batch, asked.folder) as file:
        if not isinstance(file, ClickFile):
            return _refused_answer(asked, refused_rows(_rows(database, record, asked.folder)), file)
        meant = as_planned(file) if record.choices.create_missing and not batch else file
        return _refused_answer(asked, refused_clicks(meant, batch.received_at if batch else asked.clock()), meant)


def _refused_answer(asked: _Asked, refused: RowOutcomes, file: SentFile) -> Response:
    told = (refused, file.content, file.reading)
    return asked.answer(
        "refused", partial(write_refused, *told, words=WAYS), partial(write_refused_xlsx, *told, words=WAYS)
    )


@contextmanager
def _read_again(
    database: Readable, record: UploadRecord, batch: BatchRecord | None, folder: SentFolder
) -> Iterator[SentFile]:
    """A sent file, read once more.

    Raises:
        Problem: It is gone, or cannot be read.
    """
    try:
        with folder.content(record.upload_id) as content:
            yield read_sent(database, record, content, batch)
    except FileNotFoundError:
        raise Problem(ProblemKind.WRONG_STATE, "the file is no longer here") from None
    except UnreadableFile as error:
        raise Problem(ProblemKind.UNREADABLE_FILE, in_words(error.remark)) from None


def _click_rows(database: Readable, record: UploadRecord, folder: SentFolder) -> RowOutcomes:
    """What the rows of a file of clicks came to, or would, by its last preview.

    Raises:
        Problem: There are none to show, or the file is gone.
    """
    batch = batch_of(database, record)
    if batch is None:
        return _previewed(record, folder)
    with _read_again(database, record, batch, folder) as file:
        assert isinstance(file, ClickFile)  # noqa: S101 - its kind is clicks
        return click_results(file, batch.received_at, read_brought(database, batch.batch_id))


def _rows(database: Readable, record: UploadRecord, folder: SentFolder) -> RowOutcomes:
    """The rows with their outcomes (ROW_COLUMNS), or with those of their last preview.

    Raises:
        Problem: There are none to show yet.
    """
    if record.batch_id is not None:
        return read_rows(database, record.batch_id, ROW_COLUMNS)
    return _previewed(record, folder)


def _previewed(record: UploadRecord, folder: SentFolder) -> RowOutcomes:
    if not folder.rows(record.upload_id).exists():
        raise Problem(ProblemKind.WRONG_STATE, "preview or apply it first")
    return RowOutcomes(pl.read_parquet(folder.rows(record.upload_id)))

"""The two files that tell of a sent file's rows: what happened to each, and the refused ones, ready to be mended."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

import polars as pl
from starlette.responses import StreamingResponse

from trueup.ledger.arrivals import read_brought
from trueup.ledger.batches import read_batch, read_rows
from trueup.ledger.database import Readable
from trueup.live.downloads import csv_answer, workbook_answer
from trueup.model.batches import BatchRecord
from trueup.model.frames import RowOutcomes
from trueup.model.remarks import Way
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


class NoOutcomesError(Exception):
    """There are no outcomes to tell. The message says why."""


def results_answer(
    database: Readable,
    record: UploadRecord,
    folder: SentFolder,
    words: Mapping[Way, str],
    *,
    as_workbook: bool = False,
) -> StreamingResponse:
    """What happened to every row, or would by the last preview.

    Args:
        database: The ledger.
        record: The sent file.
        folder: Where sent files stand.
        words: The surface's words for each way that messages mention.
        as_workbook: As a workbook, not as CSV.

    Raises:
        NoOutcomesError: It was neither previewed nor applied, or the file is gone.
        UnreadableFile: The file cannot be read any more.
        ReceivingError: The disk has no room for the answer.
    """
    made = _Made(f"{record.upload_id}-results", folder.folder, as_workbook=as_workbook)
    if record.choices.kind is UploadKind.CLICKS:
        rows, csv, workbook = _click_rows(database, record, folder), write_click_results, write_click_results_xlsx
    else:
        rows, csv, workbook = _rows(database, record, folder), write_results, write_results_xlsx
        rows = with_now(database, rows) if record.batch_id is not None else rows
    return made.answer(partial(csv, rows, words=words), partial(workbook, rows, words=words))


def refused_answer(
    database: Readable,
    record: UploadRecord,
    folder: SentFolder,
    words: Mapping[Way, str],
    clock: Callable[[], int],
    *,
    as_workbook: bool = False,
) -> StreamingResponse:
    """The refused rows as they came, each with its outcome and a message. As `results_answer`."""
    batch = _batch_of(database, record)
    with _read_again(database, record, batch, folder) as file:
        meant = file
        if isinstance(file, ClickFile):
            meant = as_planned(file) if record.choices.create_missing and not batch else file
            refused = refused_clicks(meant, batch.received_at if batch else clock())
        else:
            refused = refused_rows(_rows(database, record, folder))
        told = (refused, meant.content, meant.reading)
        made = _Made(f"{record.upload_id}-refused", folder.folder, as_workbook=as_workbook)
        return made.answer(partial(write_refused, *told, words=words), partial(write_refused_xlsx, *told, words=words))


@dataclass(frozen=True)
class _Made:
    """A file that tells of rows, in the form that is asked for."""

    name: str  # without its ending
    folder: Path
    as_workbook: bool

    def answer(self, csv: Callable[[TextIO], None], workbook: Callable[[BinaryIO], None]) -> StreamingResponse:
        """Answer with it.

        Args:
            csv: Writes it as CSV.
            workbook: Writes it as a workbook.
        """
        if self.as_workbook:
            return workbook_answer(f"{self.name}.xlsx", self.folder, workbook)
        return csv_answer(f"{self.name}.csv", self.folder, csv)


@contextmanager
def _read_again(
    database: Readable, record: UploadRecord, batch: BatchRecord | None, folder: SentFolder
) -> Iterator[SentFile]:
    """A sent file, read once more.

    Raises:
        NoOutcomesError: It is gone.
    """
    try:
        with folder.content(record.upload_id) as content:
            yield read_sent(database, record, content, batch)
    except FileNotFoundError:
        raise NoOutcomesError("the file is no longer here") from None


def _batch_of(database: Readable, record: UploadRecord) -> BatchRecord | None:
    return read_batch(database, record.batch_id) if record.batch_id is not None else None


def _click_rows(database: Readable, record: UploadRecord, folder: SentFolder) -> RowOutcomes:
    """What the rows of a file of clicks came to, or would, by its last preview."""
    batch = _batch_of(database, record)
    if batch is None:
        return _previewed(record, folder)
    with _read_again(database, record, batch, folder) as file:
        assert isinstance(file, ClickFile)  # noqa: S101 - its kind is clicks
        return click_results(file, batch.received_at, read_brought(database, batch.batch_id))


def _rows(database: Readable, record: UploadRecord, folder: SentFolder) -> RowOutcomes:
    """The rows with their outcomes (ROW_COLUMNS), or with those of their last preview."""
    if record.batch_id is not None:
        return read_rows(database, record.batch_id, ROW_COLUMNS)
    return _previewed(record, folder)


def _previewed(record: UploadRecord, folder: SentFolder) -> RowOutcomes:
    if not folder.rows(record.upload_id).exists():
        raise NoOutcomesError("preview or apply it first")
    return RowOutcomes(pl.read_parquet(folder.rows(record.upload_id)))

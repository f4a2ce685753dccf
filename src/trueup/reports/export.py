"""Frames as files for people and programs: CSV, JSON, XLSX."""

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any, BinaryIO

import polars as pl

from trueup.dialects.names import LOCAL_TIME
from trueup.model.batches import BatchRecord
from trueup.model.spreadsheet import defused
from trueup.model.times import time_text
from trueup.workbooks.writing import Cells, write_workbook


def write_csv(pages: Iterable[pl.DataFrame], numbers: Collection[str], out: BinaryIO) -> int:
    """Write pages of one table as CSV: UTF-8, a header, text that a spreadsheet would run defused.

    Args:
        pages: One page at least, all with the same columns; their titles are our own.
        numbers: The text columns that hold numbers: these are written as they are.
        out: Where to.

    Returns:
        How many rows were written.
    """
    written = 0
    for place, page in enumerate(pages):
        safe = _defused(page, numbers)
        # Polars writes null as nothing, and an empty text as "".
        safe = safe.with_columns(pl.col(pl.String).replace("", None))
        out.write(safe.write_csv(include_header=place == 0).encode())
        written += page.height
    return written


def write_xlsx(
    pages: Iterable[pl.DataFrame],
    numbers: Collection[str],
    out: BinaryIO,
    *,
    name: str,
    days: Collection[str] = (),
    zone: str = "",
) -> int:
    """Write pages of one table as a workbook, text as `write_csv` writes it.

    Args:
        pages: As `write_csv` takes them.
        numbers: The text columns that hold numbers.
        out: Where to.
        name: What the sheet is called.
        days: The columns that hold days.
        zone: The zone of `converted_at`, beside which a column for people has the date; '' for no such column.

    Returns:
        How many rows were written.

    Raises:
        OSError: A workbook cannot hold it, or there is no room.
    """
    rest = iter(pages)
    first = next(rest)
    kinds = {title: _cells(title, dtype, numbers, days) for title, dtype in first.schema.items()}
    local = {f"{LOCAL_TIME}{zone})": Cells.MOMENT} if zone else {}
    safe = (_defused(page, numbers) for page in chain([first], rest))
    timed = (page.with_columns(pl.col("converted_at").alias(title) for title in local) for page in safe)
    rows = chain.from_iterable(page.iter_rows() for page in timed)
    every = kinds | local
    return write_workbook(name, list(every), list(every.values()), rows, out)


def _cells(title: str, dtype: pl.DataType, numbers: Collection[str], days: Collection[str]) -> Cells:
    if title in days:
        return Cells.DAY
    return Cells.NUMBER if title in numbers or dtype.is_numeric() else Cells.TEXT


def _defused(page: pl.DataFrame, numbers: Collection[str]) -> pl.DataFrame:
    texts = [name for name, dtype in page.schema.items() if dtype == pl.String and name not in numbers]
    return page.with_columns(defused(pl.col(name)).alias(name) for name in texts)


def write_json(pages: Iterable[pl.DataFrame], out: BinaryIO) -> int:
    """Write pages of one table as one JSON array of objects.

    Args:
        pages: The pages, all with the same columns.
        out: Where to.

    Returns:
        How many objects were written.
    """
    written = 0
    out.write(b"[")
    for page in pages:
        if page.height:
            out.write(b",\n" if written else b"\n")
            out.write(page.write_ndjson().rstrip("\n").replace("\n", ",\n").encode())
            written += page.height
    out.write(b"\n]\n" if written else b"]\n")
    return written


def batch_as_json(batch: BatchRecord, left_out: frozenset[int]) -> dict[str, Any]:
    """Write a batch as JSON has it, for programs.

    Args:
        batch: The batch.
        left_out: The numbers of all undone batches.

    Returns:
        Plain values, by key.
    """
    return {
        "batch_id": batch.batch_id,
        "kind": batch.kind,
        "origin": batch.origin,
        "state": batch.state,
        "undone": batch.batch_id in left_out,
        "undoes": batch.undoes,
        "received_at": time_text(batch.received_at),
        "made_by": batch.made_by,
        "file_name": batch.file_name,
        "sha256": batch.sha256,
        "rows": batch.rows_total,
        "rows_done": batch.rows_done,
        "outcomes": batch.outcomes,
    }

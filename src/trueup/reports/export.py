"""Frames as text for people and programs: exact money and times, CSV, JSON."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

import polars as pl

from trueup.model.batches import BatchRecord
from trueup.model.spreadsheet import defused

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_TIME: Final = "%Y-%m-%dT%H:%M:%S%.6f%:z"


def moment(micros: int) -> str:
    """A time as people and programs read it: ISO 8601, UTC."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def local_time(micros: pl.Expr, time_zone: str) -> pl.Expr:
    """Microseconds since the epoch as date-times of a zone."""
    return micros.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(time_zone)


def time_text(micros: pl.Expr, time_zone: str) -> pl.Expr:
    """Microseconds since the epoch as ISO 8601 with the zone's offset; a fraction only where there is one."""
    return local_time(micros, time_zone).dt.to_string(_SHOWN_TIME).str.replace(".000000", "", literal=True)


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
        texts = [name for name, dtype in page.schema.items() if dtype == pl.String and name not in numbers]
        safe = page.with_columns(defused(pl.col(name)).alias(name) for name in texts)
        # Polars writes null as nothing, and an empty text as "".
        safe = safe.with_columns(pl.col(pl.String).replace("", None))
        out.write(safe.write_csv(include_header=place == 0).encode())
        written += page.height
    return written


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
        "undoes": batch.undoes or None,
        "received_at": moment(batch.received_at),
        "made_by": batch.made_by,
        "file_name": batch.file_name,
        "sha256": batch.sha256,
        "rows": batch.rows_total,
        "rows_done": batch.rows_done,
        "outcomes": batch.outcomes,
    }

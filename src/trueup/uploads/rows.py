"""Rows that a program sends without a file: each sending is a batch of its own, previewed or applied like an upload."""

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from typing import Final

import polars as pl

from trueup.decide.messages import MESSAGE_COLUMNS
from trueup.dialects.structured import read_structured
from trueup.ledger.batches import batches_of_content, read_rows
from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.frames import JOURNAL, empty
from trueup.model.words import BatchState, DuplicateMode, Origin, RowKind
from trueup.recording.chunks import RunOptions, applied_order
from trueup.recording.record import Clock
from trueup.recording.summary import Summary, summary_of, with_messages
from trueup.uploads.conversions import KINDS, Upload, applying_upload, preview_upload
from trueup.uploads.files import SLICE_SECONDS

ROWS_MOST: Final = 10_000
_TOLD: Final = ["line", *MESSAGE_COLUMNS, "mode_from"]


def sent_rows(
    rows: Sequence[Mapping[str, str]],
    row_kind: RowKind,
    duplicates: DuplicateMode | None,
    *,
    force_status: bool,
    request: str,
) -> Upload:
    """Read rows that were sent.

    Takes: their fields; what they are to do; by what the same request is known again, '' where it is not to be.
    """
    reading = read_structured(rows, row_kind)
    chosen = {
        "kind": row_kind.value,
        "duplicates": duplicates.value if duplicates else "",
        "force_status": force_status,
        "request": request,
    }
    return Upload(
        content=b"",
        file_name="",
        sha256=hashlib.sha256(json.dumps(list(rows), ensure_ascii=False).encode()).hexdigest() if request else "",
        reading=reading,
        order=applied_order(reading.rows["click_id"]),
        row_kind=row_kind,
        duplicates=duplicates,
        force_status=force_status,
        choices=json.dumps(chosen, sort_keys=True),
    )


def preview_sent_rows(database: Database, upload: Upload, made_by: str, clock: Clock) -> tuple[Summary, pl.DataFrame]:
    """Say what applying them would do now. Returns: also line, outcome, conversion and message of each, in order."""
    seen: list[pl.DataFrame] = []
    options = RunOptions(seen=lambda rows: seen.append(rows.select(_TOLD)))
    summary = preview_upload(database, upload, None, made_by, clock, options)
    return summary, _in_order(seen)


def applying_sent_rows(
    database: Database, upload: Upload, made_by: str, clock: Clock, known_since: int
) -> Generator[None, None, tuple[Summary, pl.DataFrame]]:
    """Apply them with a pause after each slice, and only once: the same request again goes on, or tells the same.

    Takes: since when a request counts as the same. Returns: as `preview_sent_rows`.
    """
    begun = _begun(database, upload, known_since)
    seen: list[pl.DataFrame] = []
    if begun is None or begun.state is BatchState.RUNNING:
        options = RunOptions(seen=lambda rows: seen.append(rows.select(_TOLD)), slice_seconds=SLICE_SECONDS)
        summary = yield from applying_upload(database, upload, begun, made_by, clock, options, Origin.API)
        if begun is None:
            return summary, _in_order(seen)
    else:
        summary = summary_of(begun)
    assert summary.batch_id is not None  # noqa: S101 - it is applied
    return summary, _in_order([read_rows(database, summary.batch_id, _TOLD)])


def _begun(database: Database, upload: Upload, known_since: int) -> BatchRecord | None:
    if not upload.sha256:
        return None
    earlier = batches_of_content(database, KINDS[upload.row_kind], upload.sha256)
    same = (batch for batch in earlier if batch.choices == upload.choices and batch.received_at >= known_since)
    return next(same, None)


def _in_order(rows: list[pl.DataFrame]) -> pl.DataFrame:
    return with_messages(pl.concat(rows or [empty(JOURNAL).select(_TOLD)]).sort("line"))

"""Rows that a program sends without a file: each sending is a batch of its own, previewed or applied like an upload."""

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from typing import Final

import polars as pl

from trueup.decide.messages import MESSAGE_COLUMNS
from trueup.dialects.structured import read_structured
from trueup.ledger.batches import read_rows
from trueup.model.frames import JOURNAL, RowOutcomes, empty
from trueup.model.words import BatchState, DuplicateMode, RowKind
from trueup.recording.batch_loop import applying_batch, preview_batch
from trueup.recording.chunks import RunOptions, applied_order
from trueup.recording.context import RecordingContext
from trueup.recording.summary import Summary, summary_of, with_messages
from trueup.uploads.conversions import Upload, upload_work
from trueup.uploads.files import SLICE_SECONDS
from trueup.uploads.same_file import Earlier, earlier_batches

ROWS_MOST: Final = 10_000
_TOLD: Final = ["line", *MESSAGE_COLUMNS, "mode_from"]


def sent_rows(
    rows: Sequence[Mapping[str, str]],
    row_kind: RowKind,
    duplicates: DuplicateMode | None,
    *,
    force_status: bool,
    request: str,
    currencies: tuple[str, ...] = (),
) -> Upload:
    """Read rows that were sent.

    Args:
        rows: Their fields, by name.
        row_kind: What they are to do.
        duplicates: The duplicate mode that was chosen, None for none.
        force_status: Whether statuses are forced.
        request: By what the same request is known again, '' where it is not to be.
        currencies: Those of the workspace, its own first.
    """
    reading = read_structured(rows, row_kind, currencies)
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


def preview_sent_rows(context: RecordingContext, upload: Upload) -> tuple[Summary, RowOutcomes]:
    """Say what applying rows would do now. Changes nothing.

    Args:
        context: What they would be recorded with.
        upload: The rows that were sent.

    Returns:
        Them in numbers; and line, outcome, conversion and message of each, in order.
    """
    seen: list[RowOutcomes] = []
    options = RunOptions(seen=lambda rows: seen.append(RowOutcomes(rows.select(_TOLD))))
    summary = preview_batch(upload_work(context, upload, None), options)
    return summary, _in_order(seen)


def applying_sent_rows(
    context: RecordingContext, upload: Upload, known_since: int
) -> Generator[None, None, tuple[Summary, RowOutcomes]]:
    """Apply rows with a pause after each slice, and only once: the same request again goes on, or tells the same.

    Args:
        context: What they are recorded with.
        upload: The rows that were sent.
        known_since: Since when a request counts as the same (microseconds UTC).

    Returns:
        What `preview_sent_rows` does.
    """
    earlier = earlier_batches(context.database, upload.kind, upload.sha256) if upload.sha256 else Earlier()
    begun = earlier.of_request(upload.choices, known_since)
    seen: list[RowOutcomes] = []
    if begun is None or begun.state is BatchState.RUNNING:
        options = RunOptions(
            seen=lambda rows: seen.append(RowOutcomes(rows.select(_TOLD))), slice_seconds=SLICE_SECONDS
        )
        summary = yield from applying_batch(upload_work(context, upload, begun), options)
        if begun is None:
            return summary, _in_order(seen)
    else:
        summary = summary_of(begun)
    assert summary.batch_id is not None  # noqa: S101 - it is applied
    return summary, _in_order([read_rows(context.database, summary.batch_id, _TOLD)])


def _in_order(rows: list[RowOutcomes]) -> RowOutcomes:
    return RowOutcomes(with_messages(pl.concat(rows or [empty(JOURNAL).select(_TOLD)]).sort("line")))

"""Uploads: a file of conversions, or of status updates, becomes one batch: previewed, applied, resumed.

A batch remembers how many rows, in the order they are applied, are done. Each chunk commits that number together with
what its rows did, so the same command again goes on exactly where a killed one stopped.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from trueup.decide.effects import totals_delta
from trueup.decide.pipeline import Decisions
from trueup.dialects.choices import Choices
from trueup.dialects.decode import Content
from trueup.dialects.read import Reading, read_file
from trueup.ledger.batches import batches_of_content, create_batch
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.policies import read_policies, store_policy
from trueup.ledger.totals import added, read_totals
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.policy import Policy
from trueup.model.snapshot import Snapshot
from trueup.model.words import BatchKind, BatchState, DuplicateMode, Origin, RowKind
from trueup.recording.chunks import FIRST_CHUNK, LAP, AppliedOrder, Pace, RunOptions, applied_order, to_its_end
from trueup.recording.record import Clock, as_batch, carry, decide_now, record_rows
from trueup.recording.summary import Summary, sampled, with_messages, with_modes

KINDS: Final = {RowKind.CONVERSION: BatchKind.UPLOAD, RowKind.STATUS: BatchKind.UPDATE_STATUS}


@dataclass(frozen=True)
class Upload:
    """A file that has been read, with everything that was chosen for it."""

    content: Content
    file_name: str
    sha256: str
    reading: Reading
    order: AppliedOrder
    row_kind: RowKind
    duplicates: DuplicateMode | None  # None: what is set up, or the dialect's own way
    force_status: bool
    choices: str  # JSON, the same for the same command

    @property
    def rows(self) -> int:
        """How many rows it has, refused ones included."""
        return self.reading.rows.height


def read_upload(
    content: Content,
    file_name: str,
    choices: Choices,
    *,
    duplicates: DuplicateMode | None = None,
    force_status: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Upload:
    """Read a file. Raises: UnreadableFile, whose message says why and what to do."""
    reading = read_file(content, choices, progress)
    chosen = {
        "kind": choices.row_kind.value,
        "dialect": reading.dialect,
        "columns": dict(choices.columns),
        "time_zone": reading.time_zone,
        "network_zones": reading.network_zones,
        "decimal_comma": choices.decimal_comma,
        "encoding": choices.encoding or "",
        "duplicates": duplicates.value if duplicates else "",
        "force_status": force_status,
        "without_conversion_ids": choices.without_conversion_ids,
    }
    return Upload(
        content=content,
        file_name=file_name,
        sha256=hashlib.sha256(content).hexdigest(),
        reading=reading,
        order=applied_order(reading.rows["click_id"]),
        row_kind=choices.row_kind,
        duplicates=duplicates,
        force_status=force_status,
        choices=json.dumps(chosen, sort_keys=True),
    )


def with_choices(upload: Upload, more: Mapping[str, str]) -> Upload:
    """The same upload, told apart from others of the same file by more than how it is read."""
    choices = json.loads(upload.choices) | more
    return replace(upload, choices=json.dumps(choices, sort_keys=True))


def earlier_batches(database: Database, upload: Upload) -> list[BatchRecord]:
    """The batches that were made of this very file, in the order they came."""
    return batches_of_content(database, KINDS[upload.row_kind], upload.sha256)


def unfinished(earlier: list[BatchRecord], choices: str) -> BatchRecord | None:
    """The batch that the same command, a command with these choices, began and did not finish."""
    running = (batch for batch in earlier if batch.state is BatchState.RUNNING and batch.choices == choices)
    return next(running, None)


def preview_upload(
    database: Database, upload: Upload, resumed: BatchRecord | None, made_by: str, clock: Clock, options: RunOptions
) -> Summary:
    """Say what `apply_upload` would do now. Changes nothing."""
    policy = _policy(database, resumed)
    receipt = _receipt(upload, policy, resumed, made_by, clock)
    summary = Summary(None, upload.rows, totals_before=read_totals(database))
    done, size = (resumed.rows_done if resumed else 0), options.chunk_rows or FIRST_CHUNK
    carried: Snapshot | None = None
    while done < upload.rows:
        rows = _rows_at(upload, done, _whole_clicks(upload, done, size))
        decisions = decide_now(database, as_batch(rows, receipt, 0), {policy.policy_id: policy}, carried)
        if upload.order.lapping.len():
            carried = carry(carried, decisions, upload.order.lapping)
        summary = with_modes(_summed(summary, decisions, totals_delta(decisions.steps)), decisions.journal)
        options.seen(decisions.journal)
        done += rows.height
        options.progress(done, upload.rows)
    return replace(summary, samples=with_messages(summary.samples))


def apply_upload(
    database: Database, upload: Upload, resumed: BatchRecord | None, made_by: str, clock: Clock, options: RunOptions
) -> Summary:
    """Apply a file's rows, or the rest of them, chunk by chunk.

    Takes: the unfinished batch of the same command, None to make a new one. Raises: BatchMovedError when another
    program applies the same batch.
    """
    return to_its_end(applying_upload(database, upload, resumed, made_by, clock, options))


def applying_upload(
    database: Database,
    upload: Upload,
    resumed: BatchRecord | None,
    made_by: str,
    clock: Clock,
    options: RunOptions,
    origin: Origin = Origin.CLI,
) -> Generator[None, None, Summary]:
    """Do the same with a pause after each chunk, for whoever has other work for the connection."""
    policy = _policy(database, resumed)
    receipt = _receipt(upload, policy, resumed, made_by, clock, origin)
    record = resumed or _begin(database, upload, receipt, policy, options)
    summary = Summary(record.batch_id, upload.rows)
    pace = Pace(database, FIRST_CHUNK, options.chunk_rows, options.slice_seconds)
    while record.state is BatchState.RUNNING:
        rows = _rows_at(upload, record.rows_done, pace.next())
        batch = as_batch(rows, receipt, record.batch_id)
        decisions, record = record_rows(database, batch, record, {policy.policy_id: policy}, clock)
        summary = _summed(summary, decisions, None, database.lock_seconds)
        pace.learn(rows.height)
        options.seen(decisions.journal)
        options.progress(record.rows_done, upload.rows)
        yield
    return replace(
        summary,
        outcomes=dict(record.outcomes),
        totals_before=record.totals_before,
        totals_delta=record.totals_delta,
        samples=with_messages(summary.samples),
    )


def _policy(database: Database, resumed: BatchRecord | None) -> Policy:
    """The settings in force; a resumed batch keeps those it was received under."""
    if resumed is None:
        return read_catalog(database).policy()
    return read_policies(database, [resumed.policy_id])[resumed.policy_id]


def _receipt(
    upload: Upload,
    policy: Policy,
    resumed: BatchRecord | None,
    made_by: str,
    clock: Clock,
    origin: Origin = Origin.CLI,
) -> Receipt:
    """What the rows are received as: for a resumed batch its own moment, so that nothing depends on the break."""
    return Receipt(
        kind=KINDS[upload.row_kind],
        origin=origin,
        received_at=resumed.received_at if resumed else clock(),
        made_by=made_by,
        policy_id=policy.policy_id,
        file_name=upload.file_name,
        sha256=upload.sha256,
        choices=upload.choices,
        row_kind=upload.row_kind,
        chosen_mode=upload.duplicates,
        dialect_mode=upload.reading.own_mode,
        forced=upload.force_status,
    )


def _begin(database: Database, upload: Upload, receipt: Receipt, policy: Policy, options: RunOptions) -> BatchRecord:
    with database.transaction():
        store_policy(database, policy)
        record = create_batch(database, receipt, upload.rows, read_totals(database))
        options.begun(record)
    return record


def _rows_at(upload: Upload, start: int, size: int) -> pl.DataFrame:
    """The next rows in the order they are applied, with what was noted of them."""
    rows = upload.reading.rows[upload.order.places.slice(start, size)]
    notes = upload.reading.notes
    if not notes.height:
        return rows
    rows = rows.join(notes, on="line", how="left", maintain_order="left")
    return rows.with_columns(pl.col("refusal", "detail", "raw").fill_null(""))


def _whole_clicks(upload: Upload, start: int, size: int) -> int:
    """A chunk's size, stretched so that it does not end amid a click's rows: what a preview decides is not stored."""
    ids, places = upload.reading.rows["click_id"], upload.order.places
    end = min(start + size, upload.rows)
    furthest = min(end + LAP, upload.rows)
    while end < furthest and ids[int(places[end])] == ids[int(places[end - 1])]:
        end += 1
    return end - start


def _summed(summary: Summary, decisions: Decisions, delta: pl.DataFrame | None, seconds: float = 0.0) -> Summary:
    counts = Counter(dict(decisions.journal["outcome"].value_counts().iter_rows()))
    return replace(
        summary,
        outcomes=dict(Counter(summary.outcomes) + counts),
        totals_delta=summary.totals_delta if delta is None else added(summary.totals_delta, delta),
        samples=sampled(summary.samples, decisions.journal),
        longest_lock_seconds=max(summary.longest_lock_seconds, seconds),
    )

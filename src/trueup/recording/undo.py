"""Undo: a batch whose clicks are decided again without another batch. Undoing an undo brings that one back.

The undone batch is stopped; once its undo is there its rows count nowhere; then its clicks are decided again, chunk by
chunk.
"""

from collections.abc import Generator
from dataclasses import replace
from enum import StrEnum
from typing import Final

import polars as pl

from trueup.decide.effects import totals_delta
from trueup.ledger.batches import (
    BatchMovedError,
    added,
    create_batch,
    lock_batch,
    read_batch,
    stop_batch,
    touched_clicks,
    undone_batches,
    undos_of,
)
from trueup.ledger.database import Database
from trueup.ledger.rollups import read_totals
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.remarks import Mention, RemarkError, Way
from trueup.model.words import BatchKind, BatchState, Origin
from trueup.recording.chunks import Pace, RunOptions, to_its_end
from trueup.recording.record import Clock, looked_again, record_again
from trueup.recording.summary import NOTHING_TURNED, Summary

_FIRST_CLICKS: Final = 2_000


class UndoRefusal(StrEnum):
    """Why a batch cannot be undone."""

    NO_SUCH_BATCH = "no_such_batch"
    CLICKS_STAY = "clicks_stay"  # it imported clicks
    ROWS_ARE_OTHERS = "rows_are_others"  # it woke rows, and each is of a batch of its own
    UNDONE_ALREADY = "undone_already"


class UndoRefusedError(RemarkError):
    """The batch cannot be undone. Made from the reason, and from a remark that says what to do."""

    def __init__(self, reason: UndoRefusal, *remark: str | Mention) -> None:
        super().__init__(*remark)
        self.reason = reason


def undoable(database: Database, batch_id: int) -> tuple[BatchRecord, BatchRecord | None]:
    """The batch to undo, and its undo that was begun and not finished, if there is one. Raises: UndoRefusedError."""
    batch = read_batch(database, batch_id)
    if batch is None:
        known = Way.LIST_BATCHES.of()
        raise UndoRefusedError(UndoRefusal.NO_SUCH_BATCH, f"There is no batch {batch_id}; ", known, " lists them.")
    if batch.kind is BatchKind.CLICKS:
        told = f"Batch {batch_id} imported clicks. They stay, since conversions rest on them."
        raise UndoRefusedError(UndoRefusal.CLICKS_STAY, told)
    if batch.kind is BatchKind.LATE_CLICKS:
        raise UndoRefusedError(
            UndoRefusal.ROWS_ARE_OTHERS,
            f"Batch {batch_id} woke rows whose clicks came later than they did. To take rows back, undo their batch.",
        )
    undone_batch_ids = undone_batches(database)  # before the undos: another program may be about to make one
    undos = undos_of(database, batch_id)
    resumed = next((undo for undo in undos if undo.state is BatchState.RUNNING), None)
    if resumed is None and batch_id in undone_batch_ids:
        last = undos[-1].batch_id
        raise UndoRefusedError(
            UndoRefusal.UNDONE_ALREADY,
            f"Batch {batch_id} is undone already, by batch {last}; ",
            Way.UNDO.of(batch_id=last),
            " brings it back.",
        )
    return batch, resumed


def preview_undo(database: Database, batch: BatchRecord, resumed: BatchRecord | None, options: RunOptions) -> Summary:
    """Say what `apply_undo` would do now. Changes nothing."""
    clicks = clicks_of(database, batch)
    before, after = undone_batches(database), undone_batches(database, also_undone=batch.batch_id)
    summary = Summary(None, clicks.len(), totals_before=read_totals(database), turned=NOTHING_TURNED)
    done, size = (resumed.rows_done if resumed else 0), options.chunk_rows or _FIRST_CLICKS
    while done < clicks.len():
        ids = clicks.slice(done, size).to_list()
        steps, turned = looked_again(database, ids, before, after)
        summary = replace(
            summary,
            totals_delta=added(summary.totals_delta, totals_delta(steps)),
            turned=summary.turned and summary.turned.and_these(turned),
        )
        done += len(ids)
        options.progress(done, clicks.len())
    return summary


def apply_undo(
    database: Database, batch: BatchRecord, resumed: BatchRecord | None, made_by: str, clock: Clock, options: RunOptions
) -> Summary:
    """Undo a batch, or go on with its undo. Raises: BatchMovedError when another program does it too."""
    return to_its_end(applying_undo(database, batch, resumed, made_by, clock, options))


def applying_undo(
    database: Database,
    batch: BatchRecord,
    resumed: BatchRecord | None,
    made_by: str,
    clock: Clock,
    options: RunOptions,
    origin: Origin = Origin.CLI,
    clicks: pl.Series | None = None,
) -> Generator[None, None, Summary]:
    """Do the same with a pause after each chunk, for whoever has other work for the connection.

    Takes: also what `clicks_of` gave once the batch was stopped, where it was read beforehand.
    """
    if resumed is None:
        stop(database, batch)
    if clicks is None:
        clicks = clicks_of(database, batch)
    record = resumed or _begin(database, batch, clicks.len(), made_by, clock, origin, options)
    pace, longest = Pace(database, _FIRST_CLICKS, options.chunk_rows, options.slice_seconds), 0.0
    while record.state is BatchState.RUNNING:
        ids = clicks.slice(record.rows_done, pace.next()).to_list()
        record = record_again(database, ids, record, clock)
        longest = max(longest, database.lock_seconds)
        pace.learn(len(ids))
        options.progress(record.rows_done, clicks.len())
        yield
    return Summary(
        record.batch_id,
        clicks.len(),
        totals_before=record.totals_before,
        totals_delta=record.totals_delta,
        longest_lock_seconds=longest,
    )


def stop(database: Database, batch: BatchRecord) -> None:
    """Let no more rows of a batch come, whoever sends them; only then is it known which clicks it touched."""
    with database.transaction():
        stop_batch(database, batch.batch_id)


def _begin(
    database: Database,
    batch: BatchRecord,
    clicks: int,
    made_by: str,
    clock: Clock,
    origin: Origin,
    options: RunOptions,
) -> BatchRecord:
    receipt = Receipt(BatchKind.UNDO, origin, clock(), made_by, batch.policy_id, undoes=batch.batch_id)
    with database.transaction():
        lock_batch(database, batch.batch_id)
        if undos_of(database, batch.batch_id) and not _is_still_to_undo(database, batch):
            raise BatchMovedError(batch.batch_id)
        record = create_batch(database, receipt, clicks, read_totals(database))
        options.begun(record)
    return record


def _is_still_to_undo(database: Database, batch: BatchRecord) -> bool:
    try:
        _, resumed = undoable(database, batch.batch_id)
    except UndoRefusedError:
        return False
    return resumed is None


def clicks_of(database: Database, batch: BatchRecord) -> pl.Series:
    """The clicks that a batch touched, sorted. An undo touched those of the batch at the bottom of its chain."""
    while batch.kind is BatchKind.UNDO:
        below = read_batch(database, batch.undoes)
        assert below is not None  # noqa: S101 - a batch is never deleted
        batch = below
    return touched_clicks(database, batch.batch_id)

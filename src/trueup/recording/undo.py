"""Undo: a batch whose clicks are decided again without another batch. Undoing an undo brings that one back.

The undone batch is stopped; once its undo is there its rows count nowhere; then its clicks are decided again, chunk by
chunk.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

import polars as pl

from trueup.ledger.arrivals import brought_by
from trueup.ledger.batch_moves import lock_batch
from trueup.ledger.batches import BatchMovedError, read_batch, touched_clicks, undone_batches, undos_of
from trueup.ledger.database import Readable, Transaction
from trueup.ledger.past import clicks_decided_again, read_past
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import JOURNAL, DecidedRows, Samples, empty
from trueup.model.past import clicks_that_count
from trueup.model.remarks import Mention, RemarkError, Way
from trueup.model.words import BatchKind, BatchState
from trueup.recording.arrivals import fold_clicks
from trueup.recording.batch_loop import Foreseen, applying_batch, preview_batch, stop_rows_of
from trueup.recording.chunks import RunOptions, to_its_end
from trueup.recording.context import RecordingContext
from trueup.recording.record import looked_again, record_again
from trueup.recording.summary import ClicksTurned, Summary, with_turned


class UndoRefusal(StrEnum):
    """Why a batch cannot be undone."""

    NO_SUCH_BATCH = "no_such_batch"
    ROWS_ARE_OTHERS = "rows_are_others"  # it woke rows, and each is of a batch of its own
    UNDONE_ALREADY = "undone_already"


class UndoRefusedError(RemarkError):
    """The batch cannot be undone. Made from the reason, and from a remark that says what to do."""

    def __init__(self, reason: UndoRefusal, *remark: str | Mention) -> None:
        super().__init__(*remark)
        self.reason = reason


def undoable(database: Readable, batch_id: int) -> tuple[BatchRecord, BatchRecord | None]:
    """The batch to undo, and its undo that was begun and not finished, if there is one. Raises: UndoRefusedError."""
    batch = read_batch(database, batch_id)
    if batch is None:
        known = Way.LIST_BATCHES.of()
        raise UndoRefusedError(UndoRefusal.NO_SUCH_BATCH, f"There is no batch {batch_id}; ", known, " lists them.")
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


def preview_undo(
    context: RecordingContext, batch: BatchRecord, resumed: BatchRecord | None, options: RunOptions
) -> Summary:
    """Say what `apply_undo` would do now. Changes nothing.

    Args:
        context: What it would be recorded with.
        batch: The batch to undo.
        resumed: Its undo that was begun and not finished, None for a new one.
        options: Who looks on, and how large the chunks are.

    Returns:
        The undo in numbers, as it would be.
    """
    return preview_batch(_work(context, batch, resumed), options)


def apply_undo(
    context: RecordingContext, batch: BatchRecord, resumed: BatchRecord | None, options: RunOptions
) -> Summary:
    """Undo a batch, or go on with its undo.

    Args:
        context: What it is recorded with.
        batch: The batch to undo.
        resumed: Its undo that was begun and not finished, None for a new one.
        options: Who looks on, and how large the chunks are.

    Returns:
        The undo in numbers.

    Raises:
        BatchMovedError: Another program does it too. What was committed stays.
    """
    return to_its_end(applying_undo(context, batch, resumed, options))


def applying_undo(
    context: RecordingContext,
    batch: BatchRecord,
    resumed: BatchRecord | None,
    options: RunOptions,
    clicks: pl.Series | None = None,
) -> Generator[None, None, Summary]:
    """Do the same with a pause after each chunk, for whoever has other work for the connection.

    Args:
        context: What it is recorded with.
        batch: The batch to undo.
        resumed: Its undo that was begun and not finished, None for a new one.
        options: Who looks on, and how large the chunks are.
        clicks: What `clicks_of` gave once the batch was stopped, where it was read beforehand.
    """
    if resumed is None:  # only once no more of its rows come is it known which clicks it touched
        stop_rows_of(context.database, batch.batch_id)
    return (yield from applying_batch(_work(context, batch, resumed, clicks), options))


_NO_ROWS: Final = empty(JOURNAL)  # an undo has no rows of its own
_LeftOut: TypeAlias = tuple[frozenset[int], frozenset[int]]  # the batches whose rows do not count, now and then


@dataclass(frozen=True)
class _UndoWork:
    """An undo as a batch: the clicks that another one touched are decided again without it."""

    context: RecordingContext
    batch: BatchRecord  # the one that is undone
    of_import: bool  # whether clicks come or go with it
    clicks: pl.Series  # that it touched
    receipt: Receipt
    resumed: BatchRecord | None
    first_chunk: ClassVar[int] = 2_000
    no_samples: ClassVar[Samples] = Samples(_NO_ROWS)

    @property
    def rows(self) -> int:
        return self.clicks.len()

    def prepare(self, transaction: Transaction) -> None:
        lock_batch(transaction, self.batch.batch_id)
        if undos_of(transaction, self.batch.batch_id) and not _is_still_to_undo(transaction, self.batch):
            raise BatchMovedError(self.batch.batch_id)

    def record_chunk(self, record: BatchRecord, size: int) -> tuple[DecidedRows, BatchRecord]:
        click_ids = self.clicks.slice(record.rows_done, size).to_list()

        def first(transaction: Transaction) -> None:
            if self.of_import:
                fold_clicks(transaction, click_ids, undone_batches(transaction))

        return _NO_ROWS, record_again(self.context.database, click_ids, record, self.context.clock, first)

    def preview_chunk(self, foreseen: Foreseen[_LeftOut], size: int) -> tuple[DecidedRows, Foreseen[_LeftOut]]:
        before, after = left_out = foreseen.carried or self._left_out()
        click_ids = self.clicks.slice(foreseen.done, size).to_list()
        past = read_past(self.context.database, click_ids)
        steps, turned = looked_again(self.context.database, click_ids, past, before, after)
        summary = with_turned(foreseen.summary, steps, turned)
        if self.of_import:
            was, becomes = (clicks_that_count(past.arrivals, without) for without in left_out)
            clicks = (summary.clicks_turned or ClicksTurned()).and_these(was, becomes)
            summary = replace(summary, clicks_turned=clicks)
        return _NO_ROWS, Foreseen(foreseen.done + len(click_ids), summary, left_out)

    def with_messages(self, samples: Samples) -> Samples:
        return samples

    def _left_out(self) -> _LeftOut:
        database = self.context.database
        return undone_batches(database), undone_batches(database, also_undone=self.batch.batch_id)


def _work(
    context: RecordingContext, batch: BatchRecord, resumed: BatchRecord | None, clicks: pl.Series | None = None
) -> _UndoWork:
    bottom = _bottom(context.database, batch)
    if clicks is None:
        clicks = _clicks_of(context.database, bottom)
    receipt = Receipt(
        BatchKind.UNDO,
        context.origin,
        context.received_at(resumed),
        context.made_by,
        batch.policy_id,
        undoes=batch.batch_id,
    )
    return _UndoWork(context, batch, bottom.kind is BatchKind.CLICKS, clicks, receipt, resumed)


def _is_still_to_undo(database: Readable, batch: BatchRecord) -> bool:
    try:
        _, resumed = undoable(database, batch.batch_id)
    except UndoRefusedError:
        return False
    return resumed is None


def clicks_of(database: Readable, batch: BatchRecord) -> pl.Series:
    """The clicks that a batch touched, sorted. An undo touched those of the batch at the bottom of its chain."""
    return _clicks_of(database, _bottom(database, batch))


def _bottom(database: Readable, batch: BatchRecord) -> BatchRecord:
    while batch.undoes is not None:
        below = read_batch(database, batch.undoes)
        assert below is not None  # noqa: S101 - a batch is never deleted
        batch = below
    return batch


def _clicks_of(database: Readable, bottom: BatchRecord) -> pl.Series:
    if bottom.kind is BatchKind.CLICKS:
        return brought_by(database, bottom.batch_id)
    if bottom.kind is BatchKind.DECIDE_AGAIN:
        return clicks_decided_again(database, bottom.batch_id)
    return touched_clicks(database, bottom.batch_id)

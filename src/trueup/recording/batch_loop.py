"""One loop for all work that becomes a batch: it is recorded chunk by chunk, and can be gone on with after any break.

What a chunk is and what is done with it is each work's own (`BatchWork`): the rows of an upload, those of a file of
clicks, the clicks of a batch that is undone. A batch remembers how many of them, in their order, are done. Each chunk
commits that number together with what it did, so that the same work again goes on exactly where a killed one stopped.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from time import perf_counter, thread_time
from typing import Generic, Protocol, TypeVar

from trueup.ledger.batch_moves import create_batch, stop_batch
from trueup.ledger.database import Database, Transaction
from trueup.ledger.totals import read_totals
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import DecidedRows, Samples
from trueup.model.words import BatchState
from trueup.recording.chunks import Pace, RunOptions, to_its_end
from trueup.recording.context import RecordingContext
from trueup.recording.summary import Summary, sampled, summary_of

Carried = TypeVar("Carried")


@dataclass(frozen=True)
class Foreseen(Generic[Carried]):
    """How far a preview has come."""

    done: int  # rows, those of a resumed batch included
    summary: Summary
    carried: Carried | None = None  # what the rows so far leave for later ones, since nothing of them is stored


class BatchWork(Protocol[Carried]):
    """One kind of work: what its batch is received as, and what is done with a chunk of it."""

    @property
    def context(self) -> RecordingContext:
        """What it is recorded with."""

    @property
    def resumed(self) -> BatchRecord | None:
        """The batch that was begun and not finished; None where there is none yet."""

    @property
    def receipt(self) -> Receipt:
        """What its batch is received as; a resumed one at its own moment, so that nothing depends on the break."""

    @property
    def rows(self) -> int:
        """How many rows there are in all; of an undo, clicks."""

    @property
    def first_chunk(self) -> int:
        """How many rows to begin with."""

    @property
    def no_samples(self) -> Samples:
        """No rows, with the columns that samples have."""

    def prepare(self, transaction: Transaction) -> None:
        """Do what comes before the batch is opened, in the transaction that opens it.

        Raises:
            BatchMovedError: Another program has begun the same work meanwhile.
        """

    def record_chunk(self, record: BatchRecord, size: int) -> tuple[DecidedRows, BatchRecord]:
        """Commit the next rows, and with them how far the batch has come.

        Args:
            record: The batch as it is in the ledger.
            size: How many rows to take.

        Returns:
            The rows with their outcomes (none of an undo), and the batch as it is afterwards.

        Raises:
            BatchMovedError: Another program has advanced or stopped the batch. Nothing is changed then.
        """

    def preview_chunk(self, foreseen: Foreseen[Carried], size: int) -> tuple[DecidedRows, Foreseen[Carried]]:
        """Say what the next rows would come to. Changes nothing.

        Args:
            foreseen: How far the preview has come.
            size: About how many rows to take.

        Returns:
            The rows with their outcomes (none of an undo), and how far the preview has come with them.
        """

    def with_messages(self, samples: Samples) -> Samples:
        """The samples with what each row is told."""


def preview_batch(work: BatchWork[Carried], options: RunOptions) -> Summary:
    """Say what `apply_batch` would do now. Changes nothing.

    Args:
        work: What would be done.
        options: Who looks on, and how large the chunks are.

    Returns:
        The batch in numbers, as it would be.
    """
    totals = read_totals(work.context.database)
    summary = Summary(None, work.rows, totals_before=totals, samples=work.no_samples)
    foreseen = Foreseen[Carried](work.resumed.rows_done if work.resumed else 0, summary)
    size = options.chunk_rows or 2 * work.first_chunk  # a preview holds no lock that anybody waits for
    while foreseen.done < work.rows:
        decided, foreseen = work.preview_chunk(foreseen, size)
        options.seen(decided)
        options.progress(foreseen.done, work.rows)
    return replace(foreseen.summary, samples=work.with_messages(foreseen.summary.samples))


def apply_batch(work: BatchWork[Carried], options: RunOptions) -> Summary:
    """Do work, or the rest of it, chunk by chunk.

    Args:
        work: What is done.
        options: Who looks on, and how large the chunks are.

    Returns:
        The batch in numbers.

    Raises:
        BatchMovedError: Another program does the same, or has stopped the batch. What was committed stays.
    """
    return to_its_end(applying_batch(work, options))


def applying_batch(work: BatchWork[Carried], options: RunOptions) -> Generator[None, None, Summary]:
    """Do the same with a pause after each chunk, for whoever has other work for the connection."""
    database = work.context.database
    record = work.resumed or _begin(work, options)
    pace = Pace(work.first_chunk, options, is_sqlite=database.is_sqlite)
    samples, longest = work.no_samples, 0.0
    while record.state is BatchState.RUNNING:
        before, began, worked = record.rows_done, perf_counter(), thread_time()
        decided, record = work.record_chunk(record, pace.rows)
        longest = max(longest, database.lock_seconds)
        if decided.height:
            samples = sampled(samples, decided)
        took = database.lock_seconds if options.slice_seconds is None else perf_counter() - began
        pace.learn(record.rows_done - before, took, thread_time() - worked)
        options.seen(decided)
        options.progress(record.rows_done, work.rows)
        yield
    samples = work.with_messages(samples)
    return replace(summary_of(record), rows=work.rows, samples=samples, longest_lock_seconds=longest)


def stop_rows_of(database: Database, batch_id: int) -> None:
    """Let no more rows of a batch come, whoever sends them. What is applied of it stays."""
    with database.transaction() as transaction:
        stop_batch(transaction, batch_id)


def _begin(work: BatchWork[Carried], options: RunOptions) -> BatchRecord:
    with work.context.database.transaction() as transaction:
        work.prepare(transaction)
        record = create_batch(transaction, work.receipt, work.rows, read_totals(transaction))
        options.begun(transaction, record)
    return record

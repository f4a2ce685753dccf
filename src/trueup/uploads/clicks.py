"""Click imports: a file of clicks becomes one batch, and rows that waited for these clicks come to life.

A click is stored once: a row whose click is known, or stands above in the file, changes nothing. That a click came this
way too is put on record, for when the way it came first is undone. Rows go in the order of their click ids; each chunk
commits its clicks, what their waiting rows come to, and how far the batch has come, together, so that the same command
again goes on exactly where a killed one stopped.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from trueup.decide.rounds import STEPS, Steps
from trueup.ledger.arrivals import clicks_on_record, read_arrivals
from trueup.ledger.batch_moves import advance_batch
from trueup.ledger.database import Transaction
from trueup.ledger.policies import store_policy
from trueup.ledger.snapshot import clicks_waited_for, known_clicks
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import ARRIVAL_FACTS, ClickRows, Clicks, ColumnsOf, DecidedRows, Samples, empty
from trueup.model.policy import Policy
from trueup.model.words import ClickOutcome
from trueup.recording.arrivals import record_arrivals, steps_to_wake
from trueup.recording.batch_loop import Foreseen
from trueup.recording.chunks import FIRST_CHUNK
from trueup.recording.context import RecordingContext
from trueup.recording.summary import with_decided, with_steps
from trueup.uploads.click_file import ClickFile, new_clicks, rows_at, with_click_messages

_SAMPLES: Final = ColumnsOf[Samples]({"line": pl.Int64, "clicked_at": pl.Int64, "outcome": pl.String})


def click_work(context: RecordingContext, file: ClickFile, resumed: BatchRecord | None) -> "ClickWork":
    """A file of clicks as work for `preview_batch` or `apply_batch`.

    Args:
        context: What it is recorded with.
        file: The file that was read.
        resumed: The unfinished batch of the same command, None for a new one. It keeps the moment that it was received
            at, so that the same rows are in the future.
    """
    policy = file.catalog.policy()
    receipt = Receipt(
        kind=file.kind,
        origin=context.origin,
        received_at=context.received_at(resumed),
        made_by=context.made_by,
        policy_id=policy.policy_id,
        file_name=file.file_name,
        sha256=file.sha256,
        choices=file.choices,
    )
    return ClickWork(context, file, policy, receipt, resumed)


@dataclass(frozen=True)
class ClickWork:
    """A file of clicks as a batch."""

    context: RecordingContext
    file: ClickFile
    policy: Policy
    receipt: Receipt
    resumed: BatchRecord | None
    first_chunk: ClassVar[int] = FIRST_CHUNK
    no_samples: ClassVar[Samples] = empty(_SAMPLES)

    @property
    def rows(self) -> int:
        """How many rows it has, refused ones included."""
        return self.file.rows

    def prepare(self, transaction: Transaction) -> None:
        """Keep the settings that it was received under."""
        store_policy(transaction, self.policy)

    def record_chunk(self, record: BatchRecord, size: int) -> tuple[DecidedRows, BatchRecord]:
        """Store those of the next clicks that are new, and wake what waited for them."""
        database, clock = self.context.database, self.context.clock
        rows = rows_at(self.file, record.rows_done, size, self.receipt.received_at)
        ids = _fit_ids(rows)
        coming = new_clicks(_with_outcomes(rows, known=ids.clear(), brought=ids.clear()), self.file)
        with database.transaction() as transaction:
            arrived = record_arrivals(transaction, coming, lambda _: record, clock, brought_by=record.batch_id)
            known = pl.Series("click_id", arrived.known, pl.String)
            brought = ids.filter(~ids.is_in(pl.concat([arrived.new["click_id"], known]).implode()))
            rows = _with_outcomes(rows, known, brought)
            outcomes = dict(rows["outcome"].value_counts().iter_rows())
            after = advance_batch(
                transaction, record, rows=rows.height, outcomes=outcomes, delta=arrived.delta, now=clock()
            )
        return rows, after

    def preview_chunk(self, foreseen: Foreseen[pl.Series], size: int) -> tuple[DecidedRows, Foreseen[pl.Series]]:
        """Look which of the next clicks are known, and what waits for the others."""
        database = self.context.database
        rows = rows_at(self.file, foreseen.done, size, self.receipt.received_at)
        ids = _fit_ids(rows)
        known = known_clicks(database, ids.to_list())
        # The chunk before may have ended amid a click's rows, and nothing of it is stored.
        brought = self._brought(known) if foreseen.carried is None else foreseen.carried
        rows = _with_outcomes(rows, known, brought)
        summary = with_steps(with_decided(foreseen.summary, rows), self._woken(new_clicks(rows, self.file)))
        return rows, Foreseen(foreseen.done + rows.height, summary, ids.tail(1) if ids.len() else brought)

    def with_messages(self, samples: Samples) -> Samples:
        """The samples with what each row is told."""
        return Samples(with_click_messages(samples, self.file))

    def _brought(self, known: pl.Series) -> pl.Series:
        """Those of some known clicks that the batch itself brought, where it is resumed."""
        if self.resumed is None:
            return known.clear()
        arrivals = read_arrivals(self.context.database, known.to_list(), ARRIVAL_FACTS)
        return arrivals.filter(batch_id=self.resumed.batch_id)["click_id"]

    def _woken(self, new: Clicks) -> Steps:
        """The STEPS of rows that wait for new clicks."""
        database, ids = self.context.database, new["click_id"].to_list()
        waiting = sorted({*clicks_waited_for(database, ids), *clicks_on_record(database, ids)})
        return steps_to_wake(database, waiting, None, coming=new) if waiting else empty(STEPS)


def _fit_ids(rows: ClickRows) -> pl.Series:
    """The click ids of rows that are not refused, each once."""
    return rows.filter(pl.col("outcome") == "")["click_id"].unique(maintain_order=True)


def _with_outcomes(rows: ClickRows, known: pl.Series, brought: pl.Series) -> ClickRows:
    """Say of each row that is not refused what its click is: new, known, or of a row above.

    Args:
        rows: The rows, in the order they are applied.
        known: The clicks that are known from elsewhere.
        brought: The clicks that rows above these bring.
    """
    fit = pl.col("outcome") == ""
    above = ~pl.when(fit).then("click_id").is_first_distinct() | pl.col("click_id").is_in(brought.implode())
    met = (
        pl.when(above)
        .then(pl.lit(ClickOutcome.REPEATED.value))
        .when(pl.col("click_id").is_in(known.implode()))
        .then(pl.lit(ClickOutcome.KNOWN.value))
        .otherwise(pl.lit(ClickOutcome.IMPORTED.value))
    )
    return ClickRows(rows.with_columns(outcome=pl.when(fit).then(met).otherwise("outcome")))

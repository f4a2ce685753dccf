"""Click imports: a file of clicks becomes one batch, and rows that waited for these clicks come to life.

A click is stored once: a row whose click is known, from the ledger or from above in the file, changes nothing. Rows go
in the order of their click ids; each chunk commits its clicks, what their waiting rows come to, and how far the batch
has come, together, so that the same command again goes on exactly where a killed one stopped.
"""

from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from typing import Final

import polars as pl

from trueup.decide.effects import totals_delta
from trueup.ledger.batches import advance_batch, batches_of_content, create_batch
from trueup.ledger.database import Database
from trueup.ledger.policies import store_policy
from trueup.ledger.snapshot import clicks_waited_for, known_clicks
from trueup.ledger.totals import added, read_totals
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import TOTALS, Schema, empty
from trueup.model.words import BatchKind, BatchState, ClickOutcome, Origin
from trueup.recording.arrivals import record_arrivals, steps_to_wake
from trueup.recording.chunks import FIRST_CHUNK, Pace, RunOptions, to_its_end
from trueup.recording.record import Clock
from trueup.recording.summary import Summary, sampled
from trueup.uploads.click_file import ClickFile, new_clicks, rows_at, with_click_messages
from trueup.uploads.conversions import unfinished

_SAMPLES: Final[Schema] = {"line": pl.Int64, "clicked_at": pl.Int64, "outcome": pl.String}


def unfinished_import(database: Database, file: ClickFile) -> BatchRecord | None:
    """The batch that the same command began and did not finish."""
    return unfinished(batches_of_content(database, BatchKind.CLICKS, file.sha256), file.choices)


def preview_clicks(
    database: Database, file: ClickFile, resumed: BatchRecord | None, received_at: int, options: RunOptions
) -> Summary:
    """Say what `apply_clicks` would do now. Changes nothing."""
    summary = Summary(None, file.rows, totals_before=read_totals(database), samples=empty(_SAMPLES))
    done, size, last = (resumed.rows_done if resumed else 0), options.chunk_rows or FIRST_CHUNK, pl.Series([""])
    while done < file.rows:
        rows = rows_at(file, done, size, received_at)
        ids = _fit_ids(rows)
        known = known_clicks(database, ids.to_list())
        # The chunk before may have ended amid a click's rows, and nothing of it is stored.
        rows = _with_outcomes(rows, pl.concat([known, last]))
        last = ids.tail(1) if ids.len() else last
        new = new_clicks(rows, file)
        waiting = clicks_waited_for(database, new["click_id"].to_list())
        delta = totals_delta(steps_to_wake(database, waiting, 0, coming=new)) if waiting else empty(TOTALS)
        summary = _summed(summary, rows, delta)
        done += rows.height
        options.progress(done, file.rows)
    return replace(summary, samples=with_click_messages(summary.samples, file))


def apply_clicks(
    database: Database,
    file: ClickFile,
    resumed: BatchRecord | None,
    received_at: int,
    made_by: str,
    clock: Clock,
    options: RunOptions,
) -> Summary:
    """Import a file's clicks, or the rest of them, chunk by chunk.

    Takes: the unfinished batch of the same command, None to make a new one; when the file was received, for a resumed
    batch its own moment. Raises: BatchMovedError when another program carries the same batch on.
    """
    return to_its_end(applying_clicks(database, file, resumed, received_at, made_by, clock, options))


def applying_clicks(
    database: Database,
    file: ClickFile,
    resumed: BatchRecord | None,
    received_at: int,
    made_by: str,
    clock: Clock,
    options: RunOptions,
    origin: Origin = Origin.CLI,
) -> Generator[None, None, Summary]:
    """Do the same with a pause after each chunk, for whoever has other work for the connection."""
    record = resumed or _begin(database, file, received_at, made_by, origin, options)
    summary = Summary(record.batch_id, file.rows, samples=empty(_SAMPLES))
    pace = Pace(database, FIRST_CHUNK, options.chunk_rows, options.slice_seconds)
    while record.state is BatchState.RUNNING:
        rows = rows_at(file, record.rows_done, pace.next(), received_at)
        rows, record = _import(database, file, rows, record, clock)
        pace.learn(rows.height)
        summary = _summed(summary, rows, seconds=database.lock_seconds)
        options.progress(record.rows_done, file.rows)
        yield
    return replace(
        summary,
        outcomes=dict(record.outcomes),
        totals_before=record.totals_before,
        totals_delta=record.totals_delta,
        samples=with_click_messages(summary.samples, file),
    )


def _begin(
    database: Database, file: ClickFile, received_at: int, made_by: str, origin: Origin, options: RunOptions
) -> BatchRecord:
    policy = file.catalog.policy()
    receipt = Receipt(
        kind=BatchKind.CLICKS,
        origin=origin,
        received_at=received_at,
        made_by=made_by,
        policy_id=policy.policy_id,
        file_name=file.file_name,
        sha256=file.sha256,
        choices=file.choices,
    )
    with database.transaction():
        store_policy(database, policy)
        record = create_batch(database, receipt, file.rows, read_totals(database))
        options.begun(record)
    return record


def _import(
    database: Database, file: ClickFile, rows: pl.DataFrame, record: BatchRecord, clock: Clock
) -> tuple[pl.DataFrame, BatchRecord]:
    """Commit the next rows of a batch. Returns: the rows with their outcomes, and the record as it is afterwards."""
    ids = _fit_ids(rows)
    coming = new_clicks(_with_outcomes(rows, known=ids.clear()), file)
    with database.transaction():
        arrived = record_arrivals(database, coming, lambda: record, clock, are_ours=False)
        rows = _with_outcomes(rows, known=ids.filter(~ids.is_in(arrived.new["click_id"].implode())))
        outcomes = _counts(rows)
        record = advance_batch(database, record, rows=rows.height, outcomes=outcomes, delta=arrived.delta, now=clock())
    return rows, record


def _fit_ids(rows: pl.DataFrame) -> pl.Series:
    """The click ids of rows that are not refused, each once."""
    return rows.filter(pl.col("outcome") == "")["click_id"].unique(maintain_order=True)


def _with_outcomes(rows: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """Say of each row that is not refused whether it is the first of a new click."""
    fit = pl.col("outcome") == ""
    first = pl.when(fit).then("click_id").is_first_distinct() & ~pl.col("click_id").is_in(known.implode())
    met = pl.when(first).then(pl.lit(ClickOutcome.IMPORTED.value)).otherwise(pl.lit(ClickOutcome.KNOWN.value))
    return rows.with_columns(outcome=pl.when(fit).then(met).otherwise("outcome"))


def _counts(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows["outcome"].value_counts().iter_rows())


def _summed(summary: Summary, rows: pl.DataFrame, delta: pl.DataFrame | None = None, seconds: float = 0.0) -> Summary:
    return replace(
        summary,
        outcomes=dict(Counter(summary.outcomes) + Counter(_counts(rows))),
        totals_delta=summary.totals_delta if delta is None else added(summary.totals_delta, delta),
        samples=sampled(summary.samples, rows),
        longest_lock_seconds=max(summary.longest_lock_seconds, seconds),
    )

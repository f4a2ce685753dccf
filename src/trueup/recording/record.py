"""The one door: whatever changes a conversion comes through here, in one transaction each.

`record_rows` decides new rows; `record_again` decides clicks again from their journal. Both read what is stored, let
the pure rules decide, and commit conversions, changes, rollups and the batch's progress together, or nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from trueup.decide.again import decide_again, turned_rows
from trueup.decide.effects import changes, counted, final_conversions, rollup_deltas, totals_of_cells
from trueup.decide.pipeline import Decisions, decide
from trueup.decide.rounds import Steps
from trueup.decide.terms import Policies
from trueup.ledger.batch_moves import advance_batch
from trueup.ledger.batches import undone_batches
from trueup.ledger.commit import commit_conversions, commit_rows, lock_clicks
from trueup.ledger.database import Database, Readable, Transaction
from trueup.ledger.past import read_past
from trueup.ledger.snapshot import read_conversions, read_snapshot
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frame_ops import distinct
from trueup.model.frames import (
    ARRIVAL_FACTS,
    BATCH,
    JOURNAL,
    ArrivalFacts,
    BatchRows,
    ClickFacts,
    Clicks,
    Conversions,
    JournalRows,
    Rows,
    Totals,
    TurnedRows,
    completed,
    empty,
)
from trueup.model.ids import CLICK_ID
from trueup.model.past import Past
from trueup.model.snapshot import LastRows, Snapshot
from trueup.recording.context import Clock
from trueup.recording.sub_parameters import set_sub_parameters_again

_NO_ROWS: Final = empty(JOURNAL)
_FEW: Final = 500  # rows that are decided in a few milliseconds
_LAST: Final = 2**62  # the place of an arrival that is only looked at


def as_batch(rows: Rows, receipt: Receipt, batch_id: int | None) -> BatchRows:
    """Rows as a dialect made them (some or all columns of ROWS), with what their batch was received as: BATCH."""
    received = {
        "batch_id": batch_id or 0,  # of a preview there is none
        "received_at": receipt.received_at,
        "policy_id": receipt.policy_id,
        "kind": receipt.row_kind.value,
        "chosen_mode": receipt.chosen_mode.value if receipt.chosen_mode else "",
        "dialect_mode": receipt.dialect_mode.value if receipt.dialect_mode else "",
        "forced": int(receipt.forced),
    }
    return completed(rows, BATCH, received)


def decide_now(database: Readable, batch: BatchRows, policies: Policies, carried: Snapshot | None = None) -> Decisions:
    """Decide a batch against the ledger as it stands, and change nothing.

    Args:
        database: The ledger.
        batch: BATCH.
        policies: Those that its rows name.
        carried: For a preview, what earlier rows of the same clicks would have left (`carry`).

    Returns:
        What its rows come to.
    """
    snapshot = read_snapshot(database, _usable_ids(batch))
    return decide(batch, snapshot if carried is None else _overlaid(snapshot, carried), policies)


def record_rows(
    database: Database,
    batch: BatchRows,
    record: BatchRecord,
    policies: Policies,
    clock: Clock,
    beside: Callable[[Transaction, Decisions], None] = lambda *_: None,
) -> tuple[Decisions, BatchRecord]:
    """Decide rows of a batch and commit what they come to.

    Args:
        database: The ledger.
        batch: BATCH.
        record: The batch as it is in the ledger.
        policies: Those that its rows name.
        clock: The moment they are recorded at.
        beside: Writes more in the same transaction. It must not bear on what the rows come to.

    Returns:
        The decisions, and the batch as it is afterwards.

    Raises:
        BatchMovedError: Another program has advanced the batch meanwhile. Nothing is changed then.
    """
    # Deciding many rows takes longer than writing them. Where the database can tell that nobody wrote meanwhile, it is
    # done before the lock is taken, and again under the lock only if somebody did.
    click_ids, version = _usable_ids(batch), database.data_version() if batch.height > _FEW else None
    decisions = None if version is None else decide(batch, read_snapshot(database, click_ids), policies)
    with database.transaction() as transaction:
        lock_clicks(transaction, click_ids)
        if decisions is None or transaction.data_version() != version:
            decisions = decide(batch, read_snapshot(transaction, click_ids), policies)
        commit_rows(transaction, decisions.journal)
        record = _commit_steps(transaction, decisions.steps, decisions.journal, record, batch.height, clock)
        beside(transaction, decisions)
    return decisions, record


def record_again(
    database: Database,
    click_ids: Sequence[str],
    record: BatchRecord,
    clock: Clock,
    first: Callable[[Transaction], None] = lambda _transaction: None,
) -> BatchRecord:
    """Decide clicks again from their journal and commit the difference, as the next clicks of a batch.

    Args:
        database: The ledger.
        click_ids: The clicks.
        record: The batch that asks, as it is in the ledger.
        clock: The moment they are recorded at.
        first: Writes what they are decided again for, in the same transaction.

    Returns:
        The batch as it is afterwards.
    """
    with database.transaction() as transaction:
        lock_clicks(transaction, click_ids)
        first(transaction)
        # Asked for under the lock: an undo that another program begins later decides these clicks again itself.
        without = undone_batches(transaction)
        set_sub_parameters_again(transaction, click_ids, without)
        steps = steps_again(transaction, click_ids, without, record.batch_id)
        return _commit_steps(transaction, steps, _NO_ROWS, record, len(click_ids), clock)


def steps_again(
    database: Readable,
    click_ids: Sequence[str],
    undone_batch_ids: frozenset[int],
    by_batch: int | None,
    *,
    coming: Clicks | None = None,
) -> Steps:
    """STEPS from what is stored of some clicks to what deciding their journal again gives. Changes nothing.

    Args:
        database: The ledger.
        click_ids: The clicks.
        undone_batch_ids: The batches whose rows and arrivals do not count.
        by_batch: The batch that changes are put down to; None for a preview.
        coming: CLICKS that are looked at as if they were stored. None of them is.
    """
    past = read_past(database, click_ids)
    if coming is not None:
        arriving = completed(coming, ARRIVAL_FACTS, {"batch_id": 0, "place": _LAST, "click_number": 0})
        past = replace(past, arrivals=ArrivalFacts(pl.concat([past.arrivals, arriving])))
    return decide_again(past, read_conversions(database, click_ids), without=undone_batch_ids, by_batch=by_batch)


def looked_again(
    database: Readable, click_ids: Sequence[str], past: Past, before: frozenset[int], after: frozenset[int]
) -> tuple[Steps, TurnedRows]:
    """What becomes of some clicks once other batches are left out than before. Changes nothing.

    Args:
        database: The ledger.
        click_ids: The clicks.
        past: Their past; what is only looked at as if it were stored is of a batch that is left out now.
        before: The batches that are left out now.
        after: The batches that are to be left out.

    Returns:
        STEPS, and the rows that come to something else (`turned_rows`).
    """
    steps = decide_again(past, read_conversions(database, click_ids), without=after, by_batch=None)
    return steps, turned_rows(past, before=before, after=after)


def commit_again(transaction: Transaction, steps: Steps, now: int) -> Totals:
    """Store what deciding again came to. Returns: the TOTALS that it adds."""
    rows = counted(steps)
    deltas = rollup_deltas(steps, rows)
    commit_conversions(transaction, final_conversions(steps), changes(steps, now), deltas, rows)
    return totals_of_cells(deltas)


def _commit_steps(
    transaction: Transaction, steps: Steps, rows: JournalRows, record: BatchRecord, done: int, clock: Clock
) -> BatchRecord:
    now = clock()
    delta = commit_again(transaction, steps, now)
    outcomes = dict(rows["outcome"].value_counts().iter_rows())
    return advance_batch(transaction, record, rows=done, outcomes=outcomes, delta=delta, now=now)


def _usable_ids(batch: BatchRows) -> list[str]:
    """The click ids to look up, sorted, each once. What cannot be one is left out."""
    return [click_id for click_id in distinct(batch["click_id"]) if CLICK_ID.fullmatch(click_id)]


def carry(carried: Snapshot | None, decisions: Decisions, upcoming: pl.Series) -> Snapshot:
    """What a preview's rows leave for later rows of the same clicks, since nothing of it is stored.

    Args:
        carried: What was carried so far.
        decisions: Those just made.
        upcoming: The click ids that have rows to come.
    """
    coming = pl.col("click_id").is_in(upcoming.implode())
    rows = decisions.journal.filter(coming & (pl.col("n") > 0)).group_by("click_id").agg(last_n=pl.col("n").max())
    after = Snapshot(ClickFacts(empty({})), final_conversions(Steps(decisions.steps.filter(coming))), LastRows(rows))
    return after if carried is None else _overlaid(carried, after)


def _overlaid(below: Snapshot, above: Snapshot) -> Snapshot:
    def over(old: pl.DataFrame, new: pl.DataFrame, key: list[str]) -> pl.DataFrame:
        return pl.concat([old.join(new, on=key, how="anti"), new.select(old.columns)])

    return Snapshot(
        clicks=below.clicks,
        conversions=Conversions(over(below.conversions, above.conversions, ["click_id", "n"])),
        last_rows=LastRows(over(below.last_rows, above.last_rows, ["click_id"])),
    )

"""Clicks arrive: stored once, counted, and the rows that waited for them decided again, all in one commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from trueup.decide.rounds import Steps
from trueup.ledger.batches import undone_batches
from trueup.ledger.commit import commit_clicks, lock_clicks
from trueup.ledger.database import Readable, Transaction
from trueup.ledger.snapshot import clicks_waited_for, known_clicks
from trueup.model.batches import BatchRecord
from trueup.model.frames import TOTALS, Clicks, Totals, empty
from trueup.recording.context import Clock
from trueup.recording.record import commit_again, steps_again


@dataclass(frozen=True)
class Arrived:
    """What the arrival of some clicks came to."""

    new: Clicks  # those that were not known
    woken: int = 0  # clicks that rows had waited for
    delta: Totals = field(default_factory=lambda: empty(TOTALS))  # what those rows add
    put_down_to: BatchRecord | None = None  # the batch that adds it, where any was woken


def record_arrivals(
    transaction: Transaction,
    clicks: Clicks,
    waking_batch: Callable[[Transaction], BatchRecord],
    clock: Clock,
    *,
    are_ours: bool,
) -> Arrived:
    """Store those of some clicks that are new, and wake the rows that waited for them.

    A row that another program parks for one of the clicks meanwhile is found here, or finds its click: the click's lock
    lets one of the two go first.

    Args:
        transaction: What it is written in.
        clicks: CLICKS, each click once.
        waking_batch: Gives the batch that what woken rows come to is put down to; called only where some are.
        clock: The moment they are woken at.
        are_ours: Whether these are visits to this very program, so that nobody else brings them at the same time.
    """
    click_ids = clicks["click_id"].to_list()
    lock_clicks(transaction, click_ids, shared=are_ours)
    known = known_clicks(transaction, click_ids)
    new = Clicks(clicks.filter(~pl.col("click_id").is_in(known.implode()))) if known.len() else clicks
    commit_clicks(transaction, new)
    waiting = clicks_waited_for(transaction, new["click_id"].to_list())
    if not waiting:
        return Arrived(new)
    batch = waking_batch(transaction)
    steps = steps_to_wake(transaction, waiting, batch.batch_id)
    return Arrived(new, len(waiting), commit_again(transaction, steps, clock()), batch)


def steps_to_wake(
    database: Readable, waiting: Sequence[str], by_batch: int | None, coming: Clicks | None = None
) -> Steps:
    """STEPS that come of clicks which rows waited for. Changes nothing.

    Args:
        database: The ledger.
        waiting: The clicks.
        by_batch: The batch it is put down to, None for a preview.
        coming: For a preview, CLICK_FACTS of clicks that are looked at as if they were stored.
    """
    # Asked for under the clicks' locks: an undo that began later decides these clicks again itself.
    return steps_again(database, waiting, undone_batches(database), by_batch, coming=coming)

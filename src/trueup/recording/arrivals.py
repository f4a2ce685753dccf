"""Clicks arrive: stored once, counted, and the rows that waited for them decided again, all in one commit.

The first arrival of a click that counts is the click. An arrival that finds its click known changes nothing, and is put
on record: where the import that brought the click is undone, the click stays as the next arrival brought it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.decide.again import moved_conversions
from trueup.decide.effects import rollup_deltas
from trueup.decide.rounds import STEPS, Steps
from trueup.ledger.arrivals import (
    append_arrivals,
    clicks_on_record,
    keep_only_arrivals,
    read_arrivals,
    read_stored_clicks,
)
from trueup.ledger.batches import undone_batches
from trueup.ledger.commit import (
    commit_clicks,
    lock_clicks,
    move_conversions,
    withdraw_clicks,
)
from trueup.ledger.database import Readable, Transaction
from trueup.ledger.snapshot import clicks_waited_for, known_clicks, read_conversions
from trueup.model.batches import BatchRecord
from trueup.model.frame_ops import sum_by
from trueup.model.frames import (
    ARRIVALS,
    CLICK_FACTS,
    CONVERSIONS,
    NUMBERED_CLICKS,
    ROLLUP_KEY,
    STORED_CLICKS,
    TOTALS,
    Clicks,
    Conversions,
    NumberedClicks,
    Rollups,
    StoredClicks,
    Totals,
    completed,
    empty,
)
from trueup.model.past import clicks_that_count
from trueup.recording.context import Clock
from trueup.recording.record import commit_again, steps_again
from trueup.recording.sub_parameters import set_sub_parameters_again

_ARRIVAL: Final = ["click_id", "batch_id"]  # a batch brings a click once


@dataclass(frozen=True)
class Arrived:
    """What the arrival of some clicks came to."""

    new: Clicks  # those that were not known
    known: Sequence[str] = ()  # the ids of those that were, and had not come this very way
    woken: int = 0  # clicks that rows had waited for
    delta: Totals = field(default_factory=lambda: empty(TOTALS))  # what those rows add
    put_down_to: BatchRecord | None = None  # the batch that adds it, where any was woken


def record_arrivals(
    transaction: Transaction,
    clicks: Clicks,
    waking_batch: Callable[[Transaction], BatchRecord],
    clock: Clock,
    *,
    brought_by: int = 0,
) -> Arrived:
    """Store those of some clicks that are new, and wake the rows that waited for them.

    A row that another program parks for one of the clicks meanwhile is found here, or finds its click: the click's lock
    lets one of the two go first.

    Args:
        transaction: What it is written in.
        clicks: CLICKS, each click once.
        waking_batch: Gives the batch that what woken rows come to is put down to; called only where some are.
        clock: The moment they are woken at.
        brought_by: The import that brings them; 0 for visits to this very program, which nobody else brings at the
            same time.
    """
    click_ids = clicks["click_id"].to_list()
    lock_clicks(transaction, click_ids, shared=not brought_by)
    known = known_clicks(transaction, click_ids)
    new = Clicks(clicks.filter(~pl.col("click_id").is_in(known.implode()))) if known.len() else clicks
    left = clicks_on_record(transaction, new["click_id"].to_list())  # their imports were undone
    remembered = _put_on_record(transaction, clicks, [*known, *left], brought_by)
    commit_clicks(transaction, new, brought_by)
    known_elsewhere = [click_id for click_id in remembered if click_id not in set(left)]
    waiting = sorted({*clicks_waited_for(transaction, new["click_id"].to_list()), *left})
    if not waiting:
        return Arrived(new, known_elsewhere)
    set_sub_parameters_again(transaction, waiting, undone_batches(transaction))
    batch = waking_batch(transaction)
    steps = steps_to_wake(transaction, waiting, batch.batch_id)
    return Arrived(new, known_elsewhere, len(waiting), commit_again(transaction, steps, clock()), batch)


def steps_to_wake(
    database: Readable, waiting: Sequence[str], by_batch: int | None, coming: Clicks | None = None
) -> Steps:
    """STEPS that come of clicks which rows waited for. Changes nothing.

    Args:
        database: The ledger.
        waiting: The clicks.
        by_batch: The batch it is put down to, None for a preview.
        coming: For a preview, CLICKS that are looked at as if they were stored.
    """
    # Asked for under the clicks' locks: an undo that began later decides these clicks again itself.
    return steps_again(database, waiting, undone_batches(database), by_batch, coming=coming)


def _put_on_record(transaction: Transaction, clicks: Clicks, again: Sequence[str], brought_by: int) -> list[str]:
    """Put on record that clicks arrive once more.

    Args:
        transaction: What it is written in.
        clicks: CLICKS that arrive.
        again: Those of them that have arrived before.
        brought_by: The import that brings them, 0 for visits.

    Returns:
        The ids of those that had not come this very way: an import that is resumed, and a visit that is recorded again
        after a crash, bring nothing twice.
    """
    if not again:
        return []
    before = read_arrivals(transaction, again, ARRIVALS)
    last = before.group_by("click_id").agg(
        place=pl.col("place").max() + 1, came=(pl.col("batch_id") == brought_by).any()
    )
    coming = clicks.join(last.filter(~pl.col("came")), on="click_id", how="inner", maintain_order="left")
    if not coming.height:
        return []
    stored = known_clicks(transaction, again)
    arriving = completed(
        coming.with_columns(was_known=pl.col("click_id").is_in(stored.implode()).cast(pl.Int64)),
        ARRIVALS,
        {"batch_id": brought_by},
    )
    keep_only_arrivals(transaction, coming["click_id"].to_list())
    append_arrivals(transaction, arriving)
    return coming["click_id"].to_list()


def fold_clicks(transaction: Transaction, click_ids: Sequence[str], without: frozenset[int]) -> None:
    """Make clicks what their arrivals come to. Within a transaction, under the clicks' locks.

    Their conversions are counted for what the clicks are then. What rows set of them, and the conversions of clicks
    that go, are for the caller to decide again.

    Args:
        transaction: What it is written in.
        click_ids: The clicks.
        without: The undone batches, whose arrivals do not count.
    """
    stored, arrivals = (
        read_stored_clicks(transaction, click_ids, NUMBERED_CLICKS),
        read_arrivals(transaction, click_ids, ARRIVALS),
    )
    keep_only_arrivals(transaction, click_ids)
    counting = clicks_that_count(arrivals, without).select(*STORED_CLICKS)
    withdraw_clicks(transaction, NumberedClicks(stored.join(counting, on=_ARRIVAL, how="anti")))
    coming = StoredClicks(counting.join(stored, on=_ARRIVAL, how="anti"))
    _move(transaction, commit_clicks(transaction, coming))


def _move(transaction: Transaction, changed: NumberedClicks) -> None:
    """Count conversions for what their clicks are now.

    Args:
        transaction: What it is written in.
        changed: NUMBERED_CLICKS that are new, or another than before.
    """
    conversions = read_conversions(transaction, changed["click_id"].to_list())
    was = moved_conversions(conversions, changed)
    if not was.height:
        return
    others = [name for name in CONVERSIONS if name not in CLICK_FACTS or name == "click_id"]
    becomes = was.select(others).join(changed.select(*CLICK_FACTS), on="click_id", how="inner").select(*CONVERSIONS)
    taken, given = (rollup_deltas(completed(found, STEPS)) for found in (was, becomes))
    both = pl.concat([given, taken.with_columns(-pl.col("conversions", "revenue"))])
    deltas = Rollups(sum_by(both, list(ROLLUP_KEY), ["conversions", "revenue"]))
    move_conversions(transaction, was, Conversions(becomes), deltas)

"""Write what was decided: journal, conversions, changes and rollups, in one transaction."""

import zlib
from collections.abc import Iterable
from typing import Final

import polars as pl
from sqlalchemy import delete

from trueup.ledger.arrivals import keep_only_arrivals
from trueup.ledger.click_numbers import new_click_numbers
from trueup.ledger.database import Transaction
from trueup.ledger.schema import changes, click_rollups, clicks, conversions, journal, rollups
from trueup.ledger.segments import SegmentKind, add_to_segments
from trueup.ledger.snapshot import read_conversions
from trueup.model.frame_ops import collect_unoptimized, left_join, sum_by
from trueup.model.frames import (
    BUCKET_MICROS,
    CLICK_ATTRIBUTES,
    CLICK_ROLLUP_KEY,
    COUNTED,
    HOUR_BUCKETS,
    NUMBERED_CLICKS,
    Changes,
    Clicks,
    Conversions,
    CountedClicks,
    CountedConversions,
    JournalRows,
    NumberedClicks,
    Rollups,
    StoredClicks,
    completed,
    empty,
)
from trueup.model.macros import SUB_PARAMETERS
from trueup.model.sub_parameters import SetByRows, with_set

LOCK_BUCKETS: Final = 1_024
_LOCK_SPACE: Final = 7_465_117  # the first number of our advisory locks on a PostgreSQL server
_LOCK: Final = "SELECT count(pg_advisory_xact_lock($1::int, bucket)) FROM unnest($2::int[]) bucket"
_LOCK_SHARED: Final = _LOCK.replace("xact_lock", "xact_lock_shared")

_HOUR: Final = pl.col("bucket") // HOUR_BUCKETS * HOUR_BUCKETS
_AS_COUNTED: Final = {
    "conversion": pl.col("converted_at") // BUCKET_MICROS,
    "click": pl.col("clicked_at") // BUCKET_MICROS,
}
_COUNTED_AS: Final = {
    each: [
        "click_number",
        _AS_COUNTED["click"].alias("bucket"),
        *(name for name in CLICK_ROLLUP_KEY if name != "bucket"),
        *CLICK_ATTRIBUTES,
        pl.lit(each, pl.Int64).alias("clicks"),
        pl.col("cost") * each,
    ]
    for each in (1, -1)
}


def lock_clicks(transaction: Transaction, click_ids: Iterable[str], *, shared: bool = False) -> None:
    """Keep other writers of these clicks out until the transaction ends.

    On SQLite there is one writer anyway. On PostgreSQL each click belongs to one of 1,024 advisory locks, taken in
    order.

    Args:
        transaction: What it is written in.
        click_ids: The clicks.
        shared: Whether to let in others who say the same, such as those who bring clicks that no other can bring.
    """
    if not transaction.is_sqlite:
        wanted = sorted({zlib.crc32(click_id.encode()) % LOCK_BUCKETS for click_id in click_ids})
        transaction.read_sql(_LOCK_SHARED if shared else _LOCK, {"taken": pl.Int64}, [_LOCK_SPACE, wanted])


def commit_rows(transaction: Transaction, rows: JournalRows) -> None:
    """Append decided rows (JOURNAL) to the journal."""
    transaction.append(journal, rows)


def commit_conversions(
    transaction: Transaction, final: Conversions, changed: Changes, deltas: Rollups, counted: CountedConversions
) -> None:
    """Store conversions as they are now.

    Args:
        transaction: What it is written in.
        final: CONVERSIONS. Those of version 0 are new; any other may be stored already.
        changed: CHANGES.
        deltas: ROLLUPS to add.
        counted: COUNTED, what the deltas are the sums of.
    """
    if not final["version"].max():
        transaction.append(conversions, final)
    else:
        is_new = final["version"] == 0
        transaction.append(conversions, final.filter(is_new))
        transaction.put(conversions, final.filter(~is_new))
    transaction.append(changes, changed)
    transaction.put(rollups, deltas, add=["conversions", "revenue"])
    add_to_segments(transaction, SegmentKind.CONVERSIONS, counted)


def set_sub_parameters(
    transaction: Transaction, found: NumberedClicks, came: NumberedClicks, by_rows: SetByRows
) -> None:
    """Give clicks the sub-parameters that rows set of them, and count them and their conversions by these.

    Args:
        transaction: What it is written in, under the clicks' locks.
        found: Clicks as they are stored.
        came: The same clicks in the same order, with what they have where rows set nothing.
        by_rows: What rows set, of other clicks too.
    """
    keep_only_arrivals(transaction, sorted(by_rows))
    becomes = with_set(came, by_rows)
    before_and_after = zip(found[:, SUB_PARAMETERS].rows(), becomes[:, SUB_PARAMETERS].rows(), strict=True)
    others = [place for place, (before, after) in enumerate(before_and_after) if before != after]
    if not others:
        return
    was, becomes = NumberedClicks(found[others]), NumberedClicks(becomes[others])
    becomes = NumberedClicks(becomes.with_columns(new_click_numbers(transaction, was.height)))
    transaction.put(clicks, becomes.select("click_id", *SUB_PARAMETERS, "click_number"))  # all of them are there
    add_to_segments(transaction, SegmentKind.CLICKS, pl.concat([counted_clicks(was, -1), counted_clicks(becomes, 1)]))
    there = read_conversions(transaction, was["click_id"].to_list())
    numbers = becomes.select("click_id", "click_number")
    moved = Conversions(left_join(there.drop("click_number"), numbers, "click_id").select(there.columns))
    transaction.put(conversions, moved.select("click_id", "n", "click_number"))
    rows = [counted_conversions(there, -1), counted_conversions(moved, 1)]
    add_to_segments(transaction, SegmentKind.CONVERSIONS, pl.concat(rows))


def commit_clicks(transaction: Transaction, new: Clicks | StoredClicks, batch_id: int = 0) -> NumberedClicks:
    """Store clicks that are not there yet, and count them.

    Args:
        transaction: What it is written in.
        new: CLICKS; or STORED_CLICKS, which say themselves who brought them.
        batch_id: The import that brings them, 0 for visits.

    Returns:
        The clicks with their numbers.
    """
    if not new.height:
        return empty(NUMBERED_CLICKS)
    numbers = new_click_numbers(transaction, new.height)
    numbered = completed(new.with_columns(numbers), NUMBERED_CLICKS, {"batch_id": batch_id})
    transaction.append(clicks, numbered)
    _store_cells(transaction, counted_clicks(numbered, 1))
    return numbered


def withdraw_clicks(transaction: Transaction, gone: NumberedClicks) -> None:
    """Take clicks out, and out of the counts."""
    ids = {"ids": gone["click_id"].to_list()}
    if ids["ids"]:
        transaction.execute(delete(clicks).where(transaction.is_one_of(clicks.c.click_id, "ids")), ids)
        _store_cells(transaction, counted_clicks(gone, -1))


def _store_cells(transaction: Transaction, counted: CountedClicks) -> None:
    cells = sum_by(counted.with_columns_seq(_HOUR), list(CLICK_ROLLUP_KEY), ["clicks", "cost"])
    transaction.put(click_rollups, cells, add=["clicks", "cost"])
    add_to_segments(transaction, SegmentKind.CLICKS, counted)


def move_conversions(transaction: Transaction, was: Conversions, becomes: Conversions, deltas: Rollups) -> None:
    """Store conversions whose click has become another.

    Args:
        transaction: What it is written in.
        was: The conversions as they are stored.
        becomes: The same ones, as those of what their clicks are now.
        deltas: What to add to the rollups.
    """
    transaction.put(conversions, becomes)
    transaction.put(rollups, deltas, add=["conversions", "revenue"])
    rows = [counted_conversions(was, -1), counted_conversions(becomes, 1)]
    add_to_segments(transaction, SegmentKind.CONVERSIONS, pl.concat(rows))


def counted_conversions(found: Conversions, each: int) -> CountedConversions:
    """COUNTED of CONVERSIONS, each as 1, or taken back as -1. Those that are removed count nowhere."""
    counts = {**_AS_COUNTED, "conversions": pl.lit(each, pl.Int64), "revenue": pl.col("revenue") * each}
    there = found.filter(pl.col("removed") == 0)
    return CountedConversions(there.select(counts.get(name, pl.col(name)).alias(name) for name in COUNTED))


def counted_clicks(numbered: NumberedClicks, each: int) -> CountedClicks:
    """COUNTED_CLICKS of NUMBERED_CLICKS, each as 1, or taken back as -1."""
    return CountedClicks(collect_unoptimized(numbered.lazy().select_seq(*_COUNTED_AS[each])))

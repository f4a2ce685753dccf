"""Write what was decided: journal, conversions, changes and rollups, in one transaction."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
from sqlalchemy import bindparam, delete, select, update

from trueup.ledger.click_numbers import new_click_numbers
from trueup.ledger.database import Transaction
from trueup.ledger.schema import changes, click_arrivals, click_rollups, clicks, conversions, journal, rollups
from trueup.ledger.segments import SegmentKind, add_to_segments
from trueup.model.frame_ops import collect_unoptimized, sum_by
from trueup.model.frames import (
    BUCKET_MICROS,
    CLICK_ATTRIBUTES,
    CLICK_ROLLUP_KEY,
    CONVERSIONS,
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
_ONE_CLICK: Final = select(*(clicks.c[name] for name in NUMBERED_CLICKS)).where(
    clicks.c.click_id == bindparam("of_click")
)
_OF_ONE_CLICK: Final = select(*(conversions.c[name] for name in CONVERSIONS)).where(
    conversions.c.click_id == bindparam("of_click")
)


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


def update_sub_parameters(transaction: Transaction, click_id: str, values: Mapping[str, str]) -> None:
    """Set sub-parameters (sub1...) of a click, if it is known, and count it and its conversions by them.

    Args:
        transaction: What it is written in, under the click's lock.
        click_id: The click.
        values: What it is to have, by name.
    """
    recorded = update(click_arrivals).where(click_arrivals.c.click_id == click_id)
    transaction.execute(recorded.values(dict(values)))  # whichever way it came
    found = transaction.read(_ONE_CLICK, NUMBERED_CLICKS, {"of_click": click_id})
    becomes = found.with_columns(pl.lit(value).alias(name) for name, value in values.items())
    if becomes.equals(found):
        return
    number = new_click_numbers(transaction, 1)
    changed = {**values, "click_number": number.item()}
    transaction.execute(update(clicks).where(clicks.c.click_id == click_id).values(changed))
    of_click = conversions.c.click_id == click_id
    transaction.execute(update(conversions).where(of_click).values(click_number=number.item()))
    becomes = NumberedClicks(becomes.with_columns(number))
    add_to_segments(transaction, SegmentKind.CLICKS, pl.concat([counted_clicks(found, -1), counted_clicks(becomes, 1)]))
    there = transaction.read(_OF_ONE_CLICK, CONVERSIONS, {"of_click": click_id})
    was = Conversions(there.with_columns(click_number=pl.lit(found["click_number"].item(), pl.Int64)))
    rows = [counted_conversions(was, -1), counted_conversions(there, 1)]
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

"""Write what was decided: journal, conversions, changes and rollups, inside the caller's one transaction."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
from sqlalchemy import bindparam, select, update

from trueup.ledger.database import Database
from trueup.ledger.schema import changes, click_rollups, clicks, conversions, journal, rollups
from trueup.ledger.segments import SegmentKind, add_segment, new_click_numbers
from trueup.model.frame_ops import collect_unoptimized, sum_by
from trueup.model.frames import BUCKET_MICROS, CLICK_ATTRIBUTES, CLICK_ROLLUP_KEY, CONVERSIONS, COUNTED, NUMBERED_CLICKS

LOCK_BUCKETS: Final = 1_024
_LOCK_SPACE: Final = 7_465_117  # the first number of our advisory locks on a PostgreSQL server
_LOCK: Final = "SELECT count(pg_advisory_xact_lock($1::int, bucket)) FROM unnest($2::int[]) bucket"
_LOCK_SHARED: Final = _LOCK.replace("xact_lock", "xact_lock_shared")


def lock_clicks(database: Database, click_ids: Iterable[str], *, shared: bool = False) -> None:
    """Keep other writers of these clicks out until the transaction ends.

    On SQLite there is one writer anyway. On PostgreSQL each click belongs to one of 1,024 advisory locks, taken in
    order.

    Args:
        database: The ledger, in a transaction.
        click_ids: The clicks.
        shared: Whether to let in others who say the same, such as those who bring clicks that no other can bring.
    """
    if not database.is_sqlite:
        wanted = sorted({zlib.crc32(click_id.encode()) % LOCK_BUCKETS for click_id in click_ids})
        database.read_sql(_LOCK_SHARED if shared else _LOCK, {"taken": pl.Int64}, [_LOCK_SPACE, wanted])


def commit_rows(database: Database, rows: pl.DataFrame) -> None:
    """Append decided rows (JOURNAL) to the journal."""
    database.append(journal, rows)


def commit_conversions(
    database: Database, final: pl.DataFrame, changed: pl.DataFrame, deltas: pl.DataFrame, counted: pl.DataFrame
) -> None:
    """Store conversions as they are now.

    Args:
        database: The ledger, in a transaction.
        final: CONVERSIONS. Those of version 0 are new; any other may be stored already.
        changed: CHANGES.
        deltas: ROLLUPS to add.
        counted: COUNTED, what the deltas are the sums of.
    """
    if not final["version"].max():
        database.append(conversions, final)
    else:
        is_new = final["version"] == 0
        database.append(conversions, final.filter(is_new))
        database.put(conversions, final.filter(~is_new))
    database.append(changes, changed)
    database.put(rollups, deltas, add=["conversions", "revenue"])
    add_segment(database, SegmentKind.CONVERSIONS, counted)


def update_sub_parameters(database: Database, click_id: str, values: Mapping[str, str]) -> None:
    """Set sub-parameters (sub1...) of a click, if it is known, and count it and its conversions by them.

    Within the caller's transaction, under the click's lock.
    """
    found = database.read(_ONE_CLICK, NUMBERED_CLICKS, {"of_click": click_id})
    becomes = found.with_columns(pl.lit(value).alias(name) for name, value in values.items())
    if becomes.equals(found):
        return
    number = new_click_numbers(database, 1)
    database.execute(
        update(clicks).where(clicks.c.click_id == click_id).values({**values, "click_number": number.item()})
    )
    database.execute(update(conversions).where(conversions.c.click_id == click_id).values(click_number=number.item()))
    rows = [counted_clicks(found, -1), counted_clicks(becomes.with_columns(number), 1)]
    add_segment(database, SegmentKind.CLICKS, pl.concat(rows))
    there = database.read(_OF_ONE_CLICK, CONVERSIONS, {"of_click": click_id})
    was = there.with_columns(pl.lit(found["click_number"].item(), pl.Int64).alias("click_number"))
    add_segment(
        database, SegmentKind.CONVERSIONS, pl.concat([counted_conversions(was, -1), counted_conversions(there, 1)])
    )


def commit_clicks(database: Database, new: pl.DataFrame) -> None:
    """Store clicks (CLICKS) that are not there yet, and count them."""
    if not new.height:
        return
    numbered = new.with_columns(new_click_numbers(database, new.height))
    database.append(clicks, numbered)
    counted = counted_clicks(numbered, 1)
    cells = sum_by(counted, list(CLICK_ROLLUP_KEY), ["clicks", "cost"])
    database.put(click_rollups, cells, add=["clicks", "cost"])
    add_segment(database, SegmentKind.CLICKS, counted)


def counted_conversions(found: pl.DataFrame, each: int) -> pl.DataFrame:
    """COUNTED of CONVERSIONS, each as 1, or taken back as -1. Those that are removed count nowhere."""
    counts = {**_AS_COUNTED, "conversions": pl.lit(each, pl.Int64), "revenue": pl.col("revenue") * each}
    return found.filter(pl.col("removed") == 0).select(counts.get(name, pl.col(name)).alias(name) for name in COUNTED)


def counted_clicks(numbered: pl.DataFrame, each: int) -> pl.DataFrame:
    """COUNTED_CLICKS of NUMBERED_CLICKS, each as 1, or taken back as -1."""
    return collect_unoptimized(numbered.lazy().select_seq(*_COUNTED_AS[each]))


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

"""Write what was decided: journal, conversions, changes and rollups, in one transaction."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
from sqlalchemy import delete, update

from trueup.ledger.database import Transaction
from trueup.ledger.schema import changes, click_arrivals, click_rollups, clicks, conversions, journal, rollups
from trueup.model.frame_ops import collect_unoptimized, sum_by
from trueup.model.frames import (
    BUCKET_MICROS,
    CLICK_ROLLUP_KEY,
    Changes,
    Clicks,
    Conversions,
    JournalRows,
    Rollups,
    StoredClicks,
)

LOCK_BUCKETS: Final = 1_024
_LOCK_SPACE: Final = 7_465_117  # the first number of our advisory locks on a PostgreSQL server
_LOCK: Final = "SELECT count(pg_advisory_xact_lock($1::int, bucket)) FROM unnest($2::int[]) bucket"
_LOCK_SHARED: Final = _LOCK.replace("xact_lock", "xact_lock_shared")


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


def commit_conversions(transaction: Transaction, final: Conversions, changed: Changes, deltas: Rollups) -> None:
    """Store conversions as they are now.

    Args:
        transaction: What it is written in.
        final: CONVERSIONS. Those of version 0 are new; any other may be stored already.
        changed: CHANGES.
        deltas: ROLLUPS to add.
    """
    if not final["version"].max():
        transaction.append(conversions, final)
    else:
        is_new = final["version"] == 0
        transaction.append(conversions, final.filter(is_new))
        transaction.put(conversions, final.filter(~is_new))
    transaction.append(changes, changed)
    transaction.put(rollups, deltas, add=["conversions", "revenue"])


def update_sub_parameters(transaction: Transaction, click_id: str, values: Mapping[str, str]) -> None:
    """Set sub-parameters (sub1...) of a click, if it is known. No rule and no count depends on them."""
    for table in (clicks, click_arrivals):  # whichever way it came
        transaction.execute(update(table).where(table.c.click_id == click_id).values(dict(values)))


def commit_clicks(transaction: Transaction, new: Clicks | StoredClicks, batch_id: int = 0) -> None:
    """Store clicks that are not there yet, and count them.

    Args:
        transaction: What it is written in.
        new: CLICKS; or STORED_CLICKS, which say themselves who brought them.
        batch_id: The import that brings them, 0 for visits.
    """
    transaction.append(clicks, new.with_columns(batch_id=pl.lit(batch_id, dtype=pl.Int64)) if batch_id else new)
    transaction.put(click_rollups, _cells(new), add=["clicks", "cost"])


def withdraw_clicks(transaction: Transaction, gone: Clicks) -> None:
    """Take clicks out, and out of the counts."""
    ids = {"ids": gone["click_id"].to_list()}
    if ids["ids"]:
        transaction.execute(delete(clicks).where(transaction.is_one_of(clicks.c.click_id, "ids")), ids)
        cells = _cells(gone).with_columns(-pl.col("clicks", "cost"))
        transaction.put(click_rollups, cells, add=["clicks", "cost"])


def move_conversions(transaction: Transaction, moved: Conversions, deltas: Rollups) -> None:
    """Store conversions whose click has become another.

    Args:
        transaction: What it is written in.
        moved: The conversions, all of them stored.
        deltas: What to add to the rollups.
    """
    transaction.put(conversions, moved)
    transaction.put(rollups, deltas, add=["conversions", "revenue"])


def _cells(of_clicks: Clicks | StoredClicks) -> pl.DataFrame:
    counted = collect_unoptimized(of_clicks.lazy().select_seq(*_COUNTED))
    return sum_by(counted, list(CLICK_ROLLUP_KEY), ["clicks", "cost"])


_COUNTED: Final = [
    (pl.col("clicked_at") // BUCKET_MICROS).alias("bucket"),
    *(name for name in CLICK_ROLLUP_KEY if name != "bucket"),
    pl.lit(1, pl.Int64).alias("clicks"),
    "cost",
]

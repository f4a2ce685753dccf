"""Write what was decided: journal, conversions, changes and rollups, in one transaction."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl
from sqlalchemy import update

from trueup.ledger.database import Transaction
from trueup.ledger.schema import changes, click_rollups, clicks, conversions, journal, rollups
from trueup.model.frame_ops import collect_unoptimized, sum_by
from trueup.model.frames import BUCKET_MICROS, CLICK_ROLLUP_KEY, Changes, Clicks, Conversions, JournalRows, Rollups

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
    transaction.execute(update(clicks).where(clicks.c.click_id == click_id).values(dict(values)))


def commit_clicks(transaction: Transaction, new: Clicks) -> None:
    """Store clicks (CLICKS) that are not there yet, and count them."""
    transaction.append(clicks, new)
    counted = collect_unoptimized(new.lazy().select_seq(*_COUNTED))
    cells = sum_by(counted, list(CLICK_ROLLUP_KEY), ["clicks", "cost"])
    transaction.put(click_rollups, cells, add=["clicks", "cost"])


_COUNTED: Final = [
    (pl.col("clicked_at") // BUCKET_MICROS).alias("bucket"),
    *(name for name in CLICK_ROLLUP_KEY if name != "bucket"),
    pl.lit(1, pl.Int64).alias("clicks"),
    "cost",
]

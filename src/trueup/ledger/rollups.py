"""The counts: in sum, as they are stored, and counted afresh for comparison."""

from typing import Final

import polars as pl
from sqlalchemy import BigInteger, cast, func, select

from trueup.ledger.database import Database
from trueup.ledger.schema import TOTALS_SHARDS, click_rollups, clicks, rollups, totals
from trueup.model.frames import BUCKET_MICROS, CLICK_ROLLUP_KEY, CLICK_ROLLUPS, ROLLUPS, Schema
from trueup.model.money import MICROS, micros_of_sums

_SUMS: Final[Schema] = {
    "conversion_type": pl.String,
    "status": pl.String,
    "conversions": pl.Int64,
    "units": pl.Int64,
    "micros": pl.Int64,
}
_KEY: Final = ("conversion_type", "status")
_TOTALS: Final = (
    select(
        *(totals.c[name] for name in _KEY),
        *(cast(func.sum(totals.c[name]), BigInteger) for name in ("conversions", "units", "micros")),
    )
    .group_by(*(totals.c[name] for name in _KEY))
    .order_by(*(totals.c[name] for name in _KEY))
)


def read_totals(database: Database) -> pl.DataFrame:
    """TOTALS of the whole ledger."""
    sums = database.read(_TOTALS, _SUMS).filter(pl.col("conversions") != 0)
    revenue = micros_of_sums(pl.col("units"), pl.col("micros"))
    return sums.select(*_KEY, "conversions", revenue=revenue)


def add_to_totals(database: Database, batch_id: int, delta: pl.DataFrame) -> None:
    """Add to the totals of the whole ledger what a batch adds. Within the transaction that stores it.

    Writers lock in one order, this last, and different batches seldom the same: no two wait for each other.

    Args:
        database: The ledger.
        batch_id: The batch.
        delta: TOTALS, sorted, each cell once.
    """
    cells = [
        (batch_id % TOTALS_SHARDS, *key, conversions, revenue // MICROS, revenue % MICROS)
        for *key, conversions, revenue in delta.iter_rows()
    ]
    stored = pl.DataFrame(cells, schema={"shard": pl.Int64, **_SUMS}, orient="row")
    database.put(totals, stored, add=["conversions", "units", "micros"])


def read_rollups(database: Database) -> pl.DataFrame:
    """ROLLUPS as they are stored, without the cells that came to nothing."""
    cells = select(*(rollups.c[name] for name in ROLLUPS))
    return database.read(cells.where((rollups.c.conversions != 0) | (rollups.c.revenue != 0)), ROLLUPS)


def read_click_rollups(database: Database) -> pl.DataFrame:
    """CLICK_ROLLUPS as they are stored."""
    return database.read(select(*(click_rollups.c[name] for name in CLICK_ROLLUPS)), CLICK_ROLLUPS)


def recounted_click_rollups(database: Database) -> pl.DataFrame:
    """CLICK_ROLLUPS counted afresh from the clicks."""
    bucket = (clicks.c.clicked_at // BUCKET_MICROS).label("bucket")
    key = [bucket if name == "bucket" else clicks.c[name] for name in CLICK_ROLLUP_KEY]
    counted = select(*key, func.count(), cast(func.sum(clicks.c.cost), BigInteger)).group_by(*key)
    return database.read(counted, CLICK_ROLLUPS)

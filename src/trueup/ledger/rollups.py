"""The counts: in sum, as they are stored, and counted afresh for comparison."""

from typing import Final

import polars as pl
from sqlalchemy import BigInteger, cast, func, select

from trueup.ledger.database import Database
from trueup.ledger.schema import click_rollups, clicks, rollups
from trueup.model.batch import BUCKET_MICROS, CLICK_ROLLUP_KEY, CLICK_ROLLUPS, ROLLUPS, Schema
from trueup.model.money import MICROS
from trueup.model.words import Clock

_SUMS: Final[Schema] = {
    "conversion_type": pl.String,
    "status": pl.String,
    "conversions": pl.Int64,
    "units": pl.Int64,
    "micros": pl.Int64,
}
# A sum of micros may leave 64 bits where the sums of whole units and of the rest do not.
_TOTALS: Final = (
    select(
        rollups.c.conversion_type,
        rollups.c.status,
        cast(func.sum(rollups.c.conversions), BigInteger),
        cast(func.sum(rollups.c.revenue // MICROS), BigInteger),
        cast(func.sum(rollups.c.revenue % MICROS), BigInteger),
    )
    .where(rollups.c.clock == Clock.CONVERSION.value)
    .group_by(rollups.c.conversion_type, rollups.c.status)
    .order_by(rollups.c.conversion_type, rollups.c.status)
)


def read_totals(database: Database) -> pl.DataFrame:
    """TOTALS of the whole ledger."""
    sums = database.read(_TOTALS, _SUMS).filter(pl.col("conversions") != 0)
    revenue = pl.col("units").cast(pl.Int128) * MICROS + pl.col("micros")
    return sums.select("conversion_type", "status", "conversions", revenue=revenue)


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

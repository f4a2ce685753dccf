"""The counts: read in sum, and recounted from the conversions for comparison."""

from typing import Final

import polars as pl
from sqlalchemy import BigInteger, cast, func, select

from trueup.ledger.database import Database
from trueup.ledger.schema import rollups
from trueup.model.batch import TOTALS, Schema
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

"""What is counted: which statuses make a conversion count, and which make it pay."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.model.words import Status

COUNTED: Final = (Status.APPROVED, Status.PENDING, Status.OTHER)  # a conversion, where its type is included
PAID: Final = (Status.APPROVED, Status.OTHER)  # revenue, whatever its type


@dataclass(frozen=True)
class Sums:
    """The four numbers that people compare with their network's."""

    conversions: int = 0
    revenue: int = 0  # micros of the workspace's currency, like the two below
    pending_revenue: int = 0
    declined_revenue: int = 0


def sum_totals(totals: pl.DataFrame, left_out_types: Collection[str]) -> Sums:
    """Sum TOTALS by the counting rules.

    Takes: also the conversion types that are not included in conversions; their money counts all the same.
    """
    counts = pl.col("status").is_in(COUNTED) & ~pl.col("conversion_type").is_in(list(left_out_types))
    status = pl.col("status")
    sums = totals.select(
        pl.col("conversions").filter(counts).sum(),
        pl.col("revenue").filter(status.is_in(PAID)).sum(),
        pl.col("revenue").filter(status == Status.PENDING).sum().alias("pending_revenue"),
        pl.col("revenue").filter(status == Status.DECLINED).sum().alias("declined_revenue"),
    )
    return Sums(*(int(number) for number in sums.row(0)))

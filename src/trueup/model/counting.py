"""What is counted: which statuses make a conversion count, and which make it pay."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.model.words import Status

COUNTED: Final = (Status.APPROVED, Status.PENDING, Status.OTHER)  # a conversion, where its type is included
PAID: Final = (Status.APPROVED, Status.OTHER)  # revenue, whatever its type


def is_counted(left_out_types: Collection[str] = ()) -> pl.Expr:
    """Whether conversions count: by their status, and where their type is none of those that are left out."""
    counted = pl.col("status").is_in(COUNTED)
    return counted & ~pl.col("conversion_type").is_in(list(left_out_types)) if left_out_types else counted


def is_paid() -> pl.Expr:
    """Whether conversions pay, whatever their type."""
    return pl.col("status").is_in(PAID)


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
    status = pl.col("status")
    sums = totals.select(
        pl.col("conversions").filter(is_counted(left_out_types)).sum(),
        pl.col("revenue").filter(is_paid()).sum(),
        pl.col("revenue").filter(status == Status.PENDING).sum().alias("pending_revenue"),
        pl.col("revenue").filter(status == Status.DECLINED).sum().alias("declined_revenue"),
    )
    return Sums(*(int(number) for number in sums.row(0)))

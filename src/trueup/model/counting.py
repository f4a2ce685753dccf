"""What is counted: which statuses make a conversion count, which make it pay, and how both are summed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.model.frames import Totals
from trueup.model.words import Status

_COUNTED: Final = (Status.APPROVED, Status.PENDING, Status.OTHER)  # count as conversions, if their type is included
PAID: Final = (Status.APPROVED, Status.OTHER)  # count as revenue, whatever the type


def is_counted(left_out_types: Collection[str] = ()) -> pl.Expr:
    """Whether conversions count: by their status, and where their type is none of those that are left out."""
    return pl.col("status").is_in(_COUNTED) & ~pl.col("conversion_type").is_in(list(left_out_types))


def is_paid() -> pl.Expr:
    """Whether conversions pay, whatever their type."""
    return pl.col("status").is_in(PAID)


def total(column: str, where: pl.Expr | None = None) -> pl.Expr:
    """Sum a column of whole numbers, in 128 bits; only where a condition holds, if one is given."""
    cells = pl.col(column).cast(pl.Int128)
    return (cells if where is None else cells.filter(where)).sum()


@dataclass(frozen=True)
class Sums:
    """The four numbers that people compare with their network's."""

    conversions: int = 0
    revenue: int = 0  # micros of the workspace's currency, like the two below
    pending_revenue: int = 0
    declined_revenue: int = 0


def sum_totals(totals: Totals, left_out_types: Collection[str]) -> Sums:
    """Sum TOTALS by the counting rules.

    Args:
        totals: A type and status may come several times.
        left_out_types: The conversion types that are not included in conversions; their money counts all the same.
    """
    return Sums(**totals.select(**_sums(left_out_types)).row(0, named=True))


def sum_totals_by(key: str, totals: pl.DataFrame, left_out_types: Collection[str]) -> dict[int, Sums]:
    """Sum TOTALS by the counting rules, apart for each value of a further column.

    Args:
        key: The column.
        totals: TOTALS and that column.
        left_out_types: As `sum_totals` takes them.
    """
    sums = totals.group_by(key).agg(**_sums(left_out_types))
    return {row.pop(key): Sums(**row) for row in sums.iter_rows(named=True)}


def _sums(left_out_types: Collection[str]) -> dict[str, pl.Expr]:
    status = pl.col("status")
    return {
        "conversions": total("conversions", is_counted(left_out_types)),
        "revenue": total("revenue", is_paid()),
        "pending_revenue": total("revenue", status == Status.PENDING),
        "declined_revenue": total("revenue", status == Status.DECLINED),
    }

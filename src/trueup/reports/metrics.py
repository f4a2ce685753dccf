"""The numbers of a report: what each sums or divides, and how it is written. All of it is exact, in whole numbers.

Facts: a conversion counts where its type is included and its status is counted; it pays where its status is paid,
whatever its type. The columns of a type go by its statuses alone. A ratio over nothing is nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import polars as pl

from trueup.model.counting import is_counted, is_paid, total
from trueup.model.frame_ops import FEW, collect_unoptimized
from trueup.model.frames import Cells, ReportRows, ReportTexts
from trueup.model.money import decimal_text, text_of_decimal
from trueup.model.rounding import rounded_quotient
from trueup.model.words import Status


class Unit(Enum):
    """What a metric's whole numbers are: decimals they carry, and how many of them are always written."""

    COUNT = (0, 0)
    MONEY = (6, 2)  # micros of the workspace's currency
    MONEY_EACH = (6, 6)  # the same, of averages
    PERCENT = (2, 2)  # hundredths of a percent


def units(types: Iterable[str]) -> dict[str, Unit]:
    """List every metric, in the order of a report's columns (docs/counting.md, The columns).

    Args:
        types: The conversion types that have columns of their own.

    Returns:
        The unit of each metric, by its name.
    """
    pairs = [(status.value, f"{status.value}_revenue") for status in Status] + [of_type(kind) for kind in types]
    return {
        "clicks": Unit.COUNT,
        "conversions": Unit.COUNT,
        "revenue": Unit.MONEY,
        "pending_revenue": Unit.MONEY,
        "declined_revenue": Unit.MONEY,
        **{name: unit for pair in pairs for name, unit in zip(pair, (Unit.COUNT, Unit.MONEY), strict=True)},
        "cr": Unit.PERCENT,
        "epc": Unit.MONEY_EACH,
        "cost": Unit.MONEY,
        "profit": Unit.MONEY,
        "roi": Unit.PERCENT,
    }


_COUNTS: Final = ("clicks", "cost", "conversions", "revenue")  # what cells have; null where one has none


@dataclass(frozen=True)
class _Sum:
    """A column of cells to sum, where a condition holds if there is one."""

    column: str
    where: pl.Expr | None = None

    def of_cells(self, exact: type[pl.DataType] = pl.Int128) -> pl.Expr:
        """What is summed of each cell, null for nothing."""
        value = pl.col(self.column).cast(exact)
        return value if self.where is None else pl.when(self.where).then(value)


# What needs clicks, and so cannot be told of a group that clicks are not in.
NEED_CLICKS: Final = ("clicks", "cr", "epc", "cost", "profit", "roi")


# What a table shows unless somebody asks for more.
USUAL: Final = (
    "clicks", "conversions", "cr", "revenue", "pending_revenue", "cost", "profit", "roi", "epc",
)  # fmt: skip
# Every number but those of each status and type.
NUMBERS: Final = (*USUAL[:5], "declined_revenue", *USUAL[5:])


def of_type(conversion_type: str) -> tuple[str, str]:
    """The names of a conversion type's two columns."""
    return f"conversions:{conversion_type}", f"revenue:{conversion_type}"


def summed(cells: Cells, by: Sequence[str], types: Sequence[str], left_out_types: Collection[str]) -> ReportRows:
    """Work out every metric of each group of cells (docs/counting.md, What is counted).

    Args:
        cells: Cells of conversions and of clicks, one under the other; null for what a cell does not have.
        by: The columns to group by; none for one row in all.
        types: The conversion types that have columns of their own.
        left_out_types: The conversion types that are not included in conversions.

    Returns:
        The columns of `by`, then whole numbers in the order of `units`; null where a ratio is undefined.
    """
    return _with_ratios(_grouped(cells, by, _sums(types, left_out_types)), by, types)


def totals_of(rows: ReportRows, types: Sequence[str]) -> ReportRows:
    """Work out every metric of all groups together.

    Args:
        rows: Each group's, as `summed` gives them.
        types: The conversion types that have columns of their own.
    """
    return _with_ratios(rows.select(pl.col(name).sum() for name in _sums(types, ())), [], types)


def _with_ratios(sums: pl.DataFrame, by: Sequence[str], types: Sequence[str]) -> ReportRows:
    clicks, revenue, cost = pl.col("clicks"), pl.col("revenue"), pl.col("cost")
    with_ratios = sums.with_columns(
        cr=rounded_quotient(pl.col("conversions") * 10_000, clicks),
        epc=rounded_quotient(revenue, clicks),
        profit=revenue - cost,
        roi=rounded_quotient((revenue - cost) * 10_000, cost),
    )
    return ReportRows(with_ratios[:, [*by, *units(types)]])


def texts(rows: ReportRows) -> ReportTexts:
    """Write every metric that has decimals as text; counts stay whole numbers."""
    with_decimals = {name: unit for name, unit in _units_of(rows).items() if unit is not Unit.COUNT}
    if rows.height > FEW:
        plan = (decimal_text(pl.col(name), *unit.value).alias(name) for name, unit in with_decimals.items())
        return ReportTexts(rows.with_columns(plan))
    return ReportTexts(rows.with_columns_seq(_few_texts(rows[name], unit) for name, unit in with_decimals.items()))


def _few_texts(numbers: pl.Series, unit: Unit) -> pl.Series:
    written = [None if number is None else text_of_decimal(number, *unit.value) for number in numbers.to_list()]
    return pl.Series(numbers.name, written, pl.String)


def rounded_to_cents(rows: ReportRows) -> ReportRows:
    """Round sums of money to cents, halves to the even one; averages of money to hundredths of cents."""
    parts = {Unit.MONEY: 10_000, Unit.MONEY_EACH: 100}  # micros of what is rounded to
    return ReportRows(
        rows.with_columns(
            rounded_quotient(pl.col(name).cast(pl.Int128), pl.lit(parts[unit], pl.Int128)) * parts[unit]
            for name, unit in _units_of(rows).items()
            if unit in parts
        )
    )


def _units_of(rows: ReportRows) -> dict[str, Unit]:
    """The units of the metrics that rows have."""
    types = [name.removeprefix("revenue:") for name in rows.columns if name.startswith("revenue:")]
    return {name: unit for name, unit in units(types).items() if name in rows.columns}


def _grouped(cells: Cells, by: Sequence[str], sums: Mapping[str, _Sum]) -> pl.DataFrame:
    """Sum cells. What a sum leaves out is nothing before cells are grouped: to filter each group is twice as slow."""
    if not by:  # few cells are left of the many of a sub-parameter
        kinds = ["conversion_type", "status"]
        if cells.height > FEW:
            cells = Cells(cells.group_by(kinds).agg(total(name) for name in _COUNTS))
        return cells.select(each.of_cells().sum().alias(name) for name, each in sums.items())
    exact = pl.Int128 if cells.height <= FEW else _smallest_exact(cells)
    parts = cells.lazy().select(*by, *(each.of_cells(exact).alias(name) for name, each in sums.items()))
    groups = parts.group_by(*by).agg(pl.col(*sums).sum())
    if cells.height <= FEW:
        return collect_unoptimized(groups)
    found = groups.collect(engine="streaming")
    return found.with_columns(pl.col(*sums).cast(pl.Int128))


def _smallest_exact(cells: Cells) -> type[pl.DataType]:
    """The type in which no sum of these cells goes wrong; 128 bits take three times as long."""
    ends = cells.select(pl.col(_COUNTS).min().name.suffix("_least"), pl.col(_COUNTS).max()).fill_null(0)
    most = max(abs(end) for end in ends.row(0))
    return pl.Int64 if most * cells.height < 2**63 else pl.Int128


def _sums(types: Sequence[str], left_out_types: Collection[str]) -> dict[str, _Sum]:
    status, kind = pl.col("status"), pl.col("conversion_type")
    sums = {
        "clicks": _Sum("clicks"),
        "cost": _Sum("cost"),
        "conversions": _Sum("conversions", is_counted(left_out_types)),
        "revenue": _Sum("revenue", is_paid()),
    }
    for each in Status:
        sums[each.value] = _Sum("conversions", status == each)
        sums[f"{each.value}_revenue"] = _Sum("revenue", status == each)
    for each_type in types:
        count, revenue = of_type(each_type)
        sums[count] = _Sum("conversions", is_counted() & (kind == each_type))
        sums[revenue] = _Sum("revenue", is_paid() & (kind == each_type))
    return sums

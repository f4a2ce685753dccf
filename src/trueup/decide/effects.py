"""What follows from conversions before -> after: rows to store, changes and counts. All rules and inputs share it.

What is counted: docs/counting.md.
"""

from typing import Final

import polars as pl

from trueup.decide.rounds import Steps
from trueup.model.frame_ops import FEW, collect_unoptimized, sum_by
from trueup.model.frames import (
    BUCKET_MICROS,
    CHANGES,
    CONVERSIONS,
    COUNTED,
    HOUR_BUCKETS,
    MUTABLE,
    ROLLUP_KEY,
    ROLLUPS,
    TOTALS,
    Changes,
    Conversions,
    CountedConversions,
    Rollups,
    Totals,
    empty,
)
from trueup.model.words import ReportClock

_CONVERSION: Final = list(CONVERSIONS)
_NO_CHANGES, _NO_COUNTED = empty(CHANGES), empty(COUNTED)
_NO_ROLLUPS, _NO_TOTALS = empty(ROLLUPS), empty(TOTALS)
_WAS_THERE: Final = pl.col("was_version").is_not_null()

_CHANGE: Final = [
    "click_id",
    "n",
    "version",
    pl.col("by_batch").alias("batch_id"),
    pl.col("by_line").alias("line"),
]
_WAS_COUNTED: Final = _WAS_THERE & (pl.col("was_removed") == 0)
_WAS: Final = pl.struct(pl.col(f"was_{name}").alias(name) for name in MUTABLE).struct.json_encode()
_BEFORE: Final = pl.when(_WAS_THERE).then(_WAS).otherwise(pl.lit("")).alias("before")
_AFTER: Final = pl.struct(*MUTABLE).struct.json_encode().alias("after")

_AS_AFTER: Final = {
    "conversion": pl.col("converted_at") // BUCKET_MICROS,
    "click": pl.col("clicked_at") // BUCKET_MICROS,
    "conversions": pl.lit(1, pl.Int64),
}
_AS_BEFORE: Final = {
    "conversion": pl.col("was_converted_at") // BUCKET_MICROS,
    "click": pl.col("clicked_at") // BUCKET_MICROS,
    "status": pl.col("was_status"),
    "label": pl.col("was_label"),
    "conversions": pl.lit(-1, pl.Int64),
    "revenue": -pl.col("was_revenue"),
}
_COUNTED_AFTER: Final = [_AS_AFTER.get(name, pl.col(name)).alias(name) for name in COUNTED]
_COUNTED_BEFORE: Final = [_AS_BEFORE.get(name, pl.col(name)).alias(name) for name in COUNTED]
# A sum that does not fit in 64 bits is null, and the ledger refuses to store it.
_IS_SOMETHING: Final = (pl.col("conversions") != 0) | pl.col("revenue").ne_missing(0)
# A sum over all cells may not fit in 64 bits.
_SUMS: Final = [pl.col("conversions").sum(), pl.col("revenue").cast(pl.Int128).sum()]
_CLOCKS: Final = sorted(clock.value for clock in ReportClock)  # so that the cells of one row are in order
_HOUR: Final = pl.col("bucket") // HOUR_BUCKETS * HOUR_BUCKETS
_CELL: Final = [name for name in ROLLUPS if name not in ("clock", "bucket")]
_TOTALS: Final = list(TOTALS)


def final_conversions(steps: Steps) -> Conversions:
    """CONVERSIONS as the steps leave them, each conversion once."""
    if steps.height == 1 or not steps["version"].max():  # each conversion has one step
        return Conversions(steps[:, _CONVERSION])
    return Conversions(steps[:, _CONVERSION].unique(subset=["click_id", "n"], keep="last", maintain_order=True))


def changes(steps: Steps, now: int) -> Changes:
    """The changes to keep for ever: every step, except a creation by the conversion's own row.

    Args:
        steps: STEPS.
        now: The moment of the changes, in microseconds since the epoch.

    Returns:
        CHANGES.
    """
    if not steps["version"].max():
        return _NO_CHANGES
    changed = steps.lazy().filter(pl.col("version") > 0)
    changed_at = pl.lit(now, dtype=pl.Int64).alias("changed_at")
    return Changes(collect_unoptimized(changed.select_seq(*_CHANGE, changed_at, _BEFORE, _AFTER)))


def counted(steps: Steps) -> CountedConversions:
    """COUNTED: a row for each conversion that is there after a step, and for each that was there before it (-1)."""
    return CountedConversions(collect_unoptimized(_counted(steps))) if steps.height else _NO_COUNTED


def rollup_deltas(steps: Steps, rows: CountedConversions | None = None) -> Rollups:
    """What the steps add to each cell of the rollups, and take from it.

    Args:
        steps: STEPS.
        rows: What `counted` gives of them, where that is known.

    Returns:
        ROLLUPS to add, sorted, so that all writers lock cells in the same order.
    """
    if not steps.height:
        return _NO_ROLLUPS
    by_clock = (_counted(steps) if rows is None else rows.lazy()).unpivot(
        _CLOCKS, index=_CELL, variable_name="clock", value_name="bucket"
    )
    cells = sum_by(collect_unoptimized(by_clock.with_columns_seq(_HOUR)), list(ROLLUP_KEY), ["conversions", "revenue"])
    if steps["version"].max():  # of creations alone, every cell gets something
        cells = cells.filter(_IS_SOMETHING)
    return Rollups(cells)


def totals_delta(steps: Steps) -> Totals:
    """TOTALS to add, by type and status."""
    if not steps.height:
        return _NO_TOTALS
    return _summed(_counted(steps))


def totals_of_cells(deltas: Rollups) -> Totals:
    """Make of rollups what they add to the totals.

    Args:
        deltas: ROLLUPS to add, sorted; no sum is null.

    Returns:
        TOTALS to add. A type and status may come several times.
    """
    by_click = (deltas["clock"] == ReportClock.CLICK).sum()
    cells = deltas[by_click:]  # of the conversion clock, which is sorted after the click clock
    return _summed(cells.lazy()) if cells.height > FEW else Totals(cells[:, _TOTALS])


def _summed(counted: pl.LazyFrame) -> Totals:
    sums = counted.group_by("conversion_type", "status").agg(*_SUMS)
    return Totals(collect_unoptimized(sums.sort("conversion_type", "status").select_seq(*TOTALS)))


def _counted(steps: Steps) -> pl.LazyFrame:
    """One row for each conversion that is there after a step (1), and for each that was there before it (-1)."""
    there = steps.lazy().filter(pl.col("removed") == 0) if steps["removed"].max() else steps.lazy()
    after = there.select_seq(*_COUNTED_AFTER)
    if not steps["version"].max():  # only creations: nothing was there before
        return after
    before = steps.lazy().filter(_WAS_COUNTED).select_seq(*_COUNTED_BEFORE)
    return pl.concat([after, before])

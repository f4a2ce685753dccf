"""What follows from conversions before -> after: rows to store, changes, counts. One way for every rule and input."""

from typing import Final

import polars as pl

from trueup.model.batch import BUCKET_MICROS, CHANGES, CONVERSIONS, MUTABLE, ROLLUP_KEY, ROLLUPS, TOTALS, empty
from trueup.model.plans import worked_out
from trueup.model.words import Clock

_CONVERSION: Final = list(CONVERSIONS)
_NO_CHANGES, _NO_ROLLUPS, _NO_TOTALS = empty(CHANGES), empty(ROLLUPS), empty(TOTALS)


def _was_there() -> pl.Expr:
    return pl.col("was_version").is_not_null()


def final_conversions(steps: pl.DataFrame) -> pl.DataFrame:
    """CONVERSIONS as the steps leave them, one row each."""
    if steps.height == 1 or not steps["version"].max():  # a conversion has one step: the only one, or its making
        return steps[_CONVERSION]
    return steps[_CONVERSION].unique(subset=["click_id", "n"], keep="last", maintain_order=True)


def changes(steps: pl.DataFrame, now: int) -> pl.DataFrame:
    """CHANGES to keep for ever, made at `now`: every step but a creation by its own row."""
    if not steps["version"].max():
        return _NO_CHANGES
    changed = steps.lazy().filter(pl.col("version") > 0)
    return worked_out(changed.select_seq(*_CHANGE, pl.lit(now, dtype=pl.Int64).alias("changed_at"), _BEFORE, _AFTER))


def rollup_deltas(steps: pl.DataFrame) -> pl.DataFrame:
    """ROLLUPS to add: what the steps add to each cell, and take from it. Sorted, so that writers lock in one order."""
    if not steps.height:
        return _NO_ROLLUPS
    by_clock = (
        _counted(steps)
        .with_columns_seq(_BUCKETS)
        .unpivot([clock.value for clock in Clock], index=_CELL, variable_name="clock", value_name="bucket")
    )
    cells = by_clock.group_by(*ROLLUP_KEY).agg(*_SUMS).filter(_IS_SOMETHING).sort(*ROLLUP_KEY)
    return worked_out(cells.with_columns_seq(_FITTING))


def totals_delta(steps: pl.DataFrame) -> pl.DataFrame:
    """TOTALS to add, by type and status."""
    if not steps.height:
        return _NO_TOTALS
    cells = _counted(steps).group_by("conversion_type", "status").agg(*_SUMS)
    return worked_out(cells.sort("conversion_type", "status").select_seq(*TOTALS))


def _counted(steps: pl.DataFrame) -> pl.LazyFrame:
    """One row for each conversion that counts after a step (1), and for each that counted before it (-1)."""
    after = steps.lazy().filter(pl.col("removed") == 0).select_seq(*_COUNTED_AFTER)
    if not steps["version"].max():  # nothing was there before
        return after
    before = steps.lazy().filter(_was_there() & (pl.col("was_removed") == 0)).select_seq(*_COUNTED_BEFORE)
    return pl.concat([after, before])


_CHANGE: Final = [
    "click_id",
    "n",
    "version",
    pl.col("by_batch").alias("batch_id"),
    pl.col("by_line").alias("line"),
]
_WAS: Final = pl.struct(pl.col(f"was_{name}").alias(name) for name in MUTABLE).struct.json_encode()
_BEFORE: Final = pl.when(_was_there()).then(_WAS).otherwise(pl.lit("")).alias("before")
_AFTER: Final = pl.struct(*MUTABLE).struct.json_encode().alias("after")

_PLACE: Final = ["conversion_type", "campaign_id", "offer_id", "network_id", "traffic_source_id", "clicked_at"]
_COUNTED_AFTER: Final = [*_PLACE, "status", "converted_at", pl.lit(1, pl.Int64).alias("conversions"), "revenue"]
_COUNTED_BEFORE: Final = [
    *_PLACE,
    pl.col("was_status").alias("status"),
    pl.col("was_converted_at").alias("converted_at"),
    pl.lit(-1, pl.Int64).alias("conversions"),
    (-pl.col("was_revenue")).alias("revenue"),
]
# Sums have more bits than amounts: no number of rows makes one wrong. A cell that leaves 64 bits becomes null, which
# the ledger refuses to store.
_SUMS: Final = [pl.col("conversions").sum(), pl.col("revenue").cast(pl.Int128).sum()]
_IS_SOMETHING: Final = (pl.col("conversions") != 0) | (pl.col("revenue") != 0)
_FITTING: Final = pl.col("revenue").cast(pl.Int64, strict=False)
_BUCKETS: Final = [
    (pl.col("converted_at") // BUCKET_MICROS).alias(Clock.CONVERSION),
    (pl.col("clicked_at") // BUCKET_MICROS).alias(Clock.CLICK),
]
_CELL: Final = [name for name in ROLLUPS if name not in ("clock", "bucket")]

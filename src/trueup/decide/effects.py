"""What follows from conversions before -> after: rows to store, changes, counts. One way for every rule and input."""

from typing import Final

import polars as pl

from trueup.model.batch import BUCKET_MICROS, CHANGES, CONVERSIONS, MUTABLE, ROLLUP_KEY, ROLLUPS, TOTALS, empty
from trueup.model.words import Clock


def _was_there() -> pl.Expr:
    return pl.col("was_version").is_not_null()


def final_conversions(steps: pl.DataFrame) -> pl.DataFrame:
    """CONVERSIONS as the steps leave them, one row each."""
    if (steps["version"] == 0).all():  # each was made, and by its own row
        return steps.select(*CONVERSIONS)
    return steps.select(*CONVERSIONS).unique(subset=["click_id", "n"], keep="last", maintain_order=True)


def changes(steps: pl.DataFrame, now: int) -> pl.DataFrame:
    """CHANGES to keep for ever, made at `now`: every step but a creation by its own row."""
    changed = steps.filter(pl.col("version") > 0)
    if not changed.height:
        return empty(CHANGES)
    before = pl.struct(pl.col(f"was_{name}").alias(name) for name in MUTABLE).struct.json_encode()
    return changed.select(
        "click_id",
        "n",
        "version",
        batch_id="by_batch",
        line="by_line",
        changed_at=pl.lit(now, dtype=pl.Int64),
        before=pl.when(_was_there()).then(before).otherwise(pl.lit("")),
        after=pl.struct(*MUTABLE).struct.json_encode(),
    )


def rollup_deltas(steps: pl.DataFrame) -> pl.DataFrame:
    """ROLLUPS to add: what the steps add to each cell, and take from it. Sorted, so that writers lock in one order."""
    if not steps.height:
        return empty(ROLLUPS)
    counted = _counted(steps)
    by_clock = [
        counted.with_columns(clock=pl.lit(clock.value), bucket=pl.col(time) // BUCKET_MICROS)
        for clock, time in ((Clock.CONVERSION, "converted_at"), (Clock.CLICK, "clicked_at"))
    ]
    cells = pl.concat(by_clock).group_by(*ROLLUP_KEY).agg(*_SUMS)
    return cells.filter(_IS_SOMETHING).sort(*ROLLUP_KEY).select(*_AS_ROLLUPS).collect()


def totals_delta(steps: pl.DataFrame) -> pl.DataFrame:
    """TOTALS to add, by type and status."""
    if not steps.height:
        return empty(TOTALS)
    cells = _counted(steps).group_by("conversion_type", "status").agg(*_SUMS)
    return cells.sort("conversion_type", "status").select(*TOTALS).collect()


def _counted(steps: pl.DataFrame) -> pl.LazyFrame:
    """One row for each conversion that counts after a step (1), and for each that counted before it (-1)."""
    after = steps.lazy().filter(pl.col("removed") == 0).select(*_COUNTED_AFTER)
    if (steps["version"] == 0).all():  # nothing was there before
        return after
    before = steps.lazy().filter(_was_there() & (pl.col("was_removed") == 0)).select(*_COUNTED_BEFORE)
    return pl.concat([after, before])


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
_AS_ROLLUPS: Final = [pl.col(name).cast(dtype, strict=False) for name, dtype in ROLLUPS.items()]

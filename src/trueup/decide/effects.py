"""What follows from conversions before -> after: rows to store, changes, counts. One way for every rule and input."""

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
    counted = _counted(steps)
    if not counted.height:
        return empty(ROLLUPS)
    by_clock = [
        counted.with_columns(clock=pl.lit(clock.value), bucket=pl.col(time) // BUCKET_MICROS)
        for clock, time in ((Clock.CONVERSION, "converted_at"), (Clock.CLICK, "clicked_at"))
    ]
    cells = pl.concat(by_clock).group_by(*ROLLUP_KEY).agg(pl.col("conversions", "revenue").sum())
    return cells.filter((pl.col("conversions") != 0) | (pl.col("revenue") != 0)).sort(*ROLLUP_KEY).select(*ROLLUPS)


def totals_delta(steps: pl.DataFrame) -> pl.DataFrame:
    """TOTALS to add, by type and status."""
    counted = _counted(steps).with_columns(pl.col("revenue").cast(pl.Int128))
    cells = counted.group_by("conversion_type", "status").agg(pl.col("conversions", "revenue").sum())
    return cells.sort("conversion_type", "status").select(*TOTALS)


def _counted(steps: pl.DataFrame) -> pl.DataFrame:
    """One row for each conversion that counts after a step (1), and for each that counted before it (-1)."""
    fixed = ["conversion_type", "campaign_id", "offer_id", "network_id", "traffic_source_id", "clicked_at"]
    after = steps.filter(pl.col("removed") == 0).select(
        *fixed, "status", "converted_at", conversions=pl.lit(1, dtype=pl.Int64), revenue="revenue"
    )
    gone = steps.filter(_was_there() & (pl.col("was_removed") == 0))
    if not gone.height:
        return after
    before = gone.select(
        *fixed,
        status="was_status",
        converted_at="was_converted_at",
        conversions=pl.lit(-1, dtype=pl.Int64),
        revenue=-pl.col("was_revenue"),
    )
    return pl.concat([after, before])

"""When a conversion happened, in UTC: local times by the zone of their network, and times that are refused.

Clocks differ, so up to five minutes before the click counts as the moment of the click. Earlier times are before the
click. Times more than five minutes after the row was received are in the future. Who says no time cannot be wrong about
it: a row that was received before its click happened at the click.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from trueup.model.frame_ops import collect_unoptimized
from trueup.model.frames import UndecidedRows
from trueup.model.policy import Policy
from trueup.model.times import SECOND_MICROS, local_times_text
from trueup.model.words import Outcome
from trueup.model.zones import clock_changes, moments

SLACK_MICROS: Final = 5 * 60 * SECOND_MICROS

# What a row's zone depends on.
_ASKED: Final = ["policy_id", "network_id", "fallback_zone"]
_IS_LOCAL: Final = pl.col("local_time").is_not_null() & pl.col("clicked_at").is_not_null()
# Rows whose time is checked: a bad time is refused even where their sender says to ignore their status.
_SO_FAR_FIT: Final = pl.col("refusal").is_in(["", Outcome.IGNORED_STATUS.value])
_HAS_ZONE: Final = pl.col("zone") != ""
_HAS_NO_MOMENT: Final = _HAS_ZONE & pl.col("converted_at").is_null() & _SO_FAR_FIT
_ZONE_OF_LOCAL: Final = pl.when(_IS_LOCAL).then("zone").fill_null("").alias("zone")


def with_moments(rows: UndecidedRows, policies: Mapping[int, Policy]) -> UndecidedRows:
    """Set `converted_at` of rows that give a local time, by the zone of their click's network, else by their own.

    Args:
        rows: Rows with the batch's columns and their click's facts. Where the click is unknown, so is the zone.
        policies: Every policy that the rows name.

    Returns:
        The rows; `refusal` and `detail` say where a clock change skipped or repeated the time.
    """
    if rows["local_time"].null_count() == rows.height:
        return rows
    zoned = _with_zones(rows, policies)
    local = {zone: pl.when(pl.col("zone") == zone).then("local_time") for zone in zoned["zone"].unique() if zone}
    if not local:
        return rows
    found = pl.coalesce(moments(time, zone) for zone, time in local.items())
    dated = zoned.with_columns_seq(converted_at=pl.when(_HAS_ZONE).then(found).otherwise("converted_at"))
    is_bad = dated.select(_HAS_NO_MOMENT).to_series()
    if is_bad.any():
        why = pl.coalesce(clock_changes(time, zone, _shown(time)) for zone, time in local.items())
        dated = dated.with_columns_seq(
            refusal=pl.when(is_bad).then(pl.lit(Outcome.REFUSED_BAD_TIME.value)).otherwise("refusal"),
            detail=pl.when(is_bad).then(why).otherwise("detail"),
        )
    return UndecidedRows(dated.drop("zone"))


def _with_zones(rows: pl.DataFrame, policies: Mapping[int, Policy]) -> pl.DataFrame:
    """Add `zone`, the zone of each row's local time. It is '' where there is no local time, or the zone is unknown."""
    asked = rows.filter(_IS_LOCAL)[_ASKED].unique()
    zones = [policies[policy].network(network).time_zone or fallback for policy, network, fallback in asked.iter_rows()]
    known = asked.with_columns(zone=pl.Series(zones, dtype=pl.String))
    found = rows.lazy().join(known.lazy(), on=_ASKED, how="left", maintain_order="left")
    return collect_unoptimized(found.with_columns_seq(_ZONE_OF_LOCAL))


def _shown(local_time: pl.Expr) -> pl.Expr:
    return pl.format("'{}'", local_times_text(local_time))


def given_time() -> pl.Expr:
    """The time that a row gives, null where it gives none. A time slightly before the click is the click's moment."""
    is_early = pl.col("converted_at") < pl.col("clicked_at")
    return pl.when(is_early).then(pl.col("clicked_at")).otherwise(pl.col("converted_at"))


def happened_at() -> pl.Expr:
    """When a created conversion happened: the time that its row gives (`given_time`), else when that was received."""
    return pl.coalesce("converted_at", pl.max_horizontal("received_at", "clicked_at"))


def before_click() -> pl.Expr:
    """Rows that give a time more than five minutes before their click.

    A row without a time is never one: where it was received before its click, our own clock has stepped back.
    """
    return (pl.col("converted_at") < pl.col("clicked_at") - SLACK_MICROS).fill_null(value=False)


def in_future() -> pl.Expr:
    """Rows whose time is more than five minutes after they were received."""
    return given_time().fill_null(0) > pl.col("received_at") + SLACK_MICROS

"""Time zones: which there are, and what their clocks show.

A clock change skips some local times and repeats others. All zones come from the table of Polars: the machine's own may
be of another year.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Final

import polars as pl

# Polars also takes offsets, "utc" and '', which are not names of zones.
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+/-]*")
_MINUTE_MICROS: Final = 60 * 1_000_000
_DAY_MINUTES: Final = 24 * 60
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


class ClockChange(StrEnum):
    """Why a local time is no moment."""

    SKIPPED = "skipped"  # the time never came
    REPEATED = "repeated"  # the time came twice


def is_known(zone: str) -> bool:
    """Whether there is a zone of this name. An older table of zones lacks the newest."""
    if not _NAME.fullmatch(zone):
        return False
    try:
        pl.select(moments(pl.lit(0, pl.Int64), zone))
    except pl.exceptions.ComputeError:
        return False
    return True


def moments(local_time: pl.Expr, zone: str) -> pl.Expr:
    """The moments of local times.

    Args:
        local_time: Microseconds from the epoch to what a clock shows, as if in UTC.
        zone: The IANA name of the clock's zone.

    Returns:
        Microseconds since the epoch; null where a clock change skipped or repeated the time.
    """
    return _in_zone(local_time, zone, "null")


def moment(local_time: int, zone: str) -> int | ClockChange:
    """The moment of one local time as `moments` has it, or why it is none."""
    shown = pl.lit(local_time, pl.Int64)
    once, first = pl.select(once=moments(shown, zone), first=_in_zone(shown, zone, "earliest")).row(0)
    if once is not None:
        return int(once)
    return ClockChange.SKIPPED if first is None else ClockChange.REPEATED


def clock_changes(local_time: pl.Expr, zone: str, shown: pl.Expr) -> pl.Expr:
    """Say why local times are no moments, for a person.

    Args:
        local_time: As `moments` takes it, of times that it made null.
        zone: As `moments` takes it.
        shown: The times as the person knows them.

    Returns:
        Which clock change it was.
    """
    return (
        pl.when(_in_zone(local_time, zone, "earliest").is_null())
        .then(pl.format(f"{{}} never was in {zone}: a clock change skipped it. Give its offset", shown))
        .otherwise(pl.format(f"{{}} was twice in {zone}: a clock change repeated it. Give its offset", shown))
    )


def day_begins(day: date, zone: str) -> int:
    """The first moment of a local day: a clock change may skip its midnight, or all of it.

    Returns:
        Microseconds since the epoch.
    """
    midnight = (day.toordinal() - _EPOCH_DAY) * _DAY_MINUTES
    minutes = pl.int_range(midnight, midnight + _DAY_MINUTES + 1, dtype=pl.Int64)
    there = _in_zone(minutes * _MINUTE_MICROS, zone, "earliest").drop_nulls()
    return int(pl.select(there.first()).item())


def local_times(micros: pl.Expr, zone: str) -> pl.Expr:
    """Microseconds since the epoch as date-times of a zone."""
    return micros.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)


def _in_zone(local_time: pl.Expr, zone: str, ambiguous: str) -> pl.Expr:
    if zone == "UTC":
        return local_time
    clock = local_time.cast(pl.Datetime("us"))
    return clock.dt.replace_time_zone(zone, ambiguous=pl.lit(ambiguous), non_existent="null").to_physical()

"""Time zones: which there are, and what their clocks show.

A clock change skips some local times and repeats others. All zones come from the table of Polars: the machine's own may
be of another year.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final
from zoneinfo import available_timezones

import polars as pl

# Polars also takes offsets, "utc" and '', which are not names of zones.
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+/-]*")
_LONGEST: Final = 64  # characters; the longest name of a zone has 32
_OFFSET: Final = re.compile("([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?")
_MINUTE_MICROS: Final = 60 * 1_000_000
_DAY_MINUTES: Final = 24 * 60
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


class ClockChange(StrEnum):
    """Why a local time is no moment."""

    SKIPPED = "skipped"  # the time never came
    REPEATED = "repeated"  # the time came twice


def is_known(zone: str) -> bool:
    """Whether there is a zone of this name. An older table of zones lacks the newest."""
    return len(zone) <= _LONGEST and _NAME.fullmatch(zone) is not None and _has_moments(zone)


@lru_cache(maxsize=1_000)
def _has_moments(zone: str) -> bool:
    try:
        pl.select(moments(pl.lit(0, pl.Int64), zone))
    except pl.exceptions.ComputeError:
        return False
    return True


def zone_named(name: str) -> str:
    """Find a zone by its name in any case.

    Returns:
        The name as the table of zones has it, '' where there is none.
    """
    if is_known(name):
        return name
    found = _by_folded_name().get(name.casefold(), "")
    return found if found and is_known(found) else ""


@cache
def _by_folded_name() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def offset_named(text: str) -> str:
    """Read an offset that stands for a zone whose clocks never change, such as `+01:00` or `+0100`.

    Returns:
        The offset as `+01:00`, '' where the text is none.
    """
    found = _OFFSET.fullmatch(text)
    return f"{found[1]}{found[2]}:{found[3] or '00'}" if found else ""


def moments(local_time: pl.Expr, zone: str) -> pl.Expr:
    """The moments of local times.

    Args:
        local_time: Microseconds from the epoch to what a clock shows, as if in UTC.
        zone: The IANA name of the clock's zone, or an offset as `offset_named` writes it.

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
    if zone[0] in "+-":
        ahead = (int(zone[1:3]) * 60 + int(zone[4:])) * _MINUTE_MICROS
        return local_time - ahead if zone[0] == "+" else local_time + ahead
    clock = local_time.cast(pl.Datetime("us"))
    return clock.dt.replace_time_zone(zone, ambiguous=pl.lit(ambiguous), non_existent="null").to_physical()

"""Spans of time as people write them: from when, and until when."""

import re
from datetime import date, timedelta
from typing import Final

import polars as pl

from trueup.model.remarks import RemarkError, Way
from trueup.model.times import DAY_ALONE, NO_TIME, Time, read_time
from trueup.model.zones import ClockChange, day_begins, local_times, moment

_FORMS: Final = (
    "write 2026-03-31, 2026-03, today, yesterday, 7d (seven days ago) or 2026-03-31T14:30, with an offset such as "
    "+02:00 where it is not in your time zone"
)
_MONTH: Final = re.compile("([0-9]{4})-(0[1-9]|1[0-2])")
_DAYS_AGO: Final = re.compile("([0-9]{1,4})d")
_DAYS_AGO_OF: Final = {"today": 0, "yesterday": 1}


class WrongWordError(RemarkError):
    """A word that a person wrote is none that can be used here. The remark says what can."""


def bounds(from_: str | None, to: str | None, zone: str, now: int) -> tuple[int | None, int | None]:
    """Read a span of time.

    Args:
        from_: When it begins, None for no bound: a date-time, or a day or month, whose beginning is meant.
        to: When it ends, the same; of a day or month, the end is meant.
        zone: Of days, months, and date-times without an offset.
        now: The moment, in microseconds since the epoch.

    Returns:
        Microseconds since the epoch: the first moment that is meant, and the first that is not.

    Raises:
        WrongWordError: A bound cannot be read, is a local time that a clock change skipped or repeated, or nothing lies
            between the two.
    """
    from_at = None if from_ is None else _moment(Way.FROM, from_, zone, now, ends=False)
    to_at = None if to is None else _moment(Way.TO, to, zone, now, ends=True)
    if from_at is not None and to_at is not None and from_at >= to_at:
        raise WrongWordError("Nothing lies between ", Way.FROM.of(), f" {from_} and ", Way.TO.of(), f" {to}.")
    return from_at, to_at


def _moment(way: Way, text: str, zone: str, now: int, *, ends: bool) -> int:
    """Read a bound.

    Args:
        way: What gives it, for the message.
        text: What was written.
        zone: Of days, months, and date-times without an offset.
        now: The moment, in microseconds since the epoch.
        ends: Whether the end of a day or month is meant, not its beginning.
    """
    try:
        days = _days(text, zone, now)
        read = Time(exact=day_begins(days[ends], zone)) if days else read_time(text, any_year=True)
    except (ValueError, OverflowError):  # there is no such day
        read = NO_TIME
    if read.exact is not None:
        return read.exact
    if read.local is None:
        raise WrongWordError(way.of(), f" {text!r} is not a date or a time: {_FORMS}.")
    return _once(way, text, read.local, zone)


def _days(text: str, zone: str, now: int) -> tuple[date, date] | None:
    """The first day that is meant, and the first that is not; None for what is no day or month."""
    if DAY_ALONE.fullmatch(text):
        day = date.fromisoformat(text)
        return day, day + timedelta(days=1)
    if month := _MONTH.fullmatch(text):
        year, number = int(month[1]), int(month[2])
        return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
    ago = _DAYS_AGO.fullmatch(text)
    days_ago = int(ago[1]) if ago else _DAYS_AGO_OF.get(text)
    if days_ago is None:
        return None
    today: date = pl.select(local_times(pl.lit(now, pl.Int64), zone).dt.date()).item()
    day = today - timedelta(days=days_ago)
    return day, day + timedelta(days=1)


def _once(way: Way, text: str, local_time: int, zone: str) -> int:
    """The moment of a local time that its zone has had exactly once."""
    found = moment(local_time, zone)
    if isinstance(found, ClockChange):
        raise WrongWordError(
            way.of(), f" {text!r} was {found} by a clock change in {zone}: add its offset, such as +02:00."
        )
    return found

"""Date-times as text to microseconds since the epoch, whole columns at once.

Accepted: ISO 8601 with `T` or a space, with or without seconds, fraction and offset; and Unix times. A Unix time, and a
time with an offset, is exact. Any other is what a clock showed, in the zone of the file or in one that is known later.
"""

from typing import Final

import polars as pl

from trueup.dialects.choices import UnreadableFile
from trueup.model.zones import clock_change, is_known, moment

SECOND_MICROS: Final = 1_000_000
DAY_MICROS: Final = 86_400 * SECOND_MICROS

# Years are of four digits from 1000 to 2999; every time of theirs fits a date-time of every language.
_SHAPE: Final = (
    r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?$"
)
# Unix times are told by their digits: 9 or 10 of seconds, 12 or 13 of milliseconds, which is 1973 to 2286.
UNIX_SECONDS: Final = r"[1-9][0-9]{8,9}"
UNIX_MILLISECONDS: Final = r"[1-9][0-9]{11,12}"
_UNIX: Final = f"^(?:{UNIX_SECONDS}|{UNIX_MILLISECONDS})$"
_SECONDS_MOST: Final = 10  # digits
_OFFSET: Final = r"(?:Z|[+-][0-9:]+)$"
_AFTER_MINUTES: Final = len("2011-12-03T10:15")


def known_zone(zone: str) -> str:
    """Check that a time zone exists. Raises: UnreadableFile."""
    if not is_known(zone):
        raise UnreadableFile(f'No time zone is called "{zone}". Names are such as Europe/Warsaw or UTC.')
    return zone


def time_micros(text: pl.Expr, zone: str) -> pl.Expr:
    """Read times.

    Args:
        text: trimmed.
        zone: of times without an offset.

    Returns:
        Microseconds since the epoch; null where the text is no time, and where its zone skips or repeats it.
    """
    return pl.coalesce(exact_micros(text), moment(local_micros(text), zone))


def exact_micros(text: pl.Expr) -> pl.Expr:
    """Read Unix times and times with an offset: microseconds since the epoch; null for all other text (trimmed)."""
    offset = _offset(text)
    exact = pl.when(offset.is_not_null()).then(_clock(text) - _offset_micros(offset))
    return pl.coalesce(exact, _unix_micros(text))


def local_micros(text: pl.Expr) -> pl.Expr:
    """Read times without an offset: microseconds from the epoch to what the clock shows, as if in UTC; else null."""
    return pl.when(_offset(text).is_null()).then(_clock(text))


def time_trouble(text: pl.Expr, shown: pl.Expr, zone: str) -> pl.Expr:
    """Say what is wrong with times that `time_micros` could not read, for a person."""
    clock = _local_micros(pl.when(text.str.contains(_SHAPE)).then(text))
    return (
        pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
        .then(pl.format("{} has no time of day", shown))
        .when(clock.is_null())
        .then(pl.format("{} is not a time such as 2011-12-03T10:15:30+01:00", shown))
        .otherwise(clock_change(clock, zone, shown))
    )


def _clock(text: pl.Expr) -> pl.Expr:
    """What the clock shows, null for text that is no date-time."""
    # Masking the number, not the text, spares several copies of the text.
    return pl.when(text.str.contains(_SHAPE)).then(_local_micros(text))


def _offset(text: pl.Expr) -> pl.Expr:
    return _rest(text).str.extract(_OFFSET, 0)


def _unix_micros(text: pl.Expr) -> pl.Expr:
    digits = pl.when(text.str.contains(_UNIX)).then(text)
    unit = pl.when(text.str.len_bytes() <= _SECONDS_MOST).then(SECOND_MICROS).otherwise(SECOND_MICROS // 1_000)
    return _number(digits) * unit


def _rest(text: pl.Expr) -> pl.Expr:
    """What follows the minutes: seconds, fraction, offset."""
    return text.str.slice(_AFTER_MINUTES)


def _local_micros(text: pl.Expr) -> pl.Expr:
    """Microseconds from the epoch to what the clock shows, as if in UTC; null for a day that no month has."""
    day = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).to_physical().cast(pl.Int64)
    minutes = _number(text.str.slice(11, 2)) * 60 + _number(text.str.slice(14, 2))
    seconds = _number(_rest(text).str.extract("^:([0-9]{2})"))
    fraction = _number(_rest(text).str.extract(r"\.([0-9]{1,6})").str.pad_end(6, "0"))
    return day * DAY_MICROS + (minutes * 60 + seconds.fill_null(0)) * SECOND_MICROS + fraction.fill_null(0)


def _offset_micros(offset: pl.Expr) -> pl.Expr:
    """How far a clock of this offset is ahead of UTC."""
    has_minutes = offset.str.len_bytes() > len("+01")
    hours = _number(offset.str.slice(1, 2)).fill_null(0)  # none in "Z"
    minutes = hours * 60 + pl.when(has_minutes).then(_number(offset.str.slice(-2))).otherwise(0)
    return pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes) * (60 * SECOND_MICROS)


def _number(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False)

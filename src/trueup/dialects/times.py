"""Date-times as text to microseconds since the epoch, whole columns at once.

Accepted: ISO 8601 with `T` or a space, with or without seconds, fraction and offset. A time with an offset is exact.
One without is local time of the file's zone, where a clock change makes some times happen never and some twice.
"""

from typing import Final

import polars as pl

from trueup.dialects.choices import UnreadableFile

SECOND_MICROS: Final = 1_000_000
DAY_MICROS: Final = 86_400 * SECOND_MICROS

# Years are of four digits from 1000 to 2999; every time of theirs fits a date-time of every language.
_SHAPE: Final = (
    r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?$"
)
_OFFSET: Final = r"(?:Z|[+-][0-9:]+)$"
_AFTER_MINUTES: Final = len("2011-12-03T10:15")


def known_zone(zone: str) -> str:
    """Check that a time zone exists. Raises: UnreadableFile."""
    try:
        pl.select(pl.lit(0, pl.Datetime("us")).dt.replace_time_zone(zone))
    except pl.exceptions.ComputeError:
        raise UnreadableFile(f'No time zone is called "{zone}". Names are such as Europe/Warsaw or UTC.') from None
    return zone


def time_micros(text: pl.Expr, zone: str) -> pl.Expr:
    """Read times.

    Takes: trimmed text, and the zone of times without an offset. Returns: microseconds since the epoch, null where the
    text is no time, and where its zone skips or repeats it.
    """
    # Masking the number, not the text, spares several copies of the text.
    clock = pl.when(text.str.contains(_SHAPE)).then(_local_micros(text))
    offset = _rest(text).str.extract(_OFFSET, 0)
    return pl.when(offset.is_null()).then(_in_zone(clock, zone, "null")).otherwise(clock - _offset_micros(offset))


def time_trouble(text: pl.Expr, shown: pl.Expr, zone: str) -> pl.Expr:
    """Say what is wrong with times that `time_micros` could not read, for a person."""
    clock = _local_micros(pl.when(text.str.contains(_SHAPE)).then(text))
    when_first = _in_zone(clock, zone, "earliest")
    return (
        pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
        .then(pl.format("{} has no time of day", shown))
        .when(clock.is_null())
        .then(pl.format("{} is not a time such as 2011-12-03T10:15:30+01:00", shown))
        .when(when_first.is_null())
        .then(pl.format(f"{{}} never was in {zone}: a clock change skipped it. Give its offset", shown))
        .otherwise(pl.format(f"{{}} was twice in {zone}: a clock change repeated it. Give its offset", shown))
    )


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


def _in_zone(clock: pl.Expr, zone: str, ambiguous: str) -> pl.Expr:
    if zone == "UTC":
        return clock
    local = clock.cast(pl.Datetime("us")).dt.replace_time_zone(zone, ambiguous=pl.lit(ambiguous), non_existent="null")
    return local.to_physical()


def _number(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False)

"""Times as text: how they are read, and how they are written.

Read are ISO 8601 date-times with `T` or a space, with or without seconds, fraction and offset; and Unix times. A Unix
time, and a time with an offset, is exact. Any other is what a clock showed, in a zone that somebody else knows. Columns
and single values are read by the same patterns, and agree on every text.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from trueup.model.zones import clock_changes, local_times, moments

SECOND_MICROS: Final = 1_000_000
DAY_MICROS: Final = 86_400 * SECOND_MICROS
DAY_ALONE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ANY_DAY_ALONE: Final = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")

# Years of rows have four digits, from 1000 to 2999: their times fit the date-times of every language.
_YEARS: Final = "[12][0-9]{3}"
_ANY_YEAR: Final = "[0-9]{4}"
_AFTER_YEAR: Final = (
    r"-([0-9]{2})-([0-9]{2})[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+ -](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?"  # a blank was a plus, in a query that nobody escaped
)
_DATE_TIME: Final = re.compile(f"({_YEARS}){_AFTER_YEAR}")
_DATE_TIME_OF_ANY_YEAR: Final = re.compile(f"({_ANY_YEAR}){_AFTER_YEAR}")
# Unix times are told by their digits: 9 or 10 of seconds, 12 or 13 of milliseconds, which is 1973 to 2286.
_UNIX: Final = re.compile("([1-9][0-9]{8,9})|([1-9][0-9]{11,12})")
_SECONDS_MOST: Final = 10  # digits
_FRACTION_DIGITS: Final = 6  # further digits are cut off
_OFFSET: Final = r"(?:Z|[+ -][0-9:]+)$"
_AFTER_MINUTES: Final = len("2011-12-03T10:15")
_NO_TIME_OF_DAY: Final = "has no time of day"
EXAMPLE: Final = "2011-12-03T10:15:30+01:00"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_TO_THE_MICRO: Final = "%Y-%m-%dT%H:%M:%S%.6f"
_NO_FRACTION: Final = ".000000"


class Time(NamedTuple):
    """A time as it was read, in microseconds since the epoch; neither is there where the text is no time."""

    exact: int | None = None
    local: int | None = None  # what a clock showed, as if in UTC, where no offset is given


NO_TIME: Final = Time()


def read_time(text: str, *, any_year: bool = False) -> Time:
    """Read a time.

    Args:
        text: Trimmed.
        any_year: Whether it may be before the year 1000 or after 2999, as the bounds of a selection may.

    Returns:
        The time, NO_TIME where the text is none.
    """
    if unix := _UNIX.fullmatch(text):
        return Time(exact=int(text) * (SECOND_MICROS if unix[1] else SECOND_MICROS // 1_000))
    found = (_DATE_TIME_OF_ANY_YEAR if any_year else _DATE_TIME).fullmatch(text)
    if found is None:
        return NO_TIME
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:  # a day that no month has
        return NO_TIME
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second or 0)
    rest = int((fraction or "")[:_FRACTION_DIGITS].ljust(_FRACTION_DIGITS, "0"))
    micros = days * DAY_MICROS + seconds * SECOND_MICROS + rest
    return Time(exact=micros - micros_of_offset(offset)) if offset else Time(local=micros)


def micros_of_offset(offset: str) -> int:
    """How far a clock of this offset is ahead of UTC, in microseconds. A name such as `Z` is UTC itself."""
    if offset[0].isalpha():
        return 0
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return (-minutes if offset[0] == "-" else minutes) * (60 * SECOND_MICROS)


def time_trouble(text: str, shown: str) -> str:
    """What is wrong with a time.

    Args:
        text: One that `read_time` could not read.
        shown: The same as a message shows it.
    """
    return f"{shown} {_NO_TIME_OF_DAY if _ANY_DAY_ALONE.fullmatch(text) else _is_no_time(EXAMPLE)}"


def _is_no_time(example: str) -> str:
    return f"is not a time such as {example}"


def exact_micros(text: pl.Expr) -> pl.Expr:
    """Read a column as `read_time` reads each text: the `exact` of it, null for None."""
    offset = _offset(text)
    exact = pl.when(offset.is_not_null()).then(_clock(text) - offset_micros(offset))
    return pl.coalesce(exact, _unix_micros(text))


def local_micros(text: pl.Expr) -> pl.Expr:
    """Read a column as `read_time` reads each text: the `local` of it, null for None."""
    return pl.when(_offset(text).is_null()).then(_clock(text))


def time_micros(text: pl.Expr, zone: str) -> pl.Expr:
    """Read a column of times whose zone is known.

    Args:
        text: Trimmed.
        zone: Of times without an offset.

    Returns:
        Microseconds since the epoch; null where the text is no time, and where its zone skips or repeats it.
    """
    return pl.coalesce(exact_micros(text), moments(local_micros(text), zone))


def times_trouble(text: pl.Expr, shown: pl.Expr, zone: str, example: str = EXAMPLE) -> pl.Expr:
    """What is wrong with a column of times, in the words of `time_trouble`.

    Args:
        text: Those that `time_micros` could not read.
        shown: The same as a message shows them.
        zone: As `time_micros` takes it.
        example: A time as the file should have it.
    """
    clock = _local_micros(pl.when(_has_shape(text)).then(text))
    return (
        pl.when(text.str.contains(f"^{_ANY_DAY_ALONE.pattern}$"))
        .then(pl.format(f"{{}} {_NO_TIME_OF_DAY}", shown))
        .when(clock.is_null())
        .then(pl.format("{} {}", shown, pl.lit(_is_no_time(example))))
        .otherwise(clock_changes(clock, zone, shown))
    )


def _has_shape(text: pl.Expr) -> pl.Expr:
    return text.str.contains(f"^{_DATE_TIME.pattern}$")


def _clock(text: pl.Expr) -> pl.Expr:
    """What the clock shows, null for text that is no date-time."""
    # Masking the number, not the text, spares several copies of the text.
    return pl.when(_has_shape(text)).then(_local_micros(text))


def _offset(text: pl.Expr) -> pl.Expr:
    return _rest(text).str.extract(_OFFSET, 0)


def _unix_micros(text: pl.Expr) -> pl.Expr:
    digits = pl.when(text.str.contains(f"^(?:{_UNIX.pattern})$")).then(text)
    unit = pl.when(text.str.len_bytes() <= _SECONDS_MOST).then(SECOND_MICROS).otherwise(SECOND_MICROS // 1_000)
    return number(digits) * unit


def _rest(text: pl.Expr) -> pl.Expr:
    """What follows the minutes: seconds, fraction, offset."""
    return text.str.slice(_AFTER_MINUTES)


def _local_micros(text: pl.Expr) -> pl.Expr:
    """Microseconds from the epoch to what the clock shows, as if in UTC; null for a day that no month has."""
    day = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).to_physical().cast(pl.Int64)
    minutes = number(text.str.slice(11, 2)) * 60 + number(text.str.slice(14, 2))
    seconds = number(_rest(text).str.extract("^:([0-9]{2})"))
    digits = _rest(text).str.extract(rf"\.([0-9]{{1,{_FRACTION_DIGITS}}})")
    fraction = number(digits.str.pad_end(_FRACTION_DIGITS, "0"))
    return day * DAY_MICROS + (minutes * 60 + seconds.fill_null(0)) * SECOND_MICROS + fraction.fill_null(0)


def offset_micros(offset: pl.Expr) -> pl.Expr:
    """How far clocks of these offsets are ahead of UTC, as `micros_of_offset` has it."""
    has_minutes = offset.str.len_bytes() > len("+01")
    hours = number(offset.str.slice(1, 2)).fill_null(0)  # none in "Z"
    minutes = hours * 60 + pl.when(has_minutes).then(number(offset.str.slice(-2))).otherwise(0)
    return pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes) * (60 * SECOND_MICROS)


def number(digits: pl.Expr) -> pl.Expr:
    """A column of digits as numbers, null for other text."""
    return digits.cast(pl.Int64, strict=False)


def time_text(micros: int) -> str:
    """Write a time as people and programs read it: ISO 8601, UTC, a fraction only where there is one."""
    return f"{local_time_text(micros)}Z"


def local_time_text(micros: int) -> str:
    """Write what a clock showed as `time_text` does, without an offset."""
    return (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None).isoformat()


def times_text(micros: pl.Expr, zone: str) -> pl.Expr:
    """Write a column of times as `time_text` does, in a zone: its offset stands in place of the `Z`."""
    return local_times(micros, zone).dt.to_string(f"{_TO_THE_MICRO}%:z").str.replace(_NO_FRACTION, "", literal=True)


def local_times_text(micros: pl.Expr) -> pl.Expr:
    """Write a column of what clocks showed, as `local_time_text` does."""
    return micros.cast(pl.Datetime("us")).dt.to_string(_TO_THE_MICRO).str.strip_suffix(_NO_FRACTION)


def minutes_text(micros: pl.Expr, zone: str) -> pl.Expr:
    """Write a column of times as a person reads them in a table: to the minute, in a zone that stands elsewhere."""
    return local_times(micros, zone).dt.to_string("%Y-%m-%d %H:%M")


def minute_text(micros: int, zone: str) -> str:
    """Write one time as `minutes_text` does."""
    return str(pl.select(minutes_text(pl.lit(micros, pl.Int64), zone)).item())


def seconds_text(micros: pl.Expr) -> pl.Expr:
    """Write a column of times as `time_text` does, without the fractions: for messages."""
    return micros.cast(pl.Datetime("us")).dt.to_string("%Y-%m-%dT%H:%M:%SZ")

"""One row's values, in plain Python: what the readers of whole columns say of each, for rows that come one at a time.

The two agree on every text, and say the same words of a bad one.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from trueup.dialects.fields import FOREIGN_ID, TEXT_CHARS
from trueup.dialects.times import DAY_MICROS, SECOND_MICROS, UNIX_MILLISECONDS, UNIX_SECONDS
from trueup.model.ids import split_conversion_id
from trueup.model.money import MICROS, PAYOUT_MAX

# What stands around a value and is no part of it: Unicode's white space, without Python's four separators more.
BLANKS: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
_SHOWN_CHARS: Final = 60  # of a bad value, in a message

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_AMOUNT: Final = re.compile(r"([+-]?)(?:([0-9]{1,18})(?:\.([0-9]{0,6}))?|\.([0-9]{1,6}))")
_LONG_DECIMALS: Final = re.compile(r"[+-]?[0-9]*\.[0-9]{7,}")
_LARGE_AMOUNT: Final = re.compile(r"[+-]?[0-9]+\.?[0-9]*")
_MOMENT: Final = re.compile(
    r"([12][0-9]{3})-([0-9]{2})-([0-9]{2})[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?"
    r"(Z|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?"
)
_DAY_ALONE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNIX: Final = re.compile(f"({UNIX_SECONDS})|({UNIX_MILLISECONDS})")
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def quoted_value(text: str) -> str:
    """A bad value as a message quotes it: short, and safe to print on a terminal."""
    clean = CONTROL.sub("\ufffd", text[: _SHOWN_CHARS + 1])
    return f"'{clean[:_SHOWN_CHARS]}{'…' * (len(text) > _SHOWN_CHARS)}'"


@lru_cache  # an offer pays the same again and again
def payout_micros(text: str) -> int | None:
    """Money in micros; None where the text is no plain number of ours."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    sign, whole, decimals, decimals_alone = found.groups()
    micros = int(whole or 0) * MICROS + int((decimals or decimals_alone or "").ljust(6, "0"))
    if micros > PAYOUT_MAX:
        return None
    return -micros if sign == "-" else micros


def payout_trouble(text: str) -> str:
    """What is wrong with an amount that `payout_micros` could not read."""
    if _LONG_DECIMALS.fullmatch(text):
        return f"{quoted_value(text)} has more than 6 decimals"
    if _LARGE_AMOUNT.fullmatch(text):
        return f"{quoted_value(text)} is beyond {PAYOUT_MAX // MICROS:,}"
    return f"{quoted_value(text)} is not a number such as 1.20"


class Time(NamedTuple):
    """A time as it was read, in microseconds since the epoch; neither is there where the text is no time."""

    exact: int | None = None
    local: int | None = None  # what a clock showed, as if in UTC: no offset is given


NO_TIME: Final = Time()


def read_time(text: str) -> Time:
    """Read an ISO 8601 date-time; or a Unix time, in seconds (9 or 10 digits) or milliseconds (12 or 13)."""
    if unix := _UNIX.fullmatch(text):
        return Time(exact=int(text) * (SECOND_MICROS if unix[1] else SECOND_MICROS // 1_000))
    found = _MOMENT.fullmatch(text)
    if found is None:
        return NO_TIME
    year, month, day, hour, minute, second, fraction, offset, sign, ahead_hours, ahead_minutes = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:  # a day that no month has
        return NO_TIME
    minutes = int(hour) * 60 + int(minute)
    if sign:
        ahead = int(ahead_hours) * 60 + int(ahead_minutes or 0)
        minutes += ahead if sign == "-" else -ahead
    seconds = minutes * 60 + int(second or 0)
    micros = days * DAY_MICROS + seconds * SECOND_MICROS + int((fraction or "")[:6].ljust(6, "0"))
    return Time(exact=micros) if offset else Time(local=micros)


def moment_trouble(text: str) -> str:
    """What is wrong with a time that `read_time` could not read."""
    if _DAY_ALONE.fullmatch(text):
        return f"{quoted_value(text)} has no time of day"
    return f"{quoted_value(text)} is not a time such as 2011-12-03T10:15:30+01:00"


def id_trouble(text: str, meaning: str) -> str:
    """What is wrong with a transaction id or an event id, '' for nothing. Takes: also what the message calls it."""
    if len(text) > TEXT_CHARS:
        return f"{meaning} has {len(text)} characters, and {TEXT_CHARS} are the most"
    has_control = not text.isprintable() and CONTROL.search(text)
    return f"{meaning} has a control character, or bytes that are no UTF-8" if has_control else ""


def foreign_id_trouble(conversion_id: str) -> str:
    """What is wrong with the conversion id of a row that has no click id, '' where none is given."""
    return f"{quoted_value(conversion_id)} {FOREIGN_ID}" if conversion_id else ""


def click_and_target(click_id: str, conversion_id: str) -> tuple[str, int | None]:
    """Which click a row is of, and the n of the conversion that it names.

    Takes: both ids as given, '' where they are not. Returns: the click id, which a conversion id gives where nothing
    else does; and n, 0 for an id that names no conversion of this click, None where no conversion id is given.
    """
    if not conversion_id:
        return click_id, None
    named = split_conversion_id(conversion_id)
    if named is None:
        return click_id, 0
    return click_id or named[0], named[1] if click_id in ("", named[0]) else 0

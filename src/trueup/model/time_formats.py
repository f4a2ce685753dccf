"""Times in a form that a person states: an order of day, month and year, or a pattern of directives.

Such a time is written again as `model.times` reads it, and all else is known there. An order is read beside ISO 8601
and Unix times, which cannot be mistaken for it. A pattern is read to the letter, and nothing else is. Columns and
single values are written alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl

from trueup.model.times import NO_TIME, Time, read_time

PATTERN_CHARS: Final = 64  # the longest pattern

_CENTURIES: Final = {2: "20", 4: ""}  # what a year of so many digits lacks
_BLANK: Final = "[ \u00a0\u202f]"
_HALF: Final = r"[AaPp]\.?[Mm]\.?"
_OFFSET: Final = r"Z|UTC|GMT|[+ -](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"  # a blank was a plus, in a query
_LONG_YEAR: Final = "[12][0-9]{3}"
_TWO: Final = "[0-9]{2}"
_ONE_OR_TWO: Final = "[0-9]{1,2}"
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH_OF: Final = {name: place for place, month in enumerate(_MONTHS, 1) for name in (month, month[:3])} | {"sept": 9}
_MONTH: Final = "|".join(
    "".join(f"[{letter.upper()}{letter}]" for letter in name) for name in sorted(_MONTH_OF, key=len, reverse=True)
)

# Directive -> the part of a time that it is, the form of that, and an example.
_DIRECTIVES: Final[Mapping[str, tuple[str, str, str]]] = {
    "Y": ("year", _LONG_YEAR, "2011"),
    "y": ("year", _TWO, "11"),
    "m": ("month", _ONE_OR_TWO, "12"),
    "b": ("month", _MONTH, "Dec"),
    "d": ("day", _ONE_OR_TWO, "25"),
    "H": ("hour", _ONE_OR_TWO, "22"),
    "I": ("hour", _ONE_OR_TWO, "10"),
    "M": ("minute", "[0-5][0-9]", "15"),
    "S": ("second", "[0-5][0-9]", "30"),
    "f": ("fraction", "[0-9]{1,9}", "25"),
    "p": ("half", _HALF, "PM"),
    "z": ("offset", _OFFSET, "+01:00"),
}
DIRECTIVES: Final = tuple(f"%{letter}" for letter in _DIRECTIVES)
# Of digits beside digits nobody can say where one number ends, unless each has two.
_OF_DIGITS: Final = frozenset(DIRECTIVES) - {"%b", "%p", "%z"}
_NEEDED: Final = ("year", "month", "day", "hour", "minute")
_PIECES: Final = re.compile("%.?|[^%]")


@dataclass(frozen=True)
class TimeFormat:
    """A stated form of times."""

    name: str  # as a person states it, and as it is kept
    pattern: str  # a regular expression, with the parts of a time as its groups
    example: str
    places: tuple[int, int, int] | None = None  # of an order: where year, month and day are in a date of 10 characters


def _part(name: str, form: str) -> str:
    return f"(?P<{name}>{form})"


# In a date of 10 characters, such as 25/12/2011.
_PLACES: Final = {"year-month-day": (0, 5, 8), "day-month-year": (6, 3, 0), "month-day-year": (6, 0, 3)}


def _order(name: str, example: str) -> TimeFormat:
    forms = {"year": f"{_LONG_YEAR}|{_TWO}", "month": f"{_ONE_OR_TWO}|{_MONTH}", "day": _ONE_OR_TWO}
    between = f"(?:[-/.]|,?{_BLANK})"
    day = between.join(_part(part, forms[part]) for part in name.split("-"))
    seconds = rf"(?::{_part('second', '[0-5][0-9]')}(?:\.{_part('fraction', '[0-9]{1,9}')})?)?"
    clock = f"{_part('hour', _ONE_OR_TWO)}:{_part('minute', '[0-5][0-9]')}{seconds}"
    rest = f"(?:{_BLANK}?{_part('half', _HALF)})?(?:{_BLANK}?{_part('offset', _OFFSET)})?"
    return TimeFormat(name, f"{day}(?:(?:T|,?{_BLANK}){clock}{rest})?", example, _PLACES[name])


ISO: Final = TimeFormat("iso", "", "2011-12-03T10:15:30+01:00")  # what is read where nothing is stated
ORDERS: Final = tuple(
    _order(name, example)
    for name, example in (
        ("year-month-day", "2011/12/25 10:15:30 PM"),
        ("day-month-year", "25/12/2011 22:15:30"),
        ("month-day-year", "12/25/2011 10:15:30 PM"),
    )
)
FORMATS: Final = {form.name: form for form in (ISO, *ORDERS)}


@lru_cache
def time_format(stated: str) -> TimeFormat:
    """Find the form that a person states.

    Args:
        stated: A name of FORMATS in any case, or a pattern of directives, such as `%d/%m/%Y %H:%M`.

    Returns:
        The form.

    Raises:
        ValueError: It is neither; the message says why, for a person.
    """
    if "%" not in stated:
        known = FORMATS.get(stated.strip().casefold())
        if known is None:
            raise ValueError(
                f'No time format is called "{stated}". There are {", ".join(FORMATS)}, and patterns such as '
                "%d/%m/%Y %H:%M:%S."
            )
        return known
    return _of_pattern(stated)


def _of_pattern(stated: str) -> TimeFormat:
    if len(stated) > PATTERN_CHARS or not stated.isprintable():
        raise ValueError(f"A time format has at most {PATTERN_CHARS} characters, all of them printable.")
    pieces = [piece[0] for piece in _PIECES.finditer(stated)]
    parts: list[str] = []
    pattern, example = "", ""
    for place, piece in enumerate(pieces):
        if piece not in DIRECTIVES:
            form, shown = _literal(piece)
        else:
            part, form, shown = _DIRECTIVES[piece[1]]
            beside = {*pieces[max(place - 1, 0) : place], *pieces[place + 1 : place + 2]}
            form, parts = _part(part, _TWO if form == _ONE_OR_TWO and beside & _OF_DIGITS else form), [*parts, part]
        pattern, example = pattern + form, example + shown
    _require(stated, parts)
    return TimeFormat(stated, pattern, example)


def _literal(piece: str) -> tuple[str, str]:
    """The pattern of a piece that is no directive, and the same in an example."""
    if len(piece) == 1 and piece != "%":
        return (f"{_BLANK}+" if piece == " " else re.escape(piece)), piece
    if piece != "%%":
        raise ValueError(f"The time format has {piece}. There are {' '.join(DIRECTIVES)}, and %% for a percent sign.")
    return "%", "%"


def _require(stated: str, parts: list[str]) -> None:
    missing = [part for part in _NEEDED if part not in parts]
    if missing:
        raise ValueError(f'The time format "{stated}" gives no {missing[0]}.')
    twice = [part for part in parts if parts.count(part) > 1]
    if twice:
        raise ValueError(f'The time format "{stated}" gives the {twice[0]} twice.')
    if ("half" in parts) != ("%I" in stated.replace("%%", "")):
        raise ValueError(f'The time format "{stated}" needs both %I and %p, for a clock of 12 hours, or neither.')


def iso_text(text: str, form: TimeFormat) -> str:
    """Write a time of a stated form as `read_time` reads it.

    Args:
        text: Trimmed.
        form: What is stated.

    Returns:
        The time, or the date where an order has no time of day. Text that is neither: itself beside an order, ''
        beside a pattern.
    """
    found = re.fullmatch(form.pattern, text) if form.pattern else None
    if found is None:
        return "" if _is_to_the_letter(form) else text
    said = {part: value or "" for part, value in found.groupdict().items()}
    year, month = said["year"], said["month"]
    number = month if month.isdigit() else str(_MONTH_OF[month.lower()])
    day = f"{_CENTURIES[len(year)]}{year}-{number.zfill(2)}-{said['day'].zfill(2)}"
    if not said["hour"]:
        return day
    clock = f"{_hour(said['hour'], said.get('half', ''))}:{said['minute']}:{said.get('second') or '00'}"
    fraction, offset = said.get("fraction"), said.get("offset", "")
    return f"{day}T{clock}{'.' if fraction else ''}{fraction or ''}{'Z' if offset.isalpha() else offset}"


def _is_to_the_letter(form: TimeFormat) -> bool:
    """Whether it is a pattern: nothing else is read."""
    return bool(form.pattern) and form.places is None


def _hour(shown: str, half: str) -> str:
    """The hour of 24; one that no clock has, where a clock of 12 hours does not show it."""
    if not half:
        return shown.zfill(2)
    hour = int(shown)
    return f"{hour % 12 + 12 * (half[0] in 'Pp'):02d}" if 1 <= hour <= 12 else "99"  # noqa: PLR2004 - hours of half a day


def iso_texts(text: pl.Series, form: TimeFormat) -> pl.Series:
    """Write a column as `iso_text` writes each text."""
    if not form.pattern:
        return text
    others, written = text, text
    if form.places:
        is_plain = text.str.contains(_PLAIN[form.places[0]])
        others = text.filter(~is_plain)
        moved = pl.when(is_plain).then(_moved(*form.places)).otherwise("text")
        written = pl.DataFrame({"text": text}).select(moved).to_series()
    if not others.len():
        return written
    known = {each: iso_text(each, form) for each in others.unique()}
    return written.replace(known)


# Dates of 10 characters, with the year in front or behind, and a clock of 24 hours: most files have no others.
_PLAIN: Final = {
    0: "^[12][0-9]{3}[-/.][0-9]{2}[-/.][0-9]{2}[T ][0-9]{2}:[0-5][0-9](?::[0-5][0-9])?$",
    6: "^[0-9]{2}[-/.][0-9]{2}[-/.][12][0-9]{3}[T ][0-9]{2}:[0-5][0-9](?::[0-5][0-9])?$",
}


def _moved(year: int, month: int, day: int) -> pl.Expr:
    text = pl.col("text")
    date = pl.concat_str(text.str.slice(year, 4), text.str.slice(month, 2), text.str.slice(day, 2), separator="-")
    return pl.concat_str(date, pl.lit("T"), text.str.slice(11), pl.lit(":00")).str.slice(0, len("2011-12-25T22:15:30"))


def read_time_as(text: str, form: TimeFormat) -> Time:
    """Read a time of a stated form.

    Args:
        text: Trimmed.
        form: What is stated.

    Returns:
        The time, NO_TIME where the text is none.
    """
    written = iso_text(text, form)
    return read_time(written) if written else NO_TIME

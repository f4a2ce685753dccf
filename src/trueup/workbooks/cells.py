"""A cell as text: what the person saw. Numbers without noise, dates in ISO form, nothing rounded further.

A spreadsheet keeps 15 digits of a number. A longer one, such as an id that it took for a number, has lost its last
digits. It is written as the spreadsheet shows it, 1.23456789012346E+17, which can be no click id and no amount.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

DIGITS: Final = 15  # of a number that a spreadsheet keeps
NUMBER, DATE, OTHER = "n", "d", "-"  # what kind of cell it is
MARK: Final = "\x1f"  # "unit separator": parts the fields of a record
_LONG: Final = 10**DIGITS


@lru_cache(1 << 16)
def number_text(number: float) -> str:
    """Write a number: plainly, or with an exponent where digits are lost."""
    if abs(number) >= _LONG:
        return format(number, f".{DIGITS}G")
    if number == int(number):
        return str(int(number))
    text = format(number, f".{DIGITS}g")
    return format(Decimal(text), "f") if "e" in text else text


def _duration_text(duration: timedelta) -> str:
    """Write a length of time as [h]:mm:ss."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _midnight_text(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: str,
    int: number_text,
    float: number_text,
    bool: lambda value: "TRUE" if value else "FALSE",
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _duration_text,
}


def records(
    rows: Sequence[Sequence[Any]], moments: Callable[[], frozenset[int]], seen: Mapping[tuple[int, int], str]
) -> tuple[list[str], list[str]]:
    """Write rows of a sheet, each as one record. Whole columns are written at once, which is several times faster.

    Args:
        rows: The cells, as many in each row.
        moments: Finds the columns in which some cell has a date and a time of day: a day alone is its midnight there.
            It is called where a cell has a day alone.
        seen: Cells of which more is known: place in `rows` and column -> what the person saw.

    Returns:
        For each row the texts of its cells, with MARK between them, without empty ones at the end; and the kind of
        each cell.
    """
    texts: list[list[str]] = []
    kinds: list[list[str]] = []
    for place, column in enumerate(zip(*rows, strict=True)):
        types = set(map(type, column))
        writes = {kind: TEXTS[kind] for kind in types}
        if date in types and place in moments():
            writes[date] = _midnight_text
        if len(types) == 1:
            (kind,) = types
            texts.append(list(map(writes[kind], column)))
            kinds.append([_kind(kind)] * len(column))
        else:
            texts.append([writes[type(cell)](cell) for cell in column])
            kinds.append([_kind(type(cell)) for cell in column])
    for (row, place), text in seen.items():
        texts[place][row], kinds[place][row] = text, OTHER
    found = list(map(MARK.join, zip(*texts, strict=True)))
    if "".join(found).count(MARK) != len(found) * (len(texts) - 1):
        found = [MARK.join(text.replace(MARK, "\x1e") for text in row) for row in zip(*texts, strict=True)]
    return [record.rstrip(MARK) for record in found], list(map("".join, zip(*kinds, strict=True)))


def _kind(kind: type) -> str:
    if kind in (int, float):
        return NUMBER
    return DATE if kind in (datetime, date) else OTHER

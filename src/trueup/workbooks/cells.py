"""A cell as text: what the person saw. Numbers without noise, dates in ISO form, nothing rounded further.

A spreadsheet keeps 15 digits of a number. A longer one, such as an id that it took for a number, has lost its last
digits. It is written as the spreadsheet shows it, 1.23456789012346E+17, which can be no click id and no amount.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

DIGITS: Final = 15  # of a number that a spreadsheet keeps
NUMBER, OTHER = "n", "-"  # what kind of cell it is
MARK: Final = "\x1f"  # "unit separator": parts the fields of a record
_LONG: Final = 10**DIGITS


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


class Rows:
    """Writes the rows of a sheet, each as one record."""

    def __init__(self, moments: frozenset[int] | None = None) -> None:
        """Begin.

        Args:
            moments: The columns in which some cell has a date and a time of day: a day alone is its midnight there.
                None where that was not looked for yet.
        """
        self.moments = moments
        self._kinds: dict[tuple[type, ...], str] = {}

    def record(self, row: Sequence[Any], seen: Mapping[int, str]) -> tuple[str, str]:
        """Write a row.

        Args:
            row: The cells.
            seen: Cells of which more is known: column -> what the person saw.

        Returns:
            The texts of the cells, with MARK between them, without empty ones at the end; and the kind of each cell.
        """
        types = tuple(map(type, row))
        texts = [TEXTS[kind](cell) for kind, cell in zip(types, row, strict=True)]
        if date in types and self.moments:
            for column in self.moments:
                if types[column] is date:
                    texts[column] = _midnight_text(row[column])
        kinds = self._kinds.get(types)
        if kinds is None:
            kinds = self._kinds[types] = "".join(NUMBER if kind in (int, float) else OTHER for kind in types)
        for column, text in seen.items():
            texts[column] = text
            kinds = kinds[:column] + OTHER + kinds[column + 1 :]
        record = MARK.join(texts)
        if record.count(MARK) != len(texts) - 1:
            record = MARK.join(text.replace(MARK, "\x1e") for text in texts)
        return record.rstrip(MARK), kinds

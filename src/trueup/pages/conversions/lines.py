"""Typed and pasted lines: from the text of a form to rows of our own dialect. What a cell means is not judged here."""

import csv
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from trueup.dialects.names import FIELDS, field_of

Row = Mapping[str, str]  # field -> the cell; fields that are not given are left out

LINES_MOST: Final = 10_000
_SHOWN_CHARS: Final = 60

# How pasted lines without titles can be read: their fields, in order.
ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "trueup": ("click_id", "payout", "conversion_type", "status", "converted_at", "transaction_id"),
    "voluum": ("click_id", "payout", "transaction_id", "conversion_type", "converted_at"),
    "keitaro": ("click_id", "payout", "transaction_id", "status"),
}


class LineError(Exception):
    """Lines that cannot be parted into fields. The message says which, and why."""


def rows_of_text(text: str, order: Sequence[str]) -> list[Row]:
    """Part pasted lines into fields. A first line of titles says which those are, whatever the order.

    Args:
        text: The lines; empty ones are left out. A tab, else a semicolon, else a comma parts the fields.
        order: The fields of a line without titles.

    Returns:
        The rows, each with the cells that are not empty.

    Raises:
        LineError: A line has too many fields, or a title is unknown, or there are too many lines.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > LINES_MOST:
        raise LineError(f"These are {len(lines):,} lines. Send more than {LINES_MOST:,} as a file, under Upload.")
    if not lines:
        return []
    separator = next((each for each in "\t;" if any(each in line for _, line in lines)), ",")
    cells = [(number, [cell.strip() for cell in _parted(line, separator)]) for number, line in lines]
    titles = _titles(cells[0][1])
    if titles:
        order, cells = titles, cells[1:]
    return [_row(number, fields, order) for number, fields in cells]


def _parted(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))


def _titles(first: Sequence[str]) -> tuple[str, ...]:
    """The fields that a first line of titles names; none where it is a line as the others."""
    fields = [field_of(cell, {}) for cell in first]
    if "click_id" not in fields and "conversion_id" not in fields:
        return ()
    for cell, field in zip(first, fields, strict=True):
        if field is None:
            raise LineError(f"No field is called “{cell[:_SHOWN_CHARS]}”. The fields are: {', '.join(FIELDS)}.")
        if fields.count(field) > 1:
            raise LineError(f"Two columns are titled {field}. Leave one out.")
    return tuple(str(field) for field in fields)


def _row(number: int, cells: Sequence[str], order: Sequence[str]) -> Row:
    if len(cells) > len(order) and any(cells[len(order) :]):
        fields = ", ".join(order).replace("_", " ")
        raise LineError(f"Line {number:,} has {len(cells)} fields; a line has {fields} at most.")
    return {field: cell for field, cell in zip(order, cells, strict=False) if cell}


def ids_of_text(text: str) -> list[str]:
    """The ids that lines hold, each once, in their order: one a line, or several parted by blanks or commas.

    Raises:
        LineError: They are too many.
    """
    for separator in ",;\t":
        text = text.replace(separator, " ")
    ids = list(dict.fromkeys(text.split()))
    if len(ids) > LINES_MOST:
        raise LineError(f"These are {len(ids):,} ids. Send more than {LINES_MOST:,} as a file, under Upload.")
    return ids


def as_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a table of texts, with the fields that any of them has."""
    given = [field for field in FIELDS if any(field in row for row in rows)]
    return pl.DataFrame(
        {field: [row.get(field, "") for row in rows] for field in given}, dict.fromkeys(given, pl.String)
    )

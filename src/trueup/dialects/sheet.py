"""A sheet of a workbook, as the reader of files takes it: its records, and what kinds of cells they have."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.dialects.delimited import Records
from trueup.dialects.values import quoted_cells
from trueup.model.ids import CLICK_ID

MARK: Final = "\x1f"  # "unit separator": parts the fields of a record
NUMBER: Final = "n"  # the kind of a cell that holds a number
DATE: Final = "d"  # the kind of a cell that holds a date, with or without a time of day
IDS: Final = ("click_id", "transaction_id", "event_id")  # fields that no number should be
TIMES: Final = ("converted_at", "clicked_at")
_CELL_ERROR: Final = r"^(?:#(?:N/A|VALUE!|REF!|DIV/0!|NUM!|NAME\?|NULL!|GETTING_DATA)|Err:[0-9]+)$"


@dataclass(frozen=True)
class Sheet:
    """A sheet. The frames of its records have one more column, `kinds`: a letter for each cell of the record."""

    said: str  # which sheet it is, for the person
    records: Callable[[Callable[[int], None] | None], Iterator[Records]]  # from the first on, at each call


def id_digits(ids: Sequence[str]) -> int:
    """How many characters the click ids of a sheet have.

    Args:
        ids: Some of them; what can be none is left out.

    Returns:
        The length that more than half of them have and none exceeds; 0 where there is no such length.
    """
    lengths = Counter(len(each) for each in ids if CLICK_ID.fullmatch(each))
    longest = max(lengths, default=0)
    return longest if lengths[longest] * 2 > lengths.total() else 0


def lost_zeros(digits: int) -> str:
    """What is wrong with a click id that is a number and shorter than the others."""
    return (
        f"is a number, and the other ids have {digits} characters: the spreadsheet has probably cut zeros off its "
        "front. Format the column as text, then put in the ids again"
    )


def is_cell_error(text: pl.Expr) -> pl.Expr:
    """Whether cells have errors in place of values."""
    return text.str.contains(_CELL_ERROR)


def cell_errors_trouble(text: pl.Expr) -> pl.Expr:
    """What is wrong with such cells."""
    return pl.format("{} is an error of the spreadsheet, not a value", quoted_cells(text))

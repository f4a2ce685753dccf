"""Tables as .xlsx: real numbers and dates, nothing that runs, and little memory however many rows there are."""

import errno
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, BinaryIO, Final

import xlsxwriter

ENDING: Final = ".xlsx"
ROWS_MOST: Final = 1_048_576  # of a sheet, its titles included
COLUMNS_MOST: Final = 16_384
CHARS_MOST: Final = 32_767  # of a cell
_DIGITS_MOST: Final = 15  # of a number that is kept exactly
_FIRST_YEAR: Final = 1900
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class Cells(Enum):
    """What the cells of a column hold."""

    TEXT = "text"
    NUMBER = "number"  # a whole number, or decimal text
    DAY = "yyyy-mm-dd"
    MOMENT = "yyyy-mm-dd hh:mm:ss"  # ISO text with an offset: what the clock there showed, to the second


def write_workbook(
    name: str, titles: Sequence[str], kinds: Sequence[Cells], rows: Iterable[Sequence[Any]], out: BinaryIO
) -> int:
    """Write one table. What does not fit on a sheet goes on to further ones, each with the titles.

    Args:
        name: What the sheet is called.
        titles: Of the columns.
        kinds: What the cells of each column hold. A text that is not of its kind is written as text.
        rows: The cells; '' and None are left empty.
        out: Where to. Nothing is written there before all of it is made.

    Returns:
        How many rows were written.

    Raises:
        OSError: A workbook cannot hold it, or there is no room.
    """
    if len(titles) > COLUMNS_MOST:
        raise OSError(errno.EFBIG, f"a workbook takes {COLUMNS_MOST:,} columns, and these are {len(titles):,}")
    with tempfile.TemporaryFile() as made:
        with xlsxwriter.Workbook(made, _OPTIONS) as workbook:
            written = _write_sheets(workbook, name, titles, kinds, rows)
        made.seek(0)
        shutil.copyfileobj(made, out)
    return written


def _write_sheets(
    workbook: Any,  # noqa: ANN401 - its library has no types
    name: str,
    titles: Sequence[str],
    kinds: Sequence[Cells],
    rows: Iterable[Sequence[Any]],
) -> int:
    bold = workbook.add_format({"bold": True})
    formats = {kind: workbook.add_format({"num_format": kind.value}) for kind in (Cells.DAY, Cells.MOMENT)}
    written, line, sheets = 0, ROWS_MOST, 0
    sheet: Any = None
    for row in _at_least_none(rows):
        if line == ROWS_MOST:
            sheets += 1
            sheet, line = workbook.add_worksheet(name if sheets == 1 else f"{name} {sheets}"), 1
            for column, title in enumerate(titles):
                sheet.write_string(0, column, _fit(title), bold)
                sheet.set_column(column, column, min(max(len(title) + 2, 12), 40))
            sheet.freeze_panes(1, 0)
        if row is None:
            break
        for column, (kind, cell) in enumerate(zip(kinds, row, strict=True)):
            if cell is not None and cell != "":
                _write(sheet, line, column, kind, cell, formats)
        line, written = line + 1, written + 1
    return written


def _at_least_none(rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any] | None]:
    """The rows, and None behind them, so that a table without rows has its titles."""
    yield from rows
    yield None


def _write(sheet: Any, line: int, column: int, kind: Cells, cell: Any, formats: dict[Cells, Any]) -> None:  # noqa: ANN401 - the same
    text = str(cell)
    try:
        if kind is Cells.NUMBER and sum(map(str.isdigit, text)) <= _DIGITS_MOST:
            sheet.write_number(line, column, float(text))
            return
        if kind in formats:
            day = date.fromisoformat(text) if kind is Cells.DAY else datetime.fromisoformat(text)
            if day.year >= _FIRST_YEAR:
                shown = day.replace(microsecond=0, tzinfo=None) if isinstance(day, datetime) else day
                sheet.write_datetime(line, column, shown, formats[kind])
                return
    except ValueError:  # no number, no date: it is text
        pass
    sheet.write_string(line, column, _fit(text))


def _fit(text: str) -> str:
    if len(text) > CHARS_MOST:
        raise OSError(errno.EFBIG, f"a cell of a workbook takes {CHARS_MOST:,} characters; write CSV instead")
    return text

"""Cells of an OpenDocument spreadsheet that show more than their value says. For the child process."""

import re
from collections.abc import Iterable
from typing import Any, Final
from xml.parsers import expat

from trueup.workbooks.troubles import CannotOpenError, Trouble

_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_CELLS: Final = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_ERROR: Final = re.compile(r"#(?:N/A|VALUE!|REF!|DIV/0!|NUM!|NAME\?|NULL!)|Err:[0-9]+")
_ZEROS: Final = re.compile("0[0-9]+")
_SHOWN_MOST: Final = 64  # characters; nothing that is looked for is longer
_CELLS_MOST: Final = 1 << 20


def shown_cells(chunks: Iterable[bytes], sheet: str) -> dict[int, dict[int, str]]:
    """Find the cells of a sheet that show an error, or a number with zeros in front.

    Args:
        chunks: The content of the spreadsheet.
        sheet: The sheet's name.

    Returns:
        Row (counted from 1) -> column (from 0) -> what the cell shows.
    """
    looker = _Looker(sheet)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = looker.begin, looker.end
    parser.CharacterDataHandler = looker.text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK) from error
    return looker.found


class _Looker:
    """Counts rows and columns, and looks at what cells show."""

    def __init__(self, sheet: str) -> None:
        self.found: dict[int, dict[int, str]] = {}
        self._sheet, self._is_there = sheet, False
        self._row, self._column, self._rows, self._columns = 1, 0, 1, 1  # where it is, and how often that is repeated
        self._shown: str | None = None  # None outside of a cell's own text
        self._aside = 0  # depth within an annotation or a drawing
        self._is_number = False
        self._cells = 0
        self._line: dict[int, str] = {}

    def begin(self, name: str, attributes: dict[str, Any]) -> None:
        """An element begins."""
        if name == f"{_TABLE}table":
            self._is_there = attributes.get(f"{_TABLE}name") == self._sheet
            self._row = 1
        elif not self._is_there:
            return
        elif self._aside or name == f"{_OFFICE}annotation":
            self._aside += 1
        elif name == f"{_TABLE}table-row":
            self._rows, self._column, self._line = _repeated(attributes, "rows"), 0, {}
        elif name in _CELLS:
            self._columns, self._shown = _repeated(attributes, "columns"), ""
            self._is_number = attributes.get(f"{_OFFICE}value-type") == "float"

    def text(self, text: str) -> None:
        """Text comes."""
        if self._is_there and self._shown is not None and not self._aside and len(self._shown) <= _SHOWN_MOST:
            self._shown += text

    def end(self, name: str) -> None:
        """An element ends."""
        if not self._is_there:
            return
        if self._aside:
            self._aside -= 1
        elif name == f"{_TABLE}table-row":
            if self._line:
                self._count(self._rows * len(self._line))
                self.found |= dict.fromkeys(range(self._row, self._row + self._rows), self._line)
            self._row += self._rows
        elif name in _CELLS:
            shown = self._shown or ""
            if _ERROR.fullmatch(shown) or (self._is_number and _ZEROS.fullmatch(shown)):
                self._count(self._columns)
                self._line |= dict.fromkeys(range(self._column, self._column + self._columns), shown)
            self._column += self._columns
            self._shown = None

    def _count(self, cells: int) -> None:
        self._cells += cells
        if self._cells > _CELLS_MOST:
            raise CannotOpenError(Trouble.ERRORS_UNPLACED)


def _repeated(attributes: dict[str, Any], what: str) -> int:
    times = str(attributes.get(f"{_TABLE}number-{what}-repeated", "1"))
    return min(int(times), _CELLS_MOST + 1) if times.isdecimal() else 1

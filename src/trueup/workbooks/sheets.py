"""Which sheet of a workbook is read: the one that was chosen, else the only one with data. For the child process."""

from typing import Final

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from trueup.workbooks.archives import shown
from trueup.workbooks.troubles import CannotOpenError, Trouble

SHEETS_MOST: Final = 100  # in a message
ROWS_MOST: Final = 1 << 24  # no program has sheets of more; a file can say so, though


def chosen_sheet(workbook: CalamineWorkbook, wanted: str | None) -> CalamineSheet:
    """Find the sheet to read.

    Args:
        workbook: The workbook.
        wanted: A sheet's name or its number, counted from 1; None where nobody chose one.

    Returns:
        The sheet.

    Raises:
        CannotOpenError: There is no such sheet; or nobody chose one, and not exactly one visible sheet has data.
    """
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    if not names:
        raise CannotOpenError(Trouble.NO_SHEET)
    if wanted is not None:
        return _sheet(workbook, _named(names, wanted))
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible] or names
    if len(visible) == 1:
        sheet = _sheet(workbook, visible[0])
        if not _has_data(sheet):
            raise CannotOpenError(Trouble.NO_DATA)
        return sheet
    return _only_with_data(workbook, names, visible)


def _only_with_data(workbook: CalamineWorkbook, names: list[str], visible: list[str]) -> CalamineSheet:
    found: CalamineSheet | None = None
    filled: list[str] = []
    for name in visible:
        sheet = _sheet(workbook, name)
        if _has_data(sheet):
            filled.append(name)
            found = sheet if len(filled) == 1 else None  # memory holds one of them
    if not filled:
        raise CannotOpenError(Trouble.NO_DATA)
    if found is None:
        listed = _numbered(names, filled)
        raise CannotOpenError(Trouble.SEVERAL_SHEETS, sheets=listed, first=shown(filled[0]))
    return found


def _sheet(workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    sheet = workbook.get_sheet_by_name(name)
    if sheet.total_height > ROWS_MOST:
        raise CannotOpenError(Trouble.MEMORY)
    return sheet


def _named(names: list[str], wanted: str) -> str:
    """A sheet's name, from the name or the number that a person gave."""
    if wanted in names:
        return wanted
    alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    if wanted.strip().isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise CannotOpenError(Trouble.UNKNOWN_SHEET, wanted=shown(wanted), sheets=_numbered(names, names))


def _numbered(names: list[str], which: list[str]) -> list[tuple[int, str]]:
    return [(names.index(name) + 1, shown(name)) for name in which[:SHEETS_MOST]]


def _has_data(sheet: CalamineSheet) -> bool:
    if sheet.start is None:
        return False
    return any(cell != "" for row in sheet.iter_rows() for cell in row)

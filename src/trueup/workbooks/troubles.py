"""Why a packed file or a workbook cannot be opened: a code each, said by the child process, and its sentence."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from trueup.model.remarks import Mention, Way


class Trouble(StrEnum):
    """What is wrong with a file."""

    NO_FILE = "no_file"
    SEVERAL_FILES = "several_files"  # values: files
    NESTED = "nested"
    LOCKED_ARCHIVE = "locked_archive"
    OTHER_COMPRESSION = "other_compression"
    DAMAGED_ARCHIVE = "damaged_archive"
    TOO_LARGE = "too_large"  # values: megabytes
    TOO_DENSE = "too_dense"  # values: times
    TOO_MANY_PARTS = "too_many_parts"  # values: parts
    OTHER_DOCUMENT = "other_document"  # values: what
    PASSWORD = "password"  # noqa: S105 - a code
    DECLARES_TYPE = "declares_type"
    DAMAGED_WORKBOOK = "damaged_workbook"
    ERRORS_UNPLACED = "errors_unplaced"
    NO_SHEET = "no_sheet"
    NO_DATA = "no_data"
    SEVERAL_SHEETS = "several_sheets"  # values: sheets, first
    UNKNOWN_SHEET = "unknown_sheet"  # values: wanted, sheets
    MEMORY = "memory"
    PROCESSOR = "processor"
    SILENT = "silent"  # values: seconds


class CannotOpenError(Exception):
    """A file cannot be opened."""

    def __init__(self, trouble: Trouble, **values: Any) -> None:  # noqa: ANN401 - whatever its sentence needs
        super().__init__(trouble, values)
        self.trouble, self.values = trouble, values


_SHOWN: Final = 20  # files or sheets in a message
_AS_CSV: Final = "copy the data to a new workbook, or save the sheet as CSV (UTF-8)."

_SENTENCES: Final[Mapping[Trouble, str]] = {
    Trouble.NO_FILE: "The archive has no file in it.",
    Trouble.NESTED: "The archive holds another archive: unpack it first.",
    Trouble.LOCKED_ARCHIVE: "The archive has a password: unpack it first.",
    Trouble.OTHER_COMPRESSION: "The archive is compressed in an unusual way: unpack it first.",
    Trouble.DAMAGED_ARCHIVE: "The archive is damaged or cut off: send or download it again.",
    Trouble.TOO_LARGE: "Unpacked, the file has more than {megabytes:,} MB. Split it into smaller files.",
    Trouble.TOO_DENSE: "The file unpacks to more than {times} times its size, as no real file does. It is not read.",
    Trouble.TOO_MANY_PARTS: "The file has more than {parts:,} parts, as no real workbook does. It is not read.",
    Trouble.OTHER_DOCUMENT: "The file is {what}, not a workbook. Save the table as CSV (UTF-8) or .xlsx.",
    Trouble.PASSWORD: "The workbook has a password: open it, and save it without one.",
    Trouble.DECLARES_TYPE: "The workbook has a document type declaration, as no real workbook does. It is not read.",
    Trouble.DAMAGED_WORKBOOK: f"The workbook is damaged or cut off. If a spreadsheet can open it, {_AS_CSV}",
    Trouble.ERRORS_UNPLACED: (
        "The sheet has cells with errors such as #N/A, and it is not certain which. Mend them, or save the sheet as "
        "CSV (UTF-8)."
    ),
    Trouble.NO_SHEET: "The workbook has no sheet with cells.",
    Trouble.NO_DATA: "The workbook has no data: all cells of its visible sheets are empty.",
    Trouble.MEMORY: (
        f"The workbook needs too much memory. Often a stray cell stands far below or far right of the data: {_AS_CSV}"
    ),
    Trouble.PROCESSOR: f"The workbook takes too long to read: {_AS_CSV}",
    Trouble.SILENT: f"Nothing could be read of the workbook for {{seconds:.0f}} seconds: {_AS_CSV}",
}


def remark_on(trouble: Trouble, values: Mapping[str, Any]) -> tuple[str | Mention, ...]:
    """Say what is wrong with a file, and what to do."""
    if trouble is Trouble.SEVERAL_FILES:
        return (f"The archive has several files: {_listed(values['files'])}. Unpack it, and upload each by itself.",)
    if trouble is Trouble.SEVERAL_SHEETS:
        said = f"Several sheets of the workbook have data: {_sheets(values['sheets'])}. Choose one with "
        return (said, Way.SHEET.of(sheet=values["first"]), ".")
    if trouble is Trouble.UNKNOWN_SHEET:
        wanted = Way.SHEET.of(sheet=values["wanted"])
        return (wanted, f": the workbook has no such sheet. It has: {_sheets(values['sheets'])}.")
    return (_SENTENCES[trouble].format(**values),)


def _sheets(sheets: Sequence[Sequence[Any]]) -> str:
    return _listed([f'{number} "{name}"' for number, name in sheets])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)

"""The parts of a workbook that is a zip: which kind it is, and whether it can be read without harm.

All parts that a reader of workbooks would read are unpacked once and counted, before one does. For the child process.
"""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from trueup.workbooks.archives import Measure, chunks_of
from trueup.workbooks.troubles import CannotOpenError, Trouble

PARTS_MOST: Final = 5_000
_NOT_READ: Final = ("xl/media/", "xl/embeddings/", "xl/drawings/", "Pictures/", "Thumbnails/", "Object ")
_XML: Final = (".xml", ".rels")
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")
_OVERLAP: Final = 64  # bytes: longer than what is looked for
# What a cell with an error looks like; in OpenDocument, what one shows whose value does not say all.
_ERROR_TYPES: Final = (b'"e"', b"'e'")
_SHOWN: Final = re.compile(rb">(?:#(?:N/A|VALUE!|REF!|DIV/0!|NUM!|NAME\?|NULL!)|Err:[0-9]|0[0-9]{1,40}<)")
_OPEN_DOCUMENT: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_DOCUMENTS: Final = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("visio/", "a Visio drawing"),
    ("Index/", "an Apple Numbers or Pages document"),
)


@dataclass
class Parts:
    """What is known of a workbook's parts."""

    kind: str  # xlsx, xlsb or ods
    bytes: int = 0  # of all parts together, unpacked
    with_errors: set[str] = field(default_factory=set)  # parts that seem to have cells with errors


def workbook_kind(archive: zipfile.ZipFile) -> str:
    """Find out which kind of workbook a zip is: xlsx (or xlsm), xlsb, ods; '' for no document at all.

    Raises:
        CannotOpenError: It is another kind of document.
    """
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "content.xml" in names and "mimetype" in names:
        mimetype = next(chunks_of(archive, archive.getinfo("mimetype"), Trouble.DAMAGED_WORKBOOK), b"")
        if mimetype.startswith(_OPEN_DOCUMENT):
            return "ods"
        raise CannotOpenError(Trouble.OTHER_DOCUMENT, what="an OpenDocument text, drawing or presentation")
    for folder, what in _DOCUMENTS:
        if any(name.startswith(folder) for name in names) and len(names) > 1:
            raise CannotOpenError(Trouble.OTHER_DOCUMENT, what=what)
    if "[Content_Types].xml" in names:
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)
    return ""


def checked_parts(archive: zipfile.ZipFile, kind: str, measure: Measure) -> Parts:
    """Unpack and count the parts of a workbook.

    Args:
        archive: The workbook.
        kind: As `workbook_kind` says.
        measure: Counts what comes out.

    Returns:
        What is known of the parts.

    Raises:
        CannotOpenError: There is too much of it, it is damaged, has a password, or is a trap.
    """
    entries = archive.infolist()
    if len(entries) > PARTS_MOST:
        raise CannotOpenError(Trouble.TOO_MANY_PARTS, parts=PARTS_MOST)
    if len({entry.filename for entry in entries}) < len(entries):
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)  # readers differ in which of two they take
    parts = Parts(kind)
    for entry in entries:
        if entry.filename.startswith(_NOT_READ):
            continue
        chunks = chunks_of(archive, entry, Trouble.DAMAGED_WORKBOOK)
        if _is_checked(entry.filename, chunks, measure):
            parts.with_errors.add(entry.filename)
    parts.bytes = measure.bytes
    return parts


def _is_checked(name: str, chunks: Iterable[bytes], measure: Measure) -> bool:
    """Count a part, and look for what no workbook needs. Returns: whether it seems to have cells with errors."""
    before, has_errors, is_xml = b"", False, name.endswith(_XML)
    for chunk in chunks:
        measure.add(len(chunk))
        if not is_xml:
            continue
        if not before and b"\0" in chunk[:4]:
            raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)  # no text in UTF-8
        text = before + chunk
        if b"<!" in text and any(declaration in text for declaration in _DECLARATIONS):
            raise CannotOpenError(Trouble.DECLARES_TYPE)
        has_errors = has_errors or any(sign in text for sign in _ERROR_TYPES)
        has_errors = has_errors or (name == "content.xml" and _SHOWN.search(text) is not None)
        before = chunk[-_OVERLAP:]
    return has_errors

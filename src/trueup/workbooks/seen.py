"""What a person saw in a cell and its reader leaves out: errors such as #N/A, and zeros that a format puts in front.

The reader gives an empty cell for an error. Taken for an amount that is not given, it would be money. So each kind of
workbook is looked through once more, for such cells alone. For the child process.
"""

import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final
from xml.etree import ElementTree as ET  # declarations, by which XML does harm, were refused before

from trueup.workbooks.archives import chunks_of
from trueup.workbooks.ole import ERRORS, xls_errors
from trueup.workbooks.open_document import shown_cells
from trueup.workbooks.parts import Parts
from trueup.workbooks.troubles import CannotOpenError, Trouble

Seen = dict[int, dict[int, str]]  # row, counted from 1 -> column, counted from 0 -> text

_ROW_BYTES: Final = 32 << 20
_PADDED: Final = re.compile("0{2,30}")  # the format of numbers with zeros in front
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_PLACE: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_STYLE: Final = re.compile(rb"""\bs\s*=\s*["']([0-9]+)["']""")
_TYPE: Final = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)<")
_BUNDLE_SHEET, _ROW, _ERROR_CELLS = 156, 0, (3, 11)


def seen_cells(file: BinaryIO, parts: Parts, sheet: str, number: int) -> Seen:
    """Find the cells of a sheet that show more than their value says.

    Args:
        file: The workbook.
        parts: What is known of it.
        sheet: The sheet's name.
        number: The sheet's place in the workbook, counted from 0.

    Raises:
        CannotOpenError: There are errors, and it cannot be found out where.
    """
    if parts.kind == "xls":
        return xls_errors(file, number)
    with zipfile.ZipFile(file) as archive:
        if parts.kind == "xlsx":
            return _xlsx(archive, parts, sheet)
        if parts.kind == "xlsb":
            return _xlsb(archive, sheet)
        return shown_cells(_chunks(archive, "content.xml"), sheet) if "content.xml" in parts.with_errors else {}


def _xlsx(archive: zipfile.ZipFile, parts: Parts, sheet: str) -> Seen:
    root = ET.fromstring(b"".join(_chunks(archive, "xl/workbook.xml")))  # noqa: S314 - it declares nothing
    places = {
        one.get("name"): one.get(_RELATION) or one.get(_STRICT_RELATION) or ""
        for one in root.iter()
        if one.tag.rpartition("}")[2] == "sheet"
    }
    part = _targets(archive, "xl/_rels/workbook.xml.rels").get(places.get(sheet, ""), "")
    padded = _padded_styles(archive)
    if part not in archive.namelist():
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)
    return _xlsx_cells(archive, part, padded) if part in parts.with_errors or padded else {}


def _xlsx_cells(archive: zipfile.ZipFile, part: str, padded: Mapping[bytes, int]) -> Seen:
    styles = b"|".join(padded) or b"none"
    cell = re.compile(
        rb"""<(?:\w+:)?c\s(?=[^>]*(?:\bt\s*=\s*["']e["']|\bs\s*=\s*["'](?:""" + styles + rb""")["']))([^>]*[^>/])>"""
        rb"""(.*?)</(?:\w+:)?c>""",
        re.DOTALL,
    )
    found: Seen = {}
    for rows in _whole_rows(_chunks(archive, part)):
        for match in cell.finditer(rows):
            text = _shown_text(match[1], match[2], padded)
            if text is None:
                continue
            place = _PLACE.search(match[1])
            if place is None:
                raise CannotOpenError(Trouble.ERRORS_UNPLACED)
            found.setdefault(int(place[2]), {})[_column(place[1])] = text
    return found


def _shown_text(attributes: bytes, content: bytes, padded: Mapping[bytes, int]) -> str | None:
    """What a cell shows, None where its value says it."""
    kind, value, style = _TYPE.search(attributes), _VALUE.search(content), _STYLE.search(attributes)
    text = value[1].decode("utf-8", "replace").strip() if value else ""
    if kind and kind[1] == b"e":
        return text or "#N/A"
    if (kind is None or kind[1] == b"n") and style and text.isdecimal():
        return text.zfill(padded.get(style[1], 0))
    return None


def _whole_rows(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut only behind rows."""
    carry = b""
    for chunk in chunks:
        text = carry + chunk
        cut = text.rfind(b"row>")
        if cut < 0:
            carry = text
            if len(carry) > _ROW_BYTES:
                raise CannotOpenError(Trouble.ERRORS_UNPLACED)
        else:
            yield text[:cut]
            carry = text[cut:]
    yield carry


def _column(letters: bytes) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + letter - ord("A") + 1
    return column - 1


def _padded_styles(archive: zipfile.ZipFile) -> dict[bytes, int]:
    """The cell styles whose format puts zeros in front: their number -> how many digits are shown."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    root = ET.fromstring(b"".join(_chunks(archive, "xl/styles.xml")))  # noqa: S314 - it declares nothing
    formats: dict[str, int] = {}
    padded: dict[bytes, int] = {}
    for one in root:
        name = one.tag.rpartition("}")[2]
        if name == "numFmts":
            codes = {each.get("numFmtId", ""): each.get("formatCode", "") for each in one}
            formats = {number: len(code) for number, code in codes.items() if _PADDED.fullmatch(code)}
        elif name == "cellXfs":
            for place, style in enumerate(one):
                if style.get("numFmtId", "") in formats:
                    padded[b"%d" % place] = formats[style.get("numFmtId", "")]
    return padded


def _targets(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The parts that a part refers to, by their ids."""
    root = ET.fromstring(b"".join(_chunks(archive, part)))  # noqa: S314 - it declares nothing
    found = {one.get("Id", ""): one.get("Target", "") for one in root}
    return {name: to[1:] if to.startswith("/") else f"xl/{to}" for name, to in found.items()}


def _xlsb(archive: zipfile.ZipFile, sheet: str) -> Seen:
    targets, part = _targets(archive, "xl/_rels/workbook.bin.rels"), ""
    for kind, body in _binary_records(_chunks(archive, "xl/workbook.bin")):
        if kind == _BUNDLE_SHEET:
            relation, rest = _wide_text(body[8:])
            if _wide_text(rest)[0] == sheet:
                part = targets.get(relation, "")
    if part not in archive.namelist():
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)
    found: Seen = {}
    row = 0
    for kind, body in _binary_records(_chunks(archive, part)):
        if kind == _ROW and len(body) >= 4:  # noqa: PLR2004 - bytes of a number
            row = struct.unpack_from("<I", body)[0] + 1
        elif kind in _ERROR_CELLS and len(body) > 8:  # noqa: PLR2004 - bytes before the error
            found.setdefault(row, {})[struct.unpack_from("<I", body)[0]] = ERRORS.get(body[8], "#N/A")
    return found


def _wide_text(body: bytes) -> tuple[str, bytes]:
    """A text at the beginning, and what follows it."""
    end = 4 + 2 * struct.unpack_from("<I", body)[0]
    return body[4:end].decode("utf-16-le", "replace"), body[end:]


def _binary_records(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The records of a part of an .xlsb: a kind of one or two bytes, a length of one to four, and the body."""
    content = b"".join(chunks)
    at = 0
    while at < len(content) - 1:
        kind = content[at]
        at += 1
        if kind & 0x80:
            kind = kind & 0x7F | (content[at] & 0x7F) << 7
            at += 1
        length = 0
        for shift in range(0, 28, 7):
            byte = content[at : at + 1] or b"\0"
            at += 1
            length |= (byte[0] & 0x7F) << shift
            if not byte[0] & 0x80:
                break
        yield kind, content[at : at + length]
        at += length


def _chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    if part not in archive.namelist():
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)
    return chunks_of(archive, archive.getinfo(part), Trouble.DAMAGED_WORKBOOK)

"""Excel 97 to 2003: streams in an OLE file, and where one has cells with errors. For the child process.

Whether a file is such a workbook, and which cells have errors, is all that is read of it here.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from trueup.workbooks.troubles import CannotOpenError, Trouble

ERRORS: Final[Mapping[int, str]] = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_WORKBOOKS: Final = ("Workbook", "Book", "WORKBOOK", "BOOK")
_OTHERS: Final = {"WordDocument": "a Word document", "PowerPoint Document": "a PowerPoint presentation"}
_END: Final = 0xFFFFFFFA  # sectors from here on are marks
_ENTRY_BYTES: Final = 128
_STREAM, _ROOT = 2, 5
_BOF, _EOF, _SHEET, _FORMULA, _BOOLEAN_OR_ERROR = 0x809, 0x0A, 0x85, 0x06, 0x205
_FORMULA_ERROR: Final = 2


def refuse_other_documents(file: BinaryIO) -> None:
    """Look whether an OLE file is a workbook. Raises: CannotOpenError, if it is none, or has a password."""
    names = _directory(file)[0]
    if "EncryptedPackage" in names:
        raise CannotOpenError(Trouble.PASSWORD)
    if "" not in names:  # its root
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK)
    if not any(name in names for name in _WORKBOOKS):
        what = next((what for name, what in _OTHERS.items() if name in names), "another program's document")
        raise CannotOpenError(Trouble.OTHER_DOCUMENT, what=what)


def xls_errors(file: BinaryIO, number: int) -> dict[int, dict[int, str]]:
    """Find the cells with errors.

    Args:
        file: The workbook.
        number: The sheet's place in the workbook, counted from 0.

    Returns:
        Row (counted from 1) -> column (from 0) -> the error.
    """
    content = _workbook_stream(file)
    found: dict[int, dict[int, str]] = {}
    starts = [struct.unpack_from("<I", body)[0] for kind, body in _records(content, 0) if kind == _SHEET]
    if number >= len(starts):
        return found
    for kind, body in _records(content, starts[number]):
        code = _error_code(kind, body)
        if code is not None:
            row, column = struct.unpack_from("<HH", body)
            found.setdefault(row + 1, {})[column] = ERRORS.get(code, "#N/A")
    return found


def _error_code(kind: int, body: bytes) -> int | None:
    if kind == _BOOLEAN_OR_ERROR and len(body) >= 8 and body[7] == 1:  # noqa: PLR2004 - of the record
        return body[6]
    if kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == _FORMULA_ERROR:  # noqa: PLR2004 - the same
        return body[8]
    return None


def _records(content: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The records of a substream, those of charts within it left out."""
    depth = 0
    while start + 4 <= len(content):
        kind, length = struct.unpack_from("<HH", content, start)
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, content[start + 4 : start + 4 + length]
        start += 4 + length


def _directory(file: BinaryIO) -> tuple[dict[str, tuple[int, int, int]], list[int], int]:
    """The streams of an OLE file (name -> type, first sector, bytes), its sector table, and the size of a sector."""
    file.seek(0)
    header = file.read(512)
    try:
        size = 1 << struct.unpack_from("<H", header, 30)[0]
        first, more, tables = struct.unpack_from("<I", header, 48)[0], *struct.unpack_from("<II", header, 68)
        places = list(struct.unpack_from("<109I", header, 76))
        sectors = _sectors(file)
        for _ in range(min(tables, sectors)):
            part = struct.unpack(f"<{size // 4}I", _sector(file, more, size))
            places += part[:-1]
            more = part[-1]
        table: list[int] = []
        for place in places:
            if place < _END and len(table) <= sectors * 128:
                table += struct.unpack(f"<{size // 4}I", _sector(file, place, size))
        return _entries(_chain(file, table, first, size, _sectors(file))), table, size
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK) from error


def _entries(directory: bytes) -> dict[str, tuple[int, int, int]]:
    found = {}
    for start in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        length, kind = struct.unpack_from("<HB", directory, start + 64)
        first, size = struct.unpack_from("<II", directory, start + 116)
        if kind in (_STREAM, _ROOT) and 2 <= length <= 64:  # noqa: PLR2004 - bytes of a name
            name = directory[start : start + length - 2].decode("utf-16-le", "replace")
            found["" if kind == _ROOT else name] = (kind, first, size)
    return found


def _workbook_stream(file: BinaryIO) -> bytes:
    entries, table, size = _directory(file)
    name = next(name for name in _WORKBOOKS if name in entries)
    _, first, length = entries[name]
    file.seek(0)
    header = file.read(512)
    smallest = struct.unpack_from("<I", header, 56)[0]
    if length >= smallest:
        return _chain(file, table, first, size, _sectors(file))[:length]
    small = 1 << struct.unpack_from("<H", header, 32)[0]
    _, root, root_length = entries[""]
    container = _chain(file, table, root, size, _sectors(file))[:root_length]
    small_table = _chain(file, table, struct.unpack_from("<I", header, 60)[0], size, _sectors(file))
    following = struct.unpack(f"<{len(small_table) // 4}I", small_table[: len(small_table) // 4 * 4])
    pieces: list[bytes] = []
    while first < _END and len(pieces) <= len(following):
        pieces.append(container[first * small : (first + 1) * small])
        first = following[first]
    return b"".join(pieces)[:length]


def _chain(file: BinaryIO, table: list[int], sector: int, size: int, most: int) -> bytes:
    pieces: list[bytes] = []
    while sector < _END and len(pieces) <= most:  # a chain that bites its tail has an end, too
        pieces.append(_sector(file, sector, size))
        sector = table[sector]
    return b"".join(pieces)


def _sector(file: BinaryIO, sector: int, size: int) -> bytes:
    file.seek((sector + 1) * size)
    return file.read(size)


def _sectors(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size // 512 + 1

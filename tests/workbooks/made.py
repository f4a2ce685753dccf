"""Workbooks and archives that tests make, by hand where a program would not make such a file."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import xlsxwriter

CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
WORKBOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="worksheets/sheet1.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>'
    '<Relationship Id="r2" Target="sharedStrings.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
)
ROOT_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="xl/workbook.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
SPREADSHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def zipped(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def by_hand(rows: str, strings: str = "", **other: str | bytes) -> bytes:
    """An .xlsx of these XML rows and shared strings."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": ROOT_RELATIONS,
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/worksheets/sheet1.xml": f"<worksheet {SPREADSHEET}><sheetData>{rows}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst {SPREADSHEET}>{strings}</sst>",
    }
    names = {"sheet": "xl/worksheets/sheet1.xml", "shared": "xl/sharedStrings.xml", "workbook": "xl/workbook.xml"}
    return zipped(parts | {names[name]: content for name, content in other.items()})


def workbook(sheets: Mapping[str, list[list[Any]]], hidden: str = "", **options: bool) -> bytes:
    """An .xlsx with these sheets. A cell of two is a value and its number format."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss", **options}) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            if name == hidden:
                sheet.hide()
            for place, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, tuple):
                        sheet.write(place, column, cell[0], made.add_format({"num_format": cell[1]}))
                    elif isinstance(cell, str) and cell.startswith("#"):
                        sheet.write_formula(place, column, "=NA()", value=cell)
                    else:
                        sheet.write(place, column, cell)
    return out.getvalue()


def xlsb(cells: list[list[Any]]) -> bytes:
    """An .xlsb with one sheet; a cell that is None has the error #N/A."""
    sheet = [_record(129), _record(145)]
    for row, values in enumerate(cells):
        sheet.append(_record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0)))
        for column, value in enumerate(values):
            place = struct.pack("<II", column, 0)
            if value is None:
                sheet.append(_record(3, place + b"\x2a"))
            elif isinstance(value, str):
                sheet.append(_record(6, place + _wide(value)))
            else:
                sheet.append(_record(5, place + struct.pack("<d", value)))
    last = struct.pack("<IIII", 0, len(cells) - 1, 0, max(map(len, cells)) - 1)
    sheet = [_record(129), _record(148, last), *sheet[1:], _record(146), _record(130)]
    book = _record(131) + _record(143) + _record(156, struct.pack("<II", 0, 1) + _wide("r1") + _wide("S"))
    return zipped(
        {
            "[Content_Types].xml": CONTENT_TYPES,
            "xl/workbook.bin": book + _record(144) + _record(132),
            "xl/_rels/workbook.bin.rels": RELATIONS.replace("sheet1.xml", "sheet1.bin"),
            "xl/worksheets/sheet1.bin": b"".join(sheet),
        }
    )


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, size = b"", len(body)
    while size >= 0x80:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return head + length + bytes([size]) + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def ods(rows: str) -> bytes:
    """An .ods of these XML rows."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="S">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    parts = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml": manifest}
    return zipped({**parts, "content.xml": content})


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE file with these streams, each of 4,096 bytes or more."""
    sectors: list[bytes] = []
    table: list[int] = []
    entries = [_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1)]
    for place, (name, content) in enumerate(streams.items(), start=2):
        padded = content.ljust(4096, b"\0")
        padded += bytes(-len(padded) % 512)
        entries.append(_entry(name, 2, len(sectors), len(padded), right=place if place <= len(streams) else -1))
        count = len(padded) // 512
        table += [*range(len(sectors) + 1, len(sectors) + count), 0xFFFFFFFE]
        sectors += [padded[at : at + 512] for at in range(0, len(padded), 512)]
    directory = b"".join(entries).ljust(512 * -(-len(entries) // 4), b"\0")
    first = len(sectors)
    count = len(directory) // 512
    table += [*range(first + 1, first + count), 0xFFFFFFFE]
    sectors += [directory[at : at + 512] for at in range(0, len(directory), 512)]
    where = len(sectors)
    table += [0xFFFFFFFD]
    assert len(table) <= 128
    sectors.append(struct.pack("<128I", *table, *[0xFFFFFFFF] * (128 - len(table))))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIIII", 0, 1, first, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, where)
    return header + struct.pack("<108I", *[0xFFFFFFFF] * 108) + b"".join(sectors)


def _entry(name: str, kind: int, first: int, size: int, child: int = -1, right: int = -1) -> bytes:
    wide = name.encode("utf-16-le")
    numbers = struct.pack("<iii", -1, right, child)
    head = wide.ljust(64, b"\0") + struct.pack("<HBB", len(wide) + 2, kind, 1) + numbers
    return head + bytes(36) + struct.pack("<IQ", first, size)


def locked_zip() -> bytes:
    """A .zip whose entry says that it has a password."""
    made = bytearray(zipped({"a.csv": "click_id\nk1\n"}))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def lying_zip(stated: int, actual: bytes) -> bytes:
    """A .zip whose entry says that it has another size."""
    made = bytearray(zipped({"a.csv": actual}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = made.index(signature) + offset
        made[at : at + 4] = struct.pack("<I", stated)
    return bytes(made)


def overlapping_zip(entries: int, content: bytes) -> bytes:
    """A .zip whose entries all lead to the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    sizes = struct.pack("<III", zlib.crc32(content), len(packed), len(content))
    local = (
        b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", 15, 0) + b"xl/workbook.xml"
    )
    central = b""
    for number in range(entries):
        name = b"xl/workbook.xml" if not number else b"xl/part%08d" % number
        central += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes
        central += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<HHHHIIH", 0, 0, entries, entries, len(central), len(local) + len(packed), 0)
    return local + packed + central + b"PK\x05\x06" + end

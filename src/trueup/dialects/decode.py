"""Bytes to text. UTF-8 and UTF-16 are recognised. Any other encoding has to be chosen: guessing mixes up letters."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from mmap import mmap
from typing import Final

from trueup.dialects.choices import ChoiceNeeded, UnreadableFile
from trueup.dialects.names import quoted_title
from trueup.dialects.text import without_halves
from trueup.model.remarks import Way

Content = bytes | bytearray | memoryview | mmap

CHUNK_BYTES: Final = 1 << 20  # some 20,000 rows: little memory, and columns long enough to be fast
SAMPLE_BYTES: Final = 4096
LINE_CHARS: Final = 65_536  # no row is longer

# Byte order marks. UTF-32 comes first: its mark begins with that of UTF-16.
MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAVE_SHEET: Final = "Open it in a spreadsheet, and save it as .xlsx or CSV (UTF-8)."
_UNPACK: Final = "Unpack it first, or pack it as .gz or .zip."
_SIGN_IN: Final = "Perhaps a sign-in page was saved instead of the report: download the report again as CSV."

# How files begin that are not delimited text, what they are, and what to do.
OTHER_FILES: Final = (
    # Workbooks, .gz and .zip are opened before their text is read; these are what is within such a text.
    (b"PK\x03\x04", "a workbook or a zip archive", "Unpack it first."),
    (b"\xd0\xcf\x11\xe0", "a workbook or another document", _SAVE_SHEET),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"BZh", "compressed with bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (b"%PDF", "a PDF document", "Ask for the report as CSV."),
    (b"PAR1\x15", "a Parquet file", "Write it as CSV."),
    (b"SQLite format 3", "a database", "Write its rows as CSV."),
    (b"\x89PNG", "a picture", "Ask for the report as CSV."),
    (b"<!DOCTYPE", "a web page or XML", _SIGN_IN),
    (b"<html", "a web page", _SIGN_IN),
    (b"<?xml", "XML", "Save it as CSV."),
)
# What trackers and networks also call .xls: marks near the beginning of markup.
WORKBOOKS_AS_TEXT: Final = (
    (b"urn:schemas-microsoft-com:office:spreadsheet", "an Excel 2003 workbook in XML"),
    (b"urn:schemas-microsoft-com:office:excel", "a web page with a table for Excel"),
    (b"urn:oasis:names:tc:opendocument:xmlns:office", "a flat OpenDocument file"),
    (b"<table", "a web page with a table"),
    (b"<TABLE", "a web page with a table"),
)
_USUAL: Final = "utf-8"
# The code pages that files are likely to have which are neither UTF-8 nor UTF-16, and of which letters they are.
CODE_PAGES: Final = {
    "windows-1252": "western",
    "windows-1250": "central European",
    "windows-1251": "Cyrillic",
    "windows-1253": "Greek",
    "windows-1254": "Turkish",
    "cp850": "western, of DOS",
}
_SHOWN_CELLS: Final = 3
_BETWEEN_CELLS: Final = b',;\t|"\r\n'
_TEXT_CONTROLS: Final = b"\t\n\r"


@dataclass(frozen=True)
class Encoding:
    """How the bytes are read, and why so."""

    name: str  # Python's name of the codec
    said: str  # for the person
    is_certain: bool = True  # it was chosen, or the bytes say so themselves


def recognised_encoding(content: Content, chosen: str | None) -> Encoding:
    """Find out how to read the bytes.

    Args:
        content: The whole content.
        chosen: The encoding that the person chose, None when nobody chose one.

    Returns:
        The encoding.

    Raises:
        UnreadableFile: The file is empty or is no text, the chosen encoding is unknown, or the person has to choose
            one.
    """
    sample = bytes(content[:SAMPLE_BYTES])
    if not sample:
        raise UnreadableFile("The file is empty.")
    text = sample.removeprefix(codecs.BOM_UTF8).lstrip()
    for sign, what in WORKBOOKS_AS_TEXT:
        if text.startswith(b"<") and sign in text:
            raise UnreadableFile(f"The file is not delimited text: it is {what}. {_SAVE_SHEET}")
    for beginning, what, remedy in OTHER_FILES:
        if text[: len(beginning)].lower() == beginning.lower():
            raise UnreadableFile(f"The file is not delimited text: it is {what}. {remedy}")
    if chosen:
        return Encoding(_known_codec(chosen), f"{chosen} (chosen)")
    for mark, name in MARKS:
        if sample.startswith(mark):
            return Encoding(name, f"{_shown(name)} (by its byte order mark)")
    name = _without_mark(sample)
    return Encoding(name, _shown(name), is_certain=name != _USUAL)


def texts(
    content: Content,
    encoding: Encoding,
    progress: Callable[[int], None] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[str]:
    """Decode the content in blocks of whole lines.

    Args:
        content: The bytes of the file.
        encoding: How to read them.
        progress: Called with the number of bytes read so far.
        chunk_bytes: How many bytes to decode at once.

    Returns:
        The blocks. Their lines end with a line feed, whatever ends them in the file, and the last line of a block ends
        with nothing. A line longer than LINE_CHARS may be cut off, but never before that many characters.

    Raises:
        UnreadableFile: The encoding does not have one of the bytes.
    """
    decoder = IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding.name)("strict"), translate=True)
    carry, line = "", 1
    for start in range(0, len(content), chunk_bytes):
        chunk = bytes(content[start : start + chunk_bytes])
        end = start + len(chunk)
        fresh = _decoded(decoder, chunk, encoding, line, final=end == len(content))
        text = carry + (fresh if start else fresh.removeprefix("\ufeff"))
        whole_lines, line_end, carry = text.rpartition("\n")
        carry = carry[: LINE_CHARS + 1]
        if line_end and carry and end == len(content):  # its last line has no end
            whole_lines, carry = f"{whole_lines}\n{carry}", ""
        if line_end:
            yield whole_lines
            line += whole_lines.count("\n") + 1
        if progress:
            progress(end)
    if carry:
        yield carry


def _decoded(decoder: IncrementalNewlineDecoder, chunk: bytes, encoding: Encoding, line: int, *, final: bool) -> str:
    try:
        return without_halves(decoder.decode(chunk, final))
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding.name, "replace").replace("\r\n", "\n").replace("\r", "\n")
        found = f"byte {error.object[error.start]:#04x} on line {line + before.count(chr(10))}"
        cells = _odd_cells(error.object, error.start)
        raise _wrong(encoding, f"{found} has no meaning there", cells) from None
    except UnicodeError as error:
        raise _wrong(encoding, str(error), []) from None


def _wrong(encoding: Encoding, why: str, cells: list[bytes]) -> UnreadableFile:
    asked = (f"The file is not {_shown(encoding.name)}: {why}. Name its encoding with ", Way.ENCODING.of())
    if encoding.is_certain:
        return UnreadableFile(*asked, ".")
    readings = {page: reading for page in CODE_PAGES if (reading := _read_as(page, cells))}
    told = (f"{reading} as {page} ({CODE_PAGES[page]})" for page, reading in readings.items())
    return ChoiceNeeded("encoding", readings, *asked, f". Cells of it read {'; '.join(told)}.")


def _odd_cells(content: bytes, start: int) -> list[bytes]:
    """The first cells that are not plain ASCII, from the one on that cannot be decoded."""
    begins = max(content.rfind(mark, 0, start) for mark in _BETWEEN_CELLS) + 1
    cells = re.split(b"[" + re.escape(_BETWEEN_CELLS) + b"]", content[begins : begins + CHUNK_BYTES])
    return list(dict.fromkeys(cell.strip() for cell in cells if not cell.isascii()))[:_SHOWN_CELLS]


def _read_as(page: str, cells: list[bytes]) -> str:
    """Cells as a code page has them; '' where it does not have one of their bytes."""
    try:
        return ", ".join(f"'{quoted_title(cell.decode(page))}'" for cell in cells)
    except UnicodeDecodeError:
        return ""


def _known_codec(chosen: str) -> str:
    try:
        "a".encode(chosen)  # refuses codecs that are not of text
        codecs.getincrementaldecoder(chosen)
    except (LookupError, ValueError):
        examples = "Names are such as utf-8, utf-16 and windows-1252."
        raise UnreadableFile(f'No encoding is called "{chosen}". {examples}') from None
    return codecs.lookup(chosen).name


def _without_mark(sample: bytes) -> str:
    """Recognise UTF-16 without a byte order mark: every plain letter has a zero byte, always on the same side."""
    pairs = len(sample) // 2
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second > pairs * 0.6 and first < pairs * 0.05:
        return "utf-16-le"
    if first > pairs * 0.6 and second < pairs * 0.05:
        return "utf-16-be"
    controls = sum(byte < ord(" ") and byte not in _TEXT_CONTROLS for byte in sample)
    if controls > max(16, len(sample) * 0.05):  # a few only make their own rows bad
        raise UnreadableFile("The file is not text. Save or download it as CSV or other delimited text.")
    return _USUAL


def _shown(name: str) -> str:
    return name.upper()

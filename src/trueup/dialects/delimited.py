"""Text to records: which separator a file has, and where each record begins and ends.

A record is a line, unless a quoted field runs over several. A quote that is never closed would swallow the rest of the
file. So a record of several lines counts only if it is well formed and short; else only its first line is refused, and
reading goes on with the next line. A quote has a meaning only where a field begins; elsewhere it is a character.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from trueup.dialects.decode import LINE_CHARS
from trueup.model.frame_ops import collect_unoptimized

if TYPE_CHECKING:
    import _csv  # only this module has the type of csv.reader's results

SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
RECORD_LINES: Final = 100  # a quote that is open for more lines was never closed
_BOUNDS: Final = f"{RECORD_LINES} lines and {LINE_CHARS:,} characters"
_MARK: Final = "\x1f"  # "unit separator": parts the fields of records that had quotes
_SCHEMA: Final = {"line": pl.Int64, "record": pl.String, "raw": pl.String, "trouble": pl.String}
_LINE_BEGINNING: Final = 200
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([\t!#-/:-@\[-^`{-~])"?', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How records are written in a file."""

    separator: str
    rows_after: int = 0  # the line of `sep=` or of the titles; 0 when rows begin at once


@dataclass(frozen=True)
class Records:
    """A block of whole records, blank lines included.

    Columns of the frame: line; record, whose fields are apart by `separator` here; raw, the record as it came;
    trouble, why it cannot be parted into fields, else ''.
    """

    frame: pl.DataFrame
    separator: str


def said_layout(lines: Sequence[str]) -> Layout | None:
    """The layout that a first line `sep=` says, None where there is none."""
    said = _SEPARATOR_LINE.fullmatch(lines[0].strip(" "))
    return Layout(said[1], rows_after=1) if said else None


def layout_by_rows(lines: Sequence[str]) -> Layout:
    """Find the separator of a file without titles.

    Rows begin with a click id, and no separator can be part of one: so it is the separator that comes first in most
    lines. A colon is one only where no other is.

    Args:
        lines: The first lines of the file, not all of them blank.

    Returns:
        How the records are written.
    """
    filled = [line[:_LINE_BEGINNING] for line in lines if line.strip()]
    found = [first[0] for first in (re.search(r"[,;\t|]", line) for line in filled) if first]
    colons = sum(":" in line for line in filled)
    return Layout(":" if not found and 2 * colons > len(filled) else max(SEPARATORS, key=found.count))


def first_records(lines: Sequence[str], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of the records in these lines, none for one that cannot be parted; blank ones are left out."""
    text = "\n".join(lines)
    if '"' not in text:  # as `_plain`, for few lines
        for line, record in enumerate(text.split("\n"), start=1):
            if line > layout.rows_after and record.strip():
                yield line, [] if len(record) > LINE_CHARS else record.split(layout.separator)
        return
    for found in records([text], layout.separator):
        for line, record, raw, trouble in found.frame.iter_rows():
            if line > layout.rows_after and raw.strip():
                yield line, [] if trouble or len(raw) > LINE_CHARS else record.split(found.separator)


def records(blocks: Iterable[str], separator: str) -> Iterator[Records]:
    """Find the records of a file.

    Args:
        blocks: The text of the file, in blocks of whole lines.
        separator: What parts the fields of a record.

    Returns:
        The records in blocks, in order. No block is empty.
    """
    line = 1
    open_lines: list[str] = []  # lines of a record that may end in the next block
    for block in blocks:
        text = "\n".join([*open_lines, block])
        open_lines = []
        if '"' in text:
            found, open_lines = _quoted(text.split("\n"), line, separator, last=False)
        else:
            found = _plain(text, line, separator)
        if found.frame.height:
            yield found
        line += text.count("\n") + 1 - len(open_lines)
    if open_lines:
        yield _quoted(open_lines, line, separator, last=True)[0]


def _plain(text: str, line: int, separator: str) -> Records:
    """A text without a quote: every line is a record."""
    each = pl.LazyFrame({"record": [text]}).select(pl.col("record").str.split("\n").explode())
    lines = pl.int_range(line, line + pl.len(), dtype=pl.Int64)
    plan = each.select_seq(lines.alias("line"), "record", pl.col("record").alias("raw"), pl.lit("").alias("trouble"))
    return Records(collect_unoptimized(plan), separator)


def _quoted(lines: list[str], line: int, separator: str, *, last: bool) -> tuple[Records, list[str]]:
    """Records of a text with quotes, and the lines at its end that may belong to the next text."""
    try:
        fields = list(_reader(lines, separator))
        whole = len(fields) == len(lines)
    except csv.Error:
        whole = False
    if not whole:
        return _one_by_one(lines, line, separator, last=last)
    starts = range(line, line + len(lines))
    return _parted(list(starts), fields, lines, [""] * len(lines)), []


def _one_by_one(lines: list[str], line: int, separator: str, *, last: bool) -> tuple[Records, list[str]]:
    """Records where some have several lines, or bad quotes: each is judged with RECORD_LINES lines in sight."""
    starts: list[int] = []
    fields: list[list[str]] = []
    raws: list[str] = []
    troubles: list[str] = []
    at, end = 0, len(lines) if last else len(lines) - RECORD_LINES
    while at < end:
        ahead = lines[at : at + RECORD_LINES]
        found, used = _first_record(ahead, separator)
        starts.append(line + at)
        fields.append(found or [])
        raws.append("\n".join(lines[at : at + used]))
        troubles.append(_quote_trouble(ahead, line + at, separator) if found is None else "")
        at += used
    return _parted(starts, fields, raws, troubles), lines[at:]


def _first_record(lines: list[str], separator: str) -> tuple[list[str] | None, int]:
    """The first record's fields, None when it is not well formed, and how many lines it takes."""
    if '"' not in lines[0]:
        return lines[0].split(separator), 1
    reader = _reader((f"{line}\n" for line in lines), separator)
    try:
        fields = next(reader)
    except csv.Error:
        return None, 1
    used = reader.line_num
    is_short = sum(map(len, lines[:used])) + used <= LINE_CHARS
    return (fields, used) if used == 1 or is_short else (None, 1)


def _quote_trouble(lines: list[str], line: int, separator: str) -> str:
    """What is wrong with the quotes of a record.

    Args:
        lines: Those in which it should end.
        line: The number of the first.
        separator: What parts its fields.
    """
    text = "\n".join(lines)[: LINE_CHARS + 1]
    closed = r' *"[^"]*+(?:""[^"]*+)*+"'
    plain = rf'(?! *")[^{re.escape(separator)}\n]*+'
    before = re.match(rf"(?:(?:{closed}|{plain}){re.escape(separator)})*+", text)
    begins = before.end() if before else 0
    opens = line + text.count("\n", 0, begins)
    ends = re.compile(closed).match(text, begins)
    if ends is None:
        return f"the quote that opens on line {opens} is not closed within {_BOUNDS}"
    closes = line + text.count("\n", 0, ends.end())
    return f"the quote that opens on line {opens} closes on line {closes}, and text follows it"


def _reader(lines: Iterable[str], separator: str) -> "_csv.Reader":
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)


def _parted(starts: list[int], fields: list[list[str]], raws: list[str], troubles: list[str]) -> Records:
    joined = list(map(_MARK.join, fields))
    if any(_MARK in raw for raw in raws):
        # The mark inside a field becomes another control character. No id, number or time may have either.
        joined = [_MARK.join(field.replace(_MARK, "\x1e") for field in record) for record in fields]
    columns = {"line": starts, "record": joined, "raw": raws, "trouble": troubles}
    return Records(pl.DataFrame(columns, schema=_SCHEMA), _MARK)

"""Where the records of a file come from: its text, or a sheet of a workbook. All that follows is the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from trueup.dialects.cells import Reader
from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.decode import Content, Encoding, recognised_encoding, texts
from trueup.dialects.delimited import Layout, Records, records
from trueup.dialects.dialect import Dialect
from trueup.dialects.sheet import MARK, Sheet, id_digits
from trueup.dialects.titles import Beginning, Rank, Record, beginning_of, with_titles

SAMPLE_LINES = 1_000  # separator, titles and dialect are recognised from these


@dataclass(frozen=True)
class Source:
    """A file of which the beginning is known."""

    encoding: Encoding
    lines: Sequence[str]  # the first ones of its text; none of a sheet
    cells: Sequence[Record] | None  # the first records of a sheet that are not blank, trimmed; None of a text
    first: Callable[[str], Iterator[Records]]  # the records of the beginning, by what separates their fields
    records: Callable[[str], Iterator[Records]]  # all of them, those as well: may be called once
    again: Callable[[str], Iterator[Records]]  # all of them once more


def source_of(content: Content | Sheet, choices: Choices, progress: Callable[[int], None] | None = None) -> Source:
    """Look at the beginning of a file.

    Args:
        content: The bytes of the file, or a sheet of a workbook.
        choices: What the person chose for it.
        progress: Called with the number of bytes read so far.

    Returns:
        That, and how to come by its records.

    Raises:
        UnreadableFile: It has no rows, or is no text.
    """
    return _sheet(content, progress) if isinstance(content, Sheet) else _text(content, choices, progress)


def _text(content: Content, choices: Choices, progress: Callable[[int], None] | None) -> Source:
    encoding = recognised_encoding(content, choices.encoding)
    blocks = texts(content, encoding, progress)
    first = next(blocks, "")
    lines = first.split("\n", SAMPLE_LINES)[:SAMPLE_LINES]
    if not any(line.strip() for line in lines):
        raise UnreadableFile("The file has no rows: its lines are blank.")
    return Source(
        encoding,
        lines,
        cells=None,
        first=partial(records, ["\n".join(lines)]),
        records=partial(records, chain([first], blocks)),
        again=partial(all_records, content, encoding),
    )


def _sheet(sheet: Sheet, progress: Callable[[int], None] | None) -> Source:
    blocks = sheet.records(progress)
    block = next(blocks, None)
    if block is None:
        raise UnreadableFile("The sheet has no rows.")
    encoding, first = Encoding("utf-8", sheet.said), block.frame.head(SAMPLE_LINES)
    parted = ((line, record.split(MARK)) for line, record in first.select("line", "record").iter_rows())
    cells = [Record(line, [cell.strip() for cell in fields]) for line, fields in parted]
    filled = [record for record in cells if any(record.fields)]
    if not filled:
        raise UnreadableFile(f"The sheet has no rows: its first {first.height:,} are blank.")
    return Source(
        encoding,
        lines=(),
        cells=filled,
        first=lambda _: iter([Records(first, MARK)]),
        records=lambda _: chain([block], blocks),
        again=partial(all_records, sheet, encoding),
    )


def all_records(content: Content | Sheet, encoding: Encoding, separator: str) -> Iterator[Records]:
    """Read all records of a file, from the first on.

    Args:
        content: The bytes of the file, or a sheet of a workbook.
        encoding: How the bytes are read.
        separator: What parts the fields of a record of text.
    """
    return content.records(None) if isinstance(content, Sheet) else records(texts(content, encoding), separator)


def beginning_with_titles(source: Source, rank: Rank, choices: Choices, chosen: Dialect | None) -> Beginning:
    """Find the titles in the beginning of a file.

    Args:
        source: The file.
        rank: How much a record reads like titles.
        choices: What the person chose for it.
        chosen: The dialect that the person chose, None for none.

    Returns:
        Its first records, and which of them are the titles. A record of a sheet has a field for each title at least.

    Raises:
        UnreadableFile: The line that was chosen holds no titles.
    """
    if source.cells is None:
        return beginning_of(source.lines, rank, choices, chosen)
    found = with_titles(Layout(MARK), source.cells, rank, choices, chosen)
    if found.header is None:
        return found
    width = len(found.header.fields)  # a sheet leaves out empty cells at the end of a row
    full = [Record(line, [*fields, *[""] * (width - len(fields))]) for line, fields in found.records]
    return replace(found, records=full)


def of_sheet(reader: Reader, rows: Sequence[Record]) -> Reader:
    """The reader of a sheet: cells at the end of a row may be empty, and ids may have become numbers.

    Args:
        reader: The reader of such rows in a text.
        rows: The first rows of the sheet, below its titles.
    """
    place = reader.columns.positions.get("click_id")
    ids = [row.fields[place] for row in rows if place is not None and len(row.fields) > place]
    return replace(reader, columns=replace(reader.columns, fewest=1), is_sheet=True, id_digits=id_digits(ids))

"""One file, from its bytes to its rows: decode, find the separator, recognise, match the columns, read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import polars as pl

from trueup.dialects.cells import Notes, Reader
from trueup.dialects.choices import Choices, UnreadableFile, known_zone
from trueup.dialects.columns import columns_of, written_by_trueup
from trueup.dialects.decode import LINE_CHARS, Content, Encoding, recognised_encoding, texts
from trueup.dialects.delimited import Layout, recognised_layout, records
from trueup.dialects.dialects import DIALECTS, Dialect
from trueup.dialects.fields import read_block
from trueup.dialects.names import normalised
from trueup.dialects.recognise import Recognition, recognised
from trueup.dialects.statement import statement
from trueup.dialects.time_order import TimesFound, found_format, stated_format
from trueup.model.frames import LOCAL_TIMES, ClickRows, Rows
from trueup.model.remarks import Remark
from trueup.model.words import DuplicateMode, RowKind

# `read_file` raises UnreadableFile, so it can be imported from here too.
__all__ = ["Reading", "UnreadableFile", "original_records", "read_file"]

SAMPLE_LINES = 1_000  # separator, titles and dialect are recognised from these


@dataclass(frozen=True)
class Reading:
    """A file that was read."""

    dialect: str
    statement: tuple[Remark, ...]  # what the file was taken for and why, for the person
    own_mode: DuplicateMode | None  # the dialect's own way with duplicates; None where it has none or is in doubt
    time_zone: str  # the zone of its times without an offset
    network_zones: bool  # the zone of a click's network comes before that
    titles: list[str]  # the column titles; the dialect's own where the file has none
    rows: Rows | ClickRows  # in file order, with the columns of a batch that the file gives; refused rows too
    notes: Notes  # of the rows that are refused on sight or keep something beside
    layout: Layout
    encoding: Encoding
    reader: Reader


def read_file(content: Content, choices: Choices, progress: Callable[[int], None] | None = None) -> Reading:
    """Read a file of conversions or of statuses.

    Args:
        content: The bytes of the file.
        choices: What the person chose for it.
        progress: Called with the number of bytes read so far.

    Returns:
        The rows, and what was recognised.

    Raises:
        UnreadableFile: The file as a whole cannot be read.
    """
    encoding = recognised_encoding(content, choices.encoding)
    blocks = texts(content, encoding, progress)
    first = next(blocks, "")
    layout, recognition = _recognised(first.split("\n", SAMPLE_LINES)[:SAMPLE_LINES], choices)
    reader = _reader(recognition, layout, choices)
    times = found_times(content, first, layout, encoding, reader, choices, recognition.dialect)
    reader = replace(reader, times=times.form)
    found = records(chain([first], blocks), layout.separator)
    rows, notes = joined(read_block(block, reader) for block in found)
    dialect = recognition.dialect
    return Reading(
        dialect=dialect.name,
        statement=statement(recognition, layout, encoding, reader, times.why, choices.row_kind),
        own_mode=recognition.own_mode(choices.row_kind),
        time_zone=reader.zone,
        network_zones=reader.network_zones,
        titles=list(reader.columns.titles),
        rows=_without_idle(rows, reader),
        notes=notes,
        layout=layout,
        encoding=encoding,
        reader=reader,
    )


def original_records(content: Content, reading: Reading, lines: Iterable[int]) -> Iterator[tuple[int, list[str]]]:
    """Find records again as they came, for the file of refused rows.

    Args:
        content: The same bytes that were read before.
        reading: What came of reading them.
        lines: The lines on which the wanted records begin, counted from 1.

    Returns:
        Each record's line and its fields in file order: one for each title, or more where the record has too many. A
        record that cannot be parted into fields is one field.
    """
    columns = reading.reader.columns
    wanted = pl.Series("line", list(lines), dtype=pl.Int64)
    for found in records(texts(content, reading.encoding), reading.layout.separator):
        starts = found.frame["line"]
        here = wanted.filter(wanted.is_between(starts[0], starts[-1]))
        for line, record, raw, trouble in found.frame.filter(starts.is_in(here.implode())).iter_rows():
            fields = [raw] if trouble else record.split(found.separator)
            full = fields + [""] * (columns.most - len(fields))
            yield line, [full[place] for place in columns.places] + full[columns.most :]


def found_times(
    content: Content,
    first: str,
    layout: Layout,
    encoding: Encoding,
    reader: Reader,
    choices: Choices,
    dialect: Dialect | None,
) -> TimesFound:
    """Find out how the times of a file are written.

    Args:
        content: The bytes of the file.
        first: Its first block of text.
        layout: How its records are written.
        encoding: How its bytes are read.
        reader: Which columns are read.
        choices: What the person chose for it.
        dialect: The dialect it is written in, None where it has none.

    Raises:
        UnreadableFile: The person has to say how, or chose what is no form of times.
    """
    if choices.time_format:
        return stated_format(choices.time_format, "it was chosen")
    if dialect and dialect.time_format:
        return stated_format(dialect.time_format, f"{dialect.name} writes them so")
    sample = "\n".join(first.split("\n", SAMPLE_LINES)[:SAMPLE_LINES])
    return found_format(
        records([sample], layout.separator), lambda: records(texts(content, encoding), layout.separator), reader
    )


def _recognised(lines: list[str], choices: Choices) -> tuple[Layout, Recognition]:
    """Recognise separator, titles and dialect from the first lines."""
    if not any(line.strip() for line in lines):
        raise UnreadableFile("The file has no rows: its lines are blank.")
    layout = recognised_layout(lines, _titles_beside_ours(choices))
    found = list(first_records(lines, layout))
    recognition = recognised([fields for _, fields in found], choices)
    return (layout if recognition.header is None else replace(layout, rows_after=found[0][0])), recognition


def _titles_beside_ours(choices: Choices) -> frozenset[str]:
    """Titles that mean something in this file alone: a dialect's own, and those the person mapped."""
    own = (name for dialect in DIALECTS.values() for name in dialect.own_names)
    return frozenset(chain(own, map(normalised, choices.columns)))


def first_records(lines: list[str], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of the records in these lines, none for one that cannot be parted; blank ones are left out."""
    for found in records(["\n".join(lines)], layout.separator):
        for line, record, raw, trouble in found.frame.iter_rows():
            if line > layout.rows_after and raw.strip():
                yield line, [] if trouble or len(raw) > LINE_CHARS else record.split(found.separator)


def joined(blocks: Iterable[tuple[pl.DataFrame, Notes]]) -> tuple[pl.DataFrame, Notes]:
    """Join the rows and the notes of a file's blocks.

    It joins one column after the other, so that there is never a second copy of all rows.
    """
    pieces: dict[str, list[pl.Series]] = {}
    notes = []
    for rows, noted in blocks:
        for column in rows:
            pieces.setdefault(column.name, []).append(column)
        notes.append(noted)
    columns = [pl.concat(pieces.pop(name), rechunk=True) for name in list(pieces)]
    return pl.DataFrame(columns), Notes(pl.concat(notes).sort("line"))


def _without_idle(rows: pl.DataFrame, reader: Reader) -> Rows:
    """Leave out the columns of local times where no row has one, and currencies where none is beside an amount."""
    if "local_time" in rows.columns and rows["local_time"].null_count() == rows.height:
        rows = rows.drop(LOCAL_TIMES)
    if "currency" in rows.columns and not reader.gives("currency") and not rows["currency"].max():
        rows = rows.drop("currency")
    return Rows(rows)


def _reader(recognition: Recognition, layout: Layout, choices: Choices) -> Reader:
    dialect, header = recognition.dialect, recognition.header
    is_conversion = choices.row_kind == RowKind.CONVERSION
    return Reader(
        columns=columns_of(header, dialect, choices),
        rows_after=layout.rows_after,
        defused=dialect.defused or written_by_trueup(header or ()),
        decimal_comma=choices.decimal_comma,
        zone=known_zone(choices.time_zone or dialect.time_zone or choices.workspace_time_zone),
        network_zones=not (choices.time_zone or dialect.time_zone),
        absent_status=dialect.absent_status if dialect.absent_status and is_conversion else "",
        thousands=choices.thousands,
        currencies=choices.currencies,
    )

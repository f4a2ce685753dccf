"""One file, from its bytes to its rows: decode, find the separator, recognise, match the columns, read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from trueup.dialects.cells import Notes, Reader
from trueup.dialects.choices import Choices, UnreadableFile, known_zone
from trueup.dialects.columns import columns_of, written_by_trueup
from trueup.dialects.decode import Content, Encoding
from trueup.dialects.delimited import Layout
from trueup.dialects.dialect import Dialect
from trueup.dialects.dialects import dialect_named
from trueup.dialects.doubts import refuse_doubtful_titles
from trueup.dialects.fields import read_block
from trueup.dialects.names import normalised
from trueup.dialects.recognise import Recognition, recognised
from trueup.dialects.sheet import Sheet
from trueup.dialects.sources import Source, all_records, beginning_with_titles, of_sheet, source_of
from trueup.dialects.statement import statement
from trueup.dialects.time_order import TimesFound, found_format, stated_format
from trueup.dialects.titles import Beginning, meaning, title_rank
from trueup.model.frames import LOCAL_TIMES, ClickRows, Rows
from trueup.model.remarks import Remark
from trueup.model.words import DuplicateMode, RowKind

# `read_file` raises UnreadableFile, so it can be imported from here too.
__all__ = ["Reading", "UnreadableFile", "original_records", "read_file"]


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
    has_titles: bool = True


def read_file(content: Content | Sheet, choices: Choices, progress: Callable[[int], None] | None = None) -> Reading:
    """Read a file of conversions or of statuses.

    Args:
        content: The bytes of the file, or a sheet of a workbook.
        choices: What the person chose for it.
        progress: Called with the number of bytes read so far.

    Returns:
        The rows, and what was recognised.

    Raises:
        UnreadableFile: The file as a whole cannot be read.
    """
    source = source_of(content, choices, progress)
    beginning, recognition = _recognised(source, choices)
    layout = beginning.layout
    reader = _reader(recognition, beginning, choices)
    if isinstance(content, Sheet):
        reader = of_sheet(reader, beginning.below)
    times = found_times(source, layout, reader, choices, recognition.dialect)
    reader = replace(reader, times=times.form)
    rows, notes = joined(read_block(block, reader) for block in source.records(layout.separator))
    dialect = recognition.dialect
    return Reading(
        dialect=dialect.name,
        statement=statement(recognition, beginning, source.encoding, reader, times.why, choices),
        own_mode=recognition.own_mode(choices.row_kind),
        time_zone=reader.zone,
        network_zones=reader.network_zones,
        titles=list(reader.columns.titles),
        rows=_without_idle(rows, reader),
        notes=notes,
        layout=layout,
        encoding=source.encoding,
        reader=reader,
        has_titles=recognition.header is not None,
    )


def original_records(
    content: Content | Sheet, reading: Reading, lines: Iterable[int]
) -> Iterator[tuple[int, list[str]]]:
    """Find records again as they came, for the file of refused rows.

    Args:
        content: The same that was read before.
        reading: What came of reading them.
        lines: The lines on which the wanted records begin, counted from 1.

    Returns:
        Each record's line and its fields in file order: one for each title, or more where the record has too many. A
        record that cannot be parted into fields is one field.
    """
    columns = reading.reader.columns
    wanted = pl.Series("line", list(lines), dtype=pl.Int64)
    form = reading.reader.form
    for found in all_records(content, reading.encoding, reading.layout.separator):
        starts = found.frame["line"]
        here = wanted.filter(wanted.is_between(starts[0], starts[-1]))
        parted = pl.col("record").str.split(found.separator)
        asked = found.frame.filter(starts.is_in(here.implode())).with_columns(fields=form(parted) if form else parted)
        for line, raw, trouble, parts in asked.select("line", "raw", "trouble", "fields").iter_rows():
            fields = [raw] if trouble else parts
            full = fields + [""] * (columns.most - len(fields))
            yield line, [full[place] for place in columns.places] + full[columns.most :]


def found_times(
    source: Source, layout: Layout, reader: Reader, choices: Choices, dialect: Dialect | None
) -> TimesFound:
    """Find out how the times of a file are written.

    Args:
        source: The file, of which the beginning is known.
        layout: How its records are written.
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
    return found_format(source.first(layout.separator), partial(source.again, layout.separator), reader)


def _recognised(source: Source, choices: Choices) -> tuple[Beginning, Recognition]:
    """Recognise separator, titles and dialect from the beginning of a file."""
    chosen = dialect_named(choices.dialect) if choices.dialect else None
    rank = title_rank(choices, chosen)
    beginning = beginning_with_titles(source, rank, choices, chosen)
    refuse_doubtful_titles(beginning, choices, rank, partial(meaning, dialect=chosen))
    recognition = recognised(beginning, choices)
    if beginning.header:
        layout = replace(beginning.layout, rows_after=beginning.header.line)
        return replace(beginning, layout=layout), recognition
    if source.cells is not None:
        _refuse_lines_in_cells(recognition.dialect)
        return beginning, recognition
    separator = recognition.dialect.separator or beginning.layout.separator
    return replace(beginning, layout=replace(beginning.layout, separator=separator)), recognition


def _refuse_lines_in_cells(dialect: Dialect) -> None:
    """Refuse a sheet whose cells hold lines of text that would have to be parted further."""
    if dialect.form:
        raise UnreadableFile(
            f"The cells of this sheet hold lines of text, as in {dialect.name} files. Save the sheet as CSV, and send "
            "that."
        )


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
    every = Notes(pl.concat(notes))
    return pl.DataFrame(columns), Notes(every.sort("line")) if every.height else every


def _without_idle(rows: pl.DataFrame, reader: Reader) -> Rows:
    """Leave out the columns of local times where no row has one, and currencies where none is beside an amount."""
    if "local_time" in rows.columns and rows["local_time"].null_count() == rows.height:
        rows = rows[:, [name for name in rows.columns if name not in LOCAL_TIMES]]
    if "currency" in rows.columns and not reader.gives("currency") and not rows["currency"].max():
        rows = rows[:, [name for name in rows.columns if name != "currency"]]
    return Rows(rows)


def _reader(recognition: Recognition, beginning: Beginning, choices: Choices) -> Reader:
    dialect, header = recognition.dialect, recognition.header
    is_conversion = choices.row_kind == RowKind.CONVERSION
    columns = columns_of(header, dialect, choices, [record.fields for record in beginning.below])
    payout = columns.positions.get("payout")
    return Reader(
        columns=columns,
        rows_after=beginning.layout.rows_after,
        defused=dialect.defused or written_by_trueup(header or ()),
        decimal_comma=choices.decimal_comma,
        zone=known_zone(choices.time_zone or dialect.time_zone or choices.workspace_time_zone),
        network_zones=not (choices.time_zone or dialect.time_zone),
        absent_status=dialect.absent_status if dialect.absent_status and is_conversion else "",
        blanks=dialect.blanks,
        status_words=dialect.status_words,
        currency=dialect.currencies.get(normalised(header[payout]), "") if header and payout is not None else "",
        removal=dialect.removal,
        form=None if header else dialect.form,
        thousands=choices.thousands,
        currencies=choices.currencies,
    )

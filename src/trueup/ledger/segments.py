"""Segments: clicks and counted conversions once more, column by column, for reports by what only single rows know.

Each commit adds its rows, in the same transaction as the rows themselves: as a segment, or a few as loose rows, which
become a segment once there are enough. A row is never changed: what is no longer so is taken back by a row of -1. Small
segments are merged, so that few are to be read.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from io import BytesIO
from typing import Any, Final

import polars as pl
import pyarrow as pa
from sqlalchemy import ColumnElement, Table, bindparam, delete, insert, select

from trueup.ledger.database import Readable, Transaction
from trueup.ledger.schema import loose_clicks, loose_conversions, segment_columns, segments
from trueup.model.frames import COUNTED, COUNTED_CLICKS, Schema, empty

FEW: Final = 128  # rows; fewer are loose rows at first, which costs a tenth of a segment
_ENOUGH: Final = 2_048  # loose rows become a segment
_LOOKS: Final = 16  # one of so many small commits looks whether there are enough, which costs more than to add a row
LEVELS: Final = [8_192, 65_536]  # the rows that a segment of the next level has at least
_MERGED: Final = 32  # segments of a level that become one
_RANGES: Final = ("click_number", "conversion", "click")  # whose least and most a segment knows
_ARROW: Final = pa.ipc.IpcWriteOptions(compression="lz4")


class SegmentKind(StrEnum):
    """What the rows of a segment are."""

    CLICKS = "clicks"
    CONVERSIONS = "conversions"


class SegmentLevel(IntEnum):
    """How large a segment is."""

    SMALL = 0
    LARGE = 1  # from here on, each of its columns is kept for itself
    FULL = 2  # it is merged no more


SEGMENT_ROWS: Final[Mapping[SegmentKind, Schema]] = {
    SegmentKind.CLICKS: COUNTED_CLICKS,
    SegmentKind.CONVERSIONS: COUNTED,
}
LOOSE: Final[Mapping[SegmentKind, Table]] = {
    SegmentKind.CLICKS: loose_clicks,
    SegmentKind.CONVERSIONS: loose_conversions,
}
FOUND: Final[Schema] = {"segment_id": pl.Int64, "level": pl.Int64, "rows": pl.Int64, "content": pl.Binary}

_NEW: Final = ("kind", "level", "rows", *(f"{name}_{end}" for name in _RANGES for end in ("least", "most")), "content")
_INSERT: Final = (
    insert(segments).values({name: bindparam(f"new_{name}") for name in _NEW}).returning(segments.c.segment_id)
)
_OLDEST: Final = (
    select(*(segments.c[name] for name in FOUND))
    .where(segments.c.kind == bindparam("of_kind"), segments.c.level == bindparam("of_level"))
    .order_by(segments.c.segment_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # another program merges those already
)
_TIME: Final = {SegmentKind.CLICKS: "bucket", SegmentKind.CONVERSIONS: "conversion"}
# By their numbers, which is at once known. A number that was given in vain counts, too.
_LOOSE_SPAN: Final = {
    kind: f"SELECT coalesce((SELECT max(loose_id) FROM {name}) - (SELECT min(loose_id) FROM {name}) + 1, 0)"  # noqa: S608 - our own tables
    for kind, name in ((kind, table.name) for kind, table in LOOSE.items())
}
_TAKE_LOOSE: Final = {
    kind: delete(table)
    .where(table.c.loose_id.in_(select(table.c.loose_id).with_for_update(skip_locked=True)))
    .returning(*(table.c[name] for name in SEGMENT_ROWS[kind]))
    for kind, table in LOOSE.items()
}
_READ_TOGETHER: Final = 4  # segments; a full one has some tens of megabytes
_NEXT: Final = (
    select(*(segments.c[name] for name in FOUND))
    .where(segments.c.kind == bindparam("of_kind"), segments.c.segment_id > bindparam("after"))
    .order_by(segments.c.segment_id)
    .limit(bindparam("most"))
)


def add_to_segments(transaction: Transaction, kind: SegmentKind, rows: pl.DataFrame) -> None:
    """Add rows. Within the transaction that makes them so.

    Args:
        transaction: What it is written in.
        kind: What the rows are.
        rows: SEGMENT_ROWS of the kind.
    """
    if not rows.height:
        return
    if rows.height < FEW:
        transaction.append(LOOSE[kind], rows)
        drawn = rows["click_number"][0] + rows[_TIME[kind]][0]  # as good as drawn
        if drawn % _LOOKS or transaction.number(_LOOSE_SPAN[kind]) < _ENOUGH:
            return
        rows = transaction.returning(_TAKE_LOOSE[kind], SEGMENT_ROWS[kind])  # what another program takes is its
    if rows.height and _store(transaction, kind, rows) % _MERGED == 0:
        for each in SegmentKind:
            for level in (SegmentLevel.SMALL, SegmentLevel.LARGE):
                while _merge(transaction, each, level):
                    pass


def segment_rows(database: Readable, kind: SegmentKind, found: pl.DataFrame) -> pl.DataFrame:
    """Read all rows of some segments.

    Args:
        database: The ledger.
        kind: What the rows are.
        found: FOUND.

    Returns:
        SEGMENT_ROWS of the kind.
    """
    columns = column_chunks(database, found, list(SEGMENT_ROWS[kind]))
    rest = pl.DataFrame({name: _plain(chunks) for name, chunks in columns.items()})
    return whole_rows(kind, found).vstack(rest.cast(pl.Schema(SEGMENT_ROWS[kind])))


def click_numbers_where(
    database: Readable,
    found: pl.DataFrame,
    any_of: Mapping[str, Sequence[str] | Sequence[int]],
    buckets: tuple[int, int] | None,
) -> pl.Series:
    """Find the numbers of clicks that fit filters, in some segments. Columns that decide nothing are not read.

    Args:
        database: The ledger.
        found: FOUND, of clicks.
        any_of: Column -> the values it may have.
        buckets: The first and the last quarter hour that are wanted; None for any.

    Returns:
        The numbers, in no order; those that were taken back are among them.
    """
    kind = SegmentKind.CLICKS
    rows = whole_rows(kind, found, ["click_number", "bucket", *any_of])
    parts = [rows.filter(_fits(any_of, buckets))["click_number"]]
    large = found.filter(pl.col("level") >= SegmentLevel.LARGE)
    if large.height:
        parts.append(_large_numbers_where(database, large, any_of, buckets))
    return pl.concat(parts)


def loose_click_numbers_where(
    database: Readable, any_of: Mapping[str, Sequence[str] | Sequence[int]], buckets: tuple[int, int] | None
) -> pl.Series:
    """Find the numbers of clicks that fit filters, among the loose rows. As `click_numbers_where`."""
    rows = loose_rows(database, SegmentKind.CLICKS, ["click_number", "bucket", *any_of])
    return rows.filter(_fits(any_of, buckets))["click_number"]


def _fits(any_of: Mapping[str, Sequence[str] | Sequence[int]], buckets: tuple[int, int] | None) -> pl.Expr:
    fits = pl.lit(value=True) if buckets is None else pl.col("bucket").is_between(*buckets)
    for name, values in any_of.items():
        fits &= pl.col(name).is_in(list(values))
    return fits


def _large_numbers_where(
    database: Readable,
    large: pl.DataFrame,
    any_of: Mapping[str, Sequence[str] | Sequence[int]],
    buckets: tuple[int, int] | None,
) -> pl.Series:
    """The same of segments that are kept as columns: those that decide nothing are not read."""
    fitting: pl.Series | None = None
    for name, values in any_of.items():
        mask = pl.concat([_is_one_of(chunk, values) for chunk in column_chunks(database, large, [name])[name]])
        fitting = mask if fitting is None else fitting & mask
        if not fitting.any():
            return pl.Series("click_number", [], pl.Int64)
    columns = column_chunks(database, large, ["click_number", *(["bucket"] if buckets else [])])
    numbers = _plain(columns["click_number"]).cast(pl.Int64).alias("click_number")
    if buckets:
        mask = _plain(columns["bucket"]).is_between(*buckets)
        fitting = mask if fitting is None else fitting & mask
    return numbers if fitting is None else numbers.filter(fitting)


def segments_in_parts(database: Readable, kind: SegmentKind) -> Iterator[pl.DataFrame]:
    """Read all SEGMENT_ROWS of a kind, some segments at a time. Call it within `read_transaction`."""
    yield loose_rows(database, kind, list(SEGMENT_ROWS[kind]))
    after = 0
    while True:
        found = database.read(_NEXT, FOUND, {"of_kind": kind.value, "after": after, "most": _READ_TOGETHER})
        if not found.height:
            return
        yield segment_rows(database, kind, found)
        after = int(found["segment_id"][-1])


def loose_rows(
    database: Readable,
    kind: SegmentKind,
    names: Sequence[str],
    chosen: Sequence[ColumnElement[bool]] = (),
    values: Mapping[str, Any] | None = None,
) -> pl.DataFrame:
    """Read loose rows.

    Args:
        database: The ledger.
        kind: What the rows are.
        names: Their columns to read.
        chosen: Which of them, all if nothing is said.
        values: The values of its parameters.
    """
    columns = {name: SEGMENT_ROWS[kind][name] for name in names}
    return database.read(select(*(LOOSE[kind].c[name] for name in names)).where(*chosen), columns, values)


def segments_numbered(database: Readable, segment_ids: Sequence[int]) -> pl.DataFrame:
    """FOUND of some segments, those that are still there."""
    chosen = select(*(segments.c[name] for name in FOUND)).where(database.is_one_of(segments.c.segment_id, "ids"))
    return database.read(chosen.order_by(segments.c.segment_id), FOUND, {"ids": list(segment_ids)})


def whole_rows(kind: SegmentKind, found: pl.DataFrame, names: Sequence[str] | None = None) -> pl.DataFrame:
    """SEGMENT_ROWS of those of the segments (FOUND) that are kept whole; only some of the columns, if any are named."""
    columns = list(SEGMENT_ROWS[kind] if names is None else names)
    contents = found.filter(pl.col("level") < SegmentLevel.LARGE)["content"].to_list()
    parts = [pl.read_ipc_stream(BytesIO(content), columns=columns) for content in contents]
    return pl.concat([empty(SEGMENT_ROWS[kind]).select(columns), *parts])


def column_chunks(database: Readable, found: pl.DataFrame, names: Sequence[str]) -> dict[str, list[pa.Array]]:
    """Read some columns of those segments that are kept as columns.

    Args:
        database: The ledger.
        found: FOUND.
        names: The columns.

    Returns:
        Each column as one array for each segment, texts by a dictionary.
    """
    ids = found.filter(pl.col("level") >= SegmentLevel.LARGE)["segment_id"].to_list()
    chunks: dict[str, list[pa.Array]] = {name: [] for name in names}
    if not ids:
        return chunks
    wanted = select(segment_columns.c.name, segment_columns.c.content).where(
        segment_columns.c.name == bindparam("of_name"), database.is_one_of(segment_columns.c.segment_id, "ids")
    )
    for name in names:
        values = {"of_name": name, "ids": ids}
        read = database.read(
            wanted.order_by(segment_columns.c.segment_id), {"name": pl.String, "content": pl.Binary}, values
        )
        chunks[name] = [_array(content.as_buffer()) for content in read["content"].to_arrow()]
    return chunks


def _store(transaction: Transaction, kind: SegmentKind, rows: pl.DataFrame) -> int:
    level = _level(rows.height)
    new: dict[str, Any] = {"kind": kind.value, "level": int(level), "rows": rows.height, "content": b""}
    for name in _RANGES:
        column = rows[name if name in rows.columns else "bucket"]
        new |= {f"{name}_least": column.min(), f"{name}_most": column.max()}
    if level < SegmentLevel.LARGE:
        whole = BytesIO()
        rows.write_ipc_stream(whole, compression="lz4")
        new["content"] = whole.getvalue()
    made = transaction.returning(
        _INSERT, {"segment_id": pl.Int64}, {f"new_{name}": value for name, value in new.items()}
    )
    segment_id = int(made.item())
    if level >= SegmentLevel.LARGE:
        contents = pl.DataFrame(
            {"name": rows.columns, "content": [_content(column) for column in rows.get_columns()]},
            {"name": pl.String, "content": pl.Binary},
        )
        transaction.append(segment_columns, contents.with_columns(segment_id=pl.lit(segment_id, pl.Int64)))
    return segment_id


def _merge(transaction: Transaction, kind: SegmentKind, level: SegmentLevel) -> bool:
    """Make one segment of the oldest of a level. Returns: whether there were enough of them."""
    values = {"of_kind": kind.value, "of_level": int(level), "most": _MERGED}
    found = transaction.read(_OLDEST, FOUND, values)
    if found.height < _MERGED:
        return False
    merged = found.filter(pl.col("rows").cum_sum() - pl.col("rows") < LEVELS[-1])
    rows = segment_rows(transaction, kind, merged)
    ids = merged["segment_id"].to_list()
    for table in (segments, segment_columns):
        transaction.execute(delete(table).where(transaction.is_one_of(table.c.segment_id, "ids")), {"ids": ids})
    _store(transaction, kind, rows)
    return True


def _level(rows: int) -> SegmentLevel:
    return SegmentLevel(bisect_right(LEVELS, rows))


def _content(column: pl.Series) -> bytes:
    if column.dtype == pl.String:
        array = column.to_arrow().cast(pa.string()).dictionary_encode()
    else:
        array = column.shrink_dtype().to_arrow()  # fewer bytes to read
    batch = pa.record_batch([array], names=["values"])
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema, options=_ARROW) as stream:
        stream.write_batch(batch)
    return bytes(out.getvalue().to_pybytes())


def _array(content: pa.Buffer) -> pa.Array:
    return pa.ipc.open_stream(content).read_next_batch().column(0)


def _plain(chunks: Sequence[pa.Array]) -> pl.Series:
    """The values of a column's chunks, one after another."""
    if not chunks:
        return pl.Series([])
    if pa.types.is_integer(chunks[0].type):
        return whole_numbers(chunks)
    return pl.Series(pa.chunked_array([each.dictionary_decode() for each in chunks]))


def _is_one_of(chunk: pa.Array, values: Sequence[str] | Sequence[int]) -> pl.Series:
    """Whether each value of a column's chunk is one of some; of texts, the dictionary is asked first."""
    if not pa.types.is_dictionary(chunk.type):
        return pl.Series(chunk).is_in(list(values))
    wanted = pl.Series(chunk.dictionary, dtype=pl.String).is_in(list(values))
    if not wanted.any():
        return pl.repeat(value=False, n=len(chunk), eager=True, dtype=pl.Boolean)
    return wanted.gather(pl.Series(chunk.indices))


def whole_numbers(parts: Sequence[pa.Array]) -> pl.Series:
    """Whole numbers one after another, in the smallest type that holds all of them."""
    widest = max((part.type for part in parts), key=lambda kind: kind.bit_width)
    return pl.Series(pa.chunked_array([part if part.type == widest else part.cast(widest) for part in parts]))

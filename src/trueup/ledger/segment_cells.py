"""Counts for reports by what only single rows know: from the segments, a few columns of them.

Texts are handled as numbers of a dictionary until the groups are named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

import polars as pl
import pyarrow as pa
from sqlalchemy import Column, ColumnElement, Select, bindparam, select

from trueup.ledger.database import Readable
from trueup.ledger.queries import Selection
from trueup.ledger.schema import segments
from trueup.ledger.segments import (
    FOUND,
    LOOSE,
    SEGMENT_ROWS,
    SegmentKind,
    column_chunks,
    loose_rows,
    whole_numbers,
    whole_rows,
)
from trueup.model.frames import BUCKET_MICROS, CLICK_ATTRIBUTES

GROUPS_MAX: Final = 250_000  # that are named; there may be as many values as clicks
Alike: TypeAlias = Callable[[pl.Series], pl.Series]  # quarter hours, to the first of each one's group
_BLOCK: Final = 1 << 14  # numbers of clicks that are looked at together, to find the segments that have them
_NOTHING: Final = -1  # the code of a text that is not there
_SPARSE: Final = 8  # so many times as many numbers as clicks are too many for a table by number


class TooManyGroupsError(Exception):
    """What is counted falls into more groups than GROUPS_MAX."""


@dataclass(frozen=True)
class _Coded:
    """Rows whose texts are codes: places in a dictionary."""

    rows: pl.DataFrame
    texts: dict[str, pl.Series]  # column -> its dictionary

    def among(self, column: str, values: Sequence[Any]) -> pl.Expr:
        """A condition: the column has one of the values."""
        if column not in self.texts:
            return pl.col(column).is_in(list(values))
        wanted = self.texts[column].is_in(list(values)).arg_true().cast(pl.Int32)
        is_wanted = pl.col(column).is_in(wanted.implode())
        return is_wanted | (pl.col(column) == _NOTHING) if "" in values else is_wanted

    def named(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Cells of these rows with texts in place of their codes."""
        return cells.with_columns(
            self.texts[name].gather(cells[name].replace(_NOTHING, None)).fill_null("").alias(name)
            for name in cells.columns
            if name in self.texts
        ).with_columns(
            pl.col(name).cast(pl.Int64) for name in cells.columns if name.endswith("_id") or name == "bucket"
        )


def conversion_segment_cells(
    database: Readable, selection: Selection, keys: Sequence[str], alike: Alike | None
) -> pl.DataFrame:
    """Count the selected conversions, as `read_conversion_cells` does.

    Args:
        database: The ledger.
        selection: Which conversions: whole quarter hours, not of single batches, clicks or transactions.
        keys: The CELL_KEYS to group by.
        alike: Which quarter hours are one group; None where each is its own.

    Raises:
        TooManyGroupsError: There are more groups than GROUPS_MAX.
    """
    time = selection.clock.value
    by = [*keys, "conversion_type", "status"]
    asked = [time if name == "bucket" else name for name in (*by, *selection.any_of)]
    of_click = [name for name in CLICK_ATTRIBUTES if name in asked]
    names = _columns(
        SegmentKind.CONVERSIONS, asked, ["conversions", "revenue", *(["click_number"] if of_click else [])]
    )
    found = _read(database, _Wanted(SegmentKind.CONVERSIONS, selection, time), names)
    if of_click:
        found = _with_attributes(database, found, of_click)
    return _summed(_in_groups(found, by, time, alike), selection, keys, by, time, ("conversions", "revenue"))


def click_segment_cells(
    database: Readable, selection: Selection, keys: Sequence[str], alike: Alike | None
) -> pl.DataFrame:
    """Count the selected clicks, as `read_click_cells` does.

    Args:
        database: The ledger.
        selection: Which clicks: whole quarter hours, not single ones, by what clicks have.
        keys: The keys to group by, those that clicks have.
        alike: Which quarter hours are one group; None where each is its own.

    Raises:
        TooManyGroupsError: There are more groups than GROUPS_MAX.
    """
    names = _columns(SegmentKind.CLICKS, [*keys, *selection.any_of], ["clicks", "cost"])
    found = _read(database, _Wanted(SegmentKind.CLICKS, selection, "bucket"), names)
    by = list(keys)
    return _summed(_in_groups(found, by, "bucket", alike), selection, keys, by, "bucket", ("clicks", "cost"))


@dataclass(frozen=True)
class _Wanted:
    """Which segments are read, and which of their rows."""

    kind: SegmentKind
    selection: Selection
    time: str  # the column that the selection's bounds are compared with

    @property
    def bounds(self) -> dict[str, int]:
        """The first quarter hour, and the first that is wanted no more, as far as they are given."""
        given = {"from": self.selection.from_at, "to": self.selection.to_at}
        return {name: at // BUCKET_MICROS for name, at in given.items() if at is not None}

    def segments(self) -> Select[Any]:
        """The segments that can have such rows."""
        time = "click" if self.time == "bucket" else self.time
        least, most = ends = [segments.c[f"{time}_{end}"] for end in ("least", "most")]
        of_kind = select(*(segments.c[name] for name in FOUND), *ends).where(segments.c.kind == self.kind.value)
        return of_kind.where(*self._between(least, most)).order_by(segments.c.segment_id)

    def loose(self, database: Readable, names: Sequence[str]) -> pl.DataFrame:
        """Some columns of such loose rows."""
        time = LOOSE[self.kind].c[self.time]
        return loose_rows(database, self.kind, names, self._between(time, time), self.bounds)

    def _between(self, least: Column[Any], most: Column[Any]) -> list[ColumnElement[bool]]:
        conditions = {"from": most >= bindparam("from"), "to": least < bindparam("to")}
        return [conditions[name] for name in self.bounds]


def _columns(kind: SegmentKind, asked: Sequence[str], more: Sequence[str]) -> list[str]:
    return [name for name in SEGMENT_ROWS[kind] if name in asked or name in more]


def _read(database: Readable, wanted: _Wanted, names: list[str]) -> _Coded:
    bounds = wanted.bounds
    found = database.read(wanted.segments(), {**FOUND, "least": pl.Int64, "most": pl.Int64}, bounds)
    least, most = found.select(pl.col("least").min(), pl.col("most").max()).row(0)
    conditions = []
    if "from" in bounds and least is not None and least < bounds["from"]:
        conditions.append(pl.col(wanted.time) >= bounds["from"])
    if "to" in bounds and most is not None and most >= bounds["to"]:
        conditions.append(pl.col(wanted.time) < bounds["to"])
    if conditions:
        names = [*dict.fromkeys([*names, wanted.time])]
    coded = _coded(database, wanted.kind, found, wanted.loose(database, names))
    here = [coded.among(column, values) for column, values in wanted.selection.any_of.items() if column in names]
    return _Coded(coded.rows.filter(*conditions, *here) if conditions or here else coded.rows, coded.texts)


def _coded(database: Readable, kind: SegmentKind, found: pl.DataFrame, loose: pl.DataFrame) -> _Coded:
    """The rows of segments (FOUND) and loose rows, those columns that the loose ones have."""
    names = loose.columns
    small = pl.concat([whole_rows(kind, found, names), loose])
    columns: dict[str, pl.Series] = {}
    texts: dict[str, pl.Series] = {}
    for name, chunks in column_chunks(database, found, names).items():
        if SEGMENT_ROWS[kind][name] == pl.String:
            parts = [*chunks, small[name].to_arrow().cast(pa.string()).dictionary_encode()]
            alike = pa.chunked_array(parts).unify_dictionaries()
            texts[name] = pl.Series(alike.chunk(0).dictionary, dtype=pl.String)
            columns[name] = pl.Series(pa.chunked_array([part.indices for part in alike.chunks]))
        else:
            columns[name] = whole_numbers([*chunks, small[name].shrink_dtype().to_arrow()])
    return _Coded(pl.DataFrame(columns), texts)


def _with_attributes(database: Readable, found: _Coded, names: Sequence[str]) -> _Coded:
    """Put beside conversions what is known of their clicks."""
    numbers = found.rows["click_number"]
    clicks = _clicks_of(database, numbers, names)
    beside = _looked_up(numbers, clicks.rows, names)
    return _Coded(found.rows.hstack(beside), found.texts | clicks.texts)


def _clicks_of(database: Readable, numbers: pl.Series, names: Sequence[str]) -> _Coded:
    """The attributes of clicks, by their numbers; of others too, as the segments have them."""
    spans = {f"click_number_{end}": pl.Int64 for end in ("least", "most")}
    of_clicks = select(*(segments.c[name] for name in (*FOUND, *spans))).where(
        segments.c.kind == SegmentKind.CLICKS.value
    )
    all_of_them = database.read(of_clicks.order_by(segments.c.segment_id), {**FOUND, **spans})
    blocks = (numbers // _BLOCK).unique().sort()
    first = blocks.search_sorted(all_of_them["click_number_least"] // _BLOCK)
    after = blocks.search_sorted(all_of_them["click_number_most"] // _BLOCK, side="right")
    loose = loose_rows(database, SegmentKind.CLICKS, ["click_number", *names])
    return _coded(database, SegmentKind.CLICKS, all_of_them.filter(first < after), loose)


def _looked_up(numbers: pl.Series, clicks: pl.DataFrame, names: Sequence[str]) -> list[pl.Series]:
    """The codes for each number; a number has the same codes wherever it comes."""
    places = clicks["click_number"]
    first, last = clicks.select(least=places.min(), most=places.max()).fill_null(0).row(0)
    span = last - first + 1
    if span > _SPARSE * max(clicks.height, _BLOCK):
        once = clicks.unique("click_number")
        joined = numbers.to_frame().join(once, on="click_number", how="left", maintain_order="left")
        return [joined[name].fill_null(_NOTHING) for name in names]
    asked = (numbers.cast(pl.Int64) - first).cast(pl.UInt32, strict=False).fill_null(span)
    asked = asked.clip(0, span)  # the last place stands for every number that is not among the clicks
    found = []
    for name in names:
        table = pl.repeat(_NOTHING, span + 1, dtype=pl.Int32, eager=True)
        found.append(table.scatter(places - first, clicks[name]).gather(asked).alias(name))
    return found


def _grouped(rows: pl.DataFrame, by: list[str], totals: list[pl.Expr]) -> pl.DataFrame:
    """Sum rows by columns of whole numbers, as one number where they fit into one: that is three times as fast."""
    if not by:
        return rows.select(totals)
    ends = rows.select(
        *(pl.col(name).min().alias(f"{name}_least") for name in by), *(pl.col(name).max() for name in by)
    )
    spans = {name: (int(ends[f"{name}_least"].item() or 0), int(ends[name].item() or 0)) for name in by}
    sizes = {name: most - least + 1 for name, (least, most) in spans.items()}
    if prod(sizes.values()) >= 2**62:
        return rows.group_by(by).agg(totals)
    key, rest = pl.lit(0, pl.Int64), pl.col("key")
    for name in by:
        key = key * sizes[name] + (pl.col(name).cast(pl.Int64) - spans[name][0])
    cells = rows.lazy().select(key.alias("key"), *_summed_columns(rows, by)).group_by("key").agg(totals).collect()
    for name in reversed(by):
        column = (rest % sizes[name] + spans[name][0]).cast(rows.schema[name]).alias(name)
        cells = cells.with_columns(column, key=rest // sizes[name])
    return cells.drop("key")


def _summed_columns(rows: pl.DataFrame, by: list[str]) -> list[str]:
    return [name for name in rows.columns if name not in by]


def _in_groups(found: _Coded, by: list[str], time: str, alike: Alike | None) -> _Coded:
    """Put the first quarter hour of its group in place of each: there are far fewer groups then."""
    if alike is None or "bucket" not in by or not found.rows.height:  # the time may be there for its bounds alone
        return found
    hours = found.rows[time].cast(pl.Int64)
    known = hours.unique().sort()
    first, last = known[0], known[-1]
    table = pl.zeros(last - first + 1, dtype=pl.Int64, eager=True).scatter(known - first, alike(known))
    return _Coded(found.rows.with_columns(table.gather(hours - first).alias(time)), found.texts)


def _summed(
    found: _Coded, selection: Selection, keys: Sequence[str], by: list[str], time: str, sums: tuple[str, str]
) -> pl.DataFrame:
    rows = found.rows
    later = [found.among(name, selection.any_of[name]) for name in CLICK_ATTRIBUTES if name in selection.any_of]
    if later:
        rows = rows.filter(*later)
    if "bucket" in by:
        rows = rows.rename({time: "bucket"})
    count, money = sums
    micros = pl.col(money)
    most = int(rows.select(micros.cast(pl.Int128).abs().max()).item() or 0)
    wide = pl.Int64 if most * rows.height < 2**63 else pl.Int128
    totals = [pl.col(count).cast(pl.Int64).sum(), micros.cast(wide).sum().cast(pl.Int128)]
    cells = _grouped(rows, by, totals)
    if cells.height > GROUPS_MAX and cells.select(pl.struct(keys).n_unique()).item() > GROUPS_MAX:
        raise TooManyGroupsError
    # Where all counts are taken back, all money is, too.
    return found.named(cells.filter(pl.col(count) != 0)).select(*by, *sums)

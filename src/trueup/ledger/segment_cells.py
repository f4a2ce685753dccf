"""Counts for reports by what only single rows know: from the segments, a few columns of them.

Texts are handled as numbers of a dictionary until the groups are named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

import polars as pl
from sqlalchemy import Column, ColumnElement, Select, bindparam, select

from trueup.ledger.coded import NO_CODE, Coded, CodedSegments
from trueup.ledger.database import Readable
from trueup.ledger.queries import Selection
from trueup.ledger.schema import segments
from trueup.ledger.segments import FOUND, LOOSE, SEGMENT_ROWS, SegmentKind, loose_rows
from trueup.model.frames import BUCKET_MICROS, CLICK_ATTRIBUTES

GROUPS_MAX: Final = 250_000  # that are named; there may be as many values as clicks
Alike: TypeAlias = Callable[[pl.Series], pl.Series]  # quarter hours, to the first of each one's group
_BLOCK: Final = 1 << 14  # numbers of clicks that are looked at together, to find the segments that have them
_SPARSE: Final = 8  # so many times as many numbers as clicks are too many for a table by number


class TooManyGroupsError(Exception):
    """What is counted falls into more groups than GROUPS_MAX."""


def conversion_segment_cells(
    database: Readable,
    selection: Selection,
    keys: Sequence[str],
    alike: Alike | None,
    clicks: CodedSegments,
    before_sums: Callable[[], object] | None,
) -> pl.DataFrame:
    """Count the selected conversions, as `read_conversion_cells` does.

    Args:
        database: The ledger.
        selection: Which conversions: whole quarter hours, not of single batches, clicks or transactions.
        keys: The CELL_KEYS to group by.
        alike: Which quarter hours are one group; None where each is its own.
        clicks: The segments of clicks, as far as they were read.
        before_sums: As `read_conversion_cells` takes it.

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
    kind = SegmentKind.CONVERSIONS
    found = _read(database, _Wanted(kind, selection, time), CodedSegments(database, kind), names)
    if of_click:
        found = _with_attributes(database, found, clicks, of_click)
    if before_sums:
        before_sums()
    return _summed(_in_groups(found, by, time, alike), selection, keys, by, time, ("conversions", "revenue"))


def click_segment_cells(
    database: Readable, selection: Selection, keys: Sequence[str], alike: Alike | None, clicks: CodedSegments
) -> pl.DataFrame:
    """Count the selected clicks, as `read_click_cells` does.

    Args:
        database: The ledger.
        selection: Which clicks: whole quarter hours, not single ones, by what clicks have.
        keys: The keys to group by, those that clicks have.
        alike: Which quarter hours are one group; None where each is its own.
        clicks: The segments of clicks, as far as they were read.

    Raises:
        TooManyGroupsError: There are more groups than GROUPS_MAX.
    """
    names = _columns(SegmentKind.CLICKS, [*keys, *selection.any_of], ["clicks", "cost"])
    found = _read(database, _Wanted(SegmentKind.CLICKS, selection, "bucket"), clicks, names)
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


def _read(database: Readable, wanted: _Wanted, of_kind: CodedSegments, names: list[str]) -> Coded:
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
    coded = of_kind.rows(found, wanted.loose(database, names))
    here = [coded.among(column, values) for column, values in wanted.selection.any_of.items() if column in names]
    return Coded(coded.rows.filter(*conditions, *here) if conditions or here else coded.rows, coded.texts)


def _with_attributes(database: Readable, found: Coded, clicks: CodedSegments, names: Sequence[str]) -> Coded:
    """Put beside conversions what is known of their clicks."""
    numbers = found.rows["click_number"]
    known = _clicks_of(database, numbers, clicks, names)
    beside = _looked_up(numbers, known.rows, names)
    return Coded(found.rows.hstack(beside), found.texts | known.texts)


def _clicks_of(database: Readable, numbers: pl.Series, clicks: CodedSegments, names: Sequence[str]) -> Coded:
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
    return clicks.rows(all_of_them.filter(first < after), loose)


def _looked_up(numbers: pl.Series, clicks: pl.DataFrame, names: Sequence[str]) -> list[pl.Series]:
    """The codes for each number; a number has the same codes wherever it comes."""
    places = clicks["click_number"]
    first, last = clicks.select(least=places.min(), most=places.max()).fill_null(0).row(0)
    span = last - first + 1
    if span > _SPARSE * max(clicks.height, _BLOCK):
        once = clicks.unique("click_number")
        joined = numbers.to_frame().join(once, on="click_number", how="left", maintain_order="left")
        return [joined[name].fill_null(NO_CODE) for name in names]
    place = pl.col("click_number").cast(pl.Int64) - first
    asked_place = pl.when(place.is_between(0, span - 1)).then(place).otherwise(span)  # the last one has no click
    asked, at = (
        rows.lazy().select(which.cast(pl.UInt32)).collect(engine="streaming").to_series()
        for rows, which in ((numbers.to_frame(), asked_place), (clicks, place))
    )
    found = []
    for name in names:
        table = pl.repeat(NO_CODE, span + 1, dtype=pl.Int32, eager=True)
        found.append(table.scatter(at, clicks[name]).gather(asked).alias(name))
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
    keyed = rows.lazy().select(key.alias("key"), *_summed_columns(rows, by))
    cells = keyed.group_by("key").agg(totals).collect(engine="streaming")  # with many groups twice as fast as in memory
    for name in reversed(by):
        column = (rest % sizes[name] + spans[name][0]).cast(rows.schema[name]).alias(name)
        cells = cells.with_columns(column, key=rest // sizes[name])
    return cells.drop("key")


def _summed_columns(rows: pl.DataFrame, by: list[str]) -> list[str]:
    return [name for name in rows.columns if name not in by]


def _in_groups(found: Coded, by: list[str], time: str, alike: Alike | None) -> Coded:
    """Put the first quarter hour of its group in place of each: there are far fewer groups then."""
    if alike is None or "bucket" not in by or not found.rows.height:  # the time may be there for its bounds alone
        return found
    hours = found.rows[time].cast(pl.Int64)
    known = hours.unique().sort()
    first, last = known[0], known[-1]
    table = pl.zeros(last - first + 1, dtype=pl.Int64, eager=True).scatter(known - first, alike(known))
    return Coded(found.rows.with_columns(table.gather(hours - first).alias(time)), found.texts)


def _summed(
    found: Coded, selection: Selection, keys: Sequence[str], by: list[str], time: str, sums: tuple[str, str]
) -> pl.DataFrame:
    rows = found.rows
    later = [found.among(name, selection.any_of[name]) for name in CLICK_ATTRIBUTES if name in selection.any_of]
    if later:
        rows = rows.filter(*later)
    if "bucket" in by:
        rows = rows.rename({time: "bucket"})
    count, money = sums
    least, most = rows.select(least=pl.col(money).min(), most=pl.col(money).max()).fill_null(0).row(0)
    wide = pl.Int64 if max(-least, most) * rows.height < 2**63 else pl.Int128
    totals = [pl.col(count).cast(pl.Int64).sum(), pl.col(money).cast(wide).sum().cast(pl.Int128)]
    cells = _grouped(rows, by, totals)
    if cells.height > GROUPS_MAX and _grouped(cells, list(keys), [pl.len()]).height > GROUPS_MAX:
        raise TooManyGroupsError
    # Where all counts are taken back, all money is, too.
    return found.named(cells.filter(pl.col(count) != 0)).select(*by, *sums)

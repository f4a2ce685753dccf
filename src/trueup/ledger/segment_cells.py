"""Counts for reports by what only single rows know: from the segments, a few columns of them.

Texts are handled as numbers of a dictionary until the groups are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import pyarrow as pa
from sqlalchemy import Select, bindparam, select

from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.ledger.schema import segments
from trueup.ledger.segments import FOUND, SEGMENT_ROWS, SegmentKind, column_chunks, texts_rows
from trueup.model.frames import BUCKET_MICROS, CLICK_ATTRIBUTES
from trueup.model.words import ReportClock

_BLOCK: Final = 1 << 14  # numbers of clicks that are looked at together, to find the segments that have them
_NOTHING: Final = -1  # the code of a text that is not there
_SPARSE: Final = 8  # so many times as many numbers as clicks are too many for a table by number


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
        )


def conversion_segment_cells(database: Database, selection: Selection, keys: Sequence[str]) -> pl.DataFrame:
    """Count the selected conversions, as `read_conversion_cells` does.

    Args:
        database: The ledger.
        selection: Which conversions: whole quarter hours, not of single batches, clicks or transactions.
        keys: The CELL_KEYS to group by.
    """
    time = selection.clock.value
    by = [*keys, "conversion_type", "status"]
    asked = [*by, *selection.any_of]
    of_click = [name for name in CLICK_ATTRIBUTES if name in asked]
    names = _columns(
        SegmentKind.CONVERSIONS, asked, ["conversions", "revenue", *(["click_number"] if of_click else [])]
    )
    found = _read(database, _Wanted(SegmentKind.CONVERSIONS, selection, time), names)
    if of_click:
        found = _with_attributes(database, found, of_click)
    return _summed(found, selection, by, time, ("conversions", "revenue"))


def click_segment_cells(database: Database, selection: Selection, keys: Sequence[str]) -> pl.DataFrame:
    """Count the selected clicks, as `read_click_cells` does.

    Args:
        database: The ledger.
        selection: Which clicks: whole quarter hours, not single ones.
        keys: The keys to group by, those that clicks have.
    """
    known = SEGMENT_ROWS[SegmentKind.CLICKS]
    of_clicks = Selection(
        ReportClock.CLICK,
        selection.from_at,
        selection.to_at,
        {column: values for column, values in selection.any_of.items() if column in known},
    )
    time = ReportClock.CLICK.value
    names = _columns(SegmentKind.CLICKS, [*keys, *of_clicks.any_of], ["clicks", "cost"])
    found = _read(database, _Wanted(SegmentKind.CLICKS, of_clicks, time), names)
    return _summed(found, of_clicks, list(keys), time, ("clicks", "cost"))


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
        chosen = select(*(segments.c[name] for name in FOUND)).where(segments.c.kind == self.kind.value)
        if "from" in self.bounds:
            chosen = chosen.where(segments.c[f"{self.time}_most"] >= bindparam("from"))
        if "to" in self.bounds:
            chosen = chosen.where(segments.c[f"{self.time}_least"] < bindparam("to"))
        return chosen.order_by(segments.c.segment_id)


def _columns(kind: SegmentKind, asked: Sequence[str], more: Sequence[str]) -> list[str]:
    return [name for name in SEGMENT_ROWS[kind] if name in asked or name in more]


def _read(database: Database, wanted: _Wanted, names: list[str]) -> _Coded:
    bounds = wanted.bounds
    names = [*dict.fromkeys([*names, wanted.time])]
    found = database.read(wanted.segments(), FOUND, bounds)
    coded = _coded(database, wanted.kind, found, names)
    rows = coded.rows
    if "from" in bounds:
        rows = rows.filter(pl.col(wanted.time) >= bounds["from"])
    if "to" in bounds:
        rows = rows.filter(pl.col(wanted.time) < bounds["to"])
    here = [coded.among(column, values) for column, values in wanted.selection.any_of.items() if column in names]
    return _Coded(rows.filter(*here) if here else rows, coded.texts)


def _coded(database: Database, kind: SegmentKind, found: pl.DataFrame, names: Sequence[str]) -> _Coded:
    small = texts_rows(kind, found)
    columns: dict[str, pl.Series] = {}
    texts: dict[str, pl.Series] = {}
    for name, chunks in column_chunks(database, found, names).items():
        rest = small[name].to_arrow()
        if SEGMENT_ROWS[kind][name] == pl.String:
            parts = [*chunks, rest.cast(pa.string()).dictionary_encode()]
            alike = pa.chunked_array(parts).unify_dictionaries()
            texts[name] = pl.Series(alike.chunk(0).dictionary, dtype=pl.String)
            columns[name] = pl.Series(pa.chunked_array([part.indices for part in alike.chunks]))
        else:
            columns[name] = pl.Series(pa.chunked_array([*chunks, rest]))
    return _Coded(pl.DataFrame(columns), texts)


def _with_attributes(database: Database, found: _Coded, names: Sequence[str]) -> _Coded:
    """Put beside conversions what is known of their clicks."""
    numbers = found.rows["click_number"]
    clicks = _clicks_of(database, numbers, names)
    beside = _looked_up(numbers, clicks.rows, names)
    return _Coded(found.rows.hstack(beside), found.texts | clicks.texts)


def _clicks_of(database: Database, numbers: pl.Series, names: Sequence[str]) -> _Coded:
    """The attributes of clicks, by their numbers; of others too, as the segments have them."""
    spans = {f"click_number_{end}": pl.Int64 for end in ("least", "most")}
    of_clicks = select(*(segments.c[name] for name in (*FOUND, *spans))).where(
        segments.c.kind == SegmentKind.CLICKS.value
    )
    all_of_them = database.read(of_clicks.order_by(segments.c.segment_id), {**FOUND, **spans})
    blocks = (numbers // _BLOCK).unique().sort()
    first = blocks.search_sorted(all_of_them["click_number_least"] // _BLOCK)
    after = blocks.search_sorted(all_of_them["click_number_most"] // _BLOCK, side="right")
    return _coded(database, SegmentKind.CLICKS, all_of_them.filter(first < after), ["click_number", *names])


def _looked_up(numbers: pl.Series, clicks: pl.DataFrame, names: Sequence[str]) -> list[pl.Series]:
    """The codes for each number; a number has the same codes wherever it comes."""
    places = clicks["click_number"]
    first, last = clicks.select(least=places.min(), most=places.max()).fill_null(0).row(0)
    span = last - first + 1
    if span > _SPARSE * max(clicks.height, _BLOCK):
        once = clicks.unique("click_number")
        joined = numbers.to_frame().join(once, on="click_number", how="left", maintain_order="left")
        return [joined[name].fill_null(_NOTHING) for name in names]
    known = numbers.is_between(first, last)
    asked = (numbers - first).cast(pl.Int64).clip(0, span - 1)
    found = []
    for name in names:
        table = pl.repeat(_NOTHING, span, dtype=pl.Int32, eager=True).scatter(places - first, clicks[name])
        codes = table.gather(asked)
        found.append((codes if known.all() else codes.set(~known, _NOTHING)).alias(name))
    return found


def _summed(found: _Coded, selection: Selection, by: list[str], time: str, sums: tuple[str, str]) -> pl.DataFrame:
    rows = found.rows
    later = [found.among(name, selection.any_of[name]) for name in CLICK_ATTRIBUTES if name in selection.any_of]
    if later:
        rows = rows.filter(*later)
    if "bucket" in by:
        rows = rows.rename({time: "bucket"})
    count, money = sums
    micros = pl.col(money)
    most = int(rows.select(micros.abs().max()).item() or 0)
    fits = most * rows.height < 2**63
    totals = [pl.col(count).sum(), (micros if fits else micros.cast(pl.Int128)).sum().cast(pl.Int128)]
    cells = rows.group_by(by).agg(totals) if by else rows.select(totals)
    # Where all counts are taken back, all money is, too.
    return found.named(cells.filter(pl.col(count) != 0)).select(*by, *sums)

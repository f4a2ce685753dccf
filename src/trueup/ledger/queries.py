"""Reads for people: the conversions in pages, and the counts by whatever they are asked for.

Counts come from the rollups, or, where a filter asks for more than rollups know, from the rows themselves; both give
the same cells.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, Table, bindparam, cast, func, select, tuple_

from trueup.ledger.database import Database
from trueup.ledger.schema import click_rollups, clicks, conversions, rollups
from trueup.model.frames import BUCKET_MICROS, CONVERSIONS, Schema
from trueup.model.money import MICROS, micros_of_sums
from trueup.model.words import ReportClock

PAGE_ROWS: Final = {"sqlite": 20_000, "postgresql": 50_000}  # PostgreSQL may go through all rows for each page
_WALKED_MOST: Final = 10_000  # conversions that are looked at in their order, before all of them are sorted

# What the log shows of a conversion, besides names from the catalog.
LOGGED: Final[Schema] = {
    name: CONVERSIONS[name]
    for name in (
        "click_id", "n", "conversion_type", "transaction_id", "event_id", "status", "original_status", "payout",
        "currency", "converted_at", "label", "campaign_id", "offer_id", "network_id", "traffic_source_id", "batch_id",
    )
}  # fmt: skip

# What cells can be told apart by; conversions are always told apart by type and status too.
CELL_KEYS: Final = ("bucket", "campaign_id", "offer_id", "network_id", "traffic_source_id")

_PLACE: Final = ("converted_at", "click_id", "n")  # where a conversion is in the log
_BEFORE_ALL: Final = (-(2**63), "", 0)
_AFTER_ALL: Final = (2**63 - 1, "", 0)
_TIME: Final = {ReportClock.CONVERSION: "converted_at", ReportClock.CLICK: "clicked_at"}
# Shifts times before 1970 above zero and back: SQL divides whole numbers towards zero, buckets are counted downwards.
_BUCKETS_SHIFT: Final = 100_000_000


@dataclass(frozen=True)
class Selection:
    """Which conversions are looked at, and on which clock; a filter that is not given lets everything through."""

    clock: ReportClock = ReportClock.CONVERSION
    from_at: int | None = None  # microseconds since the epoch, inclusive
    to_at: int | None = None  # exclusive
    any_of: Mapping[str, Sequence[str] | Sequence[int]] = field(default_factory=dict)  # column -> values it may have
    removed: bool = False  # look at the removed conversions instead

    def asks_for(self, *columns: str) -> bool:
        """Whether one of the columns is filtered by."""
        return any(column in self.any_of for column in columns)

    @property
    def on_quarter_hours(self) -> bool:
        """Whether it begins and ends on borders of rollup buckets."""
        return all(at is None or at % BUCKET_MICROS == 0 for at in (self.from_at, self.to_at))


@dataclass(frozen=True)
class _Source:
    """A table that can be counted."""

    table: Table
    time: ColumnElement[int]  # what the selection's bounds are compared with
    time_micros: int  # microseconds in one unit of `time`
    bucket: ColumnElement[int]
    count: tuple[str, ColumnElement[Any]]  # the count's name, and what counts the rows
    money: str  # the column of micros that is summed
    conditions: tuple[ColumnElement[bool], ...]


def count_by_status(database: Database, selection: Selection) -> pl.DataFrame:
    """How many conversions are selected: conversion_type, status, conversions."""
    kinds = (conversions.c.conversion_type, conversions.c.status)
    chosen = select(*kinds, func.count()).where(*_logged(database, selection, conversions)).group_by(*kinds)
    schema: Schema = {"conversion_type": pl.String, "status": pl.String, "conversions": pl.Int64}
    return database.read(chosen, schema, _values(selection, 1))


def read_conversions(
    database: Database, selection: Selection, newest: int | None = None, page_rows: int = 0
) -> Iterator[pl.DataFrame]:
    """Read the selected conversions in the order of their time, then click id, then n.

    Call it within `read_transaction`: then no conversion is missed or comes twice.

    Args:
        database: The ledger.
        selection: Which conversions to read.
        newest: How many of the newest to read, None for all.
        page_rows: How many rows a page has, 0 for as many as suit the database.

    Returns:
        LOGGED, in pages. The last page is shorter than the others, and may be empty.
    """
    page_rows = page_rows or PAGE_ROWS[database.dialect.name]
    place: tuple[Any, ...] = _BEFORE_ALL
    if selection.from_at is not None and selection.clock is ReportClock.CONVERSION:
        # One lower bound: with two, SQLite would search each page from the selection's beginning.
        place, selection = (selection.from_at, "", 0), replace(selection, from_at=None)
    if newest is not None:
        before = _after_place(database, selection, newest_first=True).offset(newest).limit(1)
        found = database.read(before, LOGGED, _values(selection, 1) | _place(place))
        place = found.select(_PLACE).row(0) if found.height else place
    page = _after_place(database, selection).limit(page_rows)
    while True:
        rows = database.read(page, LOGGED, _values(selection, 1) | _place(place))
        yield rows
        if rows.height < page_rows:
            return
        place = rows.select(_PLACE).row(-1)


def read_conversions_page(
    database: Database, selection: Selection, after: tuple[int, str, int] | None, most: int, *, newest_first: bool
) -> pl.DataFrame:
    """Read one page of the selected conversions, by time, then click id, then n.

    Args:
        database: The ledger.
        selection: Which conversions to read.
        after: The time, click id and n that they come after in that order, None for its beginning.
        most: How many to read at most.
        newest_first: Whether the order is turned round.

    Returns:
        LOGGED.
    """
    place, rest = _beginning(selection, after, newest_first=newest_first)
    if not selection.asks_for("click_id", "transaction_id"):
        walk = _walk(database, rest, newest_first=newest_first).limit(most)
        found = database.read(walk, LOGGED, _values(rest, 1) | _place(place))
        if found.height == most:
            return found
    # The filters select few. Following the index past all the others would be ten times slower than sorting.
    page = _after_place(database, selection, newest_first=newest_first, goes_back=newest_first, sorts=True).limit(most)
    return database.read(page, LOGGED, _values(selection, 1) | _place(place))


def read_conversion_cells(database: Database, selection: Selection, keys: Sequence[str]) -> pl.DataFrame:
    """Count the selected conversions (docs/counting.md).

    Args:
        database: The ledger.
        selection: Which conversions to count.
        keys: The CELL_KEYS to group by.

    Returns:
        The keys, conversion_type, status, conversions, and revenue in micros of the workspace's currency, of 128 bits.
        Cells without conversions are left out.
    """
    if selection.on_quarter_hours and not selection.asks_for("batch_id", "click_id", "transaction_id"):
        source = _rolled_up(rollups, "conversions", "revenue", rollups.c.clock == selection.clock.value)
    else:
        source = _raw(conversions, _TIME[selection.clock], "conversions", "revenue", conversions.c.removed == 0)
    return _cells(database, source, selection, [*keys, "conversion_type", "status"])


def read_click_cells(database: Database, selection: Selection, keys: Sequence[str]) -> pl.DataFrame:
    """Count the selected clicks by the time of the click (docs/counting.md).

    Filters that a click has nothing of, such as type and status, do not narrow them.

    Args:
        database: The ledger.
        selection: Which clicks to count.
        keys: The CELL_KEYS to group by.

    Returns:
        The keys, clicks, and cost in micros of the workspace's currency, of 128 bits. Cells without clicks are left
        out.
    """
    if selection.on_quarter_hours and not selection.asks_for("click_id"):
        source = _rolled_up(click_rollups, "clicks", "cost")
    else:
        source = _raw(clicks, "clicked_at", "clicks", "cost")
    return _cells(database, source, selection, list(keys))


def _logged(database: Database, selection: Selection, rows: FromClause) -> list[ColumnElement[bool]]:
    time = rows.c[_TIME[selection.clock]]
    return [rows.c.removed == int(selection.removed), *_conditions(database, selection, rows, time)]


def _beginning(
    selection: Selection, after: tuple[int, str, int] | None, *, newest_first: bool
) -> tuple[tuple[int, str, int], Selection]:
    """The place that a page begins after, and the other filters: of two bounds, SQLite would use the farther one."""
    place = after or (_AFTER_ALL if newest_first else _BEFORE_ALL)
    if selection.clock is ReportClock.CONVERSION:
        if newest_first and selection.to_at is not None:
            return min(place, (selection.to_at, "", 0)), replace(selection, to_at=None)
        if not newest_first and selection.from_at is not None:
            return max(place, (selection.from_at, "", 0)), replace(selection, from_at=None)
    return place, selection


def _walk(database: Database, selection: Selection, *, newest_first: bool) -> Select[Any]:
    """The selected ones among the _WALKED_MOST conversions that come next after a place."""
    bounds = list(_bounds(selection, conversions.c.converted_at)) if selection.clock is ReportClock.CONVERSION else []
    place = [conversions.c[name] for name in _PLACE]
    after = _is_after(place, goes_back=newest_first)
    order = [key.desc() if newest_first else key for key in place]
    near = select(*conversions.columns).where(after, *bounds).order_by(*order).limit(_WALKED_MOST).subquery()
    keys = [near.c[name] for name in _PLACE]
    chosen = select(*(near.c[name] for name in LOGGED)).where(*_logged(database, selection, near))
    return chosen.order_by(*(key.desc() if newest_first else key for key in keys))


def _after_place(
    database: Database,
    selection: Selection,
    *,
    newest_first: bool = False,
    goes_back: bool = False,
    sorts: bool = False,
) -> Select[Any]:
    """Select the conversions that come after a place in their order.

    Args:
        database: The ledger.
        selection: Which conversions to select.
        newest_first: Whether the order is turned round.
        goes_back: Whether to select those before the place instead.
        sorts: Whether to find all of them and sort, rather than follow the index on their time.

    Returns:
        The statement. The place is its parameters.
    """
    place: list[ColumnElement[Any]] = [conversions.c[name] for name in _PLACE]
    if sorts or (selection.asks_for("transaction_id") and not selection.asks_for("click_id")):
        # There are so few rows that one pass over the table and a sort is quicker than following the index on the time.
        # Adding 0 keeps both databases from using the index.
        place[0] = place[0] + 0
    after = _is_after(place, goes_back=goes_back)
    order = [key.desc() if newest_first else key for key in place]
    columns = (conversions.c[name] for name in LOGGED)
    return select(*columns).where(*_logged(database, selection, conversions), after).order_by(*order)


def _is_after(place: Sequence[ColumnElement[Any]], *, goes_back: bool) -> ColumnElement[bool]:
    """A condition: the place comes after the given one in the order, or before it where `goes_back`."""
    given = tuple_(*(bindparam(f"after_{name}") for name in _PLACE))
    return tuple_(*place) < given if goes_back else tuple_(*place) > given


def _place(values: tuple[Any, ...]) -> dict[str, Any]:
    return {f"after_{name}": value for name, value in zip(_PLACE, values, strict=True)}


def _cells(database: Database, source: _Source, selection: Selection, keys: list[str]) -> pl.DataFrame:
    by = [source.bucket if key == "bucket" else source.table.c[key] for key in keys]
    (count, counting), micros = source.count, source.table.c[source.money]
    # A sum of micros may not fit in 64 bits; the sums of whole units and of the rest do.
    sums = [counting, func.sum(micros // MICROS), func.sum(micros % MICROS)]
    statement = (
        select(*by, *(cast(func.coalesce(total, 0), BigInteger) for total in sums))
        .where(*source.conditions, *_conditions(database, selection, source.table, source.time))
        .group_by(*by)
    )
    read = {key: pl.String if key in ("conversion_type", "status") else pl.Int64 for key in keys}
    read |= dict.fromkeys([count, "units", "rest"], pl.Int64)
    found = database.read(statement, read, _values(selection, source.time_micros)).filter(pl.col(count) != 0)
    whole = micros_of_sums(pl.col("units"), pl.col("rest"))
    return found.select(*keys, count, whole.alias(source.money))


def _conditions(
    database: Database, selection: Selection, table: FromClause, time: ColumnElement[int]
) -> Iterator[ColumnElement[bool]]:
    """The selection as conditions on a table; those on columns that it does not have are left out."""
    for column in selection.any_of:
        if column in table.c:
            yield database.is_one_of(table.c[column], column)
    yield from _bounds(selection, time)


def _bounds(selection: Selection, time: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    if selection.from_at is not None:
        yield time >= bindparam("from_at")
    if selection.to_at is not None:
        yield time < bindparam("to_at")


def _values(selection: Selection, time_micros: int) -> dict[str, Any]:
    values: dict[str, Any] = {column: list(chosen) for column, chosen in selection.any_of.items()}
    bounds = {"from_at": selection.from_at, "to_at": selection.to_at}
    return values | {name: at // time_micros for name, at in bounds.items() if at is not None}


def _rolled_up(table: Table, count: str, money: str, *conditions: ColumnElement[bool]) -> _Source:
    bucket = table.c.bucket
    return _Source(table, bucket, BUCKET_MICROS, bucket, (count, func.sum(table.c[count])), money, conditions)


def _raw(table: Table, time: str, count: str, money: str, *conditions: ColumnElement[bool]) -> _Source:
    moment = table.c[time]
    bucket = (moment + _BUCKETS_SHIFT * BUCKET_MICROS) // BUCKET_MICROS - _BUCKETS_SHIFT
    return _Source(table, moment, 1, bucket, (count, func.count()), money, conditions)

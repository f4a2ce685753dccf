"""Reads for people: which conversions are meant, and those in pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnClause, ColumnElement, FromClause, Select, bindparam, func, literal_column, select, tuple_

from trueup.ledger.database import Readable, ReadTransaction
from trueup.ledger.schema import clicks, conversions
from trueup.model.frames import (
    BUCKET_MICROS,
    CLICK_ATTRIBUTES,
    CONVERSIONS,
    HOUR_BUCKETS,
    ColumnsOf,
    LoggedConversions,
    Schema,
)
from trueup.model.words import ReportClock

PAGE_ROWS: Final = {"sqlite": 20_000, "postgresql": 50_000}  # PostgreSQL may go through all rows for each page
_WALKED_MOST: Final = 10_000  # conversions that are looked at in their order, before all of them are sorted

# What the log shows of a conversion, besides names from the catalog.
LOGGED: Final = ColumnsOf[LoggedConversions]({
    name: CONVERSIONS[name]
    for name in (
        "click_id", "n", "conversion_type", "transaction_id", "event_id", "status", "original_status", "payout",
        "currency", "revenue", "converted_at", "label", "campaign_id", "offer_id", "network_id", "traffic_source_id",
        "batch_id",
    )
})  # fmt: skip

_PLACE: Final = ("converted_at", "click_id", "n")  # where a conversion is in the log
_BEFORE_ALL: Final = (-(2**63), "", 0)
_AFTER_ALL: Final = (2**63 - 1, "", 0)
TIME_OF: Final = {ReportClock.CONVERSION: "converted_at", ReportClock.CLICK: "clicked_at"}
_CLICK: Final = clicks.alias("of_conversion")
NO_TEXT: Final[ColumnClause[str]] = literal_column("''")


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
        """Whether it begins and ends between two quarter hours, as segments count them."""
        return self._is_on(BUCKET_MICROS)

    @property
    def on_hours(self) -> bool:
        """Whether it begins and ends between two hours (UTC), as rollups count them."""
        return self._is_on(BUCKET_MICROS * HOUR_BUCKETS)

    def _is_on(self, micros: int) -> bool:
        return all(at is None or at % micros == 0 for at in (self.from_at, self.to_at))


def count_by_status(database: Readable, selection: Selection) -> pl.DataFrame:
    """How many conversions are selected: conversion_type, status, conversions."""
    kinds = (conversions.c.conversion_type, conversions.c.status)
    chosen = select(*kinds, func.count()).where(*selected(database, selection, conversions)).group_by(*kinds)
    schema: Schema = {"conversion_type": pl.String, "status": pl.String, "conversions": pl.Int64}
    return database.read(chosen, schema, values_of(selection, 1))


def read_conversions(
    transaction: ReadTransaction, selection: Selection, newest: int | None = None, page_rows: int | None = None
) -> Iterator[LoggedConversions]:
    """Read the selected conversions in the order of their time, then click id, then n.

    Args:
        transaction: What all pages are read in, so that no conversion is missed or comes twice.
        selection: Which conversions to read.
        newest: How many of the newest to read, None for all.
        page_rows: How many rows a page has, None for as many as suit the database.

    Returns:
        LOGGED, in pages. The last page is shorter than the others, and may be empty.
    """
    page_rows = page_rows or PAGE_ROWS[transaction.dialect.name]
    place: tuple[Any, ...] = _BEFORE_ALL
    if selection.from_at is not None and selection.clock is ReportClock.CONVERSION:
        # One lower bound: with two, SQLite would search each page from the selection's beginning.
        place, selection = (selection.from_at, "", 0), replace(selection, from_at=None)
    if newest is not None:
        before = _after_place(transaction, selection, newest_first=True).offset(newest).limit(1)
        found = transaction.read(before, LOGGED, values_of(selection, 1) | _place(place))
        place = found.select(_PLACE).row(0) if found.height else place
    page = _after_place(transaction, selection).limit(page_rows)
    while True:
        rows = transaction.read(page, LOGGED, values_of(selection, 1) | _place(place))
        yield rows
        if rows.height < page_rows:
            return
        place = rows.select(_PLACE).row(-1)


def read_conversions_backwards(transaction: ReadTransaction, selection: Selection) -> Iterator[LoggedConversions]:
    """Read the selected conversions as `read_conversions` does, the newest first."""
    page_rows = PAGE_ROWS[transaction.dialect.name]
    place, rest = _beginning(selection, None, newest_first=True)
    page = _after_place(transaction, rest, newest_first=True, goes_back=True).limit(page_rows)
    while True:
        rows = transaction.read(page, LOGGED, values_of(rest, 1) | _place(place))
        yield rows
        if rows.height < page_rows:
            return
        place = rows.select(_PLACE).row(-1)


def read_conversions_page(
    database: Readable, selection: Selection, after: tuple[int, str, int] | None, most: int, *, newest_first: bool
) -> LoggedConversions:
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
        found = database.read(walk, LOGGED, values_of(rest, 1) | _place(place))
        if found.height == most:
            return found
    # The filters select few. Following the index past all the others would be ten times slower than sorting.
    page = _after_place(database, selection, newest_first=newest_first, goes_back=newest_first, sorts=True).limit(most)
    return database.read(page, LOGGED, values_of(selection, 1) | _place(place))


def selected(database: Readable, selection: Selection, rows: FromClause) -> list[ColumnElement[bool]]:
    """The conditions of a selection on conversions; their values are `values_of`."""
    time = rows.c[TIME_OF[selection.clock]]
    return [rows.c.removed == int(selection.removed), *conditions_on(database, selection, rows, time)]


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


def _walk(database: Readable, selection: Selection, *, newest_first: bool) -> Select[Any]:
    """The selected ones among the _WALKED_MOST conversions that come next after a place."""
    bounds = list(_bounds(selection, conversions.c.converted_at)) if selection.clock is ReportClock.CONVERSION else []
    place = [conversions.c[name] for name in _PLACE]
    after = _is_after(place, goes_back=newest_first)
    order = [key.desc() if newest_first else key for key in place]
    near = select(*conversions.columns).where(after, *bounds).order_by(*order).limit(_WALKED_MOST).subquery()
    keys = [near.c[name] for name in _PLACE]
    chosen = select(*(near.c[name] for name in LOGGED)).where(*selected(database, selection, near))
    return chosen.order_by(*(key.desc() if newest_first else key for key in keys))


def _after_place(
    database: Readable,
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
    return select(*columns).where(*selected(database, selection, conversions), after).order_by(*order)


def _is_after(place: Sequence[ColumnElement[Any]], *, goes_back: bool) -> ColumnElement[bool]:
    """A condition: the place comes after the given one in the order, or before it where `goes_back`."""
    given = tuple_(*(bindparam(f"after_{name}") for name in _PLACE))
    return tuple_(*place) < given if goes_back else tuple_(*place) > given


def _place(values: tuple[Any, ...]) -> dict[str, Any]:
    return {f"after_{name}": value for name, value in zip(_PLACE, values, strict=True)}


def conditions_on(
    database: Readable, selection: Selection, table: FromClause, time: ColumnElement[int]
) -> Iterator[ColumnElement[bool]]:
    """Say a selection as conditions.

    Args:
        database: The ledger.
        selection: What is selected.
        table: Conversions or clicks, or what is counted of them. Filters by columns that it has nothing of are left
            out; conversions are also filtered by the attributes of their click.
        time: What the selection's bounds are compared with.

    Yields:
        The conditions. Their values are `values_of`.
    """
    for column in selection.any_of:
        if column in table.c:
            yield database.is_one_of(table.c[column], column)
        elif column in CLICK_ATTRIBUTES:
            of_click = select(_CLICK.c[column]).where(_CLICK.c.click_id == table.c.click_id).scalar_subquery()
            yield database.is_one_of(func.coalesce(of_click, NO_TEXT), column)
    yield from _bounds(selection, time)


def _bounds(selection: Selection, time: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    if selection.from_at is not None:
        yield time >= bindparam("from_at")
    if selection.to_at is not None:
        yield time < bindparam("to_at")


def values_of(selection: Selection, time_micros: int) -> dict[str, Any]:
    """The values of a selection's conditions, by name; `time_micros` are those in one unit of the time."""
    values: dict[str, Any] = {column: list(chosen) for column, chosen in selection.any_of.items()}
    bounds = {"from_at": selection.from_at, "to_at": selection.to_at}
    return values | {name: at // time_micros for name, at in bounds.items() if at is not None}

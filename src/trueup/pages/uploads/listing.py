"""The list of batches, and of sent files that are no batch yet: newest first; and the same as a file."""

from collections.abc import Iterator
from typing import Any, Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.batch_pages import WantedBatches, makers
from trueup.ledger.database import Database
from trueup.ledger.sorting import Asked, Sort
from trueup.live.context import ServerContext
from trueup.model.money import text_from_micros
from trueup.model.words import BatchKind, Origin, Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of, page_by_page
from trueup.pages.lists.period import ALL_TIME, Period, period_of
from trueup.pages.lists.query import Filter, Pager, Query, no_such_page
from trueup.pages.lists.words import list_words
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.formats import decimals_of, exact_moment
from trueup.pages.shell.words import chip_of
from trueup.pages.uploads.words import KINDS, ORIGINS, as_shown
from trueup.reports.batch_list import (
    BATCHES_SORTED_MOST,
    PLACE_KINDS,
    SORTS,
    STATES,
    BatchFilters,
    BatchItem,
    BatchList,
    read_batch_list,
)
from trueup.reports.sorts import NEWEST_FIRST, TIME, sort_named

NAME: Final = "uploads"
COLUMNS: Final = (
    Column("number", "Batch", is_number=True),
    Column("state", "State"),
    Column("at", "When", sort=TIME),
    Column("kind", "What"),
    Column("file_name", "File"),
    Column("made_by", "Who"),
    Column("outcomes", "Outcomes"),
    Column("rows", "Rows", is_number=True, sort="rows"),
    Column("money", "Revenue", is_number=True, sort="revenue"),
    Column("conversions", "Conversions", is_number=True, sort="conversions", is_usual=False),
    Column("pending", "Pending", is_number=True, is_usual=False),
    Column("declined", "Declined", is_number=True, is_usual=False),
    Column("origin", "Origin", is_usual=False),
    Column("undo", "Undone by", is_usual=False),
)
_NUMBERS: Final = ("money", "pending", "declined")
_IN_FILE: Final = 1_000
_MAKERS: Final = 200


def filters_of(who: list[str]) -> list[Filter]:
    """All filters, with what there is to choose from."""
    return [
        Filter("state", "State", [(word, chip_of(word).text) for word in STATES], are_ticks=True),
        Filter("kind", "What", [(each.value, KINDS[each]) for each in BatchKind], are_ticks=True),
        Filter("origin", "Origin", [(each.value, ORIGINS[each]) for each in Origin]),
        Filter("made_by", "Who", [(name, name) for name in who if name]),
        Filter("file", "File name has"),
    ]


async def show(request: Request) -> Response:
    """Show a page of the list."""
    pages, query = pages_of(request), Query(request)
    context = pages.context
    period, wanted = _meant(query, context)
    workspace, sort = context.catalog.workspace, sort_named(query.one("sort"), SORTS, NEWEST_FIRST)
    asked = query.asked_from(None if sort.by == TIME else PLACE_KINDS)

    def look(database: Database) -> tuple[BatchList, list[str]]:
        return _read(database, context, wanted, asked, sort), makers(database, _MAKERS)

    found, who = await pages.look(look)
    rows = [as_shown(item) for item in found.items]
    return await render(
        request,
        View(
            "uploads/list.html",
            "Uploads",
            Basis(workspace.time_zone, workspace.currency, period.text),
            part="uploads/_list.html",
        ),
        **list_words(
            query, period, filters_of(who), person_of(request), NAME, COLUMNS, found.sort, sort, BATCHES_SORTED_MOST
        ),
        decimals={name: decimals_of([row[name] for row in rows]) for name in _NUMBERS},
        rows=rows,
        pager=Pager.beside(query, found.page, found.next),
        is_first=not query.place,
        is_working=any(row["is_at_work"] for row in rows),
        zone=workspace.time_zone,
    )


async def as_file(request: Request) -> Response:
    """Answer with all of what the list shows, as a file.

    Raises:
        HTTPException: There is no such form of a file.
    """
    form = file_form(request)
    pages, query = pages_of(request), Query(request)
    context = pages.context
    _, wanted = _meant(query, context)
    zone = context.catalog.workspace.time_zone
    names = [column.name for column in shown(person_of(request), NAME, COLUMNS)]

    sort = sort_named(query.one("sort"), SORTS, NEWEST_FIRST)

    def table(database: Database) -> Iterator[pl.DataFrame]:
        by = sort

        def read(cut: str) -> tuple[pl.DataFrame, str]:
            nonlocal by
            asked = Asked(_IN_FILE if by.by == TIME else BATCHES_SORTED_MOST, (cut,) if cut else None)
            found = _read(database, context, wanted, asked, by)
            by = found.sort
            rows = [_in_file(item, zone) for item in found.items]
            told = pl.DataFrame(rows, dict.fromkeys(map(_name, COLUMNS), pl.String), orient="row")
            return told.select(names), found.next

        return page_by_page(read, "")

    return await file_of(pages, form, NAME, ("number", "rows", "conversions", *_NUMBERS), table)


def _name(column: Column) -> str:
    return column.name


def _meant(query: Query, context: ServerContext) -> tuple[Period, WantedBatches]:
    """Which batches a URL means. Raises: WrongWordError: A word of it is not known."""
    catalog, now = context.catalog, context.clock()
    zone = catalog.workspace.time_zone
    period = period_of(query, zone, now, ALL_TIME)
    filters = BatchFilters(
        period.from_,
        period.to,
        query.all("kind"),
        query.all("origin"),
        query.all("state"),
        query.one("made_by"),
        query.one("file"),
    )
    return period, filters.understood(catalog, zone, now)


def _read(database: Database, context: ServerContext, wanted: WantedBatches, asked: Asked, sort: Sort) -> BatchList:
    try:
        return read_batch_list(database, context.catalog, wanted, asked, sort)
    except ValueError:
        raise no_such_page() from None


def _in_file(item: BatchItem, zone: str) -> dict[str, Any]:
    row = as_shown(item)
    told = {
        "number": row["number"] or "",
        "state": item.state,
        "at": exact_moment(item.at, zone),
        "kind": row["kind"],
        "file_name": item.file_name,
        "made_by": item.made_by,
        "outcomes": ", ".join(f"{name} {count}" for name, count in row["outcomes"].items()),
        "rows": row["rows"],
        "conversions": row["conversions"],
        "origin": row["origin"],
        "undo": item.undone_by or "",
        **{name: text_from_micros(row[name]) for name in _NUMBERS},
    }
    return {name: str(told[name]) for name in map(_name, COLUMNS)}


routes = [
    PageRoute("/uploads", show, needs=Role.VIEWER, name="uploads"),
    PageRoute("/uploads.{form}", as_file, needs=Role.VIEWER, name="uploads_file"),
]

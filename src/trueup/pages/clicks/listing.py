"""The list of clicks: newest first, what is known of each visit, and what became of it; and the same as a file."""

from collections.abc import Iterator
from typing import Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database
from trueup.ledger.newest_clicks import WantedClicks
from trueup.ledger.sorted_clicks import CLICKS_SORTED_MOST
from trueup.ledger.sorting import Asked, Place, Sort
from trueup.live.context import ServerContext
from trueup.live.cursors import cursor_text
from trueup.model.catalog import Catalog
from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.clicks import COLUMNS, MONEY, SUBS, in_file
from trueup.pages.lists.columns import shown
from trueup.pages.lists.files import file_form, file_of, page_by_page
from trueup.pages.lists.newer import newer
from trueup.pages.lists.period import ALL_TIME, Period, period_of
from trueup.pages.lists.query import Filter, Pager, Query
from trueup.pages.lists.words import list_words
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.formats import decimals_of
from trueup.reports.click_list import (
    KINDS_OF_PLACES,
    NEWER_MOST,
    SORTS,
    ClickFilters,
    ClickList,
    count_new_clicks,
    read_click_list,
)
from trueup.reports.sorts import NEWEST_FIRST, TIME, sort_named

NAME: Final = "clicks"
_ATTRIBUTES: Final = ("country", "device", "os", "browser", *SUBS)
_IN_FILE: Final = 5_000
_IDS_MOST: Final = 100
_DIGITS: Final = 19


def filters_of(catalog: Catalog) -> list[Filter]:
    """All filters, with what there is to choose from."""
    yes_no = [("yes", "Yes"), ("no", "No")]
    titles = {column.name: column.title for column in COLUMNS}
    return [
        Filter("campaign", "Campaign", [(name, name) for name in catalog.campaigns]),
        Filter("source", "Traffic source", [(name, name) for name in catalog.traffic_sources]),
        Filter("offer", "Offer", [(name, name) for name in catalog.offers]),
        Filter("network", "Network", [(name, name) for name in catalog.affiliate_networks]),
        Filter("converted", "Has conversions", yes_no),
        Filter("bot", "Bot", yes_no),
        Filter("click_id", "Click id"),
        *(Filter(name, titles[name]) for name in _ATTRIBUTES),
    ]


async def show(request: Request) -> Response:
    """Show a page of the list."""
    pages, query = pages_of(request), Query(request)
    context = pages.context
    period, wanted = _meant(query, context)
    workspace, sort = context.catalog.workspace, sort_named(query.one("sort"), SORTS, NEWEST_FIRST)
    asked = query.asked(*KINDS_OF_PLACES)
    found = await pages.look(lambda database: _read(database, context, wanted, query, asked, sort))
    rows = found.rows.to_dicts()
    return await render(
        request,
        View(
            "clicks/list.html",
            "Clicks",
            Basis(workspace.time_zone, workspace.currency, period.text),
            part="clicks/_list.html",
        ),
        **list_words(
            query,
            period,
            filters_of(context.catalog),
            person_of(request),
            NAME,
            COLUMNS,
            found.sort,
            sort,
            CLICKS_SORTED_MOST,
        ),
        decimals={name: decimals_of([row[name] for row in rows]) for name in MONEY},
        rows=rows,
        pager=pager_of(query, found),
        newest=found.newest,
        is_newest=found.sort == NEWEST_FIRST and not query.place,
        searched="as many as one page looks through" if found.looked_back else "",
        zone=workspace.time_zone,
    )


async def count_newer(request: Request) -> Response:
    """Say how many came since the list was read."""
    query, context = Query(request), pages_of(request).context
    _, wanted = _meant(query, context)

    def count(database: Database, since: str) -> int:
        if not (since.isascii() and since.isdigit() and len(since) <= _DIGITS):
            raise ValueError("it is no number of a click")
        return count_new_clicks(database, wanted, int(since))

    return await newer(request, count, NEWER_MOST)


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

        def read(place: Place | None) -> tuple[pl.DataFrame, Place | None]:
            nonlocal by
            most = _IN_FILE if by.by == TIME else CLICKS_SORTED_MOST
            found = _read(database, context, wanted, query, Asked(most, place), by)
            by = found.sort
            return in_file(found.rows, zone).select(names), (found.next,) if found.next is not None else None

        return page_by_page(read, None)

    return await file_of(pages, form, NAME, (*MONEY, "conversions"), table)


def _meant(query: Query, context: ServerContext) -> tuple[Period, WantedClicks]:
    """Which clicks a URL means. Raises: WrongWordError: A word of it is not known."""
    catalog, now = context.catalog, context.clock()
    zone = catalog.workspace.time_zone
    period = period_of(query, zone, now, ALL_TIME)
    filters = ClickFilters(
        period.from_,
        period.to,
        query.all("campaign"),
        query.all("offer"),
        query.all("network"),
        query.all("source"),
        [f"{name}={value}" for name in _ATTRIBUTES for value in query.all(name)],
        query.one("bot"),
        query.one("converted"),
    )
    return period, filters.understood(catalog, zone, now)


def pager_of(query: Query, found: ClickList) -> Pager:
    """The neighbours of a page of clicks."""
    return Pager.beside(query, found.page, cursor_text((found.next,)) if found.next is not None else "")


def _read(
    database: Database, context: ServerContext, wanted: WantedClicks, query: Query, asked: Asked, sort: Sort
) -> ClickList:
    click_ids = [each.strip() for each in query.all("click_id")][:_IDS_MOST]
    return read_click_list(database, context.catalog, wanted, click_ids, asked, sort)


routes = [
    PageRoute("/clicks", show, needs=Role.VIEWER, name="clicks"),
    PageRoute("/clicks/newer", count_newer, needs=Role.VIEWER, name="newer_clicks"),
    PageRoute("/clicks.{form}", as_file, needs=Role.VIEWER, name="clicks_file"),
]

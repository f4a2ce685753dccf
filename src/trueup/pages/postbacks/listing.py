"""The list of postbacks: newest first, the decision and its reason, the request as it came; and the same as a file."""

from collections.abc import Iterator
from typing import Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database
from trueup.ledger.postback_parts import Wanted
from trueup.ledger.sorted_postbacks import PLACE_KINDS
from trueup.ledger.sorting import SORTED_MOST, Asked, Sort
from trueup.live.context import ServerContext
from trueup.model.catalog import Catalog
from trueup.model.words import Origin, Outcome, Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of, page_by_page
from trueup.pages.lists.newer import newer
from trueup.pages.lists.period import ALL_TIME, Period, period_of
from trueup.pages.lists.query import Filter, Pager, Query, no_such_page
from trueup.pages.lists.rows import row_as_shown, rows_in_file
from trueup.pages.lists.words import list_words
from trueup.pages.postbacks.again import may_change
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.formats import moment
from trueup.pages.shell.words import chip_of
from trueup.reports.postback_list import (
    NEWER_MOST,
    SORTS,
    PostbackFilters,
    PostbackList,
    count_new_postbacks,
    read_postbacks,
)
from trueup.reports.sorts import NEWEST_FIRST, TIME, sort_named

NAME: Final = "postbacks"
COLUMNS: Final = (
    Column("received_at", "Received", sort=TIME),
    Column("outcome", "Decision", sort="decision", rises=True),
    Column("reason", "Reason"),
    Column("click_id", "Click id", is_id=True),
    Column("conversion_id", "Conversion id", is_id=True, is_usual=False),
    Column("network", "Network"),
    Column("status", "Status sent"),
    Column("payout", "Payout sent", is_number=True, sort="payout"),
    Column("currency", "Currency", is_usual=False),
    Column("conversion_type", "Type", is_usual=False),
    Column("transaction_id", "Transaction id", is_id=True, is_usual=False),
    Column("event_id", "Event id", is_id=True, is_usual=False),
    Column("origin", "Origin", is_usual=False),
    Column("batch_id", "Batch", is_number=True, is_usual=False),
    Column("line", "Line", is_number=True, is_usual=False),
    Column("raw", "Request", is_usual=False),
)
_IN_FILE: Final = 5_000  # rows that are read at once for a file


def filters_of(catalog: Catalog) -> list[Filter]:
    """All filters, with what there is to choose from."""
    return [
        Filter("outcome", "Decision", [(each.value, chip_of(each).text) for each in reversed(Outcome)]),
        Filter("network", "Network", [(name, name) for name in catalog.affiliate_networks]),
        Filter("origin", "Origin", [(each.value, each.capitalize()) for each in (Origin.POSTBACK, Origin.PIXEL)]),
        Filter("click_id", "Click id"),
    ]


async def show(request: Request) -> Response:
    """Show a page of the list."""
    pages, query = pages_of(request), Query(request)
    context = pages.context
    period, wanted = _meant(query, context)
    zone, sort = context.catalog.workspace.time_zone, sort_named(query.one("sort"), SORTS, NEWEST_FIRST)
    asked = query.asked_from(PLACE_KINDS.get(sort.by))

    def look(database: Database) -> PostbackList:
        return _read(database, context, wanted, query, asked, sort)

    found = await pages.look(look)
    return await render(
        request,
        View("postbacks/list.html", "Postbacks", Basis(zone, period=period.text), part="postbacks/_list.html"),
        **list_words(query, period, filters_of(context.catalog), person_of(request), NAME, COLUMNS, found.sort, sort),
        rows=[row_as_shown(row) | {"may_change": may_change(row)} for row in found.rows.iter_rows(named=True)],
        pager=Pager.beside(query, found.page, found.next),
        newest=found.newest,
        is_newest=found.sort == NEWEST_FIRST and not query.place,
        searched=f"as far as {moment(found.looked_to, zone)}" if found.looked_to else "",
        zone=zone,
    )


async def count_newer(request: Request) -> Response:
    """Say how many came since the list was read."""
    query, context = Query(request), pages_of(request).context
    _, wanted = _meant(query, context)
    return await newer(request, lambda database, since: count_new_postbacks(database, wanted, since), NEWER_MOST)


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
            asked = Asked(_IN_FILE if by.by == TIME else SORTED_MOST, (cut,) if cut else None)
            found = _read(database, context, wanted, query, asked, by)
            by = found.sort
            return rows_in_file(found.rows, zone).select(names), found.next

        return page_by_page(read, "")

    return await file_of(pages, form, NAME, ("payout",), table)


def _meant(query: Query, context: ServerContext) -> tuple[Period, Wanted]:
    """Which postbacks a URL means. Raises: WrongWordError: A word of it is not known."""
    catalog, now = context.catalog, context.clock()
    zone = catalog.workspace.time_zone
    period = period_of(query, zone, now, ALL_TIME)
    filters = PostbackFilters(
        period.from_, period.to, query.all("outcome"), query.all("network"), query.all("origin"), query.one("click_id")
    )
    return period, filters.understood(catalog, zone, now)


def _read(
    database: Database, context: ServerContext, wanted: Wanted, query: Query, asked: Asked, sort: Sort
) -> PostbackList:
    click_id = query.one("click_id").strip()
    try:
        return read_postbacks(database, context.catalog, wanted, click_id, asked, context.clock(), sort)
    except ValueError:
        raise no_such_page() from None


routes = [
    PageRoute("/postbacks", show, needs=Role.VIEWER, name="postbacks"),
    PageRoute("/postbacks/newer", count_newer, needs=Role.VIEWER, name="newer_postbacks"),
    PageRoute("/postbacks.{form}", as_file, needs=Role.VIEWER, name="postbacks_file"),
]

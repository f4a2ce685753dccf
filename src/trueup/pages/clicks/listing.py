"""The list of clicks: newest first, what is known of each visit, and what became of it; and the same as a file."""

from collections.abc import Iterator
from typing import Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database
from trueup.ledger.newest_clicks import WantedClicks
from trueup.live.context import ServerContext
from trueup.model.catalog import Catalog
from trueup.model.money import money_text
from trueup.model.times import times_text
from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of, page_by_page
from trueup.pages.lists.newer import newer
from trueup.pages.lists.period import ALL_TIME, Period, period_of
from trueup.pages.lists.query import Filter, Query, no_such_page
from trueup.pages.lists.words import list_words
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.formats import decimals_of
from trueup.reports.click_list import NEWER_MOST, ClickFilters, ClickList, count_new_clicks, read_click_list

NAME: Final = "clicks"
SUBS: Final = tuple(f"sub{i}" for i in range(1, 11))
COLUMNS: Final = (
    Column("clicked_at", "Time"),
    Column("click_id", "Click id", is_id=True),
    Column("campaign", "Campaign"),
    Column("traffic_source", "Source"),
    Column("offer", "Offer"),
    Column("affiliate_network", "Network", is_usual=False),
    Column("country", "Country"),
    Column("device", "Device", is_usual=False),
    Column("os", "System", is_usual=False),
    Column("browser", "Browser", is_usual=False),
    Column("sub1", "Sub 1"),
    *(Column(name, f"Sub {name[3:]}", is_usual=False) for name in SUBS[1:]),
    Column("external_id", "External id", is_id=True, is_usual=False),
    Column("cost", "Cost", is_number=True),
    Column("conversions", "Conversions", is_number=True),
    Column("revenue", "Revenue", is_number=True),
    Column("pending_revenue", "Pending", is_number=True, is_usual=False),
    Column("arrivals", "Arrivals", is_number=True, is_usual=False),
    Column("is_bot", "Bot", is_usual=False),
    Column("ip", "Address", is_usual=False),
    Column("referrer", "Referrer", is_usual=False),
    Column("user_agent", "User agent", is_usual=False),
    Column("batch_id", "Import", is_number=True, is_usual=False),
)
_MONEY: Final = ("cost", "revenue", "pending_revenue")
_ATTRIBUTES: Final = ("country", "device", "os", "browser", *SUBS)
_IN_FILE: Final = 5_000
_IDS_MOST: Final = 100


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
    workspace, before = context.catalog.workspace, _before(query.one("after"))
    found = await pages.look(lambda database: _read(database, context, wanted, query, before, query.limit))
    rows = found.rows.to_dicts()
    return await render(
        request,
        View(
            "clicks/list.html",
            "Clicks",
            Basis(workspace.time_zone, workspace.currency, period.text),
            part="clicks/_list.html",
        ),
        **list_words(query, period, filters_of(context.catalog), person_of(request), NAME, COLUMNS),
        decimals={name: decimals_of([row[name] for row in rows]) for name in _MONEY},
        rows=rows,
        older=query.older(str(found.next)) if found.next is not None else "",
        newest=found.newest,
        is_first=before is None,
        searched="as many as one page looks through" if found.looked_back else "",
        zone=workspace.time_zone,
    )


async def count_newer(request: Request) -> Response:
    """Say how many came since the list was read."""
    query, context = Query(request), pages_of(request).context
    _, wanted = _meant(query, context)

    def count(database: Database, since: str) -> int:
        place = _before(since)
        if place is None:
            raise ValueError("it is no number of a click")
        return count_new_clicks(database, wanted, place)

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

    def table(database: Database) -> Iterator[pl.DataFrame]:
        def read(before: int | None) -> tuple[pl.DataFrame, int | None]:
            found = _read(database, context, wanted, query, before, _IN_FILE)
            return _in_file(found.rows, zone).select(names), found.next

        return page_by_page(read, None)

    return await file_of(pages, form, NAME, (*_MONEY, "conversions"), table)


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


def _read(
    database: Database, context: ServerContext, wanted: WantedClicks, query: Query, before: int | None, most: int
) -> ClickList:
    click_ids = [each.strip() for each in query.all("click_id")][:_IDS_MOST]
    return read_click_list(database, context.catalog, wanted, click_ids, before, most)


def _before(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(2**62))):
        raise no_such_page()
    return int(text)


def _in_file(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    money = (money_text(pl.col(name).cast(pl.Int64)).alias(name) for name in _MONEY)
    return rows.with_columns(
        *money,
        clicked_at=times_text(pl.col("clicked_at"), zone),
        is_bot=pl.when(pl.col("is_bot") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
    )


routes = [
    PageRoute("/clicks", show, needs=Role.VIEWER, name="clicks"),
    PageRoute("/clicks/newer", count_newer, needs=Role.VIEWER, name="newer_clicks"),
    PageRoute("/clicks.{form}", as_file, needs=Role.VIEWER, name="clicks_file"),
]

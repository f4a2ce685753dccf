"""The list of conversions: a range, filters, totals of what is filtered, pages, and the same as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.cells import read_conversion_cells
from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.ledger.sorting import Sort, SortedPage
from trueup.model.catalog import Catalog
from trueup.model.counting import is_paid
from trueup.model.frames import Cells, LoggedConversions
from trueup.model.ids import conversion_id
from trueup.model.money import money_text
from trueup.model.words import ReportClock, Role
from trueup.pages.conversions.filters import filters_of, selection_of
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of
from trueup.pages.lists.period import period_of
from trueup.pages.lists.query import Pager, Query
from trueup.pages.lists.words import list_words
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.formats import decimals_of
from trueup.reports.conversion_list import (
    SORTS,
    kinds_of_place,
    read_all_conversions,
    read_conversion_page,
    sort_for,
)
from trueup.reports.log import as_log
from trueup.reports.metrics import summed
from trueup.reports.names import names_by_id
from trueup.reports.sorts import NEWEST_FIRST, TIME, sort_named

NAME: Final = "conversions"
COLUMNS: Final = (
    Column("converted_at", "Time", sort=TIME),
    Column("click_id", "Click id", is_id=True),
    Column("conversion_id", "Conversion id", is_id=True),
    Column("conversion_type", "Type", sort="type", rises=True),
    Column("status", "Status", sort="status", rises=True),
    Column("payout", "Payout", is_number=True, sort="payout"),
    Column("currency", "Currency", is_usual=False),
    Column("revenue", "Revenue", is_number=True, sort="revenue"),
    Column("label", "Label"),
    Column("affiliate_network", "Network"),
    Column("offer", "Offer", is_usual=False),
    Column("campaign", "Campaign", is_usual=False),
    Column("traffic_source", "Traffic source", is_usual=False),
    Column("transaction_id", "Transaction id", is_id=True, is_usual=False),
    Column("event_id", "Event id", is_id=True, is_usual=False),
    Column("original_status", "Network's word", is_usual=False),
    Column("batch_id", "Batch", is_number=True),
)
_NUMBERS: Final = ("payout", "revenue")


@dataclass(frozen=True)
class Found:
    """What a page of the list shows."""

    rows: list[dict[str, Any]]
    totals: dict[str, int]
    page: SortedPage
    sort: Sort


async def show(request: Request) -> Response:
    """Show a page of the list."""
    pages, query = pages_of(request), Query(request)
    catalog, now = pages.context.catalog, pages.context.clock()
    zone = catalog.workspace.time_zone
    period = period_of(query, zone, now)
    selection = selection_of(query, period, catalog, now)
    wanted = sort_named(query.one("sort"), SORTS, NEWEST_FIRST)
    found = await pages.look(lambda database: _read(database, query, selection, wanted, catalog))
    clock = "by click time" if selection.clock is ReportClock.CLICK else "by conversion time"
    return await render(
        request,
        View(
            "conversions/list.html",
            "Conversions",
            Basis(zone, catalog.workspace.currency, period.text, clock),
            part="conversions/_list.html",
        ),
        **list_words(query, period, filters_of(catalog), person_of(request), NAME, COLUMNS, found.sort, wanted),
        decimals={name: decimals_of([row[name] for row in found.rows]) for name in _NUMBERS},
        found=found,
        pager=Pager.of(query, found.page),
        zone=zone,
    )


async def as_file(request: Request) -> Response:
    """Answer with all of what the list shows, as a file.

    Raises:
        HTTPException: There is no such form of a file.
    """
    form = file_form(request)
    pages, query = pages_of(request), Query(request)
    catalog, now = pages.context.catalog, pages.context.clock()
    zone = catalog.workspace.time_zone
    selection = selection_of(query, period_of(query, zone, now), catalog, now)
    names = [column.name for column in shown(person_of(request), NAME, COLUMNS)]

    wanted = sort_named(query.one("sort"), SORTS, NEWEST_FIRST)

    def table(database: Database) -> Iterator[pl.DataFrame]:
        with database.read_transaction() as transaction:
            sort = sort_for(transaction, selection, wanted)
            for page in read_all_conversions(transaction, selection, sort):
                revenue = page.select(money_text(_revenue()).alias("revenue"))
                yield as_log(page, catalog, zone).with_columns(revenue).select(names)

    return await file_of(pages, form, NAME, _NUMBERS, table)


def _read(database: Database, query: Query, selection: Selection, wanted: Sort, catalog: Catalog) -> Found:
    """Read a page and the totals, as of one moment."""
    asked = query.asked(kinds_of_place(wanted), kinds_of_place(NEWEST_FIRST))
    with database.read_transaction() as transaction:
        cells = read_conversion_cells(transaction, selection, [])
        matching = None if selection.removed else int(cells["conversions"].sum())
        sort = sort_for(transaction, selection, wanted, matching)
        page = read_conversion_page(transaction, selection, sort, asked)
    no_clicks = Cells(cells.with_columns(clicks=pl.lit(None, pl.Int64), cost=pl.lit(None, pl.Int128)))
    totals = summed(no_clicks, [], [], catalog.left_out_types).row(0, named=True)
    return Found(_rows(LoggedConversions(page.rows), catalog), totals, page, sort)


def _revenue() -> pl.Expr:
    """What a conversion counts as revenue."""
    return pl.when(is_paid()).then("revenue").otherwise(0)


def _rows(page: LoggedConversions, catalog: Catalog) -> list[dict[str, Any]]:
    keys = {
        "affiliate_network": "network_id",
        "offer": "offer_id",
        "campaign": "campaign_id",
        "traffic_source": "traffic_source_id",
    }
    names = {title: names_by_id(key, catalog) for title, key in keys.items()}
    return [
        {
            **row,
            "worth": worth,
            "conversion_id": conversion_id(row["click_id"], row["n"]),
            **{title: names[title].get(row[key], f"#{row[key]}" if row[key] else "") for title, key in keys.items()},
        }
        for row, worth in zip(
            page.with_columns(_revenue().alias("revenue")).iter_rows(named=True), page["revenue"], strict=True
        )
    ]


routes = [
    PageRoute("/conversions", show, needs=Role.VIEWER),
    PageRoute("/conversions.{form}", as_file, needs=Role.VIEWER),
]

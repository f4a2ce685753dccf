"""The list of conversions: a range, filters, totals of what is filtered, pages, and the same as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.cells import read_conversion_cells
from trueup.ledger.database import Database
from trueup.ledger.queries import (
    Selection,
    read_conversions_backwards,
    read_conversions_page,
)
from trueup.ledger.queries import read_conversions as read_conversions_in_order
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
from trueup.reports.log import as_log
from trueup.reports.metrics import summed
from trueup.reports.names import names_by_id

NAME: Final = "conversions"
_OLDEST: Final = "oldest"
COLUMNS: Final = (
    Column("converted_at", "Time", orders=("newest", _OLDEST)),
    Column("click_id", "Click id", is_id=True),
    Column("conversion_id", "Conversion id", is_id=True),
    Column("conversion_type", "Type"),
    Column("status", "Status"),
    Column("payout", "Payout", is_number=True),
    Column("currency", "Currency", is_usual=False),
    Column("revenue", "Revenue", is_number=True),
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
    pager: Pager


async def show(request: Request) -> Response:
    """Show a page of the list."""
    pages, query = pages_of(request), Query(request)
    catalog, now = pages.context.catalog, pages.context.clock()
    zone = catalog.workspace.time_zone
    period = period_of(query, zone, now)
    selection = selection_of(query, period, catalog, now)
    found = await pages.look(lambda database: _read(database, query, selection, catalog))
    clock = "by click time" if selection.clock is ReportClock.CLICK else "by conversion time"
    return await render(
        request,
        View(
            "conversions/list.html",
            "Conversions",
            Basis(zone, catalog.workspace.currency, period.text, clock),
            part="conversions/_list.html",
        ),
        **list_words(query, period, filters_of(catalog), person_of(request), NAME, COLUMNS),
        decimals={name: decimals_of([row[name] for row in found.rows]) for name in _NUMBERS},
        order=query.one("order") or "newest",
        found=found,
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

    def table(database: Database) -> Iterator[pl.DataFrame]:
        read = read_conversions_in_order if query.one("order") == _OLDEST else read_conversions_backwards
        with database.read_transaction() as transaction:
            for page in read(transaction, selection):
                revenue = page.select(money_text(_revenue()).alias("revenue"))
                yield as_log(page, catalog, zone).with_columns(revenue).select(names)

    return await file_of(pages, form, NAME, _NUMBERS, table)


def _read(database: Database, query: Query, selection: Selection, catalog: Catalog) -> Found:
    """Read a page and the totals, as of one moment."""
    place, is_before = query.place(int, str, int)
    newest_first = query.one("order") != _OLDEST
    with database.read_transaction() as transaction:
        page = read_conversions_page(
            transaction,
            selection,
            (place[0], place[1], place[2]) if place else None,
            query.limit + 1,
            newest_first=newest_first is not is_before,
        )
        cells = read_conversion_cells(transaction, selection, [])
    has_more = page.height > query.limit
    page = LoggedConversions(page.head(query.limit))
    if is_before:
        page = LoggedConversions(page.reverse())
    places = page.select("converted_at", "click_id", "n").rows()
    no_clicks = Cells(cells.with_columns(clicks=pl.lit(None, pl.Int64), cost=pl.lit(None, pl.Int128)))
    totals = summed(no_clicks, [], [], catalog.left_out_types).row(0, named=True)
    return Found(_rows(page, catalog), totals, Pager.of(query, places, has_more=has_more, is_before=is_before))


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

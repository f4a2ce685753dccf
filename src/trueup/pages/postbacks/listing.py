"""The list of postbacks: newest first, the decision and its reason, the request as it came; and the same as a file."""

from collections.abc import Iterator
from typing import Any, Final

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database
from trueup.ledger.newest_postbacks import Wanted
from trueup.live.context import ServerContext
from trueup.model.catalog import Catalog
from trueup.model.ids import conversion_id
from trueup.model.money import money_text
from trueup.model.times import times_text
from trueup.model.words import Origin, Outcome, Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.files import file_form, file_of
from trueup.pages.lists.filters import chips
from trueup.pages.lists.newer import newer
from trueup.pages.lists.period import Period, period_of
from trueup.pages.lists.query import Filter, Query
from trueup.pages.postbacks.again import may_change
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.shell.formats import moment
from trueup.pages.shell.words import chip_of
from trueup.pages.upload.words import message_in_words
from trueup.reports.postback_list import (
    NEWER_MOST,
    PostbackFilters,
    PostbackList,
    count_new_postbacks,
    read_postbacks,
)

NAME: Final = "postbacks"
ALL_TIME: Final = ("", "")
COLUMNS: Final = (
    Column("received_at", "Received"),
    Column("outcome", "Decision"),
    Column("reason", "Reason"),
    Column("click_id", "Click id", is_id=True),
    Column("conversion_id", "Conversion id", is_id=True, is_usual=False),
    Column("network", "Network"),
    Column("status", "Status sent"),
    Column("payout", "Payout sent", is_number=True),
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
    pages, query, person = pages_of(request), Query(request), person_of(request)
    context = pages.context
    period, wanted = _meant(query, context)
    zone, after = context.catalog.workspace.time_zone, query.one("after")

    def look(database: Database) -> PostbackList:
        return _read(database, context, wanted, query, after, query.limit)

    found = await pages.look(look)
    filters = filters_of(context.catalog)
    chosen = person.preferences.columns.get(NAME, ()) if person else ()
    return await render(
        request,
        View("postbacks/list.html", "Postbacks", Basis(zone, period=period.text), part="postbacks/_list.html"),
        query=query,
        period=period,
        filters=filters,
        chips=chips(query, filters),
        all_columns=COLUMNS,
        columns=shown(COLUMNS, chosen),
        rows=[as_shown(row) for row in found.rows.iter_rows(named=True)],
        older=query.older(found.next),
        newest=found.newest,
        is_first=not after,
        searched=f"back to {moment(found.looked_back_to, zone)}" if found.looked_back_to else "",
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
    pages, query, person = pages_of(request), Query(request), person_of(request)
    context = pages.context
    _, wanted = _meant(query, context)
    zone = context.catalog.workspace.time_zone
    chosen = person.preferences.columns.get(NAME, ()) if person else ()
    names = [column.name for column in shown(COLUMNS, chosen)]

    def table(database: Database) -> Iterator[pl.DataFrame]:
        after = ""
        while True:
            found = _read(database, context, wanted, query, after, _IN_FILE)
            yield _in_file(found.rows, zone).select(names)
            after = found.next
            if not after:
                return

    return await file_of(pages, form, NAME, ("payout",), table)


def as_shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `PostbackList.rows` as templates show it."""
    made = row["conversion_n"]
    return {
        **row,
        "reason": message_in_words(row["message"]),
        "reason_now": message_in_words(row["message_now"]),
        "conversion_id": conversion_id(row["click_id"], made) if made else "",
        "has_click": row["n"] > 0,
        "may_change": may_change(row),
    }


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
    database: Database, context: ServerContext, wanted: Wanted, query: Query, after: str, most: int
) -> PostbackList:
    click_id = query.one("click_id").strip()
    try:
        return read_postbacks(database, context.catalog, wanted, click_id, after, most, context.clock())
    except ValueError:
        raise HTTPException(
            422, "The address names no page of this list. Nothing is lost: open the list anew."
        ) from None


def _in_file(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    made = (
        pl.when(pl.col("conversion_n") > 0).then(pl.format("{}-{}", "click_id", "conversion_n")).otherwise(pl.lit(""))
    )
    return rows.with_columns(
        received_at=times_text(pl.col("received_at"), zone),
        reason=pl.col("message").map_elements(message_in_words, pl.String),
        conversion_id=made,
        payout=money_text(pl.col("payout")).fill_null(""),
    )


routes = [
    PageRoute("/postbacks", show, needs=Role.VIEWER, name="postbacks"),
    PageRoute("/postbacks/newer", count_newer, needs=Role.VIEWER, name="newer_postbacks"),
    PageRoute("/postbacks.{form}", as_file, needs=Role.VIEWER, name="postbacks_file"),
]

"""One click: what is known of the visit, its conversions, and every row that was received for it."""

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.arrivals import clicks_on_record, read_arrivals
from trueup.ledger.batches import batches_numbered
from trueup.ledger.database import Database
from trueup.ledger.pages import read_numbered_clicks, rows_of_click
from trueup.ledger.snapshot import read_conversions
from trueup.live.context import ServerContext
from trueup.model.batches import BatchRecord
from trueup.model.frames import ARRIVALS, Arrivals, ColumnsOf
from trueup.model.ids import CLICK_ID, conversion_id
from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.clicks import SUBS
from trueup.pages.lists.rows import row_as_shown
from trueup.pages.rendering import Basis, View, pages_of, render
from trueup.pages.shell.formats import decimals_of
from trueup.pages.uploads.words import ORIGINS
from trueup.reports.click_list import with_results
from trueup.reports.now import with_messages_and_now

_ROWS_MOST = 200
_CAME = ColumnsOf[Arrivals](
    {name: ARRIVALS[name] for name in ("click_id", "batch_id", "place", "clicked_at", "was_known")}
)


@dataclass(frozen=True)
class _Found:
    """What the page shows."""

    click: dict[str, Any] | None  # None: only rows name it
    conversions: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    has_more_rows: bool
    arrivals: list[dict[str, Any]]
    batches: dict[int, BatchRecord]


async def show(request: Request) -> Response:
    """Show a click.

    Raises:
        HTTPException: There is no such click, and no row names it.
    """
    pages, click_id = pages_of(request), request.path_params["click_id"]
    if not CLICK_ID.fullmatch(click_id):
        raise HTTPException(404)
    found = await pages.look(lambda database: _read(database, pages.context, click_id))
    if found is None:
        raise HTTPException(404)
    workspace = pages.context.catalog.workspace
    return await render(
        request,
        View("clicks/one.html", f"Click {click_id}", Basis(workspace.time_zone, workspace.currency)),
        click_id=click_id,
        found=found,
        click=found.click,
        subs=[(name, found.click[name]) for name in SUBS if found.click[name]] if found.click else [],
        decimals=decimals_of([each["revenue"] for each in found.conversions]),
        origins=ORIGINS,
        zone=workspace.time_zone,
        currency=workspace.currency,
    )


def _read(database: Database, context: ServerContext, click_id: str) -> _Found | None:
    with database.read_transaction() as moment:
        known = with_results(moment, context.catalog, read_numbered_clicks(moment, [click_id]))
        rows = rows_of_click(moment, click_id, 0, _ROWS_MOST + 1)
        if not known.height and not rows.height:
            return None
        shown = with_messages_and_now(moment, rows)
        made = read_conversions(moment, [click_id]).filter(removed=0).sort("n")
        on_record = clicks_on_record(moment, [click_id])
        came = read_arrivals(moment, on_record, _CAME).sort("place")
        numbers = {*rows["batch_id"], *came["batch_id"], *known["batch_id"]} - {0}
        return _Found(
            known.row(0, named=True) if known.height else None,
            [_conversion(row) for row in made.iter_rows(named=True)],
            [row_as_shown(row) for row in shown.head(_ROWS_MOST).iter_rows(named=True)],
            rows.height > _ROWS_MOST,
            came.to_dicts(),
            batches_numbered(moment, numbers),
        )


def _conversion(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "conversion_id": conversion_id(row["click_id"], row["n"])}


routes = [PageRoute("/clicks/{click_id}", show, needs=Role.VIEWER, name="click")]

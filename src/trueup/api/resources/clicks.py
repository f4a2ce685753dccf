"""Clicks over the API."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field

from trueup.access.keys import KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import not_found
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import (
    Answer,
    ClickAnswer,
    ConversionAnswer,
    RowAnswer,
    click_answers,
    conversion_answers,
    row_answers,
)
from trueup.api.resources.queries import Order
from trueup.ledger.pages import clicks_page, read_clicks
from trueup.model.frames import LoggedConversions
from trueup.model.ids import CLICK_ID
from trueup.model.times import time_text
from trueup.reports.click import find_click
from trueup.reports.log import as_log

router = APIRouter(tags=["clicks"])

_READ: Final = needs(KeyScope.READ)
_IDS_MOST: Final = 100


class ArrivalAnswer(Answer):
    """One way in which a click came: a visit, or an import that had it."""

    came_at: str = Field(description="The moment of the visit, or when the import was received.")
    batch_id: int | None = Field(description="The import; null for a visit.")
    file_name: str = Field(description="Of the import.")
    made_by: str = Field(description="Who imported it.")
    was_known: bool = Field(description="The click was known when it came, and stayed as it was.")
    undone: bool = Field(description="Its import is undone.")
    counts: bool = Field(description="The click is what this one brought: the first whose import is not undone.")


class ClickDetails(Answer):
    """A click, how it came, its conversions and its rows."""

    click: ClickAnswer
    arrivals: list[ArrivalAnswer] = Field(description="The ways in which it came, in their order.")
    conversions: list[ConversionAnswer] = Field(description="Those that an undo took away are left out.")
    rows: list[RowAnswer] = Field(description="Every row that was received for it, in their order.")


@router.get("/clicks", summary="List clicks", dependencies=[_READ])
def list_clicks(
    database: Reader,
    context: ContextHere,
    asked: Asked,
    click_id: Annotated[
        list[str] | None, Query(max_length=_IDS_MOST, description="Those with this id; repeat for more.")
    ] = None,
    order: Order = "newest",
) -> Page[ClickAnswer]:
    """The clicks by their ids; ids of our own sort by time."""
    if click_id:
        found = read_clicks(database, [each for each in click_id if CLICK_ID.fullmatch(each)])
        return Page(items=click_answers(found, context.catalog), next_cursor=None)
    (after,) = asked.after(str) or (None,)
    found = clicks_page(database, after, asked.limit + 1, newest_first=order == "newest")
    return asked.page(click_answers(found, context.catalog), lambda click: click, lambda click: [click.click_id])


@router.get("/clicks/{click_id}", summary="Show a click", dependencies=[_READ])
def get_click(
    database: Reader, context: ContextHere, click_id: Annotated[str, Path(description="The click's id.")]
) -> ClickDetails:
    """A click, with how it came, its conversions and every row that was received for it."""
    found = find_click(database, click_id)
    if found is None or not found.click.height:
        raise not_found(f"click {click_id}")
    conversions = LoggedConversions(found.conversions.filter(removed=0))
    return ClickDetails(
        click=click_answers(found.click, context.catalog)[0],
        arrivals=[
            ArrivalAnswer(**vars(arrival) | {"came_at": time_text(arrival.came_at)}) for arrival in found.arrivals
        ],
        conversions=conversion_answers(as_log(conversions, context.catalog, "UTC")),
        rows=row_answers(found.rows),
    )

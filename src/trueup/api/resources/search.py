"""Finding whatever a text names, over the API."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from trueup.access.keys import KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.readers import Reader
from trueup.api.resources.answers import Answer
from trueup.model.words import Outcome, Status
from trueup.reports.search import MOST, SHORTEST, search

router = APIRouter(tags=["conversions"])

_TEXT_MAX = 256


class FoundAnswer(Answer):
    """Something that the text names."""

    what: Literal["click", "conversion", "row"]
    by: str = Field(description="The field that names it.", examples=["transaction_id"])
    exactly: bool = Field(description="Whether the text is all of that field; else the field begins with it.")
    click_id: str
    conversion_id: str
    conversion_type: str
    status: Status | Literal[""]
    removed: bool = Field(description="An undo took the conversion away.")
    batch_id: int | None = Field(description="Of a row.")
    line: int | None = Field(description="Of a row.")
    outcome: Outcome | Literal[""] = Field(description="Of a row, as it was recorded.")
    transaction_id: str
    event_id: str


class FoundAnswers(Answer):
    """What a text names."""

    items: list[FoundAnswer] = Field(description=f"What is exactly the text comes first; at most {MOST} of each kind.")


@router.get("/search", summary="Find what a text names", dependencies=[needs(KeyScope.READ)])
def find(
    database: Reader,
    text: Annotated[
        str,
        Query(
            min_length=1,
            max_length=_TEXT_MAX,
            description=f"A click id, conversion id, transaction id or event id; or, of {SHORTEST} characters or more, "
            "how one begins.",
        ),
    ],
    rows: Annotated[bool, Query(description="Look in the journal too, for rows that made no conversion.")] = False,
) -> FoundAnswers:
    """Clicks by their ids; conversions by their own, and by those of their transaction and event.

    All conversions are gone through; with `rows`, all of the journal, too.
    """
    return FoundAnswers(items=[FoundAnswer(**asdict(each)) for each in search(database, text, with_rows=rows)])

"""The journal over the API: every row ever received."""

from typing import Annotated

from fastapi import APIRouter, Query

from trueup.access.keys import KeyScope
from trueup.api.http.gate import needs
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import Mistake, Problem, ProblemKind, declared
from trueup.api.http.readers import KnownLines, Reader
from trueup.api.resources.answers import RowAnswer, row_answers
from trueup.api.resources.batches import known_batch
from trueup.api.resources.queries import NUMBER_MAX
from trueup.ledger.pages import rows_of_batch, rows_of_click
from trueup.model.ids import CLICK_ID
from trueup.reports.now import with_now

router = APIRouter(tags=["journal"])


@router.get(
    "/journal",
    summary="List rows of the journal",
    dependencies=[needs(KeyScope.READ)],
    responses=declared(ProblemKind.NOT_FOUND),
)
def list_journal(
    database: Reader,
    lines: KnownLines,
    asked: Asked,
    batch_id: Annotated[int | None, Query(ge=1, le=NUMBER_MAX, description="The rows of this batch.")] = None,
    click_id: Annotated[str | None, Query(description="The rows of this click, in their order.")] = None,
) -> Page[RowAnswer]:
    """The rows of a batch by their lines, or of a click in the order they came. One of the two says which."""
    if (batch_id is None) == (click_id is None):
        mistake = Mistake(where="query", what="give batch_id or click_id")
        raise Problem(ProblemKind.INVALID, "one of batch_id and click_id is needed", errors=[mistake])
    (after,) = asked.after(int) or (-1,)
    if click_id is not None:
        known = click_id if CLICK_ID.fullmatch(click_id) else ""  # what cannot be a click id has no rows
        found = rows_of_click(database, known, after, asked.limit + 1)
        return asked.page(row_answers(with_now(database, found)), lambda row: row, lambda row: [row.n or 0])
    assert batch_id is not None  # noqa: S101 - one of the two is given
    batch = known_batch(database, batch_id)
    found = rows_of_batch(database, lines, batch, [], after, asked.limit + 1)
    return asked.page(row_answers(with_now(database, found)), lambda row: row, lambda row: [row.line])

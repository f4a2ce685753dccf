"""What came since a list was read: it is said, and rows do not jump."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from trueup.ledger.database import Database
from trueup.pages.lists.query import Query
from trueup.pages.rendering import pages_of


async def newer(request: Request, count: Callable[[Database, str], int], most: int) -> Response:
    """Answer with the link to what came since.

    Args:
        request: The request, whose `since` says since when.
        count: Counts what came since then, no further than to `most`.
        most: How many are counted.

    Raises:
        HTTPException: `since` is none of this list.
    """
    query, pages = Query(request), pages_of(request)
    since = query.one("since")
    try:
        came = await pages.look(lambda database: count(database, since))
    except ValueError:
        raise HTTPException(422, "The address names no page of this list. Open the list anew.") from None
    words = {"query": query, "came": came, "most": most, "since": since, "list": query.path.removesuffix("/newer")}
    return HTMLResponse(pages.html("lists/_newer.html", words))

"""The page of search."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, person_of, render
from trueup.pages.search.finding import Finds, find
from trueup.pages.shell.navigation import APART, SECTIONS

_CHARS_MOST: Final = 256


async def show(request: Request) -> Response:
    """Open what the words name exactly, or show all that they may mean.

    Raises:
        HTTPException: They are too many, or have a NUL character.
    """
    text = request.query_params.get("q", "").strip()
    if len(text) > _CHARS_MOST or "\0" in text:
        raise HTTPException(422, f"Search takes text of {_CHARS_MOST} characters at most.")
    pages, person = pages_of(request), person_of(request)
    with_rows, finds = request.query_params.get("rows") == "1", Finds()
    if text and person:
        catalog = pages.context.catalog
        finds = await pages.look(lambda database: find(database, text, person, catalog, with_rows=with_rows))
    if finds.opens:
        return RedirectResponse(finds.opens, status_code=303)
    every = [*(place for _, places in SECTIONS for place in places), *APART]
    title = f"Search: {text}" if text else "Search"
    return await render(
        request, View("search/search.html", title), text=text, finds=finds, with_rows=with_rows, every=every
    )


routes = [PageRoute("/search", show, needs=Role.VIEWER)]

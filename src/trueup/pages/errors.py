"""What a person sees when a page cannot be shown: what happened, what was not changed, what to do, and a number."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from trueup.ledger.database import DatabaseUnavailableError
from trueup.live.commit_queue import UnavailableError
from trueup.pages.rendering import View, render
from trueup.reports.spans import WrongWordError

_LOG = structlog.get_logger("trueup.pages")
_FAILURE: Final = 500


class Said(NamedTuple):
    """What is said of a kind of failure."""

    title: str
    text: str
    advice: str


_SAID: Final[Mapping[int, Said]] = {
    400: Said("This request cannot be understood", "Nothing was changed.", "Go back and try again."),
    403: Said("You may not do this", "Nothing was changed.", "An admin can give you another role under Users."),
    404: Said(
        "There is no such page",
        "The address may be mistyped, or what it led to may be gone.",
        "Search finds ids and pages.",
    ),
    405: Said("This page takes no such request", "Nothing was changed.", "Go back and use the page's own buttons."),
    413: Said("That is too much at once", "Nothing was changed.", "Send it as a file under Upload."),
    415: Said("This takes a form", "Nothing was changed.", "Go back and use the page's own form."),
    422: Said("Something in it cannot be used", "Nothing was changed.", "Go back, mend it and try again."),
    429: Said("Too many requests", "Nothing was changed.", "Wait a minute and try again."),
    500: Said(
        "The server failed",
        "It is not known how far it came; what was applied stands under Uploads.",
        "Try again. If it fails again, give this number to who runs the server: its log says more.",
    ),
    503: Said(
        "The database cannot be used now",
        "Nothing was changed. Clicks and postbacks are kept meanwhile.",
        "Try again soon.",
    ),
}


async def error_page(request: Request, error: Exception) -> Response:
    """Answer that something cannot be shown or done.

    Args:
        request: The request.
        error: Why. A text of an HTTPException is for the person.

    Returns:
        A page for a browser, a line of text for anything else.
    """
    status, detail = _meaning(error)
    request_id, request.state.is_told = request.state.request_id, True
    if status == _FAILURE:
        _LOG.error("page failed", request_id=request_id, method=request.method, path=request.url.path, exc_info=error)
    said = _SAID.get(status, _SAID[_FAILURE if status > _FAILURE else 400])
    headers = dict(getattr(error, "headers", None) or {})
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(f"{detail or said.title}\n", status, headers=headers)
    is_bare = getattr(request.state, "person", None) is None
    view = View("shell/error.html", said.title, part="shell/_error.html", status=status, is_bare=is_bare)
    try:
        response: Response = await render(request, view, said=said, detail=detail, request_id=request_id)
    except Exception:  # noqa: BLE001 - what keeps a page from being shown may keep this one, too
        response = PlainTextResponse(f"{said.title}. {said.text} {said.advice} Request {request_id}.\n", status)
    response.headers.update(headers)
    return response


def _meaning(error: Exception) -> tuple[int, str]:
    """The HTTP status of an error, and what it says to a person."""
    match error:
        case HTTPException():
            is_plain = error.detail in ("Not Found", "Method Not Allowed", "Forbidden")
            return error.status_code, "" if is_plain else error.detail
        case WrongWordError():
            return 422, str(error)
        case UnavailableError() | DatabaseUnavailableError():
            return 503, ""
        case ClientDisconnect():
            return 400, ""
    return _FAILURE, ""

"""The cookies of the pages: the session's token, the mark of a browser that a person has signed in with, toasts.

Where the connection is secure, their names begin with `__Host-`: no other site of the domain can set them, and no
insecure page. Elsewhere the port is in the name: servers on one machine do not take each other's cookies away.
"""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from trueup.access.address import is_trusted
from trueup.live.asgi import peer_of
from trueup.settings import Settings

_SESSION: Final = "trueup_session"
_MARK: Final = "trueup_browser"
_TOASTS: Final = "trueup_toasts"
_DAY: Final = 24 * 3_600  # seconds
_MARK_DAYS: Final = 400  # the most that browsers keep a cookie
_TOASTS_DAYS: Final = 1


def is_secure(request: HTTPConnection, settings: Settings) -> bool:
    """Whether a person's connection is encrypted, as far as the server or a trusted proxy knows.

    Args:
        request: The request.
        settings: Which proxies are trusted, and where the world reaches the server.

    Returns:
        Whether cookies may be for secure connections only.
    """
    if request.scope["scheme"] in ("https", "wss"):
        return True
    if is_trusted(peer_of(request.scope), tuple(settings.trusted_proxies)):
        forwarded = request.headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
        if forwarded:
            return forwarded == "https"
    scheme, _, host = settings.public_url.partition("://")
    return scheme == "https" and request.headers.get("host", "").lower() == host.lower()


def own_origin(request: HTTPConnection, settings: Settings) -> str:
    """Where this server is, as the person who asks reaches it: what links for others begin with."""
    scheme = "https" if is_secure(request, settings) else "http"
    return settings.public_url or f"{scheme}://{request.headers.get('host', 'localhost')}"


def session_token(request: HTTPConnection, settings: Settings) -> str:
    """The token that a request brings, '' for none."""
    return request.cookies.get(_name(_SESSION, request, settings), "")


def browser_mark(request: HTTPConnection, settings: Settings) -> str:
    """The mark that a browser brings, '' for none."""
    return request.cookies.get(_name(_MARK, request, settings), "")


def keep_session(response: Response, request: HTTPConnection, settings: Settings, token: str) -> None:
    """Have the browser keep the token of a session."""
    _keep(response, request, settings, _SESSION, token, settings.session_days)


def keep_mark(response: Response, request: HTTPConnection, settings: Settings, mark: str) -> None:
    """Have the browser keep a mark: a person has signed in with it."""
    _keep(response, request, settings, _MARK, mark, _MARK_DAYS)


def forget_session(response: Response, request: HTTPConnection, settings: Settings) -> None:
    """Have the browser forget the token of its session."""
    _keep(response, request, settings, _SESSION, "", 0)


def toasts_text(request: HTTPConnection, settings: Settings) -> str:
    """What a browser carries for the next page to say, '' for nothing."""
    return request.cookies.get(_name(_TOASTS, request, settings), "")


def keep_toasts(response: Response, request: HTTPConnection, settings: Settings, text: str) -> None:
    """Have the browser carry what a page is to say; '' for nothing."""
    _keep(response, request, settings, _TOASTS, text, _TOASTS_DAYS if text else 0)


def _keep(response: Response, request: HTTPConnection, settings: Settings, name: str, value: str, days: int) -> None:
    response.set_cookie(
        _name(name, request, settings),
        value,
        max_age=days * _DAY,
        path="/",
        secure=is_secure(request, settings),
        httponly=True,
        samesite="lax",
    )


def _name(name: str, request: HTTPConnection, settings: Settings) -> str:
    if is_secure(request, settings):
        return f"__Host-{name}"
    port = request.headers.get("host", "").rpartition(":")[2]
    return f"{name}_{port}" if port.isdecimal() and port.isascii() else name

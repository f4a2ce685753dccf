"""Who may ask for which page. The gate stands before all pages; what each needs stands beside its route.

A request that may change anything has to come from our own pages: the browser says so in Sec-Fetch-Site, or, where
the connection is not secure, in Origin. What says neither is refused. The cookie is SameSite=Lax besides.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from trueup.access.users import Person
from trueup.ledger.database import DatabaseError
from trueup.live.commit_queue import UnavailableError
from trueup.model.words import Role

SIGN_IN: Final = "/sign-in"
HOME: Final = "/"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN: Final = "/assets/"  # the same for everybody
_NEXT_MOST: Final = 2_000  # characters
_FROM_HERE: Final = frozenset({"same-origin", "none"})  # none: the person's own doing, such as a bookmark


@dataclass(frozen=True)
class SignedIn:
    """Who asks, and by which session."""

    person: Person
    session_id: int


Find = Callable[[HTTPConnection], Awaitable[SignedIn | None]]


class PageRoute(Route):
    """A route of a page, which says who may have it. Its endpoint finds `request.state.person`."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        needs: Role | None,
        methods: Collection[str] = ("GET",),
        name: str | None = None,
    ) -> None:
        """Nobody has come yet.

        Args:
            path: The path, as Starlette writes it.
            endpoint: Answers a request.
            needs: The role that a person needs; None where nobody needs to be signed in.
            methods: The methods that it takes.
            name: What the route is called; else as its endpoint is.
        """
        super().__init__(path, endpoint, methods=methods, name=name)
        self.needs = needs

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass whose person may, have others sign in, and refuse the rest.

        Raises:
            HTTPException: Another site's page asked for a change, or the person may not.
            UnavailableError: The ledger cannot be asked who it is. So does DatabaseError.
        """
        state = scope.get("state") or {}
        if state.get("trouble") is not None and self.needs is not None:
            raise state["trouble"]  # nobody knows who asks
        person: Person | None = state.get("person")
        if scope["method"] not in _SAFE and not state.get("is_from_here"):
            raise HTTPException(403, "This was asked from another site. Nothing was changed.")
        if self.needs is not None and person is None:
            await _to_sign_in(Request(scope))(scope, receive, send)
            return
        if self.needs is not None and person is not None and not person.may(self.needs):
            raise HTTPException(403, f"This needs the role {self.needs.value}; yours is {person.role.value}.")
        await super().handle(scope, receive, send)


class Gate:
    """Finds out who asks, and from where. Without it, no route answers anything but signing in."""

    def __init__(self, app: ASGIApp, find: Find, public_url: str = "") -> None:
        """Nobody has come yet.

        Args:
            app: The pages, whose routes are `PageRoute`s.
            find: Finds out who asks.
            public_url: Where the world reaches this server, '' where the setting is not set.
        """
        self._app, self._find, self._public_url = app, find, public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, with what its route decides by: its state's `person`, `session_id`, `is_from_here`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        found, trouble = None, None
        try:
            found = None if scope["path"].startswith(_OPEN) else await self._find(request)
        except (UnavailableError, DatabaseError) as error:
            trouble = error
        scope["state"] = {
            **(scope.get("state") or {}),
            "trouble": trouble,
            "person": found.person if found else None,
            "session_id": found.session_id if found else 0,
            "is_from_here": is_from_here(request, self._public_url),
        }
        await self._app(scope, receive, send)


def is_from_here(request: HTTPConnection, public_url: str) -> bool:
    """Whether a request comes from one of our own pages, or from no page at all.

    Args:
        request: The request.
        public_url: Where the world reaches this server, '' for not set.

    Returns:
        What the browser says; False where it says nothing.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    if public_url and origin == public_url:
        return True
    if site is not None:
        return site in _FROM_HERE
    here = request.headers.get("host", "").lower()
    return bool(here) and origin.lower() in (f"http://{here}", f"https://{here}")


def safe_next(text: str | None) -> str:
    """Where a person goes after signing in: a page of ours, whatever the link says that brought them.

    Args:
        text: What the link says.

    Returns:
        A path of this server, with its query; the home page where the text is anything else.
    """
    if not text or len(text) > _NEXT_MOST or not text.startswith("/") or text[1:2] in ("/", "\\"):
        return HOME
    if "\\" in text or not text.isprintable() or " " in text:
        return HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return HOME
    return HOME if parts.path.startswith((SIGN_IN, "/sign-out")) else text


def _to_sign_in(request: Request) -> Response:
    """Have somebody sign in first, and come back to the page that they asked for."""
    wanted = ""
    if request.method in _SAFE:
        query = request.scope["query_string"].decode("latin-1")
        wanted = safe_next(request.scope["path"] + (f"?{query}" if query else ""))
    where = SIGN_IN + (f"?next={quote(wanted, safe='/')}" if wanted not in ("", HOME) else "")
    if request.headers.get("hx-request"):  # fetch would follow a redirect, and put a whole page into a part of one
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, status_code=303)

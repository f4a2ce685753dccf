"""The pages as one application: their routes, the gate before them, and what is shown when a page cannot be."""

from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trueup.access.passwords import Passwords
from trueup.live.context import ServerContext
from trueup.live.readers import Readers
from trueup.model.words import Role
from trueup.pages import asset_files, running
from trueup.pages.clicks import listing as click_list
from trueup.pages.clicks import one as click_page
from trueup.pages.conversions import add, edit_payout, set_status, templates, update_status
from trueup.pages.conversions import listing as conversion_list
from trueup.pages.errors import error_page
from trueup.pages.gate import Gate, PageRoute
from trueup.pages.guard import Guard
from trueup.pages.help import show as help_page
from trueup.pages.lists import remember
from trueup.pages.postbacks import again as again_page
from trueup.pages.postbacks import listing as postback_list
from trueup.pages.profile import profile
from trueup.pages.rendering import Pages
from trueup.pages.search import show as search_page
from trueup.pages.security import headers_of
from trueup.pages.sign_in import enter, links
from trueup.pages.story import story
from trueup.pages.upload import act as upload_acts
from trueup.pages.upload import choose as upload_choose
from trueup.pages.upload import files as upload_files
from trueup.pages.upload import show as upload_show
from trueup.pages.uploads import act as batch_acts
from trueup.pages.uploads import batch as batch_page
from trueup.pages.uploads import import_clicks
from trueup.pages.uploads import listing as batch_list
from trueup.pages.users import users

REQUEST_ID: Final = "x-request-id"
_HOME: Final = "/conversions"
_GZIP_LEAST_BYTES: Final = 1_000
_GZIP_LEVEL: Final = 5
_LOG = structlog.get_logger("trueup.pages")

# Every page's routes. A path with a parameter comes after the paths that it would take.
_PARTS: Final[tuple[list[PageRoute], ...]] = (
    conversion_list.routes,
    add.routes,
    update_status.routes,
    templates.routes,
    set_status.routes,
    edit_payout.routes,
    story.routes,
    help_page.routes,
    upload_choose.routes,
    upload_files.routes,
    upload_acts.routes,
    upload_show.routes,
    batch_list.routes,
    batch_acts.routes,
    batch_page.routes,
    import_clicks.routes,
    click_list.routes,
    click_page.routes,
    postback_list.routes,
    again_page.routes,
    remember.routes,
    search_page.routes,
    running.routes,
    enter.routes,
    links.routes,
    profile.routes,
    users.routes,
)  # fmt: skip


def make_pages(context: ServerContext, readers: Readers, passwords: Passwords | None = None) -> ASGIApp:
    """Make the pages of a server process.

    Args:
        context: What every route stands on.
        readers: Connections to read with.
        passwords: How much work a hash of a password is, if not as much as it should be.

    Returns:
        What answers their requests.
    """
    pages, guard = Pages(context, readers), Guard(context, readers, passwords)
    routes: list[BaseRoute] = [
        PageRoute("/", _home, needs=Role.VIEWER),
        Route(f"{asset_files.ROOT}/{{digest}}/{{name}}", pages.assets.answer),
        *(route for part in _PARTS for route in part),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Gate, find=guard.find, public_url=context.settings.public_url),
            Middleware(GZipMiddleware, minimum_size=_GZIP_LEAST_BYTES, compresslevel=_GZIP_LEVEL),
        ],
        exception_handlers={HTTPException: error_page, Exception: error_page},
    )
    app.router.redirect_slashes = False
    app.state.pages, app.state.guard = pages, guard
    return Frame(app, context)


class Frame:
    """Around all pages: a number for each request, the headers of every answer; and no failure leaves it bare."""

    def __init__(self, app: Starlette, context: ServerContext) -> None:
        """Nothing passes before a request comes.

        Args:
            app: The pages.
            context: What every route stands on.
        """
        self._app, self._context = app, context
        self._headers = [
            (name.encode(), value.encode()) for name, value in headers_of(context.settings.public_url).items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request_id = self._context.randomness(8).hex()
        scope = {**scope, "app": self._app, "state": {**(scope.get("state") or {}), "request_id": request_id}}
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = {name for name, _ in message["headers"]}
                missing = [header for header in self._headers if header[0] not in given]
                told = (REQUEST_ID.encode(), request_id.encode())
                message = {**message, "headers": [*message["headers"], *missing, told]}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a page without its inside
            request = Request(scope, receive)
            if not started:
                await (await error_page(request, error))(scope, receive, sending)
            elif not scope["state"].get("is_told"):
                _LOG.error("page broke off", request_id=request_id, path=scope["path"], exc_info=error)


async def _home(_request: Request) -> Response:
    return RedirectResponse(_HOME, status_code=303)

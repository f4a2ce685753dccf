"""The page that says which keys there are, and what the words mean. The key `?` shows the same in a dialog."""

from starlette.requests import Request
from starlette.responses import Response

from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, render


async def show(request: Request) -> Response:
    """Show it."""
    return await render(request, View("help/help.html", "Help"))


routes = [PageRoute("/help", show, needs=Role.VIEWER)]

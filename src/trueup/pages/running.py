"""What the server works on, alone: the sidebar asks for it again and again while there is any."""

from starlette.requests import Request
from starlette.responses import Response

from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, render
from trueup.pages.shell.at_work import running_work


async def show(request: Request) -> Response:
    """Show it."""
    pages = pages_of(request)
    running = await pages.look(lambda database: running_work(database, pages.context))
    view = View("shell/_running.html", "Running work", part="shell/_running.html")
    return await render(request, view, running=running)


routes = [PageRoute("/running", show, needs=Role.VIEWER)]

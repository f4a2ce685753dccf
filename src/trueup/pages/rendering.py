"""From what a page shows to the answer: the templates, and what every page has besides its own.

A page is made in three steps (docs/making-pages.md has an example):

1. a route: `PageRoute("/clicks", show, needs=Role.VIEWER)` in `routes` of the page's module, which `app.py` names;
2. an endpoint, which reads what it shows: `await pages_of(request).look(work)`, where `work` takes a `Database`;
3. `await render(request, View("clicks/list.html", "Clicks", basis=...), rows=rows)`, whose template extends
   `shell/page.html` and is made of the pieces of `shell/macros.html`, which templates know as `ui`.

Where a script asks for a part of the page, `View.part` is rendered instead: a template that the page's own includes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from trueup.access.preferences import Preferences
from trueup.access.users import Person
from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.readers import Readers
from trueup.pages.asset_files import AssetFiles
from trueup.pages.shell import formats
from trueup.pages.shell.at_work import Running, running_work
from trueup.pages.shell.ends import is_at_work, toast_of
from trueup.pages.shell.navigation import SECTIONS
from trueup.pages.shell.toasts import Said, Toast, Waiting, keep_waiting, waiting
from trueup.pages.shell.words import chip_of, words_of

T = TypeVar("T")

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Basis:
    """What the numbers of a page rest on; it stands beside them."""

    zone: str
    currency: str = ""
    period: str = ""  # such as `1 Jun 2026 to 30 Jun 2026`
    clock: str = ""  # such as `by conversion time`


@dataclass(frozen=True)
class View:
    """What is shown, and in which way."""

    template: str  # below this folder
    title: str
    basis: Basis | None = None
    part: str = ""  # the template of the part that a script asks for, '' where it always gets the whole page
    part_has_toasts: bool = False  # whether that part says what has ended meanwhile
    status: int = 200
    is_bare: bool = False  # without sidebar and search: for who is not signed in


@cache
def _assets() -> AssetFiles:
    """The assets, read once in a process."""
    return AssetFiles()


@cache
def _templates() -> Environment:
    """The templates, of which each is compiled once in a process."""
    found = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters.update(
        brief=formats.brief,
        count=formats.count,
        money=formats.money,
        change=formats.change,
        count_change=formats.count_change,
        moment=formats.moment,
        exact_moment=formats.exact_moment,
    )
    found.globals.update(asset=_assets().url, chip_of=chip_of, words_of=words_of)
    for name, template in (("ui", "shell/macros.html"), ("lists", "lists/macros.html")):
        found.globals[name] = found.get_template(template).module
    return found


class Pages:
    """What every page stands on. `request.app.state.pages` is it."""

    def __init__(self, context: ServerContext, readers: Readers) -> None:
        """Read the templates and the assets.

        Args:
            context: What every route stands on.
            readers: Connections to read with.
        """
        self.context, self.readers, self.assets = context, readers, _assets()
        self.said = Said()
        self._templates = _templates()

    async def look(self, work: Callable[[Database], T]) -> T:
        """Read something from the ledger, in a thread of its own."""
        return await self.readers.look(work)

    def html(self, template: str, words: dict[str, Any]) -> str:
        """Fill a template."""
        return self._templates.get_template(template).render(words)


def pages_of(request: Request) -> Pages:
    """What the page stands on that is asked for."""
    pages: Pages = request.app.state.pages
    return pages


def person_of(request: Request) -> Person | None:
    """Who asks; None for somebody who is not signed in."""
    person: Person | None = getattr(request.state, "person", None)
    return person


def is_partial(request: Request) -> bool:
    """Whether a script asks for a part of a page."""
    return request.headers.get("hx-request-type") == "partial"


async def render(request: Request, view: View, **words: Any) -> HTMLResponse:  # noqa: ANN401 - whatever a template shows
    """Answer with a page, or with the part of it that was asked for.

    Args:
        request: The request.
        view: What is shown.
        **words: What its template shows.
    """
    pages, person = pages_of(request), person_of(request)
    in_every = {
        "request": request,
        "view": view,
        "person": person,
        "preferences": person.preferences if person else Preferences(),
        "workspace": pages.context.catalog.workspace,
        "is_part": bool(view.part) and is_partial(request),
    }
    is_whole = not in_every["is_part"]
    says = not view.is_bare if is_whole else view.part_has_toasts
    ends = await _ends(request) if says else _Ends()
    around: dict[str, Any] = {"toasts": ends.toasts}
    if is_whole:
        running = await _running(pages) if person and not view.is_bare else []
        around |= {"sections": SECTIONS, "path": request.url.path, "running": running}
    html = pages.html(view.template if is_whole else view.part, {**in_every, **around, **words})
    response = HTMLResponse(html, view.status)
    if ends.has_some:
        keep_waiting(request, response, ends.to_come)
    return response


@dataclass(frozen=True)
class _Ends:
    """What a person waited for and is told now, and what is still to come."""

    toasts: Sequence[Toast] = ()
    to_come: Sequence[Waiting] = ()
    has_some: bool = False


async def _ends(request: Request) -> _Ends:
    pages, carried = pages_of(request), waiting(request)
    if not carried or pages.context.writer.trouble:
        return _Ends()

    def look(database: Database) -> tuple[list[Waiting], dict[str, Toast | None]]:
        to_come = [each for each in carried if is_at_work(database, pages.context, each)]
        ended = [each for each in carried if each not in to_come]
        return to_come, {each.mark: toast_of(database, pages.context.catalog, each) for each in ended}

    to_come, ended = await pages.look(look)
    toasts = [toast for mark, toast in ended.items() if toast and pages.said.is_new(mark)]
    return _Ends(toasts, to_come, bool(ended))


async def _running(pages: Pages) -> list[Running]:
    """What the server works on; nothing where the ledger cannot be asked."""
    if pages.context.writer.trouble:
        return []
    return await pages.look(lambda database: running_work(database, pages.context))

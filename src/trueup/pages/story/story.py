"""The page of one conversion: all that is known of it and of its past. From the list it opens as a drawer."""

from functools import partial
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database
from trueup.model.catalog import Catalog
from trueup.model.frames import CLICK_ATTRIBUTES
from trueup.model.ids import split_conversion_id
from trueup.model.money import text_from_rate
from trueup.model.words import BatchKind, Role
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import Basis, View, pages_of, render
from trueup.pages.story.telling import Entry, Story, read_story
from trueup.pages.upload.words import message_in_words
from trueup.pages.uploads.words import ORIGINS


class Look(NamedTuple):
    """How a line of the story looks."""

    text: str
    tone: str
    icon: str


_EVENTS: Final = {
    "created": Look("Created", "created", "circle-plus"),
    "came to life": Look("Came to life", "created", "circle-plus"),
    "brought back": Look("Brought back", "created", "arrow-forward-up"),
    "changed": Look("Changed", "changed", "edit"),
    "removed": Look("Removed", "removed", "trash"),
}
_KINDS: Final = {
    BatchKind.UNDO: "Undo",
    BatchKind.DECIDE_AGAIN: "Decided again",
    BatchKind.LATE_CLICKS: "Its click came",
    BatchKind.CLICKS: "Clicks imported",
}
_CLICK_TEXTS: Final = {
    "external_id": "External id",
    **{name: name.capitalize() if not name.startswith("os") else "System" for name in CLICK_ATTRIBUTES},
    "referrer": "Referrer",
    "user_agent": "Browser's own words",
    "ip": "Address",
}


async def show(request: Request) -> Response:
    """Show the story.

    Raises:
        HTTPException: There is, and was, no such conversion.
    """
    named = split_conversion_id(request.path_params["conversion_id"])
    if named is None:
        raise HTTPException(404)
    pages = pages_of(request)
    catalog = pages.context.catalog
    story = await pages.look(partial(_read, catalog=catalog, named=named))
    if story is None:
        raise HTTPException(404, f"There is no conversion {request.path_params['conversion_id']}.")
    view = View(
        "story/story.html",
        f"Conversion {story.conversion['conversion_id']}",
        Basis(catalog.workspace.time_zone, catalog.workspace.currency),
        part="story/_story.html",
    )
    return await render(
        request,
        view,
        story=story,
        it=story.conversion,
        click=story.click,
        zone=catalog.workspace.time_zone,
        look_of=_look,
        way_of=_way,
        in_words=message_in_words,
        rate=text_from_rate,
        click_texts=_texts(story),
        after_click=_span(story.conversion["converted_at"] - story.conversion["clicked_at"]),
    )


def _read(database: Database, catalog: Catalog, named: tuple[str, int]) -> Story | None:
    with database.read_transaction() as transaction:
        return read_story(transaction, catalog, *named)


def _look(entry: Entry) -> Look:
    """How a line looks: an event by what it was, a row by its outcome, whose chip says its name."""
    if not entry.is_row:
        return _EVENTS[entry.what]
    refused = entry.what.startswith("refused")
    parked = entry.what.startswith("parked")
    tone = "refused" if refused else "parked" if parked else "ignored"
    return Look("", tone, {"refused": "circle-x", "parked": "clock", "ignored": "circle-minus"}[tone])


def _way(entry: Entry) -> str:
    """Which way it came."""
    batch = entry.batch
    if batch.undoes is not None:
        return f"Undo of batch {batch.undoes}"
    return _KINDS.get(batch.kind) or ORIGINS[batch.origin]


def _texts(story: Story) -> list[tuple[str, Any]]:
    """What is known of the click's visitor, without what is not."""
    click = story.click or {}
    return [(title, click[name]) for name, title in _CLICK_TEXTS.items() if click.get(name)]


def _span(micros: int) -> str:
    """How long after its click: the two largest units."""
    seconds = max(micros, 0) // 1_000_000
    parts = [(seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2])


routes = [PageRoute("/conversions/{conversion_id}", show, needs=Role.VIEWER, name="story")]

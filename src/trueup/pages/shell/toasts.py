"""A sentence for the next page that a person sees, such as what was just applied, with a way to take it back.

It travels in a cookie, which the page that says it takes away. What a person asked for may need longer than the next
page does: then the cookie waits for its end, on whichever page the person is by then. A cookie can be made up only by
who sits at the browser; even so, it is shown as text, leads to pages of this server alone, and is for the person alone
who asked. What was said is not said again, though another page asked with the same cookie at the same moment.
"""

import json
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from trueup.live.context import ServerContext
from trueup.pages.cookies import keep_toasts, toasts_text

_GOOD_FOR_MICROS: Final = 60 * 1_000_000
_WAITS_MICROS: Final = 86_400 * 1_000_000
_MOST: Final = 4  # that a browser carries
_CHARS_MOST: Final = 300
_SAID_MOST: Final = 1_000
_UPLOAD_ID: Final = re.compile("[A-Za-z0-9]{1,64}")
_BATCHES_MOST: Final = 2**62


@dataclass(frozen=True)
class Toast:
    """What is said."""

    text: str
    link: str = ""  # a path of this server
    link_text: str = ""  # such as `Undo...`
    about: str = ""  # such as a file's name


@dataclass(frozen=True)
class Waiting:
    """Something that a browser carries: a toast, or whose end is to be said."""

    mark: str
    user_id: int
    at: int  # microseconds
    toast: Toast | None = None
    upload_id: str = ""  # an upload that is being applied
    undo_of: int = 0  # a batch that is being undone

    @property
    def ends_at(self) -> int:
        """When it is old news."""
        return self.at + (_GOOD_FOR_MICROS if self.toast else _WAITS_MICROS)


@dataclass
class Said:
    """What this process has said lately."""

    marks: deque[str] = field(default_factory=lambda: deque(maxlen=_SAID_MOST))

    def is_new(self, mark: str) -> bool:
        """Whether something was not said yet. It is then."""
        if mark in self.marks:
            return False
        self.marks.append(mark)
        return True


def with_toast(request: Request, response: Response, toast: Toast) -> Response:
    """Have the next page say something.

    Args:
        request: What is answered; its person alone is told.
        response: The answer, mostly a redirect to that page.
        toast: What to say.

    Returns:
        The response.
    """
    return _with(request, response, toast=toast)


def with_toast_of_upload(request: Request, response: Response, upload_id: str) -> Response:
    """Have the page say what an upload came to that the person sees first after its end. Returns: the response."""
    return _with(request, response, upload_id=upload_id)


def with_toast_of_undo(request: Request, response: Response, batch_id: int, since: int) -> Response:
    """The same of the undo of a batch.

    Args:
        request: What is answered.
        response: The answer.
        batch_id: The batch.
        since: The moment before the undo was begun, microseconds: one that is older was another.

    Returns:
        The response.
    """
    return _with(request, response, undo_of=batch_id, at=since)


def waiting(request: Request) -> list[Waiting]:
    """What the person's browser carries for the person, the oldest first."""
    context, person = _context(request), getattr(request.state, "person", None)
    try:
        carried = [_waiting(each) for each in json.loads(unquote(toasts_text(request, context.settings)))]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    now = context.clock()
    return [each for each in carried[-_MOST:] if person and each.user_id == person.user_id and each.ends_at > now]


def keep_waiting(request: Request, response: Response, those: Sequence[Waiting]) -> None:
    """Have the browser carry these and no others."""
    text = quote(json.dumps([asdict(each) for each in those[-_MOST:]])) if those else ""
    keep_toasts(response, request, _context(request).settings, text)


def _with(request: Request, response: Response, **what: Any) -> Response:  # noqa: ANN401 - fields of Waiting
    context = _context(request)
    told = {"mark": context.randomness(6).hex(), "user_id": request.state.person.user_id, "at": context.clock()}
    new = Waiting(**{**told, **what})
    others = [each for each in waiting(request) if not new.upload_id or each.upload_id != new.upload_id]
    keep_waiting(request, response, [*others, new])
    return response


def _waiting(said: dict[str, Any]) -> Waiting:
    toast = _toast(said["toast"]) if said["toast"] else None
    upload_id, undo_of, mark = str(said["upload_id"]), int(said["undo_of"]), str(said["mark"])[:_CHARS_MOST]
    if (upload_id and not _UPLOAD_ID.fullmatch(upload_id)) or not 0 <= undo_of <= _BATCHES_MOST:
        raise ValueError("no ids of ours")
    return Waiting(mark, int(said["user_id"]), int(said["at"]), toast, upload_id, undo_of)


def _toast(said: dict[str, Any]) -> Toast:
    toast = Toast(*(str(said[name])[:_CHARS_MOST] for name in ("text", "link", "link_text", "about")))
    is_here = toast.link.startswith("/") and toast.link[1:2] not in ("/", "\\")
    return toast if is_here else Toast(toast.text, about=toast.about)


def _context(request: Request) -> ServerContext:
    context: ServerContext = request.app.state.pages.context
    return context

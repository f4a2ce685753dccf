"""The body of a postback: taken in within limits of size and time, then parted into parameters by its type."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

from trueup.dialects.names import quoted_title
from trueup.dialects.text import text_of, without_halves
from trueup.edge.parameters import Pairs, pairs_of
from trueup.live.asgi import Receive
from trueup.live.multipart import FilePart, FormError, MultipartForm
from trueup.live.redaction import text_without_secrets, values_without_secrets, without_secrets, written

SECONDS: Final = 10.0  # in which a body must have come whole
_MULTIPART: Final = "multipart/form-data"


class Unread(Enum):
    """Why a body was not taken in, with the status that says so; GONE to whoever is still there: its body broke off."""

    TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    TOO_SLOW = HTTPStatus.REQUEST_TIMEOUT
    GONE = HTTPStatus.BAD_REQUEST


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was taken in."""

    pairs: Pairs
    raw: str  # for the journal: as it came where it can be, without its secrets
    trouble: str = ""  # why it cannot be parted into parameters, for a person


NO_BODY: Final = Body([], "")


class _Unreadable(Exception):  # noqa: N818 - a statement about the body, shown as it stands
    """The body is not what its type says. The message says why."""


class _NestedError(_Unreadable):
    """The body is JSON, and holds more than names and plain values."""

    def __init__(self, why: str, found: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Keep what the body holds, without its secrets.

        Args:
            why: What is wrong with the body, for a person.
            found: The body as JSON; an object is a list of names and values.
        """
        super().__init__(why)
        self.written = json.dumps(values_without_secrets(found), ensure_ascii=False)


class _Object(list[tuple[str, Any]]):
    """A JSON object: its names and values, each as often as it came."""


async def take_in(receive: Receive, most: int, seconds: float = SECONDS) -> bytes | Unread:
    """Receive a request's body.

    Args:
        receive: Gives the next part of the body.
        most: How many bytes the body may have.
        seconds: How long it may take to come.

    Returns:
        The body; or why there is none, and then the rest of it is not received.
    """
    taken = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    return Unread.GONE
                taken += event.get("body", b"")
                if len(taken) > most:
                    return Unread.TOO_LARGE
                if not event.get("more_body", False):
                    return bytes(taken)
    except TimeoutError:
        return Unread.TOO_SLOW


def read_body(content: bytes, content_type: str, most_chars: int) -> Body:
    """Part a body into parameters.

    Args:
        content: The whole body.
        content_type: The header Content-Type as the request has it; '' for a form.
        most_chars: How many characters of the body are kept for the journal.

    Returns:
        The parameters, or why there are none.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    text = content.decode("utf-8", "replace")
    read = _READERS.get(media_type, _unknown)
    try:
        pairs = read(content, content_type)
    except _NestedError as trouble:
        return Body([], trouble.written[:most_chars], str(trouble))
    except _Unreadable as trouble:
        unread = f"({len(content):,} bytes)" if media_type == _MULTIPART else text_without_secrets(text[:most_chars])
        return Body([], unread, str(trouble))
    return Body(pairs, (without_secrets(text) if read is _form else written(pairs))[:most_chars])


def _form(content: bytes, _content_type: str) -> Pairs:
    return pairs_of(text_of(content).strip())


def _json(content: bytes, _content_type: str) -> Pairs:
    """An object of plain values. Numbers keep the text they came as."""
    try:
        found = json.loads(content, object_pairs_hook=_Object, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise _Unreadable("the body is not JSON") from None
    if not isinstance(found, _Object):
        raise _NestedError("the body is not a JSON object", found)
    nested = next((name for name, value in found if isinstance(value, list)), None)
    if nested is not None:
        raise _NestedError(f"'{quoted_title(nested)}' in the body holds a list or an object, not one value", found)
    return [(without_halves(name), without_halves(_WORDS.get(value, value))) for name, value in found]


_WORDS: Final[Mapping[Any, str]] = {True: "true", False: "false", None: ""}


def _multipart(content: bytes, content_type: str) -> Pairs:
    files: list[str] = []

    def note_file(part: FilePart) -> Callable[[bytes], object]:
        files.append(text_of(part.name))
        return len  # its bytes go nowhere

    try:
        form = MultipartForm(content_type, note_file)
        form.write(content)
    except FormError:
        raise _Unreadable(f"the body is not {_MULTIPART}") from None
    try:
        form.end()
    except FormError as error:
        raise _Unreadable(f"the body is not {_MULTIPART}: {error}") from None
    if files:
        raise _Unreadable(f"'{quoted_title(files[0])}' in the body holds a file, not one value")
    return [(text_of(field.name), text_of(field.value)) for field in form.fields]


def _unknown(_content: bytes, content_type: str) -> Pairs:
    media_type = content_type.partition(";")[0].strip()
    raise _Unreadable(f"a body of the type '{quoted_title(text_without_secrets(media_type))}' cannot be read")


_READERS: Final[Mapping[str, Callable[[bytes, str], Pairs]]] = {
    "": _form,
    "application/x-www-form-urlencoded": _form,
    "application/json": _json,
    "text/json": _json,
    _MULTIPART: _multipart,
}

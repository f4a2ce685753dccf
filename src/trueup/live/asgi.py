"""What a server and its endpoints say to each other, and the shortest answers. The hot routes use nothing bigger."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]  # one thing that server or endpoint says
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

TEXT: Final = b"text/plain; charset=utf-8"
# Nothing that is worked out for one caller may be kept for another, or be taken for anything but what it says it is.
SAFE_HEADERS: Final[tuple[Header, ...]] = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


async def answer(send: Send, status: int, body: bytes, content_type: bytes, headers: Sequence[Header] = ()) -> None:
    """Send a whole answer, with the headers that every answer has."""
    told = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *SAFE_HEADERS, *headers]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


def answer_text(send: Send, status: int, text: str, headers: Sequence[Header] = ()) -> Awaitable[None]:
    """Send a short text."""
    return answer(send, status, text.encode(), TEXT, headers)


def answer_method(send: Send, method: str, allowed: bytes, told: str) -> Awaitable[None]:
    """Answer a method that a path does not take, or OPTIONS, which asks for the methods that it takes.

    Args:
        send: Sends the answer.
        method: The method of the request.
        allowed: The methods that the path takes, as the header Allow says them.
        told: The text of the answer, for a person.

    Returns:
        What ends when the answer is sent.
    """
    is_asked = method == "OPTIONS"
    return answer_text(send, 200 if is_asked else 405, "" if is_asked else told, [(b"allow", allowed)])


def header(scope: Scope, name: bytes) -> str:
    """Find a header of a request.

    Args:
        scope: The request.
        name: The header's name in lower case.

    Returns:
        Its value; '' where the request does not have it.
    """
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def bearer_token(scope: Scope) -> str:
    """The token of `Authorization: Bearer ...`, '' where there is none."""
    scheme, _, token = header(scope, b"authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def peer_of(scope: Scope) -> str:
    """The address of the connection's other end; '' for a socket in the file system, which has none."""
    return scope["client"][0] if scope.get("client") else ""

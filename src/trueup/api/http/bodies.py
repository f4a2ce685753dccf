"""Bodies of requests: taken in within limits, and JSON taken apart where it keeps nobody waiting.

FastAPI would parse and check a body on the event loop, before the operation begins. Here both are done in a thread, and
FastAPI is handed what came of it; its OpenAPI document is the same.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from trueup.api.http.problems import Mistake, Problem, ProblemKind, problem_of, unavailable
from trueup.api.http.strict_json import NotReadError, parse_json

LARGE_BYTES: Final = 64 << 10
LARGE_AT_ONCE: Final = 4  # in a process: so many bodies are in memory with all that is made of them
_SECONDS: Final = 120.0  # in which a body must have come whole
_WAIT_SECONDS: Final = 30.0  # for a large one's place
_TAKEN_APART: Final = b"{}"  # what FastAPI sees of a body: that there is one


class Body:
    """A request's body, as it comes in, and not beyond its limit."""

    def __init__(self, receive: Receive, most: int) -> None:
        """Nothing is received yet.

        Args:
            receive: Gives the next part of the body.
            most: How many bytes the body may have.
        """
        self._receive = receive
        self._bytes = 0
        self.most = most  # an operation that takes more says so before it reads

    async def __call__(self) -> Message:
        """Receive the next part.

        Returns:
            The part.

        Raises:
            Problem: The body is too large.
        """
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > self.most:
            raise self.too_large()
        return message

    def too_large(self) -> Problem:
        """The problem that it has more bytes than it may."""
        return Problem(ProblemKind.TOO_LARGE, f"the body has more than {self.most} bytes")


class BodyRoute(APIRoute):
    """A route whose body, where it has one, is JSON that a thread takes apart."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        handle, field = super().get_route_handler(), self.body_field
        if field is None:
            return handle

        async def handled(request: Request) -> Response:
            async with AsyncExitStack() as held:
                return await handle(_Sent(request, field, held))

        return handled


class _Sent(Request):
    """A request with a body of JSON."""

    def __init__(self, request: Request, field: Any, held: AsyncExitStack) -> None:  # noqa: ANN401 - FastAPI's own form of a model
        """Nothing is received yet.

        Args:
            request: The request.
            field: What its body must be.
            held: What is held until the request is answered.
        """
        super().__init__(request.scope, request.receive)
        self._field, self._held = field, held
        self._value: Any = None

    async def body(self) -> bytes:
        """Receive the body, and read it.

        Returns:
            b'' where there is no body, as FastAPI asks it; else anything that is true.

        Raises:
            Problem: The body is too large, breaks off, or is not what it must be.
        """
        content = await received(self, self._held, _check_is_json)
        if not content:
            return b""
        self._value = await run_in_threadpool(_taken_apart, content, self._field)
        return _TAKEN_APART

    async def json(self) -> Any:  # noqa: ANN401 - what the operation takes
        """What the body holds, checked already."""
        return self._value


async def received(
    request: Request, held: AsyncExitStack, check: Callable[[Request], None] = lambda _request: None
) -> bytearray:
    """Take a body in.

    Args:
        request: The request. Its `state.body` has the limit.
        held: What ends with the request. A large body has one of a few places until then.
        check: Looks at the request once it is seen that it has a body.

    Returns:
        The body.

    Raises:
        Problem: It is too large, breaks off, does not come in time, or finds no place.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            return await _parts(request, held, check)
    except TimeoutError:
        raise Problem(ProblemKind.MALFORMED, f"the body did not come within {_SECONDS:.0f} seconds") from None
    except ClientDisconnect:
        raise Problem(ProblemKind.MALFORMED, "the body breaks off") from None


async def _parts(request: Request, held: AsyncExitStack, check: Callable[[Request], None]) -> bytearray:
    taken, has_place = bytearray(), False
    async for part in request.stream():
        if part and not taken:
            check(request)
            length, limit = request.headers.get("content-length", ""), request.state.body
            if length.isdecimal() and int(length) > limit.most:
                raise limit.too_large()
        taken += part
        if len(taken) > LARGE_BYTES and not has_place:
            has_place = True
            await _find_place(request, held)
    return taken


async def _find_place(request: Request, held: AsyncExitStack) -> None:
    """Wait until few enough large bodies are in memory."""
    places: asyncio.Semaphore = request.app.state.large_bodies
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            await held.enter_async_context(places)
    except TimeoutError:
        raise unavailable("too many large bodies are at work already") from None


def _check_is_json(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise Problem(ProblemKind.WRONG_MEDIA_TYPE, "send the body as Content-Type: application/json")


def _taken_apart(content: bytearray, field: Any) -> Any:  # noqa: ANN401 - FastAPI's own form of a model
    """Read a body of JSON as the operation takes it.

    Args:
        content: The body.
        field: What the body must be.

    Returns:
        What the body holds.

    Raises:
        Problem: The body is not JSON that means one thing, or does not fit.
    """
    try:
        found = parse_json(content)
    except NotReadError as error:
        mistake = Mistake(where="body", what=str(error))
        raise Problem(ProblemKind.MALFORMED, "the body cannot be read as JSON", errors=[mistake]) from None
    content.clear()
    value, mistakes = field.validate(found, {}, loc=("body",))
    if mistakes:
        raise problem_of(RequestValidationError(mistakes))
    return value

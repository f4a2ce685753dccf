"""Who may ask the API what. The gate stands before everything: no body is read of a request that its key may not make.

A key that was found good is looked up again after a second: so long may one that another process revoked still work.
"""

from collections import OrderedDict
from collections.abc import Generator, Iterable
from math import ceil
from time import monotonic
from typing import Annotated, Any, Final

import structlog
from fastapi import FastAPI, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from trueup.access.address import caller_address, rated_as
from trueup.access.keys import Caller, KeyScope, digest_of, note_use, parse_key, verify_key
from trueup.access.rates import Failures, Rate
from trueup.api.http.bodies import Body
from trueup.api.http.operations import OPTIONS, Operations, allowed
from trueup.api.http.problems import Problem, ProblemKind, problem_answer, problem_of
from trueup.ledger.database import Database
from trueup.live.asgi import bearer_token, peer_of
from trueup.live.context import ServerContext
from trueup.live.readers import Readers

REQUEST_ID: Final = "X-Request-Id"
_TRUSTED_SECONDS: Final = 1.0
_KNOWN_MOST: Final = 10_000
_USED_EVERY_MICROS: Final = 60 * 1_000_000
_LOG = structlog.get_logger("trueup.api")
_BEARER: Final = HTTPBearer(
    scheme_name="Key", auto_error=False, description="A key of the API: `Authorization: Bearer tru_...`."
)


class Guard:
    """Finds out who calls, and how often they still may."""

    def __init__(self, context: ServerContext, readers: Readers) -> None:
        self._context, self._readers = context, readers
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()  # by digest; until when it is trusted
        self._noted: dict[int, int] = {}  # key -> when its use was last written down
        self.requests = Rate(context.settings.api_per_minute)
        self._wrong = Failures(context.settings.refused_per_minute)

    async def caller(self, request: Request) -> Caller:
        """Find out who calls, by the key.

        Args:
            request: The request.

        Returns:
            Who calls.

        Raises:
            Problem: There is no key, the key is wrong, or too many wrong keys came from the address.
        """
        text = bearer_token(request.scope)
        if not text:
            raise _refusal(ProblemKind.NO_KEY, "send a key in the header Authorization: Bearer tru_...")
        digest = digest_of(text)
        known, until = self._known.get(digest, (None, 0.0))
        if known and monotonic() < until:
            return known
        caller = await (self._verified(text) if known else self._tried(request, text))
        self._known.pop(digest, None)
        if caller is None:
            raise _refusal(ProblemKind.BAD_KEY, "the key was never made here, or is revoked")
        self._known[digest] = (caller, monotonic() + _TRUSTED_SECONDS)
        if len(self._known) > _KNOWN_MOST:
            self._known.popitem(last=False)
        return caller

    def forget(self) -> None:
        """Look every key up again: one was revoked."""
        self._known.clear()

    def note_use(self, caller: Caller) -> None:
        """Have it written down that a key was used, once a minute at most. Nobody waits for it."""
        now, writer = self._context.clock(), self._context.writer
        if (
            writer.trouble
            or now - max(caller.last_used_at or 0, self._noted.get(caller.key_id, 0)) < _USED_EVERY_MICROS
        ):
            return
        self._noted[caller.key_id] = now

        def note(database: Database) -> Generator[None, None, None]:
            yield from ()  # it is all one slice
            note_use(database, caller.key_id, now)

        writer.submit(note)

    async def _tried(self, request: Request, text: str) -> Caller | None:
        """Find out who a key belongs to that was not good here before.

        Args:
            request: The request.
            text: The key.

        Returns:
            Who calls; None for a wrong key.

        Raises:
            Problem: Too many wrong keys came from the address.
        """
        address = caller_address(peer_of(request.scope), request.headers.raw, self._context.settings.trusted_proxies)
        name = rated_as(address)
        if not await self._wrong.begin(name):
            raise _too_many(self._wrong.seconds_to_next(name), "too many wrong keys came from this address")
        wrong = False
        try:
            caller = await self._verified(text)
            wrong = caller is None
        finally:
            self._wrong.end(name, failed=wrong)
        return caller

    async def _verified(self, text: str) -> Caller | None:
        if parse_key(text) is None:
            return None
        async with self._readers.lent() as database:
            return await run_in_threadpool(verify_key, database, text)


class Gate:
    """Around the whole API: who calls, what for, how often, how large a body may be; and no failure leaves it bare."""

    def __init__(
        self, app: ASGIApp, context: ServerContext, guard: Guard, operations: Operations, open_path: str
    ) -> None:
        """Nothing passes before a request comes.

        Args:
            app: What is behind the gate.
            context: What every route stands on.
            guard: Finds out who calls, and how often they still may.
            operations: The operations behind the gate.
            open_path: The one path that needs no key.
        """
        self._app, self._context, self._guard, self._open_path = app, context, guard, open_path
        self._operations = operations

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "state": dict(scope.get("state") or {})}
        request = Request(scope)
        request.state.request_id = self._context.randomness(8).hex()
        request.state.body = body = Body(receive, self._context.settings.body_bytes)
        answer = _Outgoing(send, request.state.request_id)
        try:
            if scope["path"] != self._open_path:
                request.state.caller = await self._admitted(request, answer)
            _refuse_nul(scope)
            if scope["method"] == OPTIONS:
                await Response(status_code=204, headers={"Allow": allowed(self._at(scope))})(scope, receive, answer)
                return
            self._check(request)
            await self._app(scope, body, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer without its inside
            await self._respond(error, request, receive, answer)

    async def _admitted(self, request: Request, answer: "_Outgoing") -> Caller:
        caller, rate = await self._guard.caller(request), self._guard.requests
        name = str(caller.key_id)
        may, left = rate.take(name), rate.left(name)
        full = ceil((rate.per_minute - left) * 60 / rate.per_minute)
        told = {"RateLimit-Limit": rate.per_minute, "RateLimit-Remaining": left, "RateLimit-Reset": full}
        answer.headers.update({header: str(value) for header, value in told.items()})
        if not may:
            raise _too_many(rate.seconds_to_next(name), f"a key may make {rate.per_minute} requests a minute")
        self._guard.note_use(caller)
        return caller

    def _at(self, scope: AsgiScope) -> dict[str, frozenset[KeyScope]]:
        """Find the operations at a request's path.

        Args:
            scope: The request.

        Returns:
            The scopes that each method needs, by method.

        Raises:
            Problem: There is nothing at the path.
        """
        found = self._operations.at(scope["path"].removeprefix(scope.get("root_path", "")))
        if not found:
            raise Problem(ProblemKind.NOT_FOUND, "there is nothing at this path")
        return found

    def _check(self, request: Request) -> None:
        """Check that there is such an operation, and that the key may do it.

        Args:
            request: The request, with its caller.

        Raises:
            Problem: There is no such operation, or the key has not the scope.
        """
        found = self._at(request.scope)
        needed = found.get(request.method)
        if needed is None:
            detail = "the header Allow says what can be done here"
            raise Problem(ProblemKind.WRONG_METHOD, detail, headers={"Allow": allowed(found)})
        if needed:
            _refuse_without(request.state.caller, needed)
        request.state.only_reads = needed <= {KeyScope.READ}

    async def _respond(self, error: Exception, request: Request, receive: Receive, answer: "_Outgoing") -> None:
        problem = problem_of(error)
        if problem.kind is ProblemKind.FAILURE:
            path, request_id = request.scope["path"], request.state.request_id
            _LOG.error("request failed", request_id=request_id, method=request.method, path=path, exc_info=error)
        if not answer.started:
            await problem_answer(request, problem)(request.scope, receive, answer)


def _refuse_nul(scope: AsgiScope) -> None:
    """Refuse a request that asks for a text with a NUL character: PostgreSQL has none, and would fail."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise Problem(ProblemKind.MALFORMED, "the path and the query have no NUL character")


class _Outgoing:
    """An answer on its way out, with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.started = False
        self.headers = {REQUEST_ID: request_id, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self.headers.items():
                headers.setdefault(name, value)
        await self._send(message)


async def _caller(
    request: Request,
    wanted: SecurityScopes,
    _key: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],  # for the OpenAPI document
) -> Caller:
    caller: Caller = request.state.caller
    _refuse_without(caller, map(KeyScope, wanted.scopes))  # the gate has, for all that it knows of
    return caller


def operations_of(api: FastAPI) -> Operations:
    """The operations of an API, with the scopes that they say they need."""
    return Operations(api, _caller)


def _refuse_without(caller: Caller, needed: Iterable[KeyScope]) -> None:
    missing = [scope for scope in needed if scope not in caller.scopes]
    if missing:
        raise Problem(ProblemKind.WRONG_SCOPE, f"this needs a key with the scope {' and '.join(missing)}")


def needs(scope: KeyScope) -> Any:  # noqa: ANN401 - FastAPI's own word for a dependency
    """A dependency on whoever calls, with a key of this scope.

    Write it as `caller: Annotated[Caller, needs(Scope.READ)]`, or among a router's `dependencies`.
    """
    return Security(_caller, scopes=[scope.value])


def _refusal(kind: ProblemKind, detail: str) -> Problem:
    return Problem(kind, detail, headers={"WWW-Authenticate": 'Bearer realm="trueup"'})


def _too_many(seconds: int, detail: str) -> Problem:
    return Problem(ProblemKind.TOO_MANY, detail, headers={"Retry-After": str(max(1, seconds))})

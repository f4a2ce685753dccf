"""Idempotency-Key: a POST that is sent again is answered again, and not done again.

The body is digested as it streams through, so that a large one is held nowhere. An answer goes out once it is kept.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trueup.access.keys import Caller
from trueup.api.http.claims import Claim, kept_text
from trueup.api.http.problems import Problem, ProblemKind
from trueup.ledger import idempotency as stored
from trueup.ledger.database import DatabaseError, Transaction
from trueup.ledger.idempotency import AT_WORK, Answered
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.readers import written
from trueup.recording.chunks import in_transaction

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
PATTERN: Final = "[ -~]{1,255}"
KEPT_DAYS: Final = 7
SILENT_SECONDS: Final = 60  # then the server that claimed a key is taken for gone
ANSWER_BYTES_MAX: Final = 4 << 20  # what ten thousand reported rows are answered fits

_BEAT_SECONDS: Final = 20
_SECOND: Final = 1_000_000


class Once:
    """Around the API's operations, inside the gate: does each POST that changes something once for its Idempotency-Key.

    The gate has let through only who may change it: a key that only reads leaves nothing here.
    """

    def __init__(self, app: ASGIApp, context: ServerContext) -> None:
        self._app, self._context = app, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it pass."""
        if scope["type"] != "http" or not _is_meant_once(scope):
            await self._app(scope, receive, send)
            return
        key, claimer = _stored_key(scope), self._context.randomness(16).hex()
        asked = _Digested(scope, receive)
        now = self._context.clock()
        claim = partial(
            stored.claim,
            key=key,
            claimer=claimer,
            now=now,
            silent_before=now - SILENT_SECONDS * _SECOND,
            expired_before=now - KEPT_DAYS * 86_400 * _SECOND,
        )
        found = await written(self._context, in_transaction(claim))
        if found is None:
            await self._first(scope, asked, send, key, claimer)
        elif found.status == AT_WORK:
            raise Problem(ProblemKind.AT_WORK, "its answer will be there soon", headers={"Retry-After": "1"})
        else:
            await self._again(scope, asked, send, found)

    async def _first(self, scope: Scope, asked: "_Digested", send: Send, key: str, claimer: str) -> None:
        answer = _Held(send)
        scope["state"]["claim"] = work = Claim(key, claimer, asked.digest)
        try:
            async with self._beating(key, claimer):
                await self._app(scope, asked, answer)
                sha256 = await asked.digest()
        except Exception:  # a caller that merely leaves keeps its claim: what it asked for may still be done
            await self._write(partial(stored.release, key=key, claimer=claimer))
            raise
        if answer.status >= 500:  # noqa: PLR2004 - the server's own failures begin there
            await self._write(partial(stored.release, key=key, claimer=claimer))
        elif not work.is_kept:
            said = answer.text() if scope["state"].get("keep_answer", True) else ""
            kept = partial(stored.keep_answer, request_sha256=sha256, status=answer.status, answer=said)
            await self._write(partial(kept, key=key, claimer=claimer))
        await answer.let_go()

    async def _again(self, scope: Scope, asked: "_Digested", send: Send, found: Answered) -> None:
        settings = self._context.settings
        scope["state"]["body"].most = max(settings.upload_bytes, settings.body_bytes)  # it is only digested
        if await asked.digest() != found.request_sha256:
            raise Problem(ProblemKind.KEY_REUSED, "send another key with another request")
        if not found.answer:
            raise Problem(ProblemKind.ANSWER_NOT_KEPT, "nothing is done again; look at what it made")
        kept = json.loads(found.answer)
        answer = Response(kept["body"], found.status, {**kept["headers"], REPLAYED: "true"})
        await answer(scope, asked, send)

    @asynccontextmanager
    async def _beating(self, key: str, claimer: str) -> AsyncIterator[None]:
        """Say from time to time that the request is at work."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(_BEAT_SECONDS)
                await self._write(partial(stored.still_at_work, key=key, claimer=claimer, now=self._context.clock()))

        beats = asyncio.create_task(beat())
        try:
            yield
        finally:
            beats.cancel()

    async def _write(self, work: Callable[[Transaction], object]) -> None:
        """Write down how it stands. Where that fails the claim falls silent, and is taken over later."""
        with suppress(UnavailableError, DatabaseError):
            await written(self._context, in_transaction(work))


def _is_meant_once(scope: Scope) -> bool:
    return scope["method"] == "POST" and not scope["state"]["only_reads"] and HEADER in Headers(scope=scope)


def _stored_key(scope: Scope) -> str:
    chosen = Headers(scope=scope).getlist(HEADER)
    if len(chosen) != 1 or not re.fullmatch(PATTERN, chosen[0]):
        raise Problem(ProblemKind.MALFORMED, f"{HEADER} stands once, and is 1 to 255 printable ASCII characters")
    caller: Caller = scope["state"]["caller"]
    return f"{caller.key_id}:{chosen[0]}"


class _Digested:
    """A request whose body is digested as it is received."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive, self._ended = receive, False
        asked = (scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        self._sha256 = hashlib.sha256("\n".join((*asked, "")).encode())
        # A multipart body has a boundary that its sender makes anew each time: it is left out.
        found = re.search(r'boundary="?([^";]+)', Headers(scope=scope).get("content-type", ""))
        self._boundary = found[1].encode("latin-1") if found else b""
        self._held = b""

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not self._ended:
            self._digest(message.get("body", b""))
            self._ended = not message.get("more_body", False)
        return message

    async def digest(self) -> str:
        """Digest the whole request. What is not received yet is received first.

        Returns:
            The SHA-256, as hexadecimal digits.

        Raises:
            Problem: The body breaks off.
        """
        while not self._ended:
            message = await self()
            if message["type"] == "http.disconnect":
                raise Problem(ProblemKind.MALFORMED, "the body breaks off")
        self._sha256.update(self._held)
        self._held = b""
        return self._sha256.hexdigest()

    def _digest(self, part: bytes) -> None:
        if not self._boundary:
            self._sha256.update(part)
            return
        held = (self._held + part).replace(self._boundary, b"")
        ready = max(0, len(held) - len(self._boundary) + 1)
        self._sha256.update(held[:ready])
        self._held = held[ready:]


class _Held:
    """An answer that is held back; a large one, or one that comes bit by bit, is let through instead."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body = bytearray()
        self._through = False
        self.status = 500  # of an operation that never answers

    async def __call__(self, message: Message) -> None:
        if self._through:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start, self.status = message, int(message["status"])
            if self._headers().get("content-type", "").startswith("text/event-stream"):
                await self.let_go(more=True)
        else:
            self._body += message.get("body", b"")
            if len(self._body) > ANSWER_BYTES_MAX:
                await self.let_go(more=message.get("more_body", False))

    async def let_go(self, *, more: bool = False) -> None:
        """Send what was held back.

        Args:
            more: Whether more of the answer comes.
        """
        if not self._through:
            self._through = True
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": bytes(self._body), "more_body": more})

    def text(self) -> str:
        """The answer as it is kept; '' for one that cannot be."""
        if self._through:
            return ""
        return kept_text(self._headers(), bytes(self._body))

    def _headers(self) -> MutableHeaders:
        return MutableHeaders(scope=self._start)

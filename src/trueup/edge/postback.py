"""/postback and /<key>/postback: networks report conversions, each request one row, answered once it is on disk."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final, NamedTuple

from trueup.access.address import caller_address, rated_as
from trueup.access.rates import Failures, Rate
from trueup.dialects.postback import RAW_CHARS, ReadPostback, read_postback, refused
from trueup.dialects.text import SUBSTITUTE, text_of
from trueup.edge.body import NO_BODY, Unread, read_body, take_in
from trueup.edge.parameters import pairs_of, too_long, too_many
from trueup.live.asgi import TEXT, Receive, Scope, Send, answer, answer_text, header, peer_of
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.group_commit import NotYetError
from trueup.live.redaction import REDACTED, without_secrets
from trueup.model.catalog import Catalog
from trueup.model.traffic import IncomingConversion, RowResult, Stranger
from trueup.model.words import Origin, Outcome
from trueup.settings import Settings

PATH: Final = "/postback"
JSON: Final = b"application/json"
_LARGE_BYTES: Final = 8 << 10  # of a body that others would wait for while it is taken apart
_RETRY_SECONDS: Final = b"5"

# What a sender is told by the HTTP status; 422 for every other refusal, 200 for everything else.
STATUSES: Final[Mapping[Outcome, HTTPStatus]] = {
    Outcome.REFUSED_NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Outcome.REFUSED_MALFORMED_ROW: HTTPStatus.BAD_REQUEST,
    Outcome.REFUSED_UNKNOWN_CLICK: HTTPStatus.NOT_FOUND,
    Outcome.REFUSED_UNKNOWN_CONVERSION: HTTPStatus.NOT_FOUND,
    Outcome.PARKED_UNKNOWN_CLICK: HTTPStatus.ACCEPTED,
}
_STATUS_OF: Final = {
    outcome: STATUSES.get(outcome, HTTPStatus.UNPROCESSABLE_ENTITY if outcome.refused else HTTPStatus.OK)
    for outcome in Outcome
}
# These methods are asked about the address, and report nothing.
_ASK_ONLY: Final = ("HEAD", "OPTIONS")
_METHODS: Final = [(b"allow", b"GET, POST, HEAD, OPTIONS")]


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose key a postback brought."""

    network: int | Stranger  # our number for it
    always_200: bool = False
    digest: bytes = b""  # the key's SHA-256


NOBODY: Final = Sender(Stranger.NO_KEY)
UNKNOWN: Final = Sender(Stranger.UNKNOWN_KEY)


class _Asked(NamedTuple):
    """A request that was taken in."""

    read: ReadPostback
    sender: Sender
    address: str
    wants_json: bool
    over_limit: HTTPStatus | None  # the status that says so


class Postbacks:
    """Answers /postback and /<key>/postback."""

    def __init__(self, context: ServerContext) -> None:
        """Nothing is recorded before a request comes.

        Args:
            context: What every route stands on.
        """
        self._context = context
        # Of those who bring no network's key, by address.
        self._refusals = Failures(context.settings.refused_per_minute)
        self._tests = Rate(context.settings.refused_per_minute)  # by network

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if method not in ("GET", "POST"):
            await answer_text(send, 200 if method in _ASK_ONLY else 405, "", _METHODS)
            return
        content: bytes | Unread = b""
        if method == "POST":
            content = await take_in(receive, self._context.settings.postback_bytes)
        if content is Unread.TOO_SLOW:
            await answer_text(send, 408, "the request did not come whole in time\n")
        elif content is Unread.GONE:  # whoever is still there sent a piece that is none, or too little
            await answer_text(send, 400, "the body breaks off\n")
        else:
            is_large = isinstance(content, bytes) and len(content) > _LARGE_BYTES
            asked = await asyncio.to_thread(self._asked, scope, content) if is_large else self._asked(scope, content)
            await self._take(asked, send)

    async def _take(self, asked: _Asked, send: Send) -> None:
        """Record a request, or try it out, and answer, unless there were too many of its kind."""
        if isinstance(asked.sender.network, int):
            network = str(asked.sender.network)
            if asked.read.test and not self._tests.take(network):
                await _put_off(send, "too many tests", max(1, self._tests.seconds_to_next(network)))
            else:
                await _answer(asked, await self._record(asked), send)
            return
        caller = rated_as(asked.address)
        if await self._refusals.begin(caller):
            await _answer(asked, await self._record_of_stranger(asked, caller), send)
        else:
            await _put_off(send, "too many refused postbacks", self._refusals.seconds_to_next(caller))

    async def _record_of_stranger(self, asked: _Asked, caller: str) -> RowResult | UnavailableError | None:
        """What a request without a network's key came to, which has begun as one that may be refused.

        One that may be a guess at a click id counts as refused, until its click is there.
        """
        told: RowResult | UnavailableError | None = None
        failed = asked.read.test
        try:
            if not asked.read.test:
                told = await self._record(asked)
                failed = isinstance(told, NotYetError) or (isinstance(told, RowResult) and not told.is_taken)
        finally:
            self._refusals.end(caller, failed=failed)
        return told

    async def _record(self, asked: _Asked) -> RowResult | UnavailableError:
        """What a request came to, or why it cannot be recorded now."""
        read, writer = asked.read, self._context.writer
        message = IncomingConversion(
            row=read.row,
            origin=Origin.POSTBACK,
            sender=asked.sender.network,
            address=asked.address,
            sub_parameters=read.sub_parameters,
            wants_text=asked.wants_json or read.test,
        )
        try:
            return await (writer.try_out(message) if read.test else writer.tell(message))
        except UnavailableError as error:
            return error

    def _asked(self, scope: Scope, content: bytes | Unread) -> _Asked:
        """Read a request. One that is over a limit, or cannot be read, is a malformed row."""
        settings, query = self._context.settings, scope["query_string"]
        text = text_of(query[: settings.query_bytes])
        body = NO_BODY
        if isinstance(content, bytes) and content:
            body = read_body(content, header(scope, b"content-type"), RAW_CHARS)
        pairs = pairs_of(text) + body.pairs
        key = scope["path"].removesuffix(PATH).strip("/")
        raw = _raw(scope["method"], text, body.raw, has_key=bool(key))
        read = read_postback(pairs[: settings.parameters], raw, self._context.catalog.workspace.currencies)
        trouble, over_limit = _over_limit(settings, len(query), content, len(pairs))
        if trouble or body.trouble:
            read = read._replace(row=refused(trouble or body.trouble, raw), sub_parameters=None)
        return _Asked(
            read=read,
            sender=self._sender(key or read.key),
            address=caller_address(peer_of(scope), scope["headers"], settings.trusted_proxies),
            wants_json=read.wants_json or "application/json" in header(scope, b"accept"),
            over_limit=over_limit,
        )

    def _sender(self, key: str) -> Sender:
        """Whose key it is. How long it takes does not tell how much of it is right."""
        if not key:
            return NOBODY
        digest = _digest(key)
        found = self._context.derived(_senders).get(digest, UNKNOWN)
        return found if hmac.compare_digest(found.digest, digest) else UNKNOWN


def _senders(catalog: Catalog) -> Mapping[bytes, Sender]:
    """Every postback key there is, by its SHA-256."""
    return {
        _digest(key): Sender(network.network_id, network.always_200, _digest(key))
        for network in catalog.affiliate_networks.values()
        for key in network.postback_keys
    }


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "replace")).digest()


def _put_off(send: Send, why: str, seconds: int) -> Awaitable[None]:
    return answer_text(send, 429, f"{why}\n", [(b"retry-after", b"%d" % seconds)])


def _over_limit(settings: Settings, query: int, content: bytes | Unread, pairs: int) -> tuple[str, HTTPStatus | None]:
    """Say which limit a request is over.

    Args:
        settings: The limits.
        query: The length of its query in bytes.
        content: Its body, or why there is none.
        pairs: How many parameters it has.

    Returns:
        The limit for a person and as an HTTP status; '' and None where it is over none.
    """
    if trouble := too_long(query, settings.query_bytes):
        return trouble, HTTPStatus.REQUEST_URI_TOO_LONG
    if content is Unread.TOO_LARGE:
        return f"the body is longer than {settings.postback_bytes:,} bytes", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if trouble := too_many(pairs, settings.parameters):
        return trouble, HTTPStatus.BAD_REQUEST
    return "", None


def _raw(method: str, query: str, body: str, *, has_key: bool) -> str:
    """The request for the journal, without its secrets."""
    path = f"/{REDACTED}{PATH}" if has_key else PATH
    query = without_secrets(query).replace(SUBSTITUTE, "\ufffd")
    line = f"{method} {path}?{query}" if query else f"{method} {path}"
    return f"{line} {body}" if body else line


def _answer(asked: _Asked, told: RowResult | UnavailableError | None, send: Send) -> Awaitable[None]:
    read = asked.read
    if read.test and not isinstance(asked.sender.network, int):
        return answer_text(send, 403, "a test needs a network's key\n")
    if not isinstance(told, RowResult):
        headers = [(b"retry-after", _RETRY_SECONDS)]
        return answer_text(send, 503, "it cannot be recorded now; send it again\n", headers)
    status = _STATUS_OF[told.outcome]
    if asked.over_limit and told.outcome is Outcome.REFUSED_MALFORMED_ROW:
        status = asked.over_limit
    if asked.sender.always_200:
        status = HTTPStatus.OK
    if asked.wants_json:
        return answer(send, status, _as_json(told, recorded=not read.test), JSON)
    if read.answer and status is HTTPStatus.OK and not read.test:
        return answer(send, status, read.answer.encode(), TEXT)
    return answer_text(send, status, _as_text(told, is_test=read.test))


def _as_text(told: RowResult, *, is_test: bool) -> str:
    """`ok created c01k5ire1k06-1`, or `refused_unknown_click: ` and why; what a test came to has both."""
    found = " ".join(filter(None, (told.outcome, told.conversion_id)))
    if is_test:
        return f"test {found}: {told.text}\n"
    return f"{told.outcome}: {told.text}\n" if told.outcome.refused else f"ok {found}\n"


def _as_json(told: RowResult, *, recorded: bool) -> bytes:
    message = {
        "outcome": told.outcome,
        "conversion_id": told.conversion_id,
        "click_id": told.click_id or None,
        "message": told.text,
        "recorded": recorded,
    }
    return json.dumps(message).encode() + b"\n"

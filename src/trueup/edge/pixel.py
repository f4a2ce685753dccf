"""The pixel: a page reports a conversion by showing an image, or by a script that does. The same row as a postback's.

Whoever looks at the page can see and forge what it reports, so a pixel never stands for a network's key.
"""

from collections.abc import Sequence
from typing import Final

from trueup.access.address import caller_address, rated_as
from trueup.access.rates import Failures
from trueup.dialects.postback import ReadPostback, read_postback, refused
from trueup.dialects.text import SUBSTITUTE, text_of
from trueup.edge.cookie import click_of_cookie
from trueup.edge.parameters import pairs_of, too_long, too_many
from trueup.edge.visitor import only_looks
from trueup.live.asgi import Header, Receive, Scope, Send, answer, answer_method, peer_of
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.live.group_commit import NotYetError
from trueup.live.redaction import without_secrets
from trueup.model.traffic import IncomingConversion
from trueup.model.words import Origin, Outcome

GIF_PATH: Final = "/pixel.gif"
SCRIPT_PATH: Final = "/pixel.js"

# One transparent pixel.
GIF: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    b"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
# It holds nothing of the request, so that no link to it makes it do anything else. A page that a browser renders ahead
# of time reports once somebody looks at it.
SCRIPT: Final = b"""(function () {
  "use strict";
  var script = document.currentScript;
  if (!script) return;
  function report() {
    new Image().src = script.src.replace("/pixel.js", "/pixel.gif");
  }
  if (document.prerendering) document.addEventListener("prerenderingchange", report, { once: true });
  else report();
})();
"""

_RETRY_SECONDS: Final = b"5"
_ALLOW: Final = b"GET, HEAD, OPTIONS"
_ANYWHERE: Final[Header] = (b"cross-origin-resource-policy", b"cross-origin")  # pages that shut others out show it too


class Pixel:
    """Answers /pixel.gif and /pixel.js."""

    def __init__(self, context: ServerContext) -> None:
        """Nothing is recorded before a request comes.

        Args:
            context: What every route stands on.
        """
        self._context = context
        self._refusals = Failures(context.settings.refused_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - it has no body
        """Answer one request. Whatever a row comes to, the page gets its image."""
        if scope["method"] not in ("GET", "HEAD"):
            await answer_method(send, scope["method"], _ALLOW, "a pixel is asked for with GET\n")
        elif scope["path"] == SCRIPT_PATH:
            await answer(send, 200, SCRIPT, b"application/javascript; charset=utf-8", [_ANYWHERE])
        else:
            is_report = not only_looks(scope["method"], dict(scope["headers"]))
            status, headers = await self._report(scope) if is_report else (200, [])
            await answer(send, status, GIF, b"image/gif", [_ANYWHERE, *headers])

    async def _report(self, scope: Scope) -> tuple[int, Sequence[Header]]:
        """Record a row.

        Args:
            scope: The request.

        Returns:
            The HTTP status and the headers of the answer.
        """
        address = caller_address(peer_of(scope), scope["headers"], self._context.settings.trusted_proxies)
        read = self._read(scope)
        if read.test:
            return 200, []
        caller, failed = rated_as(address), False
        if not await self._refusals.begin(caller):
            return 429, [(b"retry-after", b"%d" % self._refusals.seconds_to_next(caller))]
        said = IncomingConversion(read.row, Origin.PIXEL, address=address, sub_parameters=read.sub_parameters)
        try:
            failed = not (await self._context.writer.tell(said)).is_taken
        except UnavailableError as error:
            failed = isinstance(error, NotYetError)
            return 503, [(b"retry-after", _RETRY_SECONDS)]
        finally:
            self._refusals.end(caller, failed=failed)
        return 200, []

    def _read(self, scope: Scope) -> ReadPostback:
        """The row; where no parameter names the click, the visitor's cookie does."""
        settings, query = self._context.settings, scope["query_string"]
        text = text_of(query[: settings.query_bytes])
        raw = f"GET {GIF_PATH}?{without_secrets(text)}".replace(SUBSTITUTE, "\ufffd")
        pairs = pairs_of(text)
        if trouble := too_long(len(query), settings.query_bytes) or too_many(len(pairs), settings.parameters):
            return ReadPostback(refused(trouble, raw))
        currencies = self._context.catalog.workspace.currencies
        read = read_postback(pairs, raw, currencies)
        if read.row["refusal"] == Outcome.REFUSED_MISSING_CLICK_ID:
            click_id = click_of_cookie(scope["headers"])
            return read_postback([*pairs, ("click_id", click_id)], raw, currencies)
        return read

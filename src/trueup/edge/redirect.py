"""The click redirect: a visitor is sent to one of a campaign's offers once the click is on disk."""

from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from trueup.access.visits import Visits
from trueup.edge.cookie import set_cookie
from trueup.edge.links import Link, Target, links
from trueup.edge.parameters import pairs_of
from trueup.edge.visitor import Visitors, kept, only_looks
from trueup.live.asgi import SAFE_HEADERS, Header, Receive, Scope, Send, answer_text, peer_of
from trueup.live.commit_queue import UnavailableError
from trueup.live.context import ServerContext
from trueup.model.frames import CLICKS
from trueup.model.ids import RANDOM_BYTES, new_click_id
from trueup.model.money import amount_cut, text_from_micros

PREFIX: Final = "/c/"

# A parameter's name, in any case -> what it gives of the click. Of several with a value the first is taken.
NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("external_id", "externalid"), "external_id"),
    "cost": "cost",
    **{f"{prefix}{i}": f"sub{i}" for i in range(1, 11) for prefix in ("sub", "sub_id_", "s")},
}

_CHOICE_BYTES: Final = 8
_FOLLOWED: Final = 302
_ALLOW: Final[tuple[Header, ...]] = ((b"allow", b"GET, HEAD, OPTIONS"),)
_COSTS_REMEMBERED: Final = 1_000  # a source's visits cost the same again and again
_in_columns: Final = itemgetter(*CLICKS)
_NOT_KNOWN_YET: Final[tuple[int, str, tuple[Header, ...]]] = (
    503,
    "the links are not known yet: the database has not answered\n",
    ((b"retry-after", b"5"),),
)
_SENT_ON: Final[tuple[Header, ...]] = ((b"content-length", b"0"), *SAFE_HEADERS)


class Redirect:
    """GET /c/{slug}: records the click and sends the visitor on."""

    def __init__(self, context: ServerContext) -> None:
        """Open the country database, if there is one.

        Args:
            context: What every route stands on.

        Raises:
            CountryDatabaseError: The file cannot be read.
        """
        self._context = context
        self._visitors = Visitors(context.settings)
        self._visits = Visits(context.settings.clicks_per_minute)
        self._is_https = context.settings.public_url.startswith("https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - it has no body
        """Answer one request."""
        link = self._context.derived(links).get(scope["path"].removeprefix(PREFIX))
        status, trouble, headers = self._trouble(scope, link)
        if link is None or status != _FOLLOWED:
            await answer_text(send, status, trouble, headers)
            return
        asked = dict(scope["headers"])
        target = link.chosen(int.from_bytes(self._context.randomness(_CHOICE_BYTES), "big"))
        click, told = self._made(scope, asked, target)
        told_headers = [*_SENT_ON]
        if click["click_id"]:
            try:
                await self._context.writer.click(_in_columns(click))
                if self._context.settings.cookie_days:
                    told_headers.append(self._cookie(scope, asked, click["click_id"]))
            except UnavailableError:  # the visitor goes on; nobody is told the id of a click that is nowhere on disk
                told["click_id"] = ""
        told_headers.append((b"location", target.template.fill(told).encode()))
        await send({"type": "http.response.start", "status": _FOLLOWED, "headers": told_headers})
        await send({"type": "http.response.body", "body": b""})

    def _trouble(self, scope: Scope, link: Link | None) -> tuple[int, str, tuple[Header, ...]]:
        """Why a request cannot be followed: status, text, headers. The status is _FOLLOWED where nothing is wrong."""
        settings, query = self._context.settings, scope["query_string"]
        if scope["method"] not in ("GET", "HEAD"):
            is_asked = scope["method"] == "OPTIONS"
            return 200 if is_asked else 405, "" if is_asked else "a link is followed with GET\n", _ALLOW
        if link is None:
            return (404, "there is no such link\n", ()) if self._context.click_key is not None else _NOT_KNOWN_YET
        if not link.targets:
            return 404, "this link leads nowhere yet: no offer of its campaign has a URL\n", ()
        if len(query) > settings.query_bytes:
            return 414, f"the query is longer than {settings.query_bytes:,} bytes\n", ()
        if query.count(b"&") >= settings.parameters:
            return 400, f"the query has more than {settings.parameters} parameters\n", ()
        return _FOLLOWED, "", ()

    def _made(
        self, scope: Scope, asked: Mapping[bytes, bytes], target: Target
    ) -> tuple[Mapping[str, Any], dict[str, str]]:
        """The click, by the columns of CLICKS, and what its URL is told.

        Its id is '' where it is not recorded.
        """
        now, drawn, key = self._context.clock(), self._context.randomness(RANDOM_BYTES), self._context.click_key
        assert key is not None  # noqa: S101 - whoever knows the link knows the key
        given = _given(scope["query_string"])
        cost, cost_text = _cost(given.get("cost", ""))
        seen = self._visitors.seen(peer_of(scope), scope["headers"], asked.get(b"user-agent", b""))
        is_recorded = not only_looks(scope["method"], asked) and self._is_let_in(seen.address, now)
        click = {
            **target.click,
            **given,
            "click_id": new_click_id(now, drawn, key) if is_recorded else "",
            "clicked_at": now,
            "cost": cost,
            "country": seen.country,
            "referrer": kept(asked.get(b"referer", b"").decode("utf-8", "replace")),
            "user_agent": seen.user_agent,
            "device": seen.browser.device,
            "os": seen.browser.os,
            "browser": seen.browser.browser,
            "is_bot": seen.browser.is_bot,
            "ip": seen.ip,
        }
        return click, {**click, "cost": cost_text, "timestamp": str(now // 1_000_000)}

    def _is_let_in(self, address: str, now: int) -> bool:
        """Whether a visit is to be recorded: an address has only so many of them in a minute."""
        if self._visits.take(address, now):
            return True
        self._context.events.unrecorded(address)
        return False

    def _cookie(self, scope: Scope, asked: Mapping[bytes, bytes], click_id: str) -> Header:
        forwarded = asked.get(b"x-forwarded-proto") == b"https" and self._visitors.is_believed(peer_of(scope))
        secure = self._is_https or scope["scheme"] == "https" or forwarded
        return set_cookie(click_id, self._context.settings.cookie_days, secure=secure)


def _given(query: bytes) -> dict[str, str]:
    """What the query gives of the click."""
    given: dict[str, str] = {}
    for name, value in pairs_of(query.decode("utf-8", "replace")) if query else ():
        field = NAMES.get(name) or NAMES.get(name.lower())
        if field and value and field not in given:
            given[field] = kept(value)
    return given


@lru_cache(maxsize=_COSTS_REMEMBERED)
def _cost(text: str) -> tuple[int, str]:
    """What the visit cost: micros, and what a macro tells; 0 and '' for anything but an amount.

    Finer decimals are cut off.
    """
    cost = amount_cut(text.strip())
    return (cost, text_from_micros(cost)) if cost is not None and cost > 0 else (0, "")

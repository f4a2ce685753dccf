"""Watches what requests are answered and how the writer fares: numbers for all of it, lines in the log for some.

A line is written a few times a minute at most, for each kind and address: trouble comes with every request.
"""

import logging
from collections.abc import Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from trueup.access.address import caller_address, rated_as
from trueup.access.rates import Rate
from trueup.live.asgi import Scope, peer_of
from trueup.live.metrics import Metrics
from trueup.settings import Network

_SLOW_SECONDS: Final = 1.0
_LINES_PER_MINUTE: Final = 6
_REFUSED: Final = {401: "key refused", 403: "not allowed", 429: "too many requests"}
_MAY_TAKE_LONG: Final = "api"  # whole files come in before the answer begins


class Observer(Metrics):
    """The metrics of a process, with its log."""

    def __init__(self, log: FilteringBoundLogger, trusted_proxies: Sequence[Network]) -> None:
        """Count and log from now on.

        Args:
            log: The open log.
            trusted_proxies: Proxies whose word on addresses is believed.
        """
        super().__init__()
        self._log, self._trusted = log, trusted_proxies
        self._tells_all = log.is_enabled_for(logging.DEBUG)
        self._lines = Rate(_LINES_PER_MINUTE)

    def saw(self, route: str, scope: Scope, status: int, seconds: float) -> None:
        """Count a request whose answer begins, and log it where it is slow or refused.

        Args:
            route: The route's name.
            scope: The request.
            status: The HTTP status of the answer.
            seconds: How long it took until the answer began.
        """
        self.answered(route, status, seconds)
        if self._tells_all:
            self._log.debug("answered", route=route, method=scope["method"], status=status, seconds=round(seconds, 4))
        if status < 400 and seconds < _SLOW_SECONDS:  # noqa: PLR2004 - HTTP's border of what went well
            return
        if status >= 500:  # noqa: PLR2004 - HTTP's border of the server's own failures
            self._warn("server error", route, status=status)
        elif status in _REFUSED:
            address = caller_address(peer_of(scope), scope["headers"], self._trusted)
            self._warn(_REFUSED[status], route, status=status, address=address)
        if seconds > _SLOW_SECONDS and route != _MAY_TAKE_LONG:
            self._warn("slow request", route, seconds=round(seconds, 2))

    def crashed(self, route: str) -> None:
        """A request's endpoint raised what it should not have. Called where that is caught."""
        self._log.exception("request failed", route=route)

    def spooled(self, kept: int, lost: int) -> None:
        """So many clicks went to the spool, and so many found no room."""
        super().spooled(kept, lost)
        if lost:
            self._warn("clicks lost", "redirect", clicks=lost)

    def unrecorded(self, address: str) -> None:
        """A click was not recorded: its address had had too many in this minute."""
        super().unrecorded(address)
        self._warn("clicks not recorded", "redirect", address=address)

    def failed(self, trouble: str) -> None:
        """The database or the spool could not be written."""
        super().failed(trouble)
        if self._lines.take(trouble):
            self._log.error("database trouble", trouble=trouble)

    def adopted(self, clicks: int) -> None:
        """So many clicks were taken from a file that another process had left."""
        super().adopted(clicks)
        self._log.info("clicks taken over", clicks=clicks)

    def damaged(self, stretches: int) -> None:
        """So many stretches of a file of the spool are damaged. They are kept aside."""
        super().damaged(stretches)
        self._log.error("spool damaged", stretches=stretches)

    def laid_aside(self, trouble: str) -> None:
        """A click was laid aside: the database refuses it."""
        super().laid_aside(trouble)
        if self._lines.take("laid aside"):
            self._log.error("click laid aside", trouble=trouble)

    def changed(self, state: str, before: str, why: str) -> None:
        """The state of the process is another one than before."""
        tell = self._log.error if why else self._log.info
        tell("state", now=state, before=before, **({"trouble": why} if why else {}))

    def _warn(self, event: str, route: str, **facts: object) -> None:
        if self._lines.take(f"{event} {route} {rated_as(str(facts.get('address', '')))}"):
            self._log.warning(event, route=route, **facts)

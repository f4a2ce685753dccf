"""How many visits of one address are recorded in a minute: a flood from one place is sent on, and fills no disk.

It is asked at every click, so it counts by the minutes of the clock: a number for each address is all that it holds.
"""

from functools import lru_cache
from ipaddress import ip_network
from typing import Final

from trueup.access.address import is_trusted, rated_as

_MINUTE: Final = 60_000_000  # microseconds
_HELD_MOST: Final = 100_000  # addresses counted in a minute; beyond it all are counted afresh
_REMEMBERED: Final = 10_000
# Whoever comes from one of these is a proxy that nobody named, and stands for all of its visitors.
_INNER: Final = tuple(
    map(ip_network, (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
        "::1/128", "fc00::/7", "fe80::/10",
    ))
)  # fmt: skip


class Visits:
    """The visits of this minute, within one process."""

    def __init__(self, most: int) -> None:
        """Nobody has come yet.

        Args:
            most: How many of one address are recorded in a minute; 0 for all.
        """
        self._most = most
        self._minute = 0
        self._counted: dict[str, int] = {}

    def take(self, address: str, now: int) -> bool:
        """Count a visit.

        Args:
            address: The visitor's, as `caller_address` has it.
            now: Microseconds since the epoch.

        Returns:
            Whether it is to be recorded.
        """
        name = _counted_as(address)
        if not self._most or not name:
            return True
        if now // _MINUTE != self._minute or len(self._counted) >= _HELD_MOST:
            self._minute, self._counted = now // _MINUTE, {}
        times = self._counted[name] = self._counted.get(name, 0) + 1
        return times <= self._most


@lru_cache(maxsize=_REMEMBERED)
def _counted_as(address: str) -> str:
    """By what a visitor is counted, '' for one that is not: it stands for others, or has no address."""
    return "" if is_trusted(address, _INNER) else rated_as(address)

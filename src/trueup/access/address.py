"""Where a request comes from. A forwarding header is believed only from a proxy that the settings trust."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_FORWARDED: Final = b"x-forwarded-for"
_HOPS_MOST: Final = 20


def caller_address(peer: str, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]) -> str:
    """The address of whoever asked.

    Takes: the address of the connection's other end, the request's headers, the trusted proxies. Returns: the last
    address of X-Forwarded-For that is no trusted proxy, where the connection comes from a trusted one; else the peer.
    """
    if not trusted or not is_trusted(peer, tuple(trusted)):
        return peer
    forwarded = b",".join(value for name, value in headers if name == _FORWARDED).decode("latin-1")
    address = peer
    for hop in reversed([hop.strip() for hop in forwarded.split(",") if hop.strip()][-_HOPS_MOST:]):
        if _address(hop) is None:
            return address
        address = hop
        if not is_trusted(hop, tuple(trusted)):
            return address
    return address


@lru_cache(maxsize=4_096)
def is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    """Whether an address is one of the trusted proxies'."""
    found = _address(address)
    return found is not None and any(found in network for network in trusted)


def _address(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found

"""Where a request comes from. A forwarding header is believed only from a proxy that the settings trust."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_FORWARDED: Final = b"x-forwarded-for"
_HOPS_MOST: Final = 20
_REMEMBERED: Final = 10_000  # callers; to take an address apart takes as long as a tenth of a redirect
_OWN_BITS: Final = 64  # of an IPv6 address: its caller chooses them


def caller_address(peer: str, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]) -> str:
    """Find the address that a request comes from.

    Args:
        peer: The address of the connection's other end.
        headers: The request's headers.
        trusted: The trusted proxies.

    Returns:
        The last address of X-Forwarded-For that is no trusted proxy, where the peer is a trusted proxy; else the peer.
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


@lru_cache(maxsize=_REMEMBERED)
def rated_as(address: str) -> str:
    """By what a caller is counted: its IPv4 address, or its IPv6 network, in which one machine has all addresses.

    Args:
        address: As `caller_address` has it. An IPv4 address that is written as an IPv6 one counts as what it is.

    Returns:
        The IPv4 address, the /64 of an IPv6 one, or the text as it is where it is neither.
    """
    found = _address(address)
    if not isinstance(found, IPv6Address):
        return address if found is None else str(found)
    return f"{IPv6Address(int(found) >> _OWN_BITS << _OWN_BITS)}/64"


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

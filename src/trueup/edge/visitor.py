"""What is known of a visitor: from the address, where and who; from the user agent, with what."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

from crawleruseragents import is_crawler  # type: ignore[import-untyped]  # it ships no type information
from ua_parser import BestAvailableResolver, Domain, Resolver, load_lazy_builtins

from trueup.access.address import caller_address, is_trusted
from trueup.edge.countries import Address, country_of, open_countries
from trueup.live.asgi import Header
from trueup.settings import IpKept, Settings

_REMEMBERED: Final = 10_000  # user agents, and addresses: to recognise a new one takes half a millisecond
_RECOGNISED_CHARS: Final = 512  # of a user agent; a longer one says nothing more, and takes longer to search
_TRUNCATED_BITS: Final = {4: 8, 6: 80}  # the last ones, which are not kept
_KEPT_CHARS: Final = 1_024
# PostgreSQL keeps no NUL, and no other control character belongs in a log line or a report.
_CONTROL: Final = dict.fromkeys([*range(32), *range(127, 160), 0x2028, 0x2029], "\ufffd")
# How browsers say that they fetch what may never be visited.
_AHEAD_HEADERS: Final = frozenset({b"sec-purpose", b"purpose", b"x-purpose", b"x-moz"})
_AHEAD_WORDS: Final = (b"prefetch", b"preview")

# A word in a user agent -> the device, for the first that is there; where none is, the operating system tells.
_DEVICE_WORDS: Final = {
    **dict.fromkeys(("smart-tv", "smarttv", "hbbtv", "android tv", "apple tv", "appletv", "bravia", "crkey"), "other"),
    **dict.fromkeys(("; aft", "roku", "playstation", "xbox", "nintendo"), "other"),
    **dict.fromkeys(("ipad", "tablet;", "kindle", "silk/"), "tablet"),
    **dict.fromkeys(("mobi", "phone", "ipod", "opera mini"), "mobile"),
}
_DEVICE_OF_SYSTEM: Final = {
    "Android": "tablet",  # a phone's browser says "Mobile" as well
    "iOS": "mobile",
    **dict.fromkeys(("Windows Phone", "BlackBerry OS", "Symbian OS", "KaiOS", "Firefox OS"), "mobile"),
    **dict.fromkeys(("Windows", "Mac OS X", "Mac OS", "Linux", "Chrome OS", "Ubuntu", "Fedora", "Debian"), "desktop"),
    **dict.fromkeys(("Red Hat", "FreeBSD", "OpenBSD", "NetBSD", "Solaris"), "desktop"),
}


class Browser(NamedTuple):
    """What a user agent says."""

    device: str  # desktop, mobile, tablet or other
    os: str  # a family, without version, such as Windows; '' where it is not known
    browser: str  # the same, such as Chrome
    is_bot: int  # 1: a crawler, a program that says so, or nothing said at all


class Visitor(NamedTuple):
    """One visitor, as the click keeps it."""

    ip: str  # as much of the address as is kept
    country: str  # two capital letters, '' where it is not known
    user_agent: str
    browser: Browser
    address: str  # all of it; the click does not keep it


@dataclass(frozen=True, slots=True)
class _Place:
    country: str
    ip: str


class Visitors:
    """Recognises visitors by the settings of one server."""

    def __init__(self, settings: Settings) -> None:
        """Open the country database, if there is one.

        Args:
            settings: What is believed of a request, and what is kept of a visitor.

        Raises:
            CountryDatabaseError: The file cannot be read.
        """
        self._trusted = tuple(settings.trusted_proxies)
        self._country_header = settings.country_header.lower().encode() if self._trusted else b""
        self._ip_kept = settings.ip_kept
        self._find_country = open_countries(settings.country_database)
        self._place = lru_cache(maxsize=_REMEMBERED)(self._new_place)
        recognised("Mozilla/5.0")  # the first one is slow: it reads the rules of both libraries

    def seen(self, peer: str, headers: list[Header], user_agent: bytes) -> Visitor:
        """Say who asks.

        Args:
            peer: The address of the connection's other end.
            headers: The request's headers.
            user_agent: The header User-Agent of them; b'' for none.

        Returns:
            What is known of the visitor.
        """
        address = caller_address(peer, headers, self._trusted) if self._trusted else peer
        place = self._place(address)
        country = self._told_country(peer, headers) if self._country_header else ""
        said = kept(user_agent.decode("utf-8", "replace"))
        return Visitor(place.ip, country or place.country, said, recognised(said[:_RECOGNISED_CHARS]), address)

    def is_believed(self, peer: str) -> bool:
        """Whether the connection's other end is a proxy that the settings trust."""
        return bool(self._trusted) and is_trusted(peer, self._trusted)

    def _told_country(self, peer: str, headers: list[Header]) -> str:
        if not self.is_believed(peer):
            return ""
        told = next((value for name, value in headers if name == self._country_header), b"").decode("latin-1")
        return country_of(told.strip())

    def _new_place(self, text: str) -> _Place:
        try:
            address = ip_address(text.partition("%")[0])  # what stands after a % is an interface of this machine
        except ValueError:
            return _Place("", "")
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return _Place(self._find_country(address), _kept_ip(address, self._ip_kept))


def only_looks(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request is no visit: it asks for the headers alone, or is made ahead of a visit that may never be."""
    if _AHEAD_HEADERS.isdisjoint(headers):  # nearly every visit
        return method == "HEAD"
    return method == "HEAD" or any(headers.get(name, b"").lower().startswith(_AHEAD_WORDS) for name in _AHEAD_HEADERS)


def kept(text: str) -> str:
    """A visitor's text as it is stored: not very long, with a U+FFFD for each control character."""
    text = text[:_KEPT_CHARS]
    return text if text.isprintable() else text.translate(_CONTROL)


@lru_cache(maxsize=_REMEMBERED)
def recognised(user_agent: str) -> Browser:
    """What a user agent says."""
    found = _resolver()(user_agent, Domain.USER_AGENT | Domain.OS)
    system = found.os.family if found.os else ""
    return Browser(
        device=_device(user_agent.lower(), system),
        os=system,
        browser=found.user_agent.family if found.user_agent else "",
        is_bot=int(not user_agent.strip() or is_crawler(user_agent)),
    )


@cache
def _resolver() -> Resolver:
    return BestAvailableResolver(load_lazy_builtins())


def _device(user_agent: str, system: str) -> str:
    by_word = (device for word, device in _DEVICE_WORDS.items() if word in user_agent)
    return next(by_word, _DEVICE_OF_SYSTEM.get(system, "other"))


def _kept_ip(address: Address, kept_as: IpKept) -> str:
    match kept_as:
        case IpKept.WHOLE:
            return str(address)
        case IpKept.TRUNCATED:
            bits = _TRUNCATED_BITS[address.version]
            return str(type(address)(int(address) >> bits << bits))
        case IpKept.NONE:
            return ""

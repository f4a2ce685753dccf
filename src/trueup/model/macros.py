"""Macros: the words in braces that an offer's URL may hold, and the URL a visitor is sent to once they are filled.

The scheme and the host of that URL are the offer's own, whatever the values: a macro stands only after them, and every
byte of a value that could mean something in a URL is percent-encoded. So a value adds no parameter, no path and no line
to the answer's header.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

SUB_PARAMETERS: Final = tuple(f"sub{i}" for i in range(1, 11))

# The macros of a URL. When a visitor is sent on, each is replaced by the click's value.
MACROS: Final = (
    "click_id",
    "external_id",
    *SUB_PARAMETERS,
    "cost",
    "currency",
    "campaign",
    "campaign_id",
    "offer",
    "offer_id",
    "affiliate_network",
    "affiliate_network_id",
    "traffic_source",
    "traffic_source_id",
    "timestamp",
    "country",
    "device",
    "os",
    "browser",
    "user_agent",
    "referrer",
    "ip",
)

# The names of the same macros in Keitaro, Voluum and RedTrack, so that URLs can be used unchanged.
ALIASES: Final[Mapping[str, str]] = {
    "clickid": "click_id",
    "subid": "click_id",
    "externalid": "external_id",
    **{f"sub_id_{i}": f"sub{i}" for i in range(1, 11)},
    **{f"var{i}": f"sub{i}" for i in range(1, 11)},
    "campaign_name": "campaign",
    "campaign.name": "campaign",
    "campaign.id": "campaign_id",
    "campaignname": "campaign",
    "campaignid": "campaign_id",
    "offer_name": "offer",
    "offer.name": "offer",
    "offer.id": "offer_id",
    "offername": "offer",
    "offerid": "offer_id",
    "affiliate_network_name": "affiliate_network",
    "traffic_source_name": "traffic_source",
    "trafficsource.name": "traffic_source",
    "trafficsource.id": "traffic_source_id",
    "ts_id": "traffic_source_id",
    "sourcename": "traffic_source",
    "sourceid": "traffic_source_id",
    "device_type": "device",
    "useragent": "user_agent",
}

_CANONICAL: Final = {**{name: name for name in MACROS}, **ALIASES}
_URL: Final = re.compile(
    r"(?P<scheme>https?://)(?P<host>\w[\w.-]*|\[[0-9a-f:.]+\])(?P<rest>(:(?P<port>[0-9]{1,5}))?([/?#].*)?)",
    re.IGNORECASE,
)
_MACRO: Final = re.compile(r"\{([^{}]*)\}")
_PORT_MAX: Final = 65_535

_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED: Final = tuple(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256))


class UnknownMacroError(ValueError):
    """A word in braces is none of ours. `macro` is the word."""

    def __init__(self, macro: str) -> None:
        super().__init__(f"unknown macro {{{macro}}}")
        self.macro = macro


@dataclass(frozen=True, slots=True)
class Template:
    """An offer's URL, parted once so that each visitor's is put together quickly."""

    first: str  # what stands before the first macro
    fields: tuple[tuple[str, bool, str], ...]  # a macro, whether it stands in the path, and what stands after it

    @classmethod
    def parse(cls, url: str) -> Self:
        """Part a URL.

        Args:
            url: An offer's URL, with macros.

        Returns:
            The parts.

        Raises:
            ValueError: The URL cannot be used; the message says what is wrong with it.
            UnknownMacroError: A macro in it is none of ours.
        """
        found = _URL.fullmatch(url)
        if not found or int(found["port"] or 0) > _PORT_MAX:
            raise ValueError("must begin with http:// or https:// and a plain host, such as https://example.com/")
        first, *pieces = _MACRO.split(found["rest"])
        if set("{}") & set("".join([first, *pieces[1::2]])):
            raise ValueError("has half a pair of braces: a brace that is none of a macro is written %7B or %7D")
        unknown = next((macro for macro in pieces[::2] if macro not in _CANONICAL), None)
        if unknown is not None:
            raise UnknownMacroError(unknown)
        return cls(found["scheme"] + _ascii_host(found["host"]) + _ascii(first), _fields(first, pieces))

    def known(self, values: Mapping[str, str]) -> Self:
        """Fill some macros for good, with what is the same for every visitor.

        Args:
            values: macro -> its value.

        Returns:
            The URL with the other macros still to be filled.
        """
        fields: list[tuple[str, bool, str]] = []
        literal = ""  # the text after this macro, up to the next one that stays
        for macro, in_path, after in reversed(self.fields):
            literal = after + literal
            if macro in values:
                literal = _filled(values[macro], in_path) + literal
            else:
                fields.append((macro, in_path, literal))
                literal = ""
        return type(self)(self.first + literal, tuple(reversed(fields)))

    def fill(self, values: Mapping[str, str]) -> str:
        """Make the URL for one visitor.

        Args:
            values: macro -> its value. A macro that is missing here becomes ''.

        Returns:
            The URL, in ASCII.
        """
        pieces = [self.first]
        for macro, in_path, after in self.fields:
            pieces += (_filled(values.get(macro, ""), in_path), after)
        return "".join(pieces)


def encoded(value: str) -> str:
    """A text as one value in a URL: all but letters, digits and `-._~` percent-encoded as UTF-8."""
    if value.isascii() and value.isalnum():
        return value
    return "".join([_ENCODED[byte] for byte in value.encode("utf-8", "replace")])


def _filled(value: str, in_path: bool) -> str:
    """What a macro becomes. A path segment of nothing but dots would lead elsewhere on the host, encoded or not."""
    return "" if in_path and not value.strip(".") else encoded(value)


def _fields(first: str, pieces: list[str]) -> tuple[tuple[str, bool, str], ...]:
    fields, in_path = [], not set("?#") & set(first)
    for macro, after in zip(pieces[::2], pieces[1::2], strict=True):
        fields.append((_CANONICAL[macro], in_path, _ascii(after)))
        in_path = in_path and not set("?#") & set(after)
    return tuple(fields)


def _ascii(literal: str) -> str:
    """A text of the URL itself, as a header can hold it."""
    return "".join(letter if "!" <= letter <= "~" else encoded(letter) for letter in literal)


def _ascii_host(host: str) -> str:
    """A host name with non-ASCII letters in the form that is looked up."""
    if host.isascii():
        return host
    try:
        ascii_host = host.encode("idna").decode()
    except UnicodeError:
        ascii_host = ""
    # Some letters, such as the German sharp s, mean one host to this codec and another to browsers.
    if not ascii_host or ascii_host.encode().decode("idna") != host.lower():
        raise ValueError("the host cannot be looked up as it is written: write it in its xn-- form")
    return ascii_host

"""What each key of a setup file may hold: plain checks, each saying what is wrong and what to write instead.

A check that needs to know the rest of the workspace finds it in the validation's context, a `Surroundings`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_interface
from typing import Annotated, Final, Literal, TypeAlias
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo

from trueup.model.macros import MACROS, Template, UnknownMacroError
from trueup.model.money import PAYOUT_MAX, micros_from_text, rate_from_text, text_from_micros, text_from_rate
from trueup.model.nearest import nearest_words
from trueup.model.words import Approval, DuplicateMode, PayoutMode, Status, UnknownClick
from trueup.model.zones import zone_named

NAME_MAX: Final = 128
URL_MAX: Final = 4_096
WEIGHT_MAX: Final = 1_000_000
ROWS_PER_CLICK_MAX: Final = 100_000

_SHOWN_MAX: Final = 12  # more words than this are no help
_LINE_BREAKERS: Final = {"Cc", "Zl", "Zp"}  # control characters, and Unicode's own line and paragraph ends
_MACHINE_ZONES: Final = {"Factory", "localtime"}  # no place: they mean something else on each machine


@dataclass(frozen=True)
class Surroundings:
    """What a check may need to know of the rest of the file, and of what is stored already."""

    names: Mapping[str, frozenset[str]]  # kind -> every name that resources of it have, in the file or stored
    repeated: Mapping[str, frozenset[str]]  # kind -> names that the file gives to several
    shared_slugs: frozenset[str]  # slugs that several campaigns would have
    currencies: frozenset[str]  # those with a rate, the workspace's own included
    kept_offers: Mapping[str, str]  # offers that the file does not mention -> the currency of their payouts


def surroundings(info: ValidationInfo) -> Surroundings:
    """The context that a file is read with."""
    context = info.context
    assert isinstance(context, Surroundings)  # noqa: S101 - nothing validates without it
    return context


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which of the known words was likely meant, or which there are: what follows a colon."""
    words = sorted(known)
    close = nearest_words(word, words)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not words:
        return "there is none yet"
    return f"known: {', '.join(words[:_SHOWN_MAX])}{', ...' if len(words) > _SHOWN_MAX else ''}"


def distinct_keys(fold: Callable[[str], str]) -> BeforeValidator:
    """A check of a table: no two of its keys are the same once folded."""

    def check(value: object) -> object:
        keys = [fold(key) for key in value] if isinstance(value, dict) else []
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"has {', '.join(twice)} twice")
        return value

    return BeforeValidator(check)


def is_printable(text: str) -> bool:
    """Whether the text stands on one line, without control characters."""
    return not any(unicodedata.category(char) in _LINE_BREAKERS for char in text)


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise ValueError("is empty")
    if len(name) > NAME_MAX:
        raise ValueError(f"is {len(name)} characters long: {NAME_MAX} at most")
    if not is_printable(name):
        raise ValueError("has a line break or another control character")
    return name


def _slug(text: str) -> str:
    if not re.fullmatch(rf"[a-z0-9-]{{1,{NAME_MAX}}}", text):
        raise ValueError(f"{text!r} is not a slug: 1 to {NAME_MAX} of a-z, 0-9 and -")
    return text


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError(f"{text!r} is not a currency: write its three letters, such as USD")
    return text.upper()


def _time_zone(text: str) -> str:
    known = zone_named(text)
    if not known:
        close = nearest_words(text, available_timezones() - _MACHINE_ZONES)
        hint = f"did you mean {' or '.join(close)}?" if close else "write it like Europe/Warsaw, or UTC"
        raise ValueError(f"unknown time zone {text!r}: {hint}")
    return known


def _decimal(read: Callable[[str], int]) -> BeforeValidator:
    """A check of a number, which stands as text to be exact; a whole one may stand without quotes."""

    def check(value: object) -> int:
        match value:
            case float():
                raise ValueError(f'{value} is not exact without quotes: write "{value}"')
            case str() | int() if not isinstance(value, bool):
                return read(str(value))
            case _:
                raise ValueError('must be a number in quotes, such as "1.20"')

    return BeforeValidator(check)


def _payout(text: str) -> int:
    payout = micros_from_text(text)
    if abs(payout) > PAYOUT_MAX:
        raise ValueError(f"{text!r} is too large: {text_from_micros(PAYOUT_MAX)} at most")
    return payout


def _address_range(text: str) -> str:
    """One address, or a range of them, in its shortest form."""
    try:
        interface = ip_interface(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no address and no range: write it like 203.0.113.7 or 203.0.113.0/24") from None
    if "%" in text:
        raise ValueError(f"{text!r} names an interface of one machine: leave out what follows the address")
    if interface.ip != interface.network.network_address:
        raise ValueError(f"{text!r} is one address of a range: write {interface.ip}, or {interface.network} for all")
    return str(interface.ip if interface.network.num_addresses == 1 else interface.network)


def _is_list(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError('must be a list, such as ["203.0.113.7", "198.51.100.0/24"]')  # noqa: TRY004 - shown as it stands
    return value


def _each_once(values: list[str]) -> list[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"has {', '.join(twice)} twice")
    return values


def _url(text: str) -> str:
    if len(text) > URL_MAX:
        raise ValueError(f"is {len(text)} characters long: {URL_MAX} at most")
    if not is_printable(text) or re.search(r"[\s\\]", text):
        raise ValueError("has a space, a backslash or a control character: write a space as %20")
    try:
        Template.parse(text)
    except UnknownMacroError as error:
        raise ValueError(f"{error}: {nearest(error.macro, MACROS)}") from None
    return text


def _one_of(words: type[StrEnum]) -> BeforeValidator:
    known = [word.value for word in words]

    def check(value: object) -> StrEnum:
        if value not in known:
            raise ValueError(f"{value!r} is not one of its words: {nearest(str(value), known)}")
        return words(value)

    return BeforeValidator(check)


def _is_known(kind: str, what: str) -> AfterValidator:
    def check(name: str, info: ValidationInfo) -> str:
        known = surroundings(info).names[kind]
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: {nearest(name, known)}")
        return name

    return AfterValidator(check)


def _has_rate(currency: str, info: ValidationInfo) -> str:
    if currency not in surroundings(info).currencies:
        raise ValueError(f"{currency} has no rate: add one to the rates of [workspace]")
    return currency


Name: TypeAlias = Annotated[str, AfterValidator(_name)]
Slug: TypeAlias = Annotated[str, AfterValidator(_slug)]
Url: TypeAlias = Annotated[str, AfterValidator(_url)]
TimeZone: TypeAlias = Annotated[str, AfterValidator(_time_zone)]
TimeZoneOrNone: TypeAlias = Annotated[str, AfterValidator(lambda text: text and _time_zone(text))]
Currency: TypeAlias = Annotated[str, AfterValidator(_currency)]
CurrencyWithRate: TypeAlias = Annotated[Currency, AfterValidator(_has_rate)]
Payout: TypeAlias = Annotated[int, _decimal(_payout), PlainSerializer(text_from_micros)]
Rate: TypeAlias = Annotated[int, _decimal(rate_from_text), PlainSerializer(text_from_rate)]
Weight: TypeAlias = Annotated[int, Field(ge=1, le=WEIGHT_MAX)]
RowsPerClick: TypeAlias = Annotated[int, Field(ge=1, le=ROWS_PER_CLICK_MAX)]
AddressRange: TypeAlias = Annotated[str, AfterValidator(_address_range)]
AddressRanges: TypeAlias = Annotated[list[AddressRange], BeforeValidator(_is_list), AfterValidator(_each_once)]
StatusWord: TypeAlias = Annotated[str, AfterValidator(str.casefold), AfterValidator(_name)]

StatusChoice: TypeAlias = Annotated[Status, _one_of(Status)]
DuplicateModeChoice: TypeAlias = Annotated[DuplicateMode, _one_of(DuplicateMode)]
DuplicateModeOrNone: TypeAlias = Annotated[
    DuplicateModeChoice | None, PlainSerializer(lambda mode: mode or "", return_type=DuplicateMode | Literal[""])
]
UnknownClickChoice: TypeAlias = Annotated[UnknownClick, _one_of(UnknownClick)]
PayoutModeChoice: TypeAlias = Annotated[PayoutMode, _one_of(PayoutMode)]
ApprovalChoice: TypeAlias = Annotated[Approval, _one_of(Approval)]

NetworkName: TypeAlias = Annotated[Name, _is_known("affiliate_networks", "affiliate network")]
TypeName: TypeAlias = Annotated[Name, _is_known("conversion_types", "conversion type")]
SourceName: TypeAlias = Annotated[Name, _is_known("traffic_sources", "traffic source")]
OfferName: TypeAlias = Annotated[Name, _is_known("offers", "offer")]

"""Signs and codes of currencies beside amounts, such as `$1.20`, `-5 €` and `USD 1.20`: which currency each may name.

A sign is that of several currencies. It names one where exactly one of the workspace's currencies has it.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from trueup.model.money import BLANKS, GROUPING, amount

_DOLLARS: Final = (
    "USD AUD BBD BMD BND BSD BZD CAD DOP FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD "
    "ARS CLP COP CUP MXN UYU"
)  # fmt: skip

# A sign, case-folded -> the currencies that have it.
SIGNS: Final[Mapping[str, frozenset[str]]] = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "$": _DOLLARS, "us$": "USD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "hk$": "HKD", "nz$": "NZD",
        "s$": "SGD", "nt$": "TWD", "mx$": "MXN", "r$": "BRL", "€": "EUR", "£": "GBP EGP FKP GIP LBP SHP SYP",
        "¥": "JPY CNY", "円": "JPY", "元": "CNY TWD HKD", "zł": "PLN", "kč": "CZK", "ft": "HUF",
        "kr": "SEK NOK DKK ISK", "lei": "RON MDL", "₽": "RUB", "₴": "UAH", "₸": "KZT", "₺": "TRY", "лв": "BGN",
        "грн": "UAH", "руб": "RUB",  # noqa: RUF001 - these letters are Cyrillic
        "₹": "INR", "₨": "INR PKR LKR NPR MUR SCR", "₩": "KRW KPW", "₫": "VND", "฿": "THB", "₱": "PHP CUP", "₪": "ILS",
        "₦": "NGN", "₵": "GHS", "₡": "CRC", "₲": "PYG", "₼": "AZN", "₾": "GEL", "֏": "AMD", "৳": "BDT", "₮": "MNT",
    }.items()
}  # fmt: skip
_CODE: Final = re.compile("[A-Za-z]{3}")
_WORD: Final = rf"[^\x00-\x1f\x7f-\x9f0-9.,+\-{GROUPING}]{{1,4}}"
_NUMBER: Final = rf"[0-9.,](?:[0-9.,{GROUPING}]*[0-9.,])?"
_BESIDE: Final = re.compile(
    rf"([+-]?)(?:({_WORD})[{BLANKS}]?([+-]?)({_NUMBER})|({_NUMBER})[{BLANKS}]?({_WORD}))"
)  # fmt: skip


class Parted(NamedTuple):
    """An amount, and the sign or code beside it."""

    number: str
    word: str  # '' where there is none


def parted(text: str) -> Parted:
    """Part an amount from the currency beside it; text of another form is all number."""
    found = _BESIDE.fullmatch(text)
    if found is None:
        return Parted(text, "")
    sign, before, second_sign, number, other_number, after = (group or "" for group in found.groups())
    return Parted(sign + second_sign + number + other_number, before + after)


def currency_named(word: str, currencies: Collection[str]) -> str:
    """Find the currency that a sign or a code names.

    Args:
        word: What stands beside the amount.
        currencies: Those of the workspace.

    Returns:
        The currency's code, '' where none of the workspace's has the sign, or several have it.
    """
    if _CODE.fullmatch(word) and word.upper() in currencies:
        return word.upper()
    having = SIGNS.get(word.casefold(), frozenset()).intersection(currencies)
    return next(iter(having)) if len(having) == 1 else ""


class Given(NamedTuple):
    """An amount as a row gives it."""

    micros: int | None  # None where it is no amount that can be used
    currency: str  # '' where the row names none
    trouble: str = ""  # what is wrong with the currency beside the amount


def amount_given(text: str, shown: str, currency: str, currencies: Collection[str]) -> Given:
    """Read an amount that may have its currency beside it.

    Args:
        text: Trimmed.
        shown: The same as a message shows it.
        currency: The currency that the row names in its own place, '' for none.
        currencies: Those of the workspace.
    """
    micros = amount(text)
    number, word = parted(text) if micros is None else (text, "")
    if not word or amount(number) is None:
        return Given(micros, currency)
    named = currency_named(word, currencies)
    trouble = currency_trouble(shown, named, currency)
    return Given(None, currency, trouble) if trouble else Given(amount(number), named)


def currency_trouble(shown: str, named: str, currency: str) -> str:
    """What is wrong with the currency beside an amount, '' for nothing.

    Args:
        shown: The text as a message shows it.
        named: The currency that it names, '' where it names no one.
        currency: The currency that the row names in its own place, '' for none.
    """
    if not named:
        return f"{shown} {NAMES_NO_ONE}"
    return "" if currency in ("", named) else f"{shown} names {named}, and the row says {currency}"


NAMES_NO_ONE: Final = "does not name exactly one of the workspace's currencies"

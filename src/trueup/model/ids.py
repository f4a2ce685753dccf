"""Ids: our own click ids, and conversion ids.

A click id of ours is a letter, the time, randomness and a keyed tag: ids sort by time, so new clicks land at the end of
every index; a forged one is refused without a look in the database; and no spreadsheet takes one for a number.
Clicks brought from other trackers keep the ids they have.
"""

import hashlib
import hmac
import re
from typing import Final

CLICK_ID = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
PREFIX: Final = "c"
RANDOM_BYTES: Final = 10
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"  # in the order of their bytes, so that text sorts as the number
_TIME_CHARS, _RANDOM_CHARS, _TAG_CHARS = 10, 16, 4


def new_click_id(now: int, randomness: bytes, key: bytes) -> str:
    """Make a click id.

    Takes: microseconds since the epoch, RANDOM_BYTES random bytes, the installation's secret key.
    """
    body = (
        PREFIX
        + _base32(now // 1000, _TIME_CHARS)
        + _base32(int.from_bytes(randomness[:RANDOM_BYTES], "big"), _RANDOM_CHARS)
    )
    return body + _tag(body, key)


def is_genuine(click_id: str, key: bytes) -> bool:
    """Whether a click id was made by `new_click_id` with this key. Compares in constant time."""
    body, tag = click_id[:-_TAG_CHARS], click_id[-_TAG_CHARS:]
    well_formed = len(click_id) == 1 + _TIME_CHARS + _RANDOM_CHARS + _TAG_CHARS and click_id.isascii()
    return well_formed and hmac.compare_digest(tag.encode(), _tag(body, key).encode())


def conversion_id(click_id: str, n: int) -> str:
    """Name the conversion that the n-th row of a click made."""
    return f"{click_id}-{n}"


def split_conversion_id(text: str) -> tuple[str, int] | None:
    """Read a conversion id. Returns the click id and n, or None when the text is not one."""
    click_id, dash, digits = text.rpartition("-")
    fit = (
        dash
        and CLICK_ID.fullmatch(click_id)
        and digits.isascii()
        and digits.isdigit()
        and len(digits) <= len("1000000000")
    )
    return (click_id, int(digits)) if fit and digits[0] != "0" else None


def _base32(number: int, chars: int) -> str:
    return "".join(_DIGITS[number >> (5 * place) & 31] for place in reversed(range(chars)))


def _tag(body: str, key: bytes) -> str:
    digest = hmac.digest(key, body.encode(), hashlib.sha256)
    return _base32(int.from_bytes(digest[:4], "big"), _TAG_CHARS)

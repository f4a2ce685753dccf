"""Ids: our own click ids, and conversion ids.

A click id of ours is a letter, the time, randomness and a keyed tag. So ids sort by time, and new clicks land at the
end of every index; a forged id is recognised without the database; and no spreadsheet takes an id for a number. Clicks
from other trackers keep the ids they have.
"""

import hmac
import re
from functools import lru_cache
from typing import Final

CLICK_ID: Final = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
CONVERSION_ID: Final = re.compile(rf"({CLICK_ID.pattern})-([1-9][0-9]{{0,9}})")
PREFIX: Final = "c"
RANDOM_BYTES: Final = 10
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"  # in the order of their bytes, so that text sorts as the number
_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)  # ten bits are written at a time
_TIME_CHARS, _RANDOM_CHARS, _TAG_CHARS = 10, 16, 4
_PLACES: Final = range(5 * (_TIME_CHARS + _RANDOM_CHARS) - 10, -1, -10)  # of the pairs before the tag, in bits


def new_click_id(now: int, randomness: bytes, key: bytes) -> str:
    """Make a click id of our own.

    Args:
        now: The moment of the click, in microseconds since the epoch.
        randomness: RANDOM_BYTES random bytes.
        key: The ledger's secret key of click ids.

    Returns:
        The click id.
    """
    number = now // 1000 << 8 * RANDOM_BYTES | int.from_bytes(randomness[:RANDOM_BYTES], "big")
    body = PREFIX + "".join([_PAIRS[number >> place & 1023] for place in _PLACES])
    return body + _tag(body, key)


def is_genuine(click_id: str, key: bytes) -> bool:
    """Whether a click id was made by `new_click_id` with this key. Compares in constant time."""
    body, tag = click_id[:-_TAG_CHARS], click_id[-_TAG_CHARS:]
    well_formed = len(click_id) == 1 + _TIME_CHARS + _RANDOM_CHARS + _TAG_CHARS and click_id.isascii()
    return well_formed and hmac.compare_digest(tag.encode(), _tag(body, key).encode())


def made_at(click_id: str) -> int:
    """When a click id of our own was made.

    Args:
        click_id: One that `is_genuine`.

    Returns:
        Microseconds since the epoch, to the millisecond.
    """
    return int(click_id[len(PREFIX) : len(PREFIX) + _TIME_CHARS], len(_DIGITS)) * 1_000


def conversion_id(click_id: str, n: int) -> str:
    """Name the conversion that the n-th row of a click made."""
    return f"{click_id}-{n}"


def split_conversion_id(text: str) -> tuple[str, int] | None:
    """Read a conversion id.

    Args:
        text: What may be a conversion id.

    Returns:
        The click id and n, None when the text is no conversion id.
    """
    found = CONVERSION_ID.fullmatch(text)
    return (found[1], int(found[2])) if found else None


def _tag(body: str, key: bytes) -> str:
    keyed = _keyed(key).copy()
    keyed.update(body.encode())
    number = int.from_bytes(keyed.digest()[:4], "big")
    return _PAIRS[number >> 10 & 1023] + _PAIRS[number & 1023]


@lru_cache(maxsize=1)
def _keyed(key: bytes) -> hmac.HMAC:
    """The hash with the key taken in: the first half of the work, which is the same for every id."""
    return hmac.new(key, digestmod="sha256")

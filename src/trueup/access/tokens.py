"""Secrets that a browser brings: the token of a session, and the one in a link. The database has their digests only."""

import base64
import re
from collections.abc import Callable
from typing import Final

from trueup.access.keys import digest_of

TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token(randomness: Callable[[int], bytes]) -> str:
    """Make a token: 256 random bits, as text that a cookie and a path can hold.

    Args:
        randomness: Gives so many random bytes.

    Returns:
        The token.
    """
    return base64.urlsafe_b64encode(randomness(TOKEN_BYTES)).rstrip(b"=").decode()


def digest_of_token(token: str) -> str | None:
    """By what a token is known, hex; None for a text that is no token."""
    return digest_of(token) if _TOKEN.fullmatch(token) else None

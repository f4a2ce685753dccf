"""The first-party cookie: which click brought this visitor, for a pixel that is not told."""

from collections.abc import Iterable
from typing import Final

from trueup.live.asgi import Header
from trueup.model.ids import CLICK_ID

NAME: Final = "trueup_click"
_DAY_SECONDS: Final = 86_400


def set_cookie(click_id: str, days: int, *, secure: bool) -> Header:
    """The header that leaves a click's id with the visitor's browser. Scripts of pages cannot read it."""
    said = f"{NAME}={click_id}; Path=/; Max-Age={days * _DAY_SECONDS}; HttpOnly; SameSite=Lax{'; Secure' * secure}"
    return b"set-cookie", said.encode()


def click_of_cookie(headers: Iterable[Header]) -> str:
    """The click id that a visitor's browser brings back, '' for none or for what cannot be one."""
    for name, value in headers:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, click_id = part.strip().partition("=")
                if key == NAME and CLICK_ID.fullmatch(click_id):
                    return click_id
    return ""

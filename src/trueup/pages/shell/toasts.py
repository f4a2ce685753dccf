"""A sentence for the next page that a person sees, such as what was just applied, with a way to take it back.

It travels in a cookie that the next page takes away. A cookie can be made up only by who sits at the browser; even so,
it is shown as text, and leads to pages of this server alone.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

_COOKIE: Final = "trueup_toast"
_SECONDS: Final = 60
_CHARS_MOST: Final = 600


@dataclass(frozen=True)
class Toast:
    """What is said."""

    text: str
    link: str = ""  # a path of this server
    link_text: str = ""  # such as `Undo...`


def with_toast(response: Response, toast: Toast) -> Response:
    """Have the next page say something.

    Args:
        response: What is answered, mostly a redirect to that page.
        toast: What to say.

    Returns:
        The response.
    """
    text = quote(json.dumps(asdict(toast)))
    response.set_cookie(_COOKIE, text, max_age=_SECONDS, httponly=True, samesite="lax")
    return response


def toast_of(request: Request) -> Toast | None:
    """What the page says that is asked for; None for nothing."""
    try:
        said = json.loads(unquote(request.cookies.get(_COOKIE, "")))
        toast = Toast(*(str(said[name])[:_CHARS_MOST] for name in ("text", "link", "link_text")))
    except (ValueError, TypeError, KeyError):
        return None
    is_here = toast.link.startswith("/") and toast.link[1:2] not in ("/", "\\")
    return toast if is_here else Toast(toast.text)


def without_toast(response: Response) -> None:
    """Say it no more."""
    response.delete_cookie(_COOKIE)

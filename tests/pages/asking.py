"""Pages asked for without a browser: quick, and with answers to look at."""

import html
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from browsing import session_of
from served import Served
from serving import Answer

from trueup.model.words import Role

_TAGS: Final = re.compile(r"<[^>]*>")


class Asker:
    """A person of a role, at a site."""

    def __init__(self, site: Served, role: Role = Role.ADMIN) -> None:
        self._site = site
        self._cookie = f"trueup_session_{site.port}={session_of(site, role, {})}"

    def get(self, path: str, **headers: str) -> Answer:
        """GET, as a browser does it; headers as `hx_request_type="partial"`."""
        return self._site.get(path, cookie=self._cookie, accept="text/html", **headers)

    def post(self, path: str, fields: Mapping[str, str | list[str]], origin: str | None = None) -> Answer:
        """Send a form, from a page of the site itself if no other origin is given."""
        body = urlencode(fields, doseq=True).encode()
        kind = "application/x-www-form-urlencoded"
        where = self._site.url if origin is None else origin
        return self._site.post(path, body, cookie=self._cookie, accept="text/html", content_type=kind, origin=where)


def text_of(answer: Answer) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(_TAGS.sub(" ", answer.text)).split())

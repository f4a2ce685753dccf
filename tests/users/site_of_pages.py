"""The pages in this process, as browsers ask for them: each `Browser` has cookies and an address of its own."""

import asyncio
import os
import re
from collections.abc import Coroutine
from http.cookies import SimpleCookie
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx2

from trueup.access.links import Making, choose_password, first_run, invite, make_first_admin
from trueup.access.passwords import Passwords
from trueup.ledger.open import open_ledger
from trueup.ledger.users import UserRecord
from trueup.live.context import ServerContext, now
from trueup.live.events import WriterEvents
from trueup.live.logs import open_log
from trueup.live.make_writer import make_writer
from trueup.live.readers import Readers
from trueup.model.words import Role
from trueup.pages.app import make_pages
from trueup.settings import LogForm, Settings

T = TypeVar("T")

PASSWORD = "correct horse battery"  # noqa: S105 - of users of tests
HOST = "trueup.test:8080"
WEAK = Passwords(memory_kib=64, passes=1)


class Clock:
    """The time, which a test can move."""

    def __init__(self) -> None:
        self.moved_seconds = 0

    def __call__(self) -> int:
        return now() + self.moved_seconds * 1_000_000


class Site:
    """The pages of a server process, on one event loop beside the tests."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:  # noqa: ANN401 - whatever a setting holds
        self.url, self.clock = url, Clock()
        self.settings = Settings(database_url=url, folder=folder, **settings)
        self._log = StringIO()
        open_log(LogForm.TEXT, "info", self._log)
        self.writer = make_writer(url, folder, 1 << 16, self.clock, "server", WriterEvents(), 1_000)
        self.writer.start()
        self.context = ServerContext(self.settings, self.writer, clock=self.clock)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.readers = Readers(url)
        self.app = make_pages(self.context, self.readers, WEAK)

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._log.getvalue()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def making(self) -> Making:
        """Who makes links."""
        return Making("a test", self.clock(), os.urandom)

    def user(self, name: str, role: Role = Role.ADMIN, password: str = PASSWORD) -> UserRecord:
        """Make a user straight in the database. Returns: them, with the hash of their password."""
        with open_ledger(self.url) as database:
            token = first_run(database, self.making())
            hashed, email = WEAK.hashed(password), f"{name.lower()}@example.com"
            if token:
                assert role is Role.ADMIN
                return make_first_admin(database, token, email, name, hashed, self.clock())
            _, token = invite(database, email, name, role, 7, self.making())
            return choose_password(database, token, hashed, self.clock())

    def signed_in(self, name: str, **where: Any) -> "Browser":  # noqa: ANN401 - as a browser takes it
        """A browser in which a user has signed in."""
        browser = Browser(self, **where)
        answer = browser.sign_in(f"{name.lower()}@example.com")
        assert answer.status_code == 303, answer.text
        return browser

    def stop(self) -> None:
        """End, as a server process does."""
        self.writer.stop()
        self.readers.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Browser:
    """One browser of one person."""

    def __init__(self, site: Site, address: str = "192.0.2.1", scheme: str = "http", host: str = HOST) -> None:
        self.site, self.cookies, self.origin = site, dict[str, str](), f"{scheme}://{host}"
        transport = httpx2.ASGITransport(site.app, client=(address, 4711))
        self._client = httpx2.AsyncClient(transport=transport, base_url=self.origin, trust_env=False, headers={})

    def ask(self, method: str, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - what the client takes
        """Ask as a page of the site does. A header that is None is left out."""
        default = {"origin": self.origin} if method not in ("GET", "HEAD") else {}
        told = {"accept": "text/html", **default, **words.pop("headers", {})}
        headers = {name: value for name, value in told.items() if value is not None}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.site.run(self._sent(method, path, headers, **words))
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer

    async def _sent(self, method: str, path: str, headers: dict[str, str], **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        self._client.cookies.clear()
        return await self._client.request(method, path, headers=headers, **words)

    def get(self, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        return self.ask("GET", path, **words)

    def post(self, path: str, data: dict[str, str] | None = None, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        """Send a form."""
        return self.ask("POST", path, data=data or {"": ""}, **words)

    def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
        """Send the form of /sign-in."""
        return self.post("/sign-in", {"email": email, "password": password, **more})

    @property
    def is_in(self) -> bool:
        """Whether it is signed in."""
        return self.get("/profile").status_code == 200


def path_of(link: str) -> str:
    """The path of a link in a page or in what was printed."""
    found = re.search(r"/(?:invitation|first-run|sign-in)/[A-Za-z0-9_-]{43}", link)
    assert found, link
    return found[0]

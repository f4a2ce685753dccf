"""The pages in this process, with the work on sent files: a browser of each role, and its uploads."""

import asyncio
import html
import os
import re
import time
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx2

from trueup.access.passwords import Passwords
from trueup.access.sessions import Browser, Limits, open_session
from trueup.access.users import add_user
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.ledger.users import UserRecord, read_user_by_email
from trueup.live.context import ServerContext, now
from trueup.live.events import WriterEvents
from trueup.live.logs import open_log
from trueup.live.make_writer import make_writer
from trueup.live.readers import Readers
from trueup.live.upload_jobs import jobs_of, resume_uploads, stop_uploads
from trueup.model.words import Role
from trueup.pages.app import make_pages
from trueup.settings import LogForm, Settings

HOST: Final = "trueup.test:8080"
_WEAK: Final = Passwords(memory_kib=64, passes=1)
_PATIENCE_SECONDS: Final = 60.0
_WORKING: Final = 'class="card card-body working"'


class UploadSite:
    """The pages of a server process, on one event loop beside the tests."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:  # noqa: ANN401 - whatever a setting holds
        self.url, self.folder = url, folder
        room = {"free_bytes": 0, "spool_bytes": 1 << 16}
        self.settings = Settings(**{"database_url": url, "folder": folder, **room, **settings})
        self._log = StringIO()
        open_log(LogForm.TEXT, "info", self._log)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._log.getvalue()

    def start(self) -> None:
        """Begin, as a server process does."""
        self.writer = make_writer(self.url, self.folder, 1 << 16, now, "server", WriterEvents(), 1_000)
        self.writer.start()
        self.context = ServerContext(self.settings, self.writer)
        self.readers = Readers(self.url)
        self.app = make_pages(self.context, self.readers, _WEAK)
        jobs_of(self.context)

    def stop(self) -> None:
        """End, as a server process does."""
        stop_uploads(self.context)
        self.writer.stop()
        self.readers.close()

    def restart(self) -> None:
        """Begin again, and take up what was cut off."""
        self.stop()
        self.start()
        resume_uploads(self.context)

    def end(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def browser(self, role: Role = Role.EDITOR) -> "PageBrowser":
        """A browser in which a person of a role is signed in."""
        with open_ledger(self.url) as database:
            _person(database, Role.ADMIN)  # the first user is one
            user = _person(database, role)
            told = Browser("192.0.2.1", "a test")
            token = open_session(database, user, told, now(), Limits(12, 14 * 24), os.urandom, "")
        assert token
        return PageBrowser(self, token)

    def ask(self, method: str, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - what the client takes
        """Ask, on the server's event loop."""

        async def asked() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, client=("192.0.2.1", 4711))
            async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}", trust_env=False) as client:
                return await client.request(method, path, **words)

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result(60)


def _person(database: Database, role: Role) -> UserRecord:
    email = f"{role.value}@example.com"
    user = read_user_by_email(database, email)
    if user is None:
        with database.transaction() as transaction:
            user = add_user(transaction, email, f"Ada {role.value}", role, _WEAK.hashed("-"), now())
    return user


class PageBrowser:
    """One browser of one person."""

    def __init__(self, site: UploadSite, token: str) -> None:
        self.site, self._cookie = site, f"trueup_session_8080={token}"

    def ask(self, method: str, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - what the client takes
        headers = {
            "accept": "text/html",
            "cookie": self._cookie,
            "origin": f"http://{HOST}",
            **words.pop("headers", {}),
        }
        return self.site.ask(method, path, headers=headers, **words)

    def get(self, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        return self.ask("GET", path, **words)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form."""
        return self.ask("POST", path, data=fields or {"": ""})

    def send(self, content: str | bytes, name: str = "june.csv", kind: str = "conversions") -> httpx2.Response:
        """Send a file with the form of the page."""
        body = content.encode() if isinstance(content, str) else content
        return self.ask("POST", "/upload", files={"file": (name, body, "text/csv")}, data={"kind": kind, "text": ""})

    def sent(self, content: str | bytes, name: str = "june.csv", kind: str = "conversions") -> str:
        """Send a file; it must be taken. Returns: its page."""
        answer = self.send(content, name, kind)
        assert answer.status_code == 303, answer.text
        path: str = answer.headers["location"]
        return path

    def acted(self, path: str, **fields: str | list[str]) -> str:
        """Send the form of a pop-up; it must be taken. Returns: the page of its upload."""
        answer = self.ask("POST", path, data=fields)
        assert answer.status_code == 303, plain(answer.text)
        return str(answer.headers["location"])

    def rested(self, path: str) -> str:
        """A page's text when nobody is at work on its upload any more."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while True:
            answer = self.get(path)
            assert answer.status_code == 200, answer.text
            if _WORKING not in answer.text:
                return answer.text
            assert time.monotonic() < ends, plain(answer.text)
            time.sleep(0.05)

    def applied(self, path: str, **more: str) -> str:
        """Apply what was previewed, and wait for its end. Returns: the page."""
        seen = value_of(self.rested(path), "previewed_at")
        answer = self.post(f"{path}/apply", previewed_at=seen, **more)
        assert answer.status_code == 303, plain(answer.text)
        return self.rested(path)


def value_of(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return html.unescape(found[1])


def plain(page: str) -> str:
    """What a page says, without its elements, on one line."""
    main = page[page.index("<main") :] if "<main" in page else page
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())

"""The API in this process, as a program calls it: one event loop beside the tests, a ledger of its own."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx2

from trueup.access.keys import KeyScope, create_key
from trueup.api.app import ROOT, make_api
from trueup.api.http.problems import ProblemKind
from trueup.ledger.open import open_ledger
from trueup.live.context import ServerContext, now
from trueup.live.events import WriterEvents
from trueup.live.logs import open_log
from trueup.live.make_writer import make_writer
from trueup.live.upload_jobs import stop_uploads
from trueup.settings import LogForm, Settings

T = TypeVar("T")

# A setup with one thing of each kind.
ONE_OF_EACH = """
[[affiliate_networks]]
name = "net"
[[traffic_sources]]
name = "src"
[[offers]]
name = "o"
network = "net"
[[campaigns]]
name = "camp"
slug = "camp"
traffic_source = "src"
"""


class Clock:
    """The time, which a test can move."""

    def __init__(self) -> None:
        self.moved_seconds = 0

    def __call__(self) -> int:
        return now() + self.moved_seconds * 1_000_000


class Api:
    """A server process' API: `api.get("/offers")`, `api.post("/offers", json={...})`; by an admin unless told."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:  # noqa: ANN401 - whatever a setting holds
        self.url = url
        self.clock = Clock()
        self.settings = Settings(database_url=url, folder=folder, **settings)
        self._log = StringIO()
        open_log(LogForm.TEXT, "info", self._log)
        waiting = self.settings.waiting
        self.writer = make_writer(url, self.settings.folder, 1 << 16, self.clock, "server", WriterEvents(), waiting)
        self.writer.start()
        self.edge = ServerContext(self.settings, self.writer, clock=self.clock)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.app = make_api(self.edge)
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=True, root_path=ROOT)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://test")
        self.admin = self.key(KeyScope.ADMIN)

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._log.getvalue()

    def key(self, *scopes: KeyScope, name: str = "test") -> str:
        """Make a key straight in the database."""
        with open_ledger(self.url) as database:
            return create_key(database, name, scopes, self.clock(), os.urandom)[0]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def send(self, method: str, path: str, key: str | None = "admin", **words: Any) -> httpx2.Response:  # noqa: ANN401 - what the client takes
        """Ask, on the server's event loop.

        Args:
            method: The HTTP method.
            path: The path below the API's root.
            key: The key to bring, "admin" for the first one, None for none.
            **words: What the client takes besides.

        Returns:
            The response.
        """
        given = words.pop("headers", {})
        headers = list(given.items() if isinstance(given, dict) else given)
        if key is not None:
            headers.append(("Authorization", f"Bearer {self.admin if key == 'admin' else key}"))
        target = path if path.startswith(ROOT) else ROOT + path
        return await self._client.request(method, target, headers=headers, **words)

    def ask(self, method: str, path: str, key: str | None = "admin", **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        """Ask, and wait for the answer."""
        return self.run(self.send(method, path, key, **words))

    def get(self, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        return self.ask("GET", path, **words)

    def post(self, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        return self.ask("POST", path, **words)

    def put(self, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        return self.ask("PUT", path, **words)

    def delete(self, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - the same
        return self.ask("DELETE", path, **words)

    def stop(self) -> None:
        """End, as a server process does."""
        self.run(self._client.aclose())
        stop_uploads(self.edge)
        self.writer.stop()
        self.app.state.readers.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


NewApi = Callable[..., Api]


def told(answer: httpx2.Response, kind: ProblemKind) -> dict[str, Any]:
    """The problem that was answered; it must be whole, and of the kind."""
    assert answer.status_code == kind.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (f"urn:trueup:problem:{kind.word}", kind.status)
    assert problem["title"] == kind.title
    assert problem["detail"]
    assert problem["instance"].startswith("/api/v1")
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem

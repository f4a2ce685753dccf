"""Endpoints asked directly, as a server asks them, on a real writer; and what the ledger then holds."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from sqlalchemy import select
from writers import Seen, now, writing

from trueup.ledger.database import Database
from trueup.ledger.schema import clicks
from trueup.live.asgi import Endpoint, Header
from trueup.live.context import ServerContext
from trueup.model.frames import CLICKS
from trueup.settings import Settings

PEER = "203.0.113.77"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)


@dataclass(frozen=True)
class Answered:
    """What an endpoint answered."""

    status: int
    headers: Sequence[Header]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, '' for none."""
        return next((value.decode() for key, value in self.headers if key == name.encode()), "")

    @property
    def location(self) -> str:
        return self.header("location")

    @property
    def cookie(self) -> str:
        """The cookie as a browser brings it back."""
        return self.header("set-cookie").partition(";")[0]


def ask(
    endpoint: Endpoint,
    target: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    peer: str = PEER,
) -> Answered:
    """Ask an endpoint once."""
    return asyncio.run(asked(endpoint, target, headers, method, peer))


async def asked(
    endpoint: Endpoint,
    target: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    peer: str = PEER,
) -> Answered:
    """Ask within a running loop."""
    path, _, query = target.partition("?")
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:  # noqa: ANN401 - whatever an endpoint says
        said.append(event)

    given = {"user-agent": CHROME} if headers is None else dict(headers)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "scheme": "http",
        "client": (peer, 40_000),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    await endpoint(scope, receive, send)
    start, *bodies = said
    return Answered(start["status"], start["headers"], b"".join(event["body"] for event in bodies))


@contextmanager
def edge_on(url: str, folder: Path, **settings: Any) -> Iterator[tuple[ServerContext, Seen]]:  # noqa: ANN401 - as Settings has them
    """What routes stand on, with a running writer, and what that writer says."""
    with writing(url, folder) as (writer, seen):
        yield ServerContext(Settings(**settings), writer, clock=now), seen


def stored_clicks(url: str) -> list[dict[str, Any]]:
    """Every click there is, by the columns of CLICKS, the oldest first."""
    with Database(url) as database:
        found = database.read(
            select(*(clicks.c[name] for name in CLICKS)).order_by(clicks.c.clicked_at, clicks.c.click_id), CLICKS
        )
    return found.to_dicts()


def journal(url: str) -> list[dict[str, Any]]:
    """What was reported and what came of it, in order."""
    columns = dict.fromkeys(("click_id", "outcome", "detail", "raw", "origin"), pl.String)
    statement = (
        "SELECT j.click_id, j.outcome, j.detail, j.raw, b.origin FROM journal j JOIN batches b"
        " ON b.batch_id = j.batch_id ORDER BY j.batch_id, j.line"
    )
    with Database(url) as database:
        return database.read_sql(statement, columns).to_dicts()


def host_of(url: str) -> tuple[str, str | None, int | None, str | None]:
    """All that says where a URL leads, but for the place there."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port, parts.username

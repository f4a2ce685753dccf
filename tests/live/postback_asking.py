"""/postback asked directly, as a server asks it, on a real writer with a small workspace."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

from command_line import CommandLine
from edge_asking import PEER, edge_on, journal
from worlds import World, grown, succeeded

from trueup.edge.postback import Postbacks
from trueup.ledger.catalog import read_catalog
from trueup.ledger.open import open_ledger
from trueup.live.asgi import Endpoint

SETUP = """
[[affiliate_networks]]
name = "Northwind"

[[affiliate_networks]]
name = "Contoso"

[[conversion_types]]
name = "sale"

[[offers]]
name = "VPN"
network = "Northwind"

[[offers]]
name = "Loan"
network = "Contoso"
"""
CAREFUL = """
[[affiliate_networks]]
name = "Contoso"
only_with_key = true
allowed_addresses = ["198.51.100.0/24", "2001:db8::7"]
always_200 = true
"""
FORM = "application/x-www-form-urlencoded"
CONTOSO_PEER = "198.51.100.9"


@dataclass(frozen=True)
class Said:
    """What was answered."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        return json.loads(self.text)


def asked(
    endpoint: Endpoint,
    target: str,
    *chunks: bytes,
    method: str = "",
    content_type: str = "",
    peer: str = PEER,
    **headers: str,
) -> Said:
    """Ask once; with a body in chunks it is a POST."""
    path, _, query = target.partition("?")
    events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    events.append({"type": "http.request", "body": b"", "more_body": False})
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(event: Any) -> None:  # noqa: ANN401 - whatever an endpoint says
        told.append(event)

    given = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method or ("POST" if chunks else "GET"),
        "path": path,
        "query_string": query.encode(),
        "client": (peer, 40_000),
        "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
    }
    asyncio.run(endpoint(scope, receive, send))  # type: ignore[arg-type]  # an endpoint is a coroutine function
    start, *bodies = told
    names = HTTPMessage()
    for name, value in start["headers"]:
        names[name.decode()] = value.decode()
    return Said(int(start["status"]), b"".join(body["body"] for body in bodies).decode(), dict(names))


class Reporting:
    """A workspace with clicks `n1`... of Northwind, `c1`... of Contoso and `o1`... of nobody, and its /postback."""

    def __init__(self, endpoint: Endpoint, world: World, keys: Mapping[str, str]) -> None:
        self.endpoint, self.world, self.keys = endpoint, world, keys

    def __call__(self, query: str, *chunks: bytes, key: str = "", **about: str) -> Said:
        """Ask /postback, or /<key>/postback."""
        return asked(self.endpoint, f"{f'/{key}' if key else ''}/postback?{query}".rstrip("?"), *chunks, **about)

    @property
    def journal(self) -> Sequence[dict[str, Any]]:
        """Every row received so far, in order."""
        return journal(self.world.trueup.url)

    @property
    def last(self) -> dict[str, Any]:
        return self.journal[-1]


@contextmanager
def reporting(
    url: str,
    folder: Path,
    *,
    careful: bool = False,
    **settings: Any,  # noqa: ANN401 - as Settings has them
) -> Iterator[Reporting]:
    """Make one. Both networks have a key; a careful Contoso takes nothing without it, and not from everywhere."""
    world = grown(World(CommandLine(url), folder), _grow_careful if careful else _grow)
    with open_ledger(url) as ledger:
        keys = {name: network.postback_keys[0] for name, network in read_catalog(ledger).affiliate_networks.items()}
    with edge_on(url, folder, **settings) as (edge, _seen):
        yield Reporting(Postbacks(edge), world, keys)


def _grow(world: World) -> None:
    world.set_up(SETUP)
    world.add_clicks(*(f"n{i}" for i in range(1, 10)), offer="VPN")
    world.add_clicks(*(f"c{i}" for i in range(1, 10)), offer="Loan")
    world.add_clicks("o1", "o2")
    for name in ("Northwind", "Contoso"):
        succeeded(world.trueup("postbacks", "rotate-key", name))


def _grow_careful(world: World) -> None:
    _grow(world)
    world.set_up(CAREFUL)

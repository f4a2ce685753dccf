"""A workspace of links, visits to them, and where those lead."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from command_line import CommandLine
from edge_asking import Answered, ask, edge_on
from worlds import World

from trueup.edge.redirect import Redirect
from trueup.live.context import ServerContext

SETUP = """
[[affiliate_networks]]
name = "Northwind & Co"

[[traffic_sources]]
name = "PushAds"

[[offers]]
name = "VPN trial"
network = "Northwind & Co"
url = "https://example.com/?s={click_id}&x={external_id}&a={sub1}"

[[offers]]
name = "Everything"
network = "Northwind & Co"
url = "https://example.net:8443/in/{campaign}/?%s#{sub10}"

[[offers]]
name = "Nowhere"

[[campaigns]]
name = "PL push"
slug = "pl-push"
traffic_source = "PushAds"
offers = [{ offer = "VPN trial" }]

[[campaigns]]
name = "All macros"
slug = "all"
traffic_source = "PushAds"
offers = [{ offer = "Everything" }]

[[campaigns]]
name = "Three"
slug = "three"
offers = [{ offer = "VPN trial", weight = 3 }, { offer = "Nowhere", weight = 5 }, { offer = "Everything", weight = 1 }]

[[campaigns]]
name = "Empty"
slug = "empty"

[[campaigns]]
name = "No URL"
slug = "no-url"
offers = [{ offer = "Nowhere" }]
"""
FILLED = {
    "click_id", "external_id", "sub1", "cost", "currency", "campaign", "campaign_id", "offer", "offer_id",
    "affiliate_network", "affiliate_network_id", "traffic_source", "traffic_source_id", "timestamp", "country",
    "device", "os", "browser", "user_agent", "referrer", "ip",
}  # fmt: skip
QUERY = "&".join(f"{name}={{{name}}}" for name in sorted(FILLED))


def on_sqlite(template: Path, folder: Path) -> World:
    """An empty workspace on SQLite, where the kind of database makes no difference."""
    database = folder / "trueup.db"
    database.write_bytes(template.read_bytes())
    return World(CommandLine(f"sqlite:///{database}"), folder)


def with_links(world: World) -> World:
    """Give it the campaigns."""
    world.set_up(SETUP % QUERY)
    return world


@contextmanager
def redirecting(world: World, **told: Any) -> Iterator[tuple[Redirect, ServerContext]]:  # noqa: ANN401 - as Settings has them
    with edge_on(world.trueup.url, world.folder, **told) as (edge, _seen):
        yield Redirect(edge), edge


def visit(world: World, target: str, headers: dict[str, str] | None = None, **told: Any) -> Answered:  # noqa: ANN401 - the same
    with redirecting(world, **told) as (redirect, _edge):
        return ask(redirect, target, headers)


def parameters(answered: Answered) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(answered.location).query, keep_blank_values=True))

"""More clicks of one address than are recorded: its visitors go on, and nothing is told of a click that is not kept."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from edge_asking import CHROME, PEER, Answered, ask, edge_on, stored_clicks
from edge_links import with_links
from served import NewServed
from serving import wait_until
from worlds import World

from trueup.edge.redirect import Redirect
from trueup.live.events import WriterEvents

pytestmark = [pytest.mark.front, pytest.mark.parametrize("database_kind", ["sqlite"])]

HEADERS = {"user-agent": CHROME}


class Unrecorded(WriterEvents):
    def __init__(self) -> None:
        self.addresses: list[str] = []

    def unrecorded(self, address: str) -> None:
        self.addresses.append(address)


@contextmanager
def flooded(url: str, folder: Path, **settings: Any):  # noqa: ANN201, ANN401 - a redirect to ask, and who looks on
    with_links(World(CommandLine(url), folder))
    with edge_on(url, folder, **settings) as (edge, _seen):
        edge.events, edge.clock = Unrecorded(), Moved(edge.clock)
        redirect = Redirect(edge)

        def visit(peer: str = PEER, method: str = "GET", **headers: str) -> Answered:
            given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
            return ask(redirect, "/c/pl-push", given, method, peer)

        yield visit, edge


class Moved:
    """The time, standing at the beginning of a minute until a test moves it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.now = clock() // 60_000_000 * 60_000_000

    def __call__(self) -> int:
        return self.now


def test_clicks__above_the_limit_lead_on_and_are_not_recorded(url: str, tmp_path: Path) -> None:
    with flooded(url, tmp_path, clicks_per_minute=3) as (visit, edge):
        kept = [visit() for _ in range(3)]
        flood = [visit() for _ in range(4)]
        other = visit(peer="203.0.113.78")
        edge.clock.now += 60_000_000
        later = visit()
        assert edge.events.addresses == [PEER] * 4
    clicks = stored_clicks(url)
    ids = {click["click_id"] for click in clicks}
    assert len(ids) == len(clicks) == 5
    for answered in (*kept, other, later):
        assert any(click_id in answered.location for click_id in ids)
        assert answered.cookie
    for answered in flood:
        assert answered.status == 302
        assert answered.location.partition("?")[0] == kept[0].location.partition("?")[0]
        assert not any(click_id in answered.location for click_id in ids)
        assert not answered.cookie


def test_looks__are_no_visits_and_do_not_count(url: str, tmp_path: Path) -> None:
    with flooded(url, tmp_path, clicks_per_minute=1) as (visit, edge):
        assert not any(visit(method="HEAD").cookie for _ in range(3))
        assert visit().cookie
        assert edge.events.addresses == []


@pytest.mark.parametrize(
    ("peers", "settings"),
    [
        (["203.0.113.77"], {"clicks_per_minute": 0}),
        (["127.0.0.1"], {"clicks_per_minute": 1}),
        (["::ffff:10.1.2.3"], {"clicks_per_minute": 1}),
        ([""], {"clicks_per_minute": 1}),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], {"clicks_per_minute": 1}),
    ],
)
def test_clicks__are_all_recorded(url: str, tmp_path: Path, peers: list[str], settings: dict[str, int]) -> None:
    with flooded(url, tmp_path, **settings) as (visit, _edge):
        for number in range(3):
            visit(peer=peers[number % len(peers)])
    assert len(stored_clicks(url)) == 3


def test_visitors__behind_a_trusted_proxy_are_counted_each(url: str, tmp_path: Path) -> None:
    with flooded(url, tmp_path, clicks_per_minute=1, trusted_proxies="10.0.0.0/8") as (visit, edge):
        for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
            visit(peer="10.0.0.1", x_forwarded_for=address)
        assert edge.events.addresses == ["198.51.100.1"]
    assert len(stored_clicks(url)) == 2


def test_flood__is_in_the_metrics_and_the_log(trueup: CommandLine, tmp_path: Path, new_served: NewServed) -> None:
    with_links(World(trueup, tmp_path))
    served = new_served(clicks_per_minute=1, trusted_proxies="127.0.0.1")
    for _ in range(40):
        assert served.get("/c/pl-push", x_forwarded_for="198.51.100.1").status == 302
    counted = served.get("/metrics").text
    assert float(counted.partition("\ntrueup_unrecorded_clicks_total ")[2].split()[0]) >= 38
    wait_until(lambda: "clicks not recorded" in served.log)
    assert served.log.count("clicks not recorded") <= 6

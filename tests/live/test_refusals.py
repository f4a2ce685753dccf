"""How many refusals a stranger gets: counted when a request begins, so that a thousand at once are no way around."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from command_line import CommandLine
from edge_asking import ask, asked, edge_on, journal
from postback_asking import reporting
from worlds import World

from trueup.edge.pixel import Pixel
from trueup.live.asgi import Endpoint

pytestmark = [pytest.mark.front, pytest.mark.parametrize("database_kind", ["sqlite"])]


def at_once(endpoint: Endpoint, targets: list[str], peer: str = "192.0.2.1") -> Counter[int]:
    """Ask all of it at the same time. Returns: how often each status was answered."""

    async def all_of_it() -> Counter[int]:
        answers = await asyncio.gather(*(asked(endpoint, target, peer=peer) for target in targets))
        return Counter(answer.status for answer in answers)

    return asyncio.run(all_of_it())


def test_refused_postbacks__at_once_are_as_few_as_one_by_one(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, refused_per_minute=20) as report:
        told = at_once(report.endpoint, [f"/postback?cid=forged{i}" for i in range(200)])
        assert told == {404: 20, 429: 180}
        assert len(report.journal) == 20


def test_good_postbacks__at_once_are_all_recorded_however_many(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, refused_per_minute=20) as report:
        told = at_once(report.endpoint, [f"/postback?cid=n1&txid={i}" for i in range(200)])
        assert told == {200: 200}
        mixed = [f"/postback?cid=n2&txid={i}" for i in range(40)] + [f"/postback?cid=forged{i}" for i in range(15)]
        assert at_once(report.endpoint, mixed) == {200: 40, 404: 15}


def test_parked_postbacks__count_unless_a_network_sent_them(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, refused_per_minute=3) as report:
        report.world.set_up('[workspace]\nunknown_click = "park"')
        report("cid=n9")  # what comes next is decided by the setup as it is then
        told = [report(f"cid=later{i}", peer="192.0.2.1").status for i in range(5)]
        assert told == [202, 202, 202, 429, 429]
        key = report.keys["Northwind"]
        assert {report(f"cid=soon{i}", key=key, peer="192.0.2.1").status for i in range(6)} == {202}


def test_tests__count_by_address_without_a_key_and_by_network_with_one(url: str, tmp_path: Path) -> None:
    with reporting(url, tmp_path, refused_per_minute=3) as report:
        assert [report("cid=n1&test=1", peer="192.0.2.1").status for _ in range(5)] == [403] * 3 + [429] * 2
        northwind, contoso = report.keys.values()
        peers = [f"192.0.2.{i}" for i in range(2, 7)]
        told = [report("cid=n1&test=1", key=northwind, peer=peer).status for peer in peers]
        assert told == [200] * 3 + [429] * 2
        assert report("cid=c1&test=1", key=contoso).status == 200
        assert report("cid=n1", key=northwind).status == 200


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
    ],
)
def test_caller__is_an_ipv4_address_or_an_ipv6_network(
    url: str, tmp_path: Path, first: str, same: str, other: str
) -> None:
    with reporting(url, tmp_path, refused_per_minute=1) as report:
        told = [report("cid=forged", peer=peer).status for peer in (first, same, other)]
        assert told == [404, 429, 404]


def test_refused_pixels__at_once_are_as_few_as_one_by_one(url: str, tmp_path: Path) -> None:
    world = World(CommandLine(url), tmp_path)
    world.add_clicks("known")
    with edge_on(url, tmp_path, refused_per_minute=5) as (edge, _seen):
        pixel = Pixel(edge)
        assert at_once(pixel, [f"/pixel.gif?click_id=nobody{i}" for i in range(50)]) == {200: 5, 429: 45}
        assert ask(pixel, "/pixel.gif?click_id=known", peer="192.0.2.2").status == 200
    assert len(journal(url)) == 6

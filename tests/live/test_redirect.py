"""The click redirect: the click is in the ledger, whole and clean, before the visitor is sent on."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from command_line import CommandLine
from edge_asking import CHROME, PEER, Answered, ask, asked, host_of, stored_clicks
from edge_hostile import HOSTILE
from edge_links import FILLED, on_sqlite, parameters, redirecting, visit, with_links
from hypothesis import given, settings
from hypothesis import strategies as st
from served import Served
from serving import wait_until
from worlds import World

from trueup.edge.links import links
from trueup.edge.redirect import Redirect
from trueup.ledger.catalog import read_catalog
from trueup.ledger.open import open_ledger
from trueup.ledger.secrets import click_key
from trueup.model.ids import is_genuine

pytestmark = pytest.mark.front

NEW = """
[[offers]]
name = "New"
url = "https://new.example/"

[[campaigns]]
name = "New"
slug = "new"
offers = [{ offer = "New" }]
"""


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return with_links(World(trueup, tmp_path))


@pytest.fixture
def sqlite_world(sqlite_template: Path, tmp_path: Path) -> World:
    return with_links(on_sqlite(sqlite_template, tmp_path))


def test_click__is_stored_with_all_that_is_known_of_it(world: World) -> None:
    before = time.time_ns() // 1_000
    headers = {"user-agent": CHROME, "referer": "https://news.example/a?b=c"}
    answered = visit(world, "/c/pl-push?external_id=EXT-1&cost=0.025&sub1=one&sub2=two&sub10=ten&other=x", headers)
    assert answered.status == 302
    (click,) = stored_clicks(world.trueup.url)
    with open_ledger(world.trueup.url) as ledger:
        catalog, key = read_catalog(ledger), click_key(ledger, os.urandom)
    network_id = catalog.affiliate_networks["Northwind & Co"].network_id
    assert before <= click.pop("clicked_at") <= time.time_ns() // 1_000
    assert is_genuine(click["click_id"], key)
    assert answered.location == f"https://example.com/?s={click.pop('click_id')}&x=EXT-1&a=one"
    assert click == {
        "campaign_id": catalog.campaigns["PL push"].campaign_id,
        "offer_id": catalog.offers["VPN trial"].offer_id,
        "network_id": network_id,
        "traffic_source_id": catalog.traffic_sources["PushAds"].traffic_source_id,
        "cost": 25_000,
        "external_id": "EXT-1",
        "country": "",
        **{f"sub{i}": "" for i in range(3, 10)},
        "sub1": "one",
        "sub2": "two",
        "sub10": "ten",
        "referrer": "https://news.example/a?b=c",
        "user_agent": CHROME,
        "device": "desktop",
        "os": "Windows",
        "browser": "Chrome",
        "is_bot": 0,
        "ip": "203.0.113.0",
    }
    assert world.totals()["clicks"] == 1
    assert world.totals()["cost"] == "0.025"


def test_click__fills_every_macro(world: World) -> None:
    headers = {"user-agent": CHROME, "referer": "https://news.example/?q=a b", "cf-ipcountry": "PL"}
    answered = visit(
        world,
        "/c/all?external_id=a%26b&cost=1.5&sub1=x%2Fy&sub10=last",
        headers,
        trusted_proxies=[f"{PEER}/32"],
        country_header="CF-IPCountry",
        ip_kept="whole",
    )
    (click,) = stored_clicks(world.trueup.url)
    assert host_of(answered.location) == ("https", "example.net", 8443, None)
    assert urlsplit(answered.location).path == "/in/All%20macros/"
    assert urlsplit(answered.location).fragment == "last"
    assert parameters(answered) == {
        "click_id": click["click_id"],
        "external_id": "a&b",
        "sub1": "x/y",
        "cost": "1.50",
        "currency": "USD",
        "campaign": "All macros",
        "campaign_id": str(click["campaign_id"]),
        "offer": "Everything",
        "offer_id": str(click["offer_id"]),
        "affiliate_network": "Northwind & Co",
        "affiliate_network_id": str(click["network_id"]),
        "traffic_source": "PushAds",
        "traffic_source_id": str(click["traffic_source_id"]),
        "timestamp": str(click["clicked_at"] // 1_000_000),
        "country": "PL",
        "device": "desktop",
        "os": "Windows",
        "browser": "Chrome",
        "user_agent": CHROME,
        "referrer": "https://news.example/?q=a b",
        "ip": PEER,
    }


COSTS = {
    "0.025": 25_000,
    "3": 3_000_000,
    ".5": 500_000,
    "%2B1.20": 1_200_000,
    "+0.1+": 100_000,
    "0.00012345": 123,
    "9000000000": 9_000_000_000_000_000,
    "9000000000.01": 0,
    "-1": 0,
    "0,5": 0,
    "$1": 0,
    "1e3": 0,
    "NaN": 0,
    "{cost}": 0,
    "1.2.3": 0,
    "0.1234567x": 0,
    "0.123456%D9%A1": 0,
    "%D9%A1": 0,
    ".": 0,
    "9" * 400: 0,
}


def test_cost__is_an_amount_or_nothing(sqlite_world: World) -> None:
    with redirecting(sqlite_world) as (redirect, _edge):
        for cost in COSTS:
            assert ask(redirect, f"/c/pl-push?cost={cost}").status == 302
    assert [click["cost"] for click in stored_clicks(sqlite_world.trueup.url)] == list(COSTS.values())


def test_values__are_kept_clean_and_cut(world: World) -> None:
    sub = "%00a%0D%0Ab%FFc" + "ż" * 2_000
    long = {"user-agent": "Mozilla " + "u" * 5_000, "referer": "r" * 5_000}
    answered = visit(
        world, f"/c/pl-push?sub1={quote(sub, safe='%')}&sub2=&sub2=second&sub2=third", long, query_bytes=64_000
    )
    assert answered.status == 302
    (click,) = stored_clicks(world.trueup.url)
    assert click["sub1"] == "\ufffda\ufffd\ufffdb\ufffdc" + "ż" * (1_024 - 7)
    assert click["sub2"] == "second"
    assert click["user_agent"] == "Mozilla " + "u" * 1_016
    assert click["referrer"] == "r" * 1_024
    assert parameters(answered)["a"] == click["sub1"]


def test_offers__are_chosen_as_their_weights_say_and_only_those_with_a_url(sqlite_world: World) -> None:
    with open_ledger(sqlite_world.trueup.url) as ledger:
        catalog = read_catalog(ledger)
    link, names = links(catalog)["three"], {offer.offer_id: name for name, offer in catalog.offers.items()}
    chosen = Counter(names[link.chosen(number).click["offer_id"]] for number in range(4_000))
    assert chosen == {"VPN trial": 3_000, "Everything": 1_000}


def test_offers__randomness_decides_each_visit(sqlite_world: World) -> None:
    with redirecting(sqlite_world) as (redirect, edge):
        for number, host in ((0, "example.com"), (2, "example.com"), (3, "example.net"), (4, "example.com")):
            edge.randomness = lambda count, number=number: number.to_bytes(8, "big") + bytes(count - 8)
            assert urlsplit(ask(redirect, "/c/three").location).hostname == host


def test_setup__change_is_followed_without_a_restart(world: World) -> None:
    with redirecting(world) as (redirect, _edge):
        assert ask(redirect, "/c/new").status == 404
        world.set_up(NEW)
        ends = time.monotonic() + 20
        while (answered := ask(redirect, "/c/new")).status == 404 and time.monotonic() < ends:
            time.sleep(0.05)
    assert answered.location == "https://new.example/"


def test_visitors__many_at_once_have_each_their_own_click(world: World) -> None:
    async def crowd(redirect: Redirect) -> list[Answered]:
        return await asyncio.gather(*(asked(redirect, f"/c/pl-push?sub1={number}") for number in range(300)))

    with redirecting(world) as (redirect, _edge):
        answers = asyncio.run(crowd(redirect))
    stored = {click["sub1"]: click["click_id"] for click in stored_clicks(world.trueup.url)}
    assert {parameters(answered)["a"]: parameters(answered)["s"] for answered in answers} == stored
    assert len(set(stored.values())) == 300


TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


def test_redirect__leads_to_the_offer_and_keeps_what_came_whatever_that_is(sqlite_world: World) -> None:
    told: dict[str, dict[str, str]] = {}

    with redirecting(sqlite_world, query_bytes=1 << 17) as (redirect, _edge):

        @given(st.dictionaries(st.sampled_from(["sub1", "external_id", "sub10", "cost", "x"]), TEXTS), TEXTS, TEXTS)
        @settings(deadline=None)
        def check(values: dict[str, str], referrer: str, agent: str) -> None:
            answered = ask(redirect, f"/c/all?{urlencode(values)}", {"user-agent": agent, "referer": referrer})
            assert answered.status == 302
            assert host_of(answered.location) == ("https", "example.net", 8443, None)
            assert answered.location.isascii()
            assert answered.location.isprintable()
            filled = parameters(answered)
            assert set(filled) == FILLED
            told[filled["click_id"]] = filled

        check()
    stored = {click["click_id"]: click for click in stored_clicks(sqlite_world.trueup.url)}
    assert stored.keys() == told.keys()
    for click_id, filled in told.items():
        kept = {
            name: filled[name] for name in ("external_id", "sub1", "referrer", "user_agent", "device", "os", "browser")
        }
        assert kept == {name: stored[click_id][name] for name in kept}
        assert all(len(text) <= 1_024 and "\0" not in text for text in kept.values())


def test_redirect__over_a_socket(world: World, served: Served) -> None:
    answered = served.get("/c/pl-push?sub1=a%20b", user_agent=CHROME)
    wait_until(lambda: stored_clicks(world.trueup.url))  # it is on disk, and the ledger has it soon
    (click,) = stored_clicks(world.trueup.url)
    assert answered.status == 302
    assert answered.headers["location"] == f"https://example.com/?s={click['click_id']}&x=&a=a%20b"
    assert answered.headers["set-cookie"].startswith(f"trueup_click={click['click_id']}; ")
    assert (click["sub1"], click["ip"], click["browser"]) == ("a b", "127.0.0.0", "Chrome")
    assert served.ask("HEAD", "/c/pl-push").headers["location"] == "https://example.com/?s=&x=&a="
    assert served.post("/c/pl-push").status == 405
    assert served.get("/c/nothing").status == 404
    assert len(stored_clicks(world.trueup.url)) == 1

"""What a redirect answers beside where to go: cookies, mistakes, requests that are no visits, a writer that is gone."""

from pathlib import Path
from typing import Any

import pytest
from edge_asking import PEER, ask, edge_on, stored_clicks
from edge_links import on_sqlite, parameters, redirecting, visit, with_links
from worlds import World

from trueup.edge.redirect import Redirect


@pytest.fixture
def sqlite_world(sqlite_template: Path, tmp_path: Path) -> World:
    return with_links(on_sqlite(sqlite_template, tmp_path))


@pytest.mark.parametrize(
    ("method", "target", "status", "text"),
    [
        ("GET", "/c/nothing", 404, "there is no such link\n"),
        ("GET", "/c/", 404, "there is no such link\n"),
        ("GET", "/c/pl-push/", 404, "there is no such link\n"),
        ("GET", "/c/PL-PUSH", 404, "there is no such link\n"),
        ("HEAD", "/c/nothing", 404, "there is no such link\n"),
        ("GET", "/c/empty", 404, "this link leads nowhere yet: no offer of its campaign has a URL\n"),
        ("GET", "/c/no-url", 404, "this link leads nowhere yet: no offer of its campaign has a URL\n"),
        ("GET", f"/c/pl-push?sub1={'x' * 8_192}", 414, "the query is longer than 8,192 bytes\n"),
        ("GET", "/c/pl-push?" + "&".join(["a=1"] * 101), 400, "the query has more than 100 parameters\n"),
        ("POST", "/c/pl-push", 405, "a link is followed with GET\n"),
        ("OPTIONS", "/c/pl-push", 200, ""),
        ("get", "/c/pl-push", 405, "a link is followed with GET\n"),
    ],
)
def test_mistakes__are_told_shortly_and_record_nothing(
    method: str, target: str, status: int, text: str, sqlite_world: World
) -> None:
    with redirecting(sqlite_world) as (redirect, _edge):
        answered = ask(redirect, target, method=method)
    assert (answered.status, answered.body.decode()) == (status, text)
    assert answered.header("content-type") == "text/plain; charset=utf-8"
    assert answered.header("allow") == ("GET, HEAD, OPTIONS" if status in (200, 405) else "")
    assert answered.header("set-cookie") == ""
    assert stored_clicks(sqlite_world.trueup.url) == []


def test_limits__are_met_exactly(sqlite_world: World) -> None:
    with redirecting(sqlite_world) as (redirect, _edge):
        assert ask(redirect, f"/c/pl-push?sub1={'x' * (8_192 - 5)}").status == 302
        assert ask(redirect, "/c/pl-push?" + "&".join(["a=1"] * 100)).status == 302


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"purpose": "prefetch"}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
        ("GET", {"x-moz": "prefetch"}),
        ("GET", {"x-purpose": "preview"}),
    ],
)
def test_looking__redirects_without_a_click(method: str, headers: dict[str, str], sqlite_world: World) -> None:
    with redirecting(sqlite_world) as (redirect, _edge):
        answered = ask(redirect, "/c/pl-push?sub1=a", headers, method)
    assert (answered.status, answered.location) == (302, "https://example.com/?s=&x=&a=a")
    assert answered.header("set-cookie") == ""
    assert stored_clicks(sqlite_world.trueup.url) == []


def test_answer__is_kept_by_nobody(sqlite_world: World) -> None:
    answered = visit(sqlite_world, "/c/pl-push")
    assert answered.body == b""
    assert answered.header("cache-control") == "no-store"
    assert answered.header("x-content-type-options") == "nosniff"
    assert answered.header("content-length") == "0"


def test_cookie__has_the_click_and_lasts_as_long_as_the_settings_say(sqlite_world: World) -> None:
    answered = visit(sqlite_world, "/c/pl-push", cookie_days=2)
    (click,) = stored_clicks(sqlite_world.trueup.url)
    assert answered.header("set-cookie") == (
        f"trueup_click={click['click_id']}; Path=/; Max-Age=172800; HttpOnly; SameSite=Lax"
    )
    assert visit(sqlite_world, "/c/pl-push", cookie_days=0).header("set-cookie") == ""


@pytest.mark.parametrize(
    ("told", "proto", "secure"),
    [
        ({}, "", False),
        ({}, "https", False),
        ({"public_url": "https://t.example.com"}, "", True),
        ({"public_url": "http://t.example.com"}, "", False),
        ({"trusted_proxies": [f"{PEER}/32"]}, "https", True),
        ({"trusted_proxies": [f"{PEER}/32"]}, "http", False),
        ({"trusted_proxies": ["10.0.0.0/8"]}, "https", False),
    ],
)
def test_cookie__goes_over_https_alone_where_that_is_how_visitors_come(
    told: dict[str, Any], proto: str, secure: bool, sqlite_world: World
) -> None:
    answered = visit(sqlite_world, "/c/pl-push", {"x-forwarded-proto": proto}, **told)
    assert answered.header("set-cookie").endswith("; Secure") is secure


def test_visitor__goes_on_even_where_the_click_cannot_be_recorded(sqlite_world: World) -> None:
    with edge_on(sqlite_world.trueup.url, sqlite_world.folder) as (edge, seen):
        redirect = Redirect(edge)
        edge.writer.stop()
        answered = ask(redirect, "/c/pl-push")
    assert answered.status == 302
    assert parameters(answered)["s"] == ""
    assert answered.cookie == ""
    assert seen.lost == 1
    assert stored_clicks(sqlite_world.trueup.url) == []

"""The pixel: the same rows as postbacks, the click by parameter or by cookie, and an image whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from edge_asking import Answered, ask, edge_on, journal, stored_clicks
from edge_links import on_sqlite
from served import Served
from worlds import World, succeeded

from trueup.dialects.names import FIELDS
from trueup.edge.pixel import Pixel
from trueup.edge.redirect import Redirect
from trueup.ledger.catalog import move_catalog_version, read_catalog, write_postback_keys
from trueup.ledger.open import open_ledger
from trueup.live.context import ServerContext

pytestmark = pytest.mark.front

SETUP = """
[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "sale"

[[offers]]
name = "VPN trial"
network = "Northwind"
url = "https://example.com/?s={click_id}"

[[campaigns]]
name = "PL push"
slug = "pl-push"
offers = [{ offer = "VPN trial" }]
"""
CAREFUL = """
[[affiliate_networks]]
name = "Careful"
only_with_key = true

[[offers]]
name = "Loan"
network = "Careful"
"""
NO_VISITS = [
    ("HEAD", {}),
    ("GET", {"purpose": "prefetch"}),
    ("GET", {"sec-purpose": "prefetch;prerender"}),
]


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return made(World(trueup, tmp_path))


@pytest.fixture
def sqlite_world(sqlite_template: Path, tmp_path: Path) -> World:
    return made(on_sqlite(sqlite_template, tmp_path))


def made(world: World) -> World:
    world.set_up(SETUP)
    world.add_clicks("known", offer="VPN trial")
    world.add_clicks("another", offer="VPN trial")
    return world


@contextmanager
def pixel_on(world: World, **told: Any) -> Iterator[tuple[Pixel, ServerContext]]:  # noqa: ANN401 - as Settings has them
    with edge_on(world.trueup.url, world.folder, **told) as (edge, _seen):
        yield Pixel(edge), edge


def is_image(answered: Answered) -> bool:
    return (
        answered.body[:6] == b"GIF89a" and len(answered.body) == 43 and answered.header("content-type") == "image/gif"
    )


def test_gif__reports_a_conversion(world: World) -> None:
    with pixel_on(world) as (pixel, _edge):
        answered = ask(pixel, "/pixel.gif?click_id=known&type=sale&payout=12.50&transaction_id=T-1&status=pending")
    assert answered.status == 200
    assert is_image(answered)
    assert answered.header("cache-control") == "no-store"
    assert answered.header("x-content-type-options") == "nosniff"
    assert answered.header("cross-origin-resource-policy") == "cross-origin"
    assert world.seen("click_id", "conversion_type", "payout", "transaction_id", "status") == [
        ("known", "sale", "12.50", "T-1", "pending")
    ]
    (row,) = journal(world.trueup.url)
    assert (row["outcome"], row["origin"]) == ("created", "pixel")
    assert row["raw"] == "GET /pixel.gif?click_id=known&type=sale&payout=12.50&transaction_id=T-1&status=pending"
    succeeded(world.trueup("audit"))


def test_gif__knows_the_click_by_every_name(sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        for number, name in enumerate(FIELDS["click_id"]):
            assert ask(pixel, f"/pixel.gif?{name}=known&tid={number}").status == 200
    assert [row["outcome"] for row in journal(sqlite_world.trueup.url)] == ["created"] * len(FIELDS["click_id"])


def test_gif__knows_the_click_by_the_redirects_cookie(world: World) -> None:
    with pixel_on(world) as (pixel, edge):
        visit = ask(Redirect(edge), "/c/pl-push")
        cookies = f"theme=dark; {visit.cookie}; lang=en"
        assert ask(pixel, "/pixel.gif?payout=3", {"cookie": cookies}).status == 200
        assert ask(pixel, "/pixel.gif?payout=4&tid=2&click_id=", {"cookie": cookies}).status == 200
    click_id = stored_clicks(world.trueup.url)[-1]["click_id"]
    assert world.seen("click_id", "payout") == [(click_id, "3.00"), (click_id, "4.00")]


def test_gif__parameter_goes_before_the_cookie(sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        ask(pixel, "/pixel.gif?cid=known", {"cookie": "trueup_click=another"})
    assert [row["click_id"] for row in journal(sqlite_world.trueup.url)] == ["known"]


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "trueup_click",
        "trueup_click=",
        "trueup_click=a b",
        "trueup_click=<script>",
        f"trueup_click={'x' * 65}",
        "other_trueup_click=known",
        "Trueup_Click=known",
        ";;;=;trueup_click=\x00",
    ],
)
def test_gif__cookie_that_is_none_of_ours_names_no_click(cookie: str, sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        assert is_image(ask(pixel, "/pixel.gif?payout=1", {"cookie": cookie}))
    assert [row["outcome"] for row in journal(sqlite_world.trueup.url)] == ["refused_missing_click_id"]


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("", "refused_missing_click_id"),
        ("click_id=nobody", "refused_unknown_click"),
        ("click_id=known&payout=a lot".replace(" ", "%20"), "refused_bad_payout"),
        ("click_id=known&type=other", "refused_unknown_type"),
        ("click_id=known&cid=another", "refused_malformed_row"),
        ("postback_key=guess", "refused_missing_click_id"),
        ("click_id=known&sub1=" + "x" * 9_000, "refused_malformed_row"),
        ("click_id=known" + "&a=b" * 100, "refused_malformed_row"),
        ("click_id=%00", "refused_bad_click_id"),
        ("click_id=known&transaction_id=%FF%00", "refused_bad_transaction_id"),
    ],
)
def test_gif__whatever_the_row_comes_to_is_kept_and_the_page_gets_its_image(
    query: str, outcome: str, world: World
) -> None:
    with pixel_on(world) as (pixel, _edge):
        answered = ask(pixel, f"/pixel.gif?{query}", {})
    assert answered.status == 200
    assert is_image(answered)
    (row,) = journal(world.trueup.url)
    assert row["outcome"] == outcome
    assert row["raw"].startswith("GET /pixel.gif?" + query.replace("guess", "***")[:1_000])
    assert len(row["raw"]) <= 2_000
    assert world.conversions() == []


def test_gif__stands_for_no_networks_key(world: World) -> None:
    world.set_up(CAREFUL)
    world.add_clicks("careful", offer="Loan")
    with open_ledger(world.trueup.url) as ledger, ledger.transaction() as transaction:
        write_postback_keys(transaction, read_catalog(ledger).affiliate_networks["Careful"].network_id, ["secret"])
        move_catalog_version(transaction)
    with pixel_on(world) as (pixel, _edge):
        for query in ("click_id=careful", "click_id=careful&postback_key=secret", "click_id=nobody"):
            assert is_image(ask(pixel, f"/pixel.gif?{query}"))
        ask(pixel, "/pixel.gif?click_id=known")
    assert [row["outcome"] for row in journal(world.trueup.url)] == ["refused_not_allowed"] * 3 + ["created"]
    assert not any("secret" in row["raw"] for row in journal(world.trueup.url))


@pytest.mark.parametrize(("method", "headers"), NO_VISITS)
def test_gif__that_nobody_looks_at_reports_nothing(method: str, headers: dict[str, str], sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        assert is_image(ask(pixel, "/pixel.gif?click_id=known", headers, method))
    assert journal(sqlite_world.trueup.url) == []


@pytest.mark.parametrize("path", ["/pixel.gif", "/pixel.js"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pixel__is_asked_for_with_get(method: str, path: str, sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        answered = ask(pixel, f"{path}?click_id=known", {}, method)
    assert (answered.status, answered.header("allow")) == (405, "GET, HEAD, OPTIONS")
    assert journal(sqlite_world.trueup.url) == []


def test_gif__test_reports_nothing(sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        assert is_image(ask(pixel, "/pixel.gif?click_id=known&test=1"))
    assert journal(sqlite_world.trueup.url) == []


def test_gif__that_could_not_be_recorded_says_so(sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, edge):
        edge.writer.stop()
        answered = ask(pixel, "/pixel.gif?click_id=known")
    assert (answered.status, answered.header("retry-after")) == (503, "5")
    assert is_image(answered)
    assert journal(sqlite_world.trueup.url) == []


def test_gif__of_an_address_with_too_many_refusals_is_not_recorded(sqlite_world: World) -> None:
    with pixel_on(sqlite_world, refused_per_minute=3) as (pixel, _edge):
        flood = [ask(pixel, f"/pixel.gif?click_id=nobody{number}") for number in range(5)]
        late = ask(pixel, "/pixel.gif?click_id=known")
        neighbour = ask(pixel, "/pixel.gif?click_id=known", peer="198.51.100.7")
    assert [answered.status for answered in flood] == [200, 200, 200, 429, 429]
    assert (late.status, neighbour.status) == (429, 200)
    assert int(late.header("retry-after")) >= 1
    assert is_image(late)
    assert [row["outcome"] for row in journal(sqlite_world.trueup.url)] == ["refused_unknown_click"] * 3 + ["created"]


def test_script__asks_for_the_image_with_its_own_parameters_and_repeats_nothing(sqlite_world: World) -> None:
    with pixel_on(sqlite_world) as (pixel, _edge):
        plain = ask(pixel, "/pixel.js")
        hostile = ask(pixel, "/pixel.js?click_id=known&x=</script>%0aalert(1)")
    assert plain.status == 200
    assert plain.body == hostile.body
    assert b'script.src.replace("/pixel.js", "/pixel.gif")' in plain.body
    assert plain.header("content-type") == "application/javascript; charset=utf-8"
    assert plain.header("cache-control") == "no-store"
    assert plain.header("x-content-type-options") == "nosniff"
    assert journal(sqlite_world.trueup.url) == []


def test_pixel__over_a_socket(world: World, served: Served) -> None:
    visit = served.get("/c/pl-push")
    cookie = visit.headers["set-cookie"].partition(";")[0]
    answered = served.get("/pixel.gif?type=sale&payout=2", cookie=cookie)
    assert (answered.status, answered.headers["content-type"], len(answered.body)) == (200, "image/gif", 43)
    assert served.get("/pixel.gif?click_id=nobody").status == 200
    assert b"pixel.gif" in served.get("/pixel.js?type=sale").body
    assert served.ask("HEAD", "/pixel.gif?click_id=known").headers["content-length"] == "43"
    assert world.seen("conversion_type", "payout") == [("sale", "2.00")]
    assert sorted(row["outcome"] for row in journal(world.trueup.url)) == ["created", "refused_unknown_click"]

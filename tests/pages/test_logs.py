"""Uploads, postbacks and clicks: what their pages show, and what can be done from them."""

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest
from command_line import CommandLine
from uploading import PageBrowser, UploadSite, plain, value_of
from worlds import World, succeeded

from trueup.dialects.postback import read_postback
from trueup.ledger.commit import commit_clicks
from trueup.ledger.open import open_ledger
from trueup.live.context import now
from trueup.model.frames import CLICKS, completed
from trueup.model.traffic import IncomingConversion
from trueup.model.words import Origin, Role
from trueup.recording.incoming import LiveLedger

SETUP = """
[[affiliate_networks]]
name = "net"
status_map = {{ {map} }}

[[offers]]
name = "o"
network = "net"

[[campaigns]]
name = "camp"
slug = "camp"
"""
ROW = re.compile(r'<tr id="row-([^"]+)"')


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP.format(map=""))
    made.add_clicks(*(f"click{number}" for number in range(9)), offer="o")
    return made


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[UploadSite]:
    made = UploadSite(world.trueup.url, tmp_path / "served")
    yield made
    made.end()


def receive(world: World, *queries: str, origin: Origin = Origin.POSTBACK) -> None:
    """Have a server take postbacks, each by its query."""
    with open_ledger(world.trueup.url) as ledger:
        said = []
        for query in queries:
            pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
            said.append(IncomingConversion(read_postback(pairs, f"GET /postback?{query}").row, origin))
        LiveLedger(ledger, now, "server").record(said)


def rows_of(page: str) -> list[str]:
    return ROW.findall(page)


def older(page: str) -> str:
    found = re.search(r'id="page-after" href="([^"]+)"', page)
    return html.unescape(found[1]) if found else ""


@pytest.mark.front
def test_postbacks__are_listed_newest_first_each_once(world: World, site: UploadSite) -> None:
    receive(world, *(f"cid=click{number % 9}&payout={number}&txid=t{number}" for number in range(60)))
    receive(world, "cid=nobody&payout=1", "cid=click1&status=checked", origin=Origin.PIXEL)
    browser = site.browser(Role.VIEWER)
    page = browser.get("/postbacks").text
    assert rows_of(page)[:3] == ["2-2", "2-1", "1-60"]
    found = rows_of(page)
    while path := older(page):
        page = browser.get(path).text
        found += rows_of(page)
    assert len(found) == len(set(found)) == 62
    refused = plain(browser.get("/postbacks?outcome=refused_unknown_status").text)
    assert "The status word 'checked' is unknown" in refused
    assert "GET /postback?cid=click1&status=checked" in refused
    assert rows_of(browser.get("/postbacks?origin=pixel").text) == ["2-2", "2-1"]
    assert len(rows_of(browser.get("/postbacks?click_id=click1").text)) == 8
    assert len(rows_of(browser.get("/postbacks?network=net&limit=200").text)) == 61
    assert "Nothing matches these filters" in browser.get("/postbacks?outcome=refused_in_future").text


@pytest.mark.front
def test_new_postbacks__are_counted_and_do_not_jump(world: World, site: UploadSite) -> None:
    receive(world, "cid=click1&payout=1")
    browser = site.browser(Role.VIEWER)
    asks = html.unescape(re.search(r'hx-get="(/postbacks/newer[^"]+)"', browser.get("/postbacks").text)[1])  # type: ignore[index]
    assert "new</a>" not in browser.get(asks).text
    receive(world, *(f"cid=click2&txid=t{number}" for number in range(12)))
    assert "12 new" in plain(browser.get(asks).text)
    clicks = html.unescape(re.search(r'hx-get="(/clicks/newer[^"]+)"', browser.get("/clicks").text)[1])  # type: ignore[index]
    world.add_clicks("z1", "z2", offer="o")
    assert "2 new" in plain(browser.get(clicks).text)


@pytest.mark.front
def test_files__hold_what_is_shown(world: World, site: UploadSite) -> None:
    receive(world, *(f"cid=click{number % 9}&payout={number}&txid=t{number}" for number in range(70)))
    world.upload("click_id,payout\nclick1,5\nnobody,6\n")
    browser = site.browser(Role.VIEWER)
    rows = list(csv.DictReader(io.StringIO(browser.get("/postbacks.csv?outcome=created").text)))
    assert len(rows) == 70
    assert list(rows[0]) == ["received_at", "outcome", "reason", "click_id", "network", "status", "payout"]
    assert rows[0]["payout"] == "69.00"
    batches = list(csv.DictReader(io.StringIO(browser.get("/uploads.csv").text)))
    assert [(row["number"], row["money"]) for row in batches] == [("2", "5.00"), ("1", "2415.00")]
    clicks = list(csv.DictReader(io.StringIO(browser.get("/clicks.csv?converted=yes").text)))
    assert len(clicks) == 9
    told = list(csv.DictReader(io.StringIO(browser.get("/uploads/2/rows.csv").text)))
    assert [row["outcome"] for row in told] == ["created", "refused_unknown_click"]
    for path in ("/postbacks.xlsx", "/uploads.xlsx", "/clicks.xlsx", "/uploads/2/rows.xlsx"):
        assert "xl/workbook.xml" in ZipFile(io.BytesIO(browser.get(path).content)).namelist()
    assert browser.get("/postbacks.pdf").status_code == 404


def previewed(browser: PageBrowser, path: str) -> str:
    """The page of a preview, once it is there."""
    for _ in range(600):
        page = browser.get(path).text
        if 'name="previewed_at"' in page:
            return page
    raise AssertionError(plain(page))


def test_decide_again__for_a_cause_is_previewed_applied_and_undone(world: World, site: UploadSite) -> None:
    receive(world, "cid=click1&payout=2&status=checked", "cid=click2&payout=3&status=checked", "cid=click3&payout=1")
    world.set_up(SETUP.format(map='checked = "approved"'))
    browser = site.browser()
    path = "/postbacks/decide-again?outcome=refused_unknown_status"
    assert "Preview deciding these rows again" in browser.get(path).text
    assert browser.post(path, act="preview").status_code == 303
    page = previewed(browser, path)
    assert "Decide 2 rows again, +5.00 USD" in plain(page)
    assert world.totals()["revenue"] == "1.00"
    assert browser.post(path, act="apply", previewed_at="1").status_code == 409
    done = browser.post(path, act="apply", previewed_at=value_of(page, "previewed_at"))
    place = done.headers["location"]
    assert place.startswith("/uploads/")
    assert world.totals()["revenue"] == "6.00"
    batch = plain(browser.get(place).text)
    assert "decided again" in batch
    assert "Refused unknown status" in batch
    assert "Created" in batch
    undo(browser, place)
    assert world.totals()["revenue"] == "1.00"


@pytest.mark.front
def test_decide_again__for_one_row_leaves_the_others(world: World, site: UploadSite) -> None:
    receive(world, "cid=click1&payout=2&status=checked", "cid=click2&payout=3&status=checked")
    world.set_up(SETUP.format(map='checked = "approved"'))
    browser = site.browser()
    path = "/postbacks/decide-again?batch=1&line=2"
    assert html.escape(path) in browser.get("/postbacks").text
    page = previewed(browser, path)
    assert "Decide 1 row again, +3.00 USD" in plain(page)
    assert browser.post(path, act="apply", previewed_at=value_of(page, "previewed_at")).status_code == 303
    assert world.totals()["revenue"] == "3.00"
    rest = previewed(browser, "/postbacks/decide-again?batch=1&line=1")
    assert "Decide 1 row again, +2.00 USD" in plain(rest)


@pytest.mark.front
def test_decide_again__says_what_it_cannot(world: World, site: UploadSite) -> None:
    receive(world, "cid=no id!&payout=1", "cid=click1&payout=1")
    browser = site.browser()
    assert "Say which rows" in plain(browser.get("/postbacks/decide-again").text)
    assert browser.post("/postbacks/decide-again", act="apply").status_code == 422
    assert browser.get("/postbacks/decide-again?batch=9").status_code == 404
    for wrong in ("batch=x", "line=1", "outcome=nope", "network=nope"):
        assert "Nothing was changed" in plain(browser.get(f"/postbacks/decide-again?{wrong}").text), wrong
    page = plain(previewed(browser, "/postbacks/decide-again?batch=1&line=1"))
    assert "No row fits" in page
    assert "Decide 0" not in page
    same = plain(previewed(browser, "/postbacks/decide-again?batch=1&line=2"))
    assert "All of them come to what they come to now" in same


def undo(browser: PageBrowser, place: str) -> str:
    """Undo a batch by its page. Returns: the page afterwards."""
    assert browser.post(f"{place}/preview-undo").headers["location"] == f"{place}?undo"
    page = previewed(browser, f"{place}?undo")
    answer = browser.post(f"{place}/undo", previewed_at=value_of(page, "previewed_at"))
    assert answer.headers["location"] == place
    return browser.get(place).text


@pytest.mark.front
def test_batch__is_undone_and_brought_back(world: World, site: UploadSite) -> None:
    world.upload("click_id,payout,status\nclick1,5,sale\nclick2,6,sale\n")
    world.upload("click_id,payout,status\nclick1,7,sale\nnobody,6,sale\n")
    browser = site.browser()
    page = browser.get("/uploads/2").text
    assert [text in plain(page) for text in ("Updated", "Refused unknown click", "+2.00 USD")] == [True] * 3
    assert rows_of(browser.get("/uploads/2?outcome=updated").text) == ["2-2"]
    assert browser.post("/uploads/2/undo", previewed_at="1").headers["location"] == "/uploads/2?undo"
    shown = plain(undo(browser, "/uploads/2"))
    assert "Undone by batch 3" in shown
    assert world.totals()["revenue"] == "11.00"
    assert browser.post("/uploads/2/preview-undo").status_code == 409
    listed = browser.get("/uploads").text
    assert rows_of(listed) == ["3", "2", "1"]
    assert "/uploads/3/preview-undo" in listed
    assert "Bring batch 2 back: +2.00 USD" in plain(previewed_undo(browser, "/uploads/3"))
    assert "Undone by batch 4" in plain(undo(browser, "/uploads/3"))
    assert world.totals()["revenue"] == "13.00"
    assert "Done" in plain(browser.get("/uploads/2").text)


def previewed_undo(browser: PageBrowser, place: str) -> str:
    browser.post(f"{place}/preview-undo")
    return previewed(browser, f"{place}?undo")


@pytest.mark.front
def test_uploads__have_every_kind_of_batch_and_files_that_wait(world: World, site: UploadSite, tmp_path: Path) -> None:
    world.upload("click_id,payout\nclick1,5\n")
    file = tmp_path / "more.csv"
    file.write_text(
        "click_id,campaign,offer,clicked_at\nnew1,camp,o,2026-02-01T00:00:00Z\nnew2,camp,o,2026-02-01T00:00:00Z\n"
    )
    succeeded(world.trueup("clicks", "import", file, "--yes"))
    receive(world, "cid=click3&payout=1")
    browser = site.browser()
    waits = browser.sent("click_id,payout\nclick1,5\n", "<i>waits.csv")
    page = browser.get("/uploads").text
    assert [row.removeprefix("u")[:1] for row in rows_of(page)][1:] == ["3", "2", "1"]
    assert f'href="{waits}"' in page
    assert "<i>waits" not in page
    assert "&lt;i&gt;waits" in page
    assert rows_of(browser.get("/uploads?kind=postbacks").text) == ["3"]
    assert len(rows_of(browser.get("/uploads?state=waiting").text)) == 1
    clicks = browser.get("/uploads/2").text
    assert [name in clicks for name in ("/clicks/new1", "/clicks/new2")] == [True, True]
    assert browser.get("/uploads/99").status_code == browser.get("/uploads/x").status_code == 404
    for wrong in ("/uploads?kind=x", "/uploads?after=x", "/postbacks?after=x", "/clicks?after=x", "/clicks?bot=x"):
        assert browser.get(wrong).status_code == 422, wrong


@pytest.mark.front
def test_click__shows_all_that_names_it(world: World, site: UploadSite) -> None:
    receive(world, "cid=click1&payout=2.5&txid=t1&status=sale", "cid=click1&status=nope", "cid=other&payout=1")
    browser = site.browser(Role.VIEWER)
    page = plain(browser.get("/clicks/click1").text)
    for text in ("Conversions 1", "2.50 USD", "click1 -1", "The status word 'nope' is unknown", "Postback"):
        assert text in page, (text, page)
    assert "This click is not known" in plain(browser.get("/clicks/other").text)
    assert browser.get("/clicks/nobody").status_code == browser.get("/clicks/no%20id").status_code == 404
    listed = browser.get("/clicks?converted=yes").text
    assert rows_of(listed) == ["row-click1".removeprefix("row-")]
    assert len(rows_of(browser.get("/clicks?network=net").text)) == 9


UNSAFE = (
    "/postbacks/decide-again?batch=1",
    "/uploads/1/preview-undo",
    "/uploads/1/undo",
)


@pytest.mark.front
@pytest.mark.parametrize("path", UNSAFE)
def test_changes__need_an_editor_who_asks_from_here(world: World, site: UploadSite, path: str) -> None:
    world.upload("click_id,payout\nclick1,5\n")
    viewer, editor = site.browser(Role.VIEWER), site.browser()
    assert viewer.post(path).status_code == 403
    assert site.ask("POST", path, headers={"accept": "text/html"}).status_code in (303, 403)
    evil = {"origin": "https://evil.example"}
    assert editor.ask("POST", path, data={"act": "preview"}, headers=evil).status_code == 403
    assert editor.post(path, act="preview").status_code == 303
    for page in ("/uploads", "/uploads/1", "/postbacks"):
        shown = viewer.get(page).text
        assert "preview-undo" not in shown
        assert "decide-again" not in shown
    assert viewer.get("/postbacks/decide-again").status_code == 403


MARKS = (
    "<b>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}}",
    "\"'><svg onload=alert(1)>",
    "&lt;",
)


@pytest.mark.front
def test_outside_text__is_shown_as_text(world: World, site: UploadSite) -> None:
    words = [f"{mark}{number}" for number in range(50) for mark in MARKS]
    with open_ledger(world.trueup.url) as ledger:
        texts = {name: words[place * 7 % len(words)] for place, name in enumerate(SHOWN_OF_CLICKS)}
        rows = [
            {"click_id": f"h{place}", "clicked_at": now(), **texts, "sub1": word} for place, word in enumerate(words)
        ]
        with ledger.transaction() as transaction:
            commit_clicks(transaction, completed(pl.DataFrame(rows), CLICKS, NO_SETUP))
    receive(world, *(f"cid=h{place}&txid={word}&status={word}" for place, word in enumerate(words)))
    quoted = "".join('h1,"{}"\n'.format(word.replace('"', '""')) for word in words)
    world.upload(f"click_id,status\n{quoted}".encode())
    browser = site.browser()
    columns = {"clicks": list(SHOWN_OF_CLICKS), "postbacks": ["status", "transaction_id", "raw", "reason"]}
    for name, chosen in columns.items():
        asked = {"list": name, "column": chosen, "next": "/"}
        assert browser.ask("POST", "/preferences/columns", data=asked).status_code == 303
    paths = [
        "/clicks?limit=200",
        "/clicks?sub1=%3Cb%3E0",
        "/clicks/h1",
        "/postbacks?limit=200",
        "/uploads",
        "/uploads/2",
    ]
    paths += [older(browser.get(path).text) for path in ("/clicks?limit=200", "/postbacks?limit=200")]
    for path in paths:
        page = browser.get(path).text
        main = page[page.index("<main") :]
        for element in ("<b>", "<script>alert", "<img", "<svg onload"):
            assert element not in main, (path, element)
    shown = browser.get("/clicks?limit=200").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "{{7*7}}" in shown
    assert "&amp;lt;" in shown


SHOWN_OF_CLICKS = (
    "sub1",
    "sub2",
    "sub10",
    "country",
    "device",
    "os",
    "browser",
    "external_id",
    "referrer",
    "user_agent",
    "ip",
)
NO_SETUP = {
    "is_bot": 0, "cost": 0, "campaign_id": 0, "offer_id": 0, "network_id": 0, "traffic_source_id": 0,
}  # fmt: skip

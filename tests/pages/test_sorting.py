"""Lists that are sorted: by the heads of their columns, with the same order in their files, and pages both ways."""

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from uploading import PageBrowser, UploadSite, plain
from worlds import World, grown, succeeded

from trueup.model.words import Role
from trueup.reports import conversion_list

ROW = re.compile(r'<tr id="row-([^"]+)"')
SETUP = """
[[affiliate_networks]]
name = "net"

[[offers]]
name = "o"
network = "net"

[[campaigns]]
name = "camp"
slug = "camp"
"""


def _grow(made: World) -> None:
    """An import of clicks, conversions for them, and a refused row."""
    made.set_up(SETUP)
    lines = [f"k{at:02},camp,o,2026-02-01T00:00:{at:02}Z,0.0{at % 3}\n" for at in range(55)]
    file = made.file("click_id,campaign,offer,clicked_at,cost\n" + "".join(lines), "clicks.csv")
    succeeded(made.trueup("clicks", "import", file, "--yes"))
    rows = [f"k{at:02},{at % 7}.5,{('approved', 'pending')[at % 2]}\n" for at in range(52)]
    made.upload("click_id,payout,status\nnobody,1,approved\n" + "".join(rows))
    made.upload("click_id,payout\nk01,100\n")


@pytest.fixture
def world(world: World) -> World:
    return grown(world, _grow)


@pytest.fixture
def browser(world: World, tmp_path: Path) -> Iterator[PageBrowser]:
    site = UploadSite(world.trueup.url, tmp_path / "served")
    yield site.browser(Role.VIEWER)
    site.end()


def link(page: str, name: str) -> str:
    found = re.search(rf'id="{name}" href="([^"]+)"', page)
    return html.unescape(found[1]) if found else ""


def walked(browser: PageBrowser, path: str) -> list[str]:
    """The rows of all pages; the pages back are the same."""
    pages = [browser.get(path).text]
    while onward := link(pages[-1], "page-after"):
        pages.append(browser.get(onward).text)
    rows = [ROW.findall(page) for page in pages]
    back, at = [], link(pages[-1], "page-before")
    while at:
        page = browser.get(at).text
        back.insert(0, ROW.findall(page))
        at = link(page, "page-before")
    assert back == rows[:-1], path
    found = [row for page in rows for row in page]
    assert len(found) == len(set(found)), path
    return found


def filed(browser: PageBrowser, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get(path).text)))


@pytest.mark.front
@pytest.mark.parametrize(
    ("path", "file", "sorts", "count"),
    [
        ("/uploads/2", "/uploads/2/rows.csv", ("", "-line", "-payout", "payout", "status", "-click_id"), 53),
        ("/uploads/1", "/uploads/1/clicks.csv", ("", "-click_id", "-time", "-cost", "-revenue", "conversions"), 55),
        ("/clicks", "/clicks.csv", ("", "time", "-cost", "-revenue", "conversions"), 55),
        ("/uploads", "/uploads.csv", ("", "time", "-revenue", "rows", "-conversions"), 3),
    ],
)
def test_pages_and_file__have_the_same_order(
    browser: PageBrowser, path: str, file: str, sorts: tuple[str, ...], count: int
) -> None:
    key = {"/uploads/2": "line", "/uploads": "number"}.get(path, "click_id")
    for sort in sorts:
        rows = walked(browser, f"{path}?sort={sort}")
        assert [row.removeprefix("2-") for row in rows] == [row[key] for row in filed(browser, f"{file}?sort={sort}")]
        assert len(rows) == count
    payouts = [float(row["payout"] or 0) for row in filed(browser, "/uploads/2/rows.csv?sort=-payout")]
    assert payouts == sorted(payouts, reverse=True)


def test_heads__sort_and_turn_round(browser: PageBrowser) -> None:
    page = browser.get("/uploads?sort=-revenue").text
    assert re.findall(r'aria-sort="(\w+)"><a id="sort-(\w+)"', page) == [
        ("none", "at"), ("none", "rows"), ("descending", "money")
    ]  # fmt: skip
    assert link(page, "sort-money") == "/uploads?sort=revenue"
    assert link(page, "sort-at") == "/uploads?sort=-time"
    assert 'hx-replace-url="true"' in page[page.index('id="sort-money"') :][:200]
    for path in ("/uploads", "/clicks", "/postbacks", "/conversions", "/uploads/1", "/uploads/2"):
        assert browser.get(f"{path}?sort=nonsense").status_code == 422, path
        assert "not sorted by" in plain(browser.get(f"{path}?sort=nonsense").text)


def test_clicks_of_an_import__have_columns_and_files(browser: PageBrowser) -> None:
    chosen = ["click_id", "cost", "conversions"]
    asked = {"list": "import-clicks", "column": chosen, "next": "/uploads/1"}
    assert browser.ask("POST", "/preferences/columns", data=asked).status_code == 303
    page = browser.get("/uploads/1").text
    assert re.findall(r'<th scope="col"[^>]*><a[^>]*>([^<]+)', page) == ["Click id", "Cost", "Conversions"]
    rows = filed(browser, "/uploads/1/clicks.csv")
    assert list(rows[0]) == chosen
    assert rows[1] == {"click_id": "k01", "cost": "0.01", "conversions": "1"}
    assert browser.get("/uploads/1/clicks.xlsx").content[:2] == b"PK"
    assert browser.get("/uploads/2/clicks.csv").status_code == browser.get("/uploads/9/clicks.csv").status_code == 404


def test_too_many_rows__are_said_and_stay_by_time(
    world: World, browser: PageBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = ROW.findall(browser.get("/conversions?from=&to=").text)
    by_payout = ROW.findall(browser.get("/conversions?from=&to=&sort=-payout").text)
    assert by_payout[0] == "k01-1"
    monkeypatch.setattr(conversion_list, "SORTED_MOST", 30)
    page = browser.get("/conversions?from=&to=&sort=-payout").text
    assert "Too many rows to sort by Payout" in plain(page)
    assert ROW.findall(page) == newest
    assert 'aria-sort="descending"><a id="sort-converted_at"' in page
    assert len(walked(browser, "/conversions?from=&to=&sort=-payout")) == 52
    assert "Too many" not in plain(browser.get("/conversions?from=&to=&sort=-payout&status=pending").text)
    ran = world.trueup("conversions", "--sort", "-payout")
    assert ran.code == 2
    assert "too many to sort by payout" in ran.stderr


def test_command__sorts_as_the_list_does(world: World, browser: PageBrowser) -> None:
    for sort in ("-payout", "payout", "status", "-time"):
        shown = walked(browser, f"/conversions?from=&to=&sort={sort}")
        assert [row["conversion_id"] for row in world.conversions("--sort", sort)] == shown
        assert [row["conversion_id"] for row in world.conversions("--sort", sort, "--limit", 3)] == shown[:3]
    told = world.trueup("conversions", "--table", "--sort", "-payout", "--limit", 2).stdout
    assert "The first 2 of 52 conversions, by payout, the greatest first" in told
    assert "not sorted by 'paid'" in world.trueup("conversions", "--sort", "paid").stderr

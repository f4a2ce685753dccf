"""Uploads, postbacks and clicks in a browser: the main task of each, on a desk and on a phone."""

import urllib.request

import polars as pl
import pytest
from browsing import PHONE, Browse, is_wider_than_window, violations
from playwright.sync_api import expect
from served import Served

from trueup.ledger.open import open_ledger


def newest_clicks(site: Served, most: int) -> list[str]:
    with open_ledger(site.database_url) as database:
        found = database.read_sql(
            f"SELECT click_id FROM clicks ORDER BY click_number DESC LIMIT {most}",  # noqa: S608 - a number of ours
            {"click_id": pl.String},
        )
    return found["click_id"].to_list()


def send(site: Served, queries: list[str]) -> None:
    for query in queries:
        urllib.request.urlopen(f"{site.url}/postback?{query}").close()  # noqa: S310 - a server of ours


@pytest.mark.long
@pytest.mark.parametrize("path", ["/uploads", "/clicks", "/postbacks", "/conversions"])
def test_list__shows_all_its_usual_columns_on_a_desk(browse: Browse, sample_site: Served, path: str) -> None:
    page = browse(sample_site, path)
    hidden = "[...document.querySelectorAll('.list-box')].filter(box => box.scrollWidth > box.clientWidth).length"
    assert page.evaluate(hidden) == 0


def test_postbacks__say_how_many_came_and_do_not_jump(browse: Browse, own_site: Served) -> None:
    first, second = newest_clicks(own_site, 2)
    send(own_site, [f"cid={first}&payout=1.5&txid=T-1"])
    page = browse(own_site, "/postbacks")
    expect(page.locator("table.log tbody tr")).to_have_count(1)
    page.locator("details.raw summary").click()
    expect(page.get_by_text(f"GET /postback?cid={first}")).to_be_visible()
    send(own_site, [f"cid={second}&payout=2&txid=T-{number}" for number in range(12)])
    asked = "document.querySelector('#newer').getAttribute('hx-get')"  # as it does by itself ten seconds later
    page.evaluate(f"htmx.ajax('GET', {asked}, {{target: '#newer', swap: 'outerHTML'}})")
    expect(page.get_by_role("link", name="12 new")).to_be_visible()
    expect(page.locator("table.log tbody tr")).to_have_count(1)
    page.get_by_role("link", name="12 new").click()
    expect(page.locator("table.log tbody tr")).to_have_count(13)
    page.get_by_role("link", name="line 1 of batch").first.click()
    expect(page.get_by_text("decided again")).to_be_visible()


@pytest.mark.long
def test_batch__is_undone_and_brought_back_by_its_buttons(browse: Browse, own_site: Served) -> None:
    page = browse(own_site, "/uploads", scripts=False)
    page.locator("#row-3").get_by_role("button", name="Undo batch 3").click()
    page.get_by_role("button", name="Undo batch 3:").click()
    expect(page.get_by_role("status").get_by_text("Undid batch 3 as batch 6")).to_be_visible()
    page.get_by_role("link", name="Redo…").click()
    page.get_by_role("button", name="Bring batch 3 back").click()
    expect(page.get_by_role("status").get_by_text("Brought batch 3 back as batch 7")).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages__suit_everybody(browse: Browse, own_site: Served, scheme: str) -> None:
    (click,) = newest_clicks(own_site, 1)
    send(own_site, [f"cid={click}&payout=1.5&txid=T-1"])
    paths = ("/uploads", "/uploads/3", "/postbacks", "/postbacks/decide-again?batch=3", "/clicks", f"/clicks/{click}")
    page = browse(own_site, paths[0], scheme=scheme, size=PHONE)
    wide, wrong = [], []
    for path in paths:
        page.goto(path)
        wide += [path] if is_wider_than_window(page) else []
    page = browse(own_site, paths[0], scheme=scheme)
    for path in paths:
        page.goto(path)
        wrong += violations(page)
    assert (wide, wrong) == ([], [])


@pytest.mark.long
def test_list__is_sorted_by_keys_and_on_a_phone(browse: Browse, own_site: Served) -> None:
    page = browse(own_site, "/conversions?from=&to=")
    head = page.locator("#sort-payout")
    head.focus()
    page.keyboard.press("Enter")
    expect(page.locator('th[aria-sort="descending"]')).to_have_text("Payout")
    expect(head).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('th[aria-sort="ascending"]')).to_have_text("Payout")
    page.locator("#page-after").click()
    page.locator("#page-before").click()
    expect(page.locator("#page-before")).to_have_count(0)
    page.go_back()
    page.go_back()
    page.go_back()  # sorts replace each other: before them was nothing
    assert "sort" not in page.url
    phone = browse(own_site, "/uploads", size=PHONE)
    phone.locator("#sorts > summary").click()
    phone.locator("#sorts").get_by_role("link", name="Revenue").click()
    phone.wait_for_url("**/uploads?sort=-revenue")
    assert not is_wider_than_window(phone)

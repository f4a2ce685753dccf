"""Pop-ups and drawers in a browser: by keyboard alone, with Back and a reload, on a phone, without scripts."""

import re

import pytest
from browsing import PHONE, Browse, is_wider_than_window, violations
from playwright.sync_api import Page, expect
from served import Served

EVERYTHING = "/conversions?from=&to="


def statuses(page: Page) -> list[str]:
    return [each.inner_text().strip() for each in page.locator('td[data-label="Status"]').all()[:3]]


@pytest.mark.long
def test_set_status__by_keyboard_from_the_rows_to_apply(browse: Browse, own_site: Served) -> None:
    page = browse(own_site, EVERYTHING)
    expect(page.locator("#ticked")).to_be_hidden()
    for key in ("ArrowDown", "x", "ArrowDown", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-ticked-text]")).to_have_text(re.compile(r"2 selected, [\d,.]+ USD"))
    page.get_by_role("button", name="Set status…").focus()
    page.keyboard.press("Enter")
    layer = page.locator("#layer")
    expect(layer).to_contain_text("Set status of 2 conversions")
    page.keyboard.press("Enter")  # without a status it asks for one, and keeps the focus on what is wrong
    expect(layer.locator("#errors")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link to the field
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(layer.locator("input[value=declined]")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/upload/*")
    expect(page.locator("h1")).to_have_text("Set status of 2 conversions to declined")
    page.get_by_role("button", name=re.compile("^Apply 2 changes")).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".result-head")).to_contain_text("Applied 2 changes")
    page.goto(EVERYTHING)
    assert statuses(page)[:2] == ["Declined", "Declined"]


@pytest.mark.long
def test_all_that_match__is_a_second_tick(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, f"{EVERYTHING}&status=approved")
    page.get_by_role("link", name="Time").click()  # the list is swapped
    page.wait_for_url("**sort=time*")
    page.get_by_label("Tick all rows of this page").check()
    expect(page.locator("[data-ticked-text]")).to_contain_text("50 selected")
    page.locator("#all-matching").check()
    expect(page.locator("[data-ticked-text]")).to_have_text(re.compile(r"All \d+ matching, [\d,.]+ USD"))
    page.get_by_role("button", name="Edit payout…").click()
    expect(page.locator("#layer")).to_contain_text("that match")
    assert "id=" not in page.url
    assert "all=1" in page.url
    page.keyboard.press("Escape")
    expect(page.locator("#layer")).to_be_hidden()
    expect(page.locator("#all-matching")).to_be_checked()  # the list is as it was


@pytest.mark.long
def test_story__opens_beside_the_list_and_back_closes_it(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, EVERYTHING)
    first = page.locator("tbody a[data-opens]").first
    named = first.get_attribute("title") or ""
    first.click()
    layer = page.locator("#layer")
    expect(layer).to_contain_text(f"Conversion {named}")
    expect(page).to_have_url(f"{sample_site.url}/conversions/{named}")
    page.get_by_role("link", name="Change status").click()
    expect(layer).to_contain_text(f"Set status of {named}")
    page.keyboard.press("Escape")  # one layer: the story is there again
    expect(layer).to_contain_text("What happened")
    found = violations(page)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    assert found + violations(page) == []
    page.go_back()
    expect(layer).to_be_hidden()
    expect(page).to_have_url(f"{sample_site.url}{EVERYTHING}")
    page.go_forward()
    expect(layer).to_contain_text(f"Conversion {named}")
    page.reload()
    expect(page.locator("h1")).to_contain_text(named)
    page.go_back()
    expect(page.locator("h1")).to_have_text("Conversions")


@pytest.mark.long
@pytest.mark.parametrize("path", ["add", "update-status", "template"])
def test_pop_ups__fit_a_phone_and_have_nothing_against_wcag(browse: Browse, sample_site: Served, path: str) -> None:
    page = browse(sample_site, f"/conversions/{path}", size=PHONE)
    assert not is_wider_than_window(page)
    found = violations(page)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    assert found + violations(page) == []


@pytest.mark.long
def test_without_scripts__rows_are_ticked_and_changed(browse: Browse, own_site: Served) -> None:
    page = browse(own_site, EVERYTHING, scripts=False)
    page.locator("input[name=id]").first.check()
    page.get_by_role("button", name="Edit payout…").click()
    page.get_by_label("Amount").fill("41")
    page.get_by_role("button", name="Preview the change").click()
    expect(page.locator("h1")).to_contain_text("Edit payout of")
    page.get_by_role("button", name=re.compile("^Apply 1 change")).click()
    page.goto(EVERYTHING)
    expect(page.locator('td[data-label="Payout"]').first).to_contain_text("41.00")

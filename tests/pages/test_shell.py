"""The shell in a browser: keys, theme, help, the same on a phone and without scripts."""

import pytest
from browsing import PHONE, Browse, is_wider_than_window, violations
from playwright.sync_api import expect
from served import Served

PATHS = ("/conversions", "/help", "/nowhere", "/search?q=update", "/profile", "/users", "/upload", "/sign-in")


def test_keys__open_help_and_search_and_go_to_pages(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, "/help")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("gc?")  # in a field, keys are text
    expect(page.locator("#search")).to_have_value("gc?")
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(f"{sample_site.url}/conversions")


@pytest.mark.long
def test_keys__walk_through_rows_and_periods(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, "/conversions?from=yesterday&to=today")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("tbody tr").nth(1).locator("a[data-opens]")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: "yesterday" not in url)


def test_letter_keys__can_be_switched_off(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, "/help", preferences={"letter_keys": "off"})
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("Escape")


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
def test_pages__have_nothing_against_wcag(browse: Browse, sample_site: Served, path: str) -> None:
    page = browse(sample_site, path)
    found = violations(page)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    assert found + violations(page) == []


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
def test_phone__never_scrolls_sideways(browse: Browse, sample_site: Served, path: str) -> None:
    page = browse(sample_site, path, size=PHONE)
    assert not is_wider_than_window(page)


def test_phone__has_the_menu(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, "/help", size=PHONE)
    expect(page.locator("#sidebar")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Conversions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sidebar")).to_be_hidden()


@pytest.mark.long
def test_without_scripts__the_list_pages_and_columns_work(browse: Browse, own_site: Served) -> None:
    page = browse(own_site, "/conversions?from=&to=", scripts=False)
    first = page.locator("tbody tr").first.get_attribute("id")
    page.get_by_role("link", name="Next").click()
    assert page.locator("tbody tr").first.get_attribute("id") != first
    page.get_by_role("link", name="Previous").click()
    assert page.locator("tbody tr").first.get_attribute("id") == first
    page.locator("#columns summary").click()
    page.get_by_label("Label", exact=True).uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("thead th").filter(has_text="Label")).to_have_count(0)


def test_list__moves_without_leaving_the_page(browse: Browse, sample_site: Served) -> None:
    page = browse(sample_site, "/conversions?from=&to=")
    page.evaluate("window.isTheSame = true")
    page.get_by_role("link", name="Time").click()
    page.wait_for_url("**sort=time*")
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
    page.locator("#filters summary").click()
    page.get_by_label("Pending").check()
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_url("**status=pending*")
    expect(page.locator("tbody .chip-approved")).to_have_count(0)
    assert page.evaluate("window.isTheSame")
    page.go_back()
    page.wait_for_url("**sort=time")
    expect(page.locator("tbody .chip-approved").first).to_be_visible()

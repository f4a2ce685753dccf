"""The page of an upload in a browser: the main task by mouse, by keyboard alone, and without scripts."""

from pathlib import Path
from typing import Final

import polars as pl
import pytest
from browsing import PHONE, Browse, is_wider_than_window, violations
from command_line import CommandLine
from playwright.sync_api import Page, expect
from served import Served

from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger

_DROP: Final = """text => {
  const dropped = new DataTransfer()
  dropped.items.add(new File([text], "june.csv"))
  const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true })
  document.querySelector("[data-drop]").dispatchEvent(event)
}"""


def statement(folder: Path, site: Served) -> Path:
    """A file of four rows, one of them with an unknown word."""
    with open_ledger(site.database_url) as database:
        ids = _newest(database)
    file = folder / "june.csv"
    rows = [f"{click},{number}.50,T-{number},approved" for number, click in enumerate(ids, 1)]
    file.write_text("click_id,payout,transaction_id,status\n" + "\n".join(rows) + f"\n{ids[0]},1,T-9,paid_out\n")
    return file


def _newest(database: Database) -> list[str]:
    found = database.read_sql("SELECT click_id FROM clicks ORDER BY clicked_at DESC LIMIT 3", {"click_id": pl.String})
    return found["click_id"].to_list()


def revenue(site: Served) -> str:
    """The report of all there is."""
    ran = CommandLine(site.database_url)("report", "--json")
    assert ran.code == 0, ran.stderr
    return ran.stdout


def test_upload__by_mouse_from_the_file_to_its_undo(browse: Browse, own_site: Served, tmp_path: Path) -> None:
    before = revenue(own_site)
    page = browse(own_site, "/upload")
    page.evaluate(_DROP, statement(tmp_path, own_site).read_text())
    expect(page.locator("[data-chosen]")).to_contain_text("june.csv")
    page.get_by_role("button", name="Check and preview").click()
    expect(page.locator(".headline-lead")).to_contain_text("3 changes, +7.")
    page.locator("#check > summary").click()
    page.locator("#point-amounts > summary").click()
    page.get_by_label("Decimal comma").check()
    apply = page.get_by_role("button", name="Apply 3 changes")
    expect(apply).to_be_disabled()  # the figures are those of other choices
    expect(page.locator(".stale-note")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Apply 3 changes").click()
    expect(page.locator(".result-head")).to_contain_text("Applied 3 changes")
    assert revenue(own_site) != before
    toast = page.locator("#toasts")
    expect(toast).to_contain_text("Applied 3 changes, +7.")
    assert violations(page) == []
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast.get_by_text("Applied")).to_be_hidden()
    page.get_by_role("button", name="Undo…").click()
    expect(page.get_by_role("link", name="Keep")).to_be_focused()
    page.get_by_role("button", name="Undo 3 changes").click()
    expect(page.locator(".result-head")).to_contain_text("Undone")
    assert revenue(own_site) == before
    page.goto("/conversions")
    expect(toast.get_by_text("Applied")).to_have_count(0)


def _pressed_to(page: Page, selector: str, key: str = "Tab", most: int = 80) -> None:
    """Press a key until something has the focus."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} cannot be reached by {key}")


@pytest.mark.long
def test_upload__by_keyboard_alone(browse: Browse, own_site: Served) -> None:
    with open_ledger(own_site.database_url) as database:
        click = _newest(database)[0]
    page = browse(own_site, "/conversions")
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page).to_have_url(f"{own_site.url}/upload")
    _pressed_to(page, "#field-text")
    page.keyboard.type(f"{click},4.00,T-1,approved")
    _pressed_to(page, "form[data-send] .btn-primary")
    page.keyboard.press("Enter")
    expect(page.locator(".headline-lead")).to_contain_text("1 change")
    _pressed_to(page, "#apply .btn-primary")
    page.keyboard.press("Enter")
    expect(page.locator(".result-head")).to_contain_text("Applied 1 change")
    _pressed_to(page, "form[action$='/preview-undo'] button")
    page.keyboard.press("Enter")
    expect(page.locator(".headline-lead")).to_contain_text("Undo batch")
    _pressed_to(page, ".headline-act .btn-danger", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".result-head")).to_contain_text("Undone")


@pytest.mark.long
@pytest.mark.parametrize("scripts", [True, False])
def test_toast__is_dismissed_by_its_own_button(browse: Browse, own_site: Served, scripts: bool) -> None:
    with open_ledger(own_site.database_url) as database:
        click = _newest(database)[0]
    page = browse(own_site, "/upload", scripts=scripts)
    page.locator("#field-text").fill(f"{click},4.00,T-1,approved")
    page.get_by_role("button", name="Check and preview").click()
    page.get_by_role("button", name="Apply 1 change").click()
    toast = page.locator("#toasts")
    expect(toast).to_contain_text("Applied 1 change, +4.00 USD.")
    assert not scripts or violations(page) == []
    page.get_by_role("button", name="Dismiss").click()
    expect(toast.get_by_text("Applied")).to_be_hidden()
    page.goto("/conversions")
    expect(toast.get_by_text("Applied")).to_have_count(0)


@pytest.mark.long
def test_upload__without_scripts(browse: Browse, own_site: Served, tmp_path: Path) -> None:
    page = browse(own_site, "/upload", scripts=False)
    page.set_input_files("#field-file", statement(tmp_path, own_site))
    page.get_by_role("button", name="Check and preview").click()
    expect(page.locator(".headline-lead")).to_contain_text("3 changes", timeout=30_000)
    page.get_by_role("button", name="Apply 3 changes").click()
    expect(page.locator(".result-head")).to_contain_text("Applied 3 changes", timeout=30_000)
    page.get_by_role("button", name="Undo…").click()
    page.get_by_role("button", name="Undo 3 changes").click()
    expect(page.locator(".result-head")).to_contain_text("Undone", timeout=30_000)


@pytest.mark.long
def test_upload__is_fit_for_a_phone_and_has_nothing_against_wcag(
    browse: Browse, own_site: Served, tmp_path: Path
) -> None:
    page = browse(own_site, "/upload", size=PHONE)
    found = [_looked_at(page)]
    page.set_input_files("#field-file", statement(tmp_path, own_site))
    page.get_by_role("button", name="Check and preview").click()
    expect(page.locator(".headline-lead")).to_be_visible()
    page.evaluate(
        "document.querySelectorAll('details').forEach(each => { if (!each.matches('.pop')) each.open = true })"
    )
    found.append(_looked_at(page))
    page.get_by_role("button", name="Apply 3 changes").click()
    expect(page.locator(".result-head")).to_be_visible()
    found.append(_looked_at(page))
    page.get_by_role("button", name="Undo…").click()
    expect(page.locator(".headline-lead")).to_contain_text("Undo batch")
    found.append(_looked_at(page))
    assert found == [[]] * 4


def _looked_at(page: Page) -> list[str]:
    """What is wrong with a page, light and dark."""
    found = ["wider than the window"] if is_wider_than_window(page) else []
    found += violations(page)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    return found + violations(page)

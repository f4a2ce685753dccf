"""Two million rows, from the file to its undo, with a reload and a restart of the server in the middle."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from browsing import Browse
from playwright.sync_api import Page, expect
from served import Served
from worlds import CLICKED_AT, micros_at

from trueup.ledger.commit import commit_clicks
from trueup.ledger.open import open_ledger
from trueup.model.frames import CLICKS, completed

_CLICKS = 400_000
_ROWS_EACH = 5
_CHUNK = 50_000
_SOME_ROWS = 100_000
_PATIENCE_MS = 1_800_000.0


def click_ids() -> list[str]:
    return [f"k{number:06}" for number in range(_CLICKS)]


def many_clicks(url: str) -> None:
    """Put the clicks of all rows into a ledger."""
    facts = dict.fromkeys(("campaign_id", "offer_id", "network_id", "traffic_source_id", "cost"), 0)
    with open_ledger(url) as ledger:
        for start in range(0, _CLICKS, _CHUNK):
            ids = pl.DataFrame({"click_id": click_ids()[start : start + _CHUNK]})
            rows = ids.with_columns(**{name: pl.lit(value) for name, value in facts.items()})
            rows = rows.with_columns(clicked_at=pl.lit(micros_at(CLICKED_AT)))
            with ledger.transaction() as transaction:
                commit_clicks(transaction, completed(rows, CLICKS, {"is_bot": 0}))


def many_rows(file: Path) -> None:
    """A file with some rows of each click, and one row that is refused."""
    rows = pl.DataFrame({"click_id": click_ids()}).join(
        pl.DataFrame({"transaction_id": range(_ROWS_EACH)}), how="cross"
    )
    rows.with_columns(payout=pl.lit("1.50")).write_csv(file)
    with file.open("a") as more:
        more.write("nobody,1,1\n")


@pytest.mark.long
@pytest.mark.timeout(2 * 3_600)
def test_two_million_rows__from_the_file_to_its_undo(browse: Browse, sqlite_template: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'trueup.db')}"
    many_clicks(url)
    file = tmp_path / "june.csv"
    many_rows(file)
    site = Served(url, tmp_path)
    site.start()
    try:
        _walk(browse, site, file)
    finally:
        site.stop()


def _walk(browse: Browse, site: Served, file: Path) -> None:
    expect.set_options(timeout=_PATIENCE_MS)
    page = browse(site, "/upload")
    page.set_default_timeout(_PATIENCE_MS)
    page.set_input_files("#field-file", file)
    page.get_by_role("button", name="Check and preview").click()
    expect(page.locator(".headline-lead")).to_have_text("2,000,000 changes, +3,000,000.00 USD")
    page.get_by_role("button", name="Apply 2,000,000 changes, +3,000,000.00 USD").click()
    expect(page.locator(".working .lead")).to_contain_text("Applying")
    _until_some_is_done(page)
    page.reload()
    expect(page.locator(".working .lead")).to_contain_text("Applying")
    site.stop()
    site.start()
    page.reload()
    expect(page.locator(".result-head")).to_contain_text("Applied 2,000,000 changes, +3,000,000.00 USD")
    expect(page.locator("#upload")).to_contain_text("Exactly as previewed.")
    page.get_by_role("button", name="Undo…").click()
    page.get_by_role("button", name="Undo 2,000,000 changes").click()
    expect(page.locator(".result-head")).to_contain_text("Undone")
    expect(page).to_have_title("june.csv · Trueup")


def _until_some_is_done(page: Page) -> None:
    """Wait until rows are applied; the policy forbids the page to be asked in a loop of its own."""
    while float(page.locator("#work-progress").get_attribute("value") or 0) < _SOME_ROWS:
        page.wait_for_timeout(200)

"""Two million rows, from the file to its undo, with a reload and a restart of the server in the middle.

And fewer rows whose server is killed, as a loss of power does it, while the page looks on.
"""

import shutil
from pathlib import Path

import polars as pl
import pytest
from browsing import Browse
from command_line import CommandLine
from playwright.sync_api import Page, expect
from served import Served
from serving import Server
from worlds import CLICKED_AT, micros_at

from trueup.ledger.commit import commit_clicks
from trueup.ledger.open import open_ledger
from trueup.model.frames import CLICKS, completed

_CLICKS = 400_000
_FEWER_CLICKS = 40_000
_ROWS_EACH = 5
_CHUNK = 50_000
_SOME_ROWS = 100_000
_PATIENCE_MS = 1_800_000.0
_KILLED_PATIENCE_MS = 300_000.0


def click_ids(clicks: int) -> list[str]:
    return [f"k{number:06}" for number in range(clicks)]


def many_clicks(url: str, clicks: int) -> None:
    """Put the clicks of all rows into a ledger."""
    facts = dict.fromkeys(("campaign_id", "offer_id", "network_id", "traffic_source_id", "cost"), 0)
    with open_ledger(url) as ledger:
        for start in range(0, clicks, _CHUNK):
            ids = pl.DataFrame({"click_id": click_ids(clicks)[start : start + _CHUNK]})
            rows = ids.with_columns(**{name: pl.lit(value) for name, value in facts.items()})
            rows = rows.with_columns(clicked_at=pl.lit(micros_at(CLICKED_AT)))
            with ledger.transaction() as transaction:
                commit_clicks(transaction, completed(rows, CLICKS, {"is_bot": 0}))


def many_rows(file: Path, clicks: int) -> None:
    """A file with some rows of each click, and one row that is refused."""
    rows = pl.DataFrame({"click_id": click_ids(clicks)}).join(
        pl.DataFrame({"transaction_id": range(_ROWS_EACH)}), how="cross"
    )
    rows.with_columns(payout=pl.lit("1.50")).write_csv(file)
    with file.open("a") as more:
        more.write("nobody,1,1\n")


@pytest.mark.long
@pytest.mark.timeout(2 * 3_600)
def test_two_million_rows__from_the_file_to_its_undo(browse: Browse, sqlite_template: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'trueup.db')}"
    many_clicks(url, _CLICKS)
    file = tmp_path / "june.csv"
    many_rows(file, _CLICKS)
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


def _until_some_is_done(page: Page, rows: int = _SOME_ROWS) -> None:
    """Wait until rows are applied; the policy forbids the page to be asked in a loop of its own."""
    while float(page.locator("#work-progress").get_attribute("value") or 0) < rows:
        page.wait_for_timeout(200)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_killed_server__is_gone_on_with_before_the_eyes_of_the_page(
    browse: Browse, sqlite_template: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'trueup.db')}"
    many_clicks(url, _FEWER_CLICKS)
    file = tmp_path / "june.csv"
    many_rows(file, _FEWER_CLICKS)
    server = Server(url, tmp_path, {})
    server.start()
    try:
        page = browse(server, "/upload")
        page.set_default_timeout(_KILLED_PATIENCE_MS)
        page.set_input_files("#field-file", file)
        page.get_by_role("button", name="Check and preview").click()
        page.get_by_role("button", name="Apply 200,000 changes, +300,000.00 USD").click()
        _until_some_is_done(page, 1)
        page.evaluate("window.isTheSame = true")
        server.kill()
        rows = rows_done(url)
        assert 0 < rows < _FEWER_CLICKS * _ROWS_EACH
        expect(page.locator("[data-away]")).to_be_visible()  # it asks a server that is not there
        server.start()
        result = page.locator(".result-head")
        expect(result).to_contain_text("Applied 200,000 changes, +300,000.00 USD", timeout=_KILLED_PATIENCE_MS)
        expect(page.locator("#toasts")).to_contain_text("Applied 200,000 changes, +300,000.00 USD.")
        expect(page.locator("#running a")).to_have_count(0)
        assert page.evaluate("window.isTheSame")
        browse.complaints[:] = [each for each in browse.complaints if "Failed to fetch" not in each]
    finally:
        server.kill()
    assert CommandLine(url)("audit").code == 0
    assert rows_done(url) == _FEWER_CLICKS * _ROWS_EACH + 1  # and one that is refused


def rows_done(url: str) -> int:
    """How many rows of the first batch are recorded."""
    with open_ledger(url) as ledger:
        return ledger.number("SELECT count(*) FROM journal WHERE batch_id = 1")

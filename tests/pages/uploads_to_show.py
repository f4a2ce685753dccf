"""Uploads in the states that pictures show: one that cannot be read yet, one previewed, one applied, its undo."""

from pathlib import Path

import polars as pl
from browsing import Browse
from playwright.sync_api import Page
from served import Served

from trueup.ledger.open import open_ledger

_SQL = "SELECT click_id FROM clicks ORDER BY clicked_at DESC LIMIT 60"
_STATUSES = ("approved", "pending", "declined", "paid_out")


def uploads_to_show(browse: Browse, site: Served) -> dict[str, str]:
    """Make them.

    Returns:
        The name of each picture, and the path that it shows.
    """
    with open_ledger(site.database_url) as database:
        ids = database.read_sql(_SQL, {"click_id": pl.String})["click_id"].to_list()
    page = browse(site, "/upload")
    rows = [f"{click},{20 + 1.5 * place:.2f},TX-{place},{_STATUSES[place % 4]}" for place, click in enumerate(ids[:40])]
    rows += ["c00unknown,5.00,TX-90,approved", f'{ids[50]},"12,50",TX-91,approved']
    titles = "click_id,payout,transaction_id,status\n"
    previewed = _sent(page, site, "june statement.csv", titles + "\n".join(rows))
    amounts = "".join(f"{click},{place},{place + 1}\n" for place, click in enumerate(ids[:5]))
    unread = _sent(page, site, "two columns.csv", "Click ID,Amount,Payout\n" + amounts)
    applied = _sent(page, site, "may.csv", titles + "".join(f"{click},9.50,TX-5,approved\n" for click in ids[45:]))
    page.locator("#apply .btn-primary").click()
    page.locator(".result-head").wait_for()
    page.get_by_role("button", name="Undo…").click()
    page.locator(".headline").wait_for()
    return {
        "upload": "/upload",
        "upload-check": unread,
        "upload-preview": previewed,
        "upload-result": applied,
        "upload-undo": f"{applied}?undo",
    }


def _sent(page: Page, site: Served, name: str, text: str) -> str:
    """Send a file, and wait until it is previewed or cannot be. Returns: the path of its page."""
    file = Path(site.folder) / name
    file.write_text(text, encoding="utf-8")
    page.goto("/upload")
    page.set_input_files("#field-file", file)
    page.get_by_role("button", name="Check and preview").click()
    page.locator("#upload .headline, #upload .points").first.wait_for()
    return page.url.removeprefix(site.url)

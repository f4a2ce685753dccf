"""Pictures of every page, light and dark, on a desk and on a phone, from the sample workspace: `make screenshots`.

They go to docs/screenshots/ as WebP. A new page gets a line in PAGES.
"""

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import playwright.sync_api as pw
import polars as pl
from browsing import DESK, PHONE, Browse, Chromium, is_wider_than_window
from command_line import CommandLine
from served import Served
from uploads_to_show import uploads_to_show

from trueup.ledger.open import open_ledger
from trueup.model.words import Role

TARGET: Final = Path(__file__).parents[2] / "docs" / "screenshots"
CLICKS: Final = 20_000
QUALITY: Final = 60
# Name of the picture -> where it is taken. A name of several words stands for a page in a state of its own.
PAGES: Final = {
    "conversions": "/conversions",
    "conversions-filtered": "/conversions?status=pending&status=declined",
    "conversions-add": "/conversions/add",
    "update-status": "/conversions/update-status",
    "template": "/conversions/template",
    "uploads": "/uploads",
    "batch": "/uploads/3",
    "clicks": "/clicks",
    "postbacks": "/postbacks",
    "decide-again": "/postbacks/decide-again?batch=3",
    "search": "/search?q=import+conversions",
    "help": "/help",
    "profile": "/profile",
    "users": "/users",
    "not-found": "/nothing-here",
}
# The conversion that most happened to, with its click.
_FOLLOWED: Final = "SELECT click_id, n FROM conversions WHERE removed = 0 ORDER BY version DESC, click_id LIMIT 1"
_CLICKS: Final = "SELECT click_id FROM clicks ORDER BY clicked_at DESC LIMIT 30"
SIGNED_OUT: Final = {"sign-in": "/sign-in"}


@contextmanager
def sample_site() -> Iterator[Served]:
    """The sample workspace, served."""
    with tempfile.TemporaryDirectory() as folder:
        ran = CommandLine("")("demo", "--folder", folder, "--clicks", CLICKS, "--no-serve")
        assert ran.code == 0, ran.stderr
        site = Served(f"sqlite:///{folder}/trueup.db", Path(folder))
        site.start()
        try:
            report_some(site)
            yield site
        finally:
            site.stop()


def paths_of_one(site: Served) -> dict[str, str]:
    """Pages of one thing of the sample workspace."""
    with open_ledger(site.database_url) as database:
        click_id, n = database.read_sql(_FOLLOWED, {"click_id": pl.String, "n": pl.Int64}).row(0)
    named = f"{click_id}-{n}"
    return {
        "story": f"/conversions/{named}",
        "set-status": f"/conversions/set-status?id={named}",
        "edit-payout": f"/conversions/edit-payout?id={named}",
        "click": f"/clicks/{click_id}",
    }


def report_some(site: Served) -> None:
    """Report conversions as networks do, good ones and bad ones: the sample's own came in files."""
    with open_ledger(site.database_url) as database:
        ids = database.read_sql(_CLICKS, {"click_id": pl.String})["click_id"].to_list()
    for place, click_id in enumerate(ids):
        word = ("sale", "lead", "sale", "paid_out")[place % 4]
        known = click_id if place % 5 else f"unknown{place}"
        site.get(f"/postback?subid={known}&payout={10 + place}.50&tid=T-LIVE-{place // 2}&status={word}")


def take(page: pw.Page, file: Path) -> None:
    """Take a picture of what the window shows."""
    page.wait_for_load_state("networkidle")
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    file.write_bytes(base64.b64decode(taken["data"]))


def take_all(browse: Browse, site: Served, wanted: list[str], target: Path) -> Iterator[str]:
    """Take the pictures. Yields what is wrong."""
    signed_in = {**PAGES, **paths_of_one(site), **uploads_to_show(browse, site)}
    for scheme in ("light", "dark"):
        for size in (DESK, PHONE):
            for role, pages in ((Role.ADMIN, signed_in), (None, SIGNED_OUT)):
                page = browse(site, "/help" if role else "/sign-in", role, size=size, scheme=scheme)
                for name, path in pages.items():
                    if wanted and name not in wanted:
                        continue
                    page.goto(path)
                    take(page, target / f"{name}-{scheme}-{size[0]}.webp")
                    if is_wider_than_window(page):
                        yield f"{path} is wider than {size[0]} px"
    yield from browse.complaints


def main(wanted: list[str]) -> None:
    """Take the pictures of the named pages, or of all."""
    TARGET.mkdir(parents=True, exist_ok=True)
    chromium = Chromium()
    chromium.wake()
    with sample_site() as site:
        browse = Browse(chromium)
        found = list(take_all(browse, site, wanted, TARGET))
        browse.close()
    chromium.stop()
    print("\n".join(found) or f"{len(list(TARGET.glob('*.webp')))} pictures are in {TARGET}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1:])

"""How much every page weighs on its way: all of it on a first visit, and the page alone once its assets are there."""

import gzip
import re
import time
from typing import Final

import polars as pl
import pytest
from asking import Asker, text_of
from served import Served

from trueup.ledger.open import open_ledger
from trueup.pages import app

FIRST_MOST: Final = 200_000  # bytes, compressed: the page and all that it loads
LATER_MOST: Final = 30_000  # the page alone
_ASSET: Final = re.compile(r'"(/assets/[0-9a-f]{12}/[^"#]+)')
_LOADED: Final = re.compile(r"""(?:\bfrom|\bimport|\burl\()\s*["']?\.?/?([\w-]+\.(?:js|css|svg))""")
_MOST_TOLD: Final = "SELECT click_id, n FROM conversions WHERE removed = 0 ORDER BY version DESC, click_id LIMIT 1"
_PATIENCE_SECONDS: Final = 30.0
_NUMBERED: Final = {"number": "3", "user_id": "1", "token": "x" * 43}
# Answers that are no pages: files, what a page asks for again and again, and a link that leads on.
_NO_PAGES: Final = re.compile(r"\.\{form\}$|/newer$|^/running$|^/sign-in/\{token\}$")
_QUERIES: Final = {
    "/conversions": "?from=&to=",
    "/conversions/set-status": "?all=1&from=&to=",
    "/conversions/edit-payout": "?all=1&from=&to=",
    "/postbacks/decide-again": "?batch=3",
    "/search": "?q=c0",
}


@pytest.fixture
def asker(own_site: Served) -> Asker:
    return Asker(own_site)


def pages_of(values: dict[str, str]) -> list[str]:
    """The path of every page there is, one for each route that answers GET."""
    routes = [route for part in app._PARTS for route in part if "GET" in (route.methods or ())]  # noqa: SLF001 - all of them
    paths = dict.fromkeys(route.path for route in routes if not _NO_PAGES.search(route.path))
    filled = {path: re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values[found[1]], path) for path in paths}
    return [filled[path] + _QUERIES.get(path, "") for path in paths]


def names_of(site: Served) -> dict[str, str]:
    """What the pages of one thing are asked for by."""
    with open_ledger(site.database_url) as database:
        click_id, n = database.read_sql(_MOST_TOLD, {"click_id": pl.String, "n": pl.Int64}).row(0)
    return {"click_id": click_id, "conversion_id": f"{click_id}-{n}", **_NUMBERED}


def previewed(asker: Asker, click_id: str) -> str:
    """An upload whose rows come to many outcomes. Returns: its page."""
    lines = [f"{click_id},{place}.50,type {place},word {place},2026-01-0{place % 9 + 1} 10:00" for place in range(300)]
    lines += [f"unknown{place},1" for place in range(100)] + [f"{click_id},{place}," for place in range(50)]
    answer = asker.post("/conversions/add", {"lines": "\n".join(lines), "order": "trueup"})
    assert answer.status == 303, text_of(answer)
    return answer.headers["location"]


def rested(asker: Asker, path: str, says: str) -> None:
    """Wait until a page says something."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while says not in (text := text_of(asker.get(path))):
        assert time.monotonic() < ends, text
        time.sleep(0.05)


class Assets:
    """What a site's assets weigh, as they are sent; each is asked for once."""

    def __init__(self, site: Served) -> None:
        self._site = site
        self._known: dict[str, tuple[int, set[str]]] = {}

    def __call__(self, name: str) -> tuple[int, set[str]]:
        """What one weighs, and the names of others that it loads."""
        if name not in self._known:
            file = self._site.get(name, accept_encoding="gzip")
            assert file.status == 200, name
            loads = _LOADED.findall(gzip.decompress(file.body).decode())
            self._known[name] = len(file.body), {f"{name.rpartition('/')[0]}/{other}" for other in loads}
        return self._known[name]


def weigh(asker: Asker, site: Served, path: str, assets: Assets) -> tuple[int, int]:
    """What a page weighs, with all that it loads and alone, as it is sent."""
    answer = asker.get(path, accept_encoding="gzip")
    if answer.status == 303:  # it is for who is not signed in
        answer = site.get(path, accept_encoding="gzip", accept="text/html")
    assert answer.status in (200, 404, 410), (path, answer.status)
    assert answer.headers.get("content-encoding") == "gzip", path
    names, loaded = set(_ASSET.findall(gzip.decompress(answer.body).decode())), 0
    seen: set[str] = set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        size, others = assets(name)
        loaded += size
        names |= others
    return len(answer.body) + loaded, len(answer.body)


def test_every_page__weighs_little(asker: Asker, own_site: Served) -> None:
    names = names_of(own_site)
    upload = previewed(asker, names["click_id"])
    rested(asker, upload, "Nothing is changed yet.")
    paths = pages_of({**names, "upload_id": upload.rpartition("/")[2]})
    assets = Assets(own_site)
    weights = {path: weigh(asker, own_site, path, assets) for path in paths}
    seen = re.search(r'name="previewed_at" value="(\d+)"', asker.get(upload).text)
    assert seen
    asker.post(f"{upload}/apply", {"previewed_at": seen[1]})
    rested(asker, upload, "Applied")
    weights |= {f"{upload} applied": weigh(asker, own_site, upload, assets)}
    asker.post(f"{upload}/preview-undo", {"": ""})
    rested(asker, f"{upload}?undo", "Undo batch")
    weights |= {f"{upload} to undo": weigh(asker, own_site, f"{upload}?undo", assets)}
    assert len(weights) > 25
    heavy = {path: weight for path, weight in weights.items() if weight[0] > FIRST_MOST or weight[1] > LATER_MOST}
    assert heavy == {}, weights

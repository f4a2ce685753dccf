"""What a person is told after Apply and after Undo, once, wherever they are by then; nobody else is."""

import html
import json
import re
from typing import Any, Final
from urllib.parse import quote

import httpx2
import pytest
from uploading import PageBrowser, UploadSite, plain, value_of
from worlds import World

from trueup.model.words import Role
from trueup.pages.shell.formats import MINUS
from trueup.uploads import conversions

ROWS: Final = "click_id,payout,transaction_id\nk1,35.00,T1\nk2,12.00,T2\n"
TOAST: Final = re.compile(r"<dialog open.*?</dialog>", re.DOTALL)
PARTIAL: Final = {"hx-request": "true", "hx-request-type": "partial"}


class Carrying:
    """A browser that keeps the cookie of what a page is to say."""

    def __init__(self, browser: PageBrowser) -> None:
        self.browser, self.cookie = browser, ""

    def ask(self, method: str, path: str, **words: Any) -> httpx2.Response:  # noqa: ANN401 - what the client takes
        cookies = f"{self.browser._cookie}; {self.cookie}"  # noqa: SLF001 - it sends one of its own
        answer = self.browser.ask(method, path, headers={**words.pop("headers", {}), "cookie": cookies}, **words)
        for kept in answer.headers.get_list("set-cookie"):
            if kept.startswith("trueup_toasts"):
                assert "httponly" in kept.lower()
                self.cookie = "" if "max-age=0" in kept.lower() else kept.partition(";")[0]
        return answer

    def told(self, path: str, **headers: str) -> list[str]:
        """What a page says in toasts."""
        answer = self.ask("GET", path, headers=headers)
        assert answer.status_code == 200, plain(answer.text)
        return [plain(each) for each in TOAST.findall(answer.text)]

    def applied(self, path: str) -> httpx2.Response:
        """Apply what was previewed."""
        seen = value_of(self.browser.rested(path), "previewed_at")
        return self.ask("POST", f"{path}/apply", data={"previewed_at": seen})


@pytest.fixture
def world(world: World) -> World:
    """Three clicks."""
    world.add_clicks("k1", "k2", "k3")
    return world


@pytest.fixture
def ada(pages: UploadSite) -> Carrying:
    """An editor."""
    return Carrying(pages.browser())


def test_apply__is_told_once_on_the_next_page_with_its_undo(ada: Carrying, world: World) -> None:
    path = ada.browser.sent(ROWS)
    ada.applied(path)
    cookie = ada.cookie
    page = ada.ask("GET", path).text
    (toast,) = TOAST.findall(page)
    assert plain(toast) == "june.csv Applied 2 changes, +47.00 USD. Undo…"
    assert '<form method="dialog"><button' in toast  # it closes without a script
    assert ada.told(path) == ada.told("/conversions") == []
    ada.cookie = cookie  # as another tab that asked at the same moment
    assert ada.told("/conversions") == []
    link = re.search(r'<a href="([^"]+)">', toast)
    assert link
    undo = ada.browser.rested(html.unescape(link[1]))
    assert f"Undo batch 1: {MINUS}47.00 USD" in plain(undo)
    ada.ask("POST", f"{path}/undo", data={"batch": value_of(undo, "batch")})
    assert ada.told("/clicks") == [f"Undid batch 1 as batch 2: {MINUS}47.00 USD. Redo…"]
    assert world.totals()["revenue"] == "0.00"


@pytest.mark.front
def test_apply__is_told_to_nobody_else_who_sits_at_the_browser(ada: Carrying, pages: UploadSite) -> None:
    ada.applied(ada.browser.sent(ROWS))
    boss = Carrying(pages.browser(Role.ADMIN))
    boss.cookie = ada.cookie
    assert boss.told("/conversions") == []
    assert "Applied" not in Carrying(pages.browser()).ask("GET", "/sign-in", headers={"cookie": ada.cookie}).text
    assert len(ada.told("/conversions")) == 1


def test_apply__that_takes_longer_is_told_where_the_person_is_by_then(
    ada: Carrying, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slow:
        slow.setattr("trueup.pages.shell.ends.AT_WORK", frozenset({"done"}))
        path = ada.browser.sent(ROWS)
        ada.applied(path)
        assert ada.told("/conversions") == ada.told(path, **PARTIAL) == []
    assert ada.cookie
    assert ada.told("/running", **PARTIAL) == []  # what asks again and again says nothing
    part = ada.ask("GET", path, headers=PARTIAL).text
    assert '<hx-partial hx-target="#toasts" hx-swap="beforeend">' in part
    assert "Applied 2 changes" in plain(TOAST.findall(part)[0])
    assert ada.told(path) == []


@pytest.mark.front
def test_apply__that_stopped_is_told_as_that(ada: Carrying, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ada.browser.sent(ROWS)
    with monkeypatch.context() as broken:
        broken.setattr(conversions, "record_rows", _fails)
        ada.applied(path)
        ada.browser.rested(path)
    assert ada.told("/conversions") == ["june.csv Stopped after 0 of 2 rows. See why"]
    ada.ask("POST", f"{path}/go-on")
    assert ada.told("/uploads") == ["june.csv Applied 2 changes, +47.00 USD. Undo…"]


def _fails(*_words: object) -> None:
    raise RuntimeError("a disk that is full")


@pytest.mark.front
def test_one_edit__is_told_as_any_upload(ada: Carrying, world: World) -> None:
    world.upload(ROWS)
    ada.applied(ada.browser.acted("/conversions/set-status?id=k1-1", status="declined"))
    assert ada.told("/conversions") == [f"Set status of k1-1 to declined Applied 1 change, {MINUS}35.00 USD. Undo…"]
    ada.applied(ada.browser.acted("/conversions/edit-payout?id=k2-1", payout="10", how="replace"))
    assert ada.told("/conversions") == [f"Edit payout of k2-1 Applied 1 change, {MINUS}2.00 USD. Undo…"]


@pytest.mark.front
@pytest.mark.parametrize("cookie", ["%", "[]", "[1]", '[{"mark":1}]', "{}", "null", "[" * 3_000])
def test_cookie__that_was_made_up_says_nothing(ada: Carrying, cookie: str) -> None:
    ada.cookie = f"trueup_toasts_8080={cookie}"
    assert ada.told("/conversions") == []


@pytest.mark.front
@pytest.mark.parametrize(
    "made_up",
    [{"upload_id": "\0"}, {"upload_id": "u0123"}, {"undo_of": 2**70}, {"undo_of": -1}, {"undo_of": 4_000}, {"at": -1}],
)
def test_cookie__that_names_what_is_not_there_says_nothing(ada: Carrying, made_up: dict[str, Any]) -> None:
    waits = {"mark": "1", "user_id": 2, "at": 2**60, "toast": None, "upload_id": "", "undo_of": 0, **made_up}
    ada.cookie = f"trueup_toasts_8080={quote(json.dumps([waits]))}"
    assert ada.told("/conversions") == []


@pytest.mark.front
def test_cookie__that_was_made_up_leads_to_no_other_server(ada: Carrying) -> None:
    toast = {"text": "<b>x", "link": "//evil.example", "link_text": "here", "about": "<i>"}
    waits = {"mark": "1", "user_id": 2, "at": 2**60, "toast": toast, "upload_id": "", "undo_of": 0}
    ada.cookie = f"trueup_toasts_8080={quote(json.dumps([waits]))}"
    page = ada.ask("GET", "/conversions").text
    assert "&lt;b&gt;x" in page
    assert "evil.example" not in page

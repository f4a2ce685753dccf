"""Who is let do what: every route of the pages by who asks by from where. Routes that are added later are in it."""

import re
from collections.abc import Iterator

import pytest
from site_of_pages import HOST, Browser, Site
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from trueup.access.users import includes
from trueup.model.words import Role
from trueup.pages.gate import PageRoute

pytestmark = pytest.mark.front

REACHED = "the page itself"
QUICK: dict[str, str | None] = {"accept": "text/plain"}  # a line of text instead of a page that says why not
HERE = f"http://{HOST}"
# How a browser says that another site's page asks, or does not say who asks.
FROM_ELSEWHERE: tuple[dict[str, str | None], ...] = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": None},
    {"origin": f"http://evil.{HOST}"},
    {"origin": "http://trueup.test"},  # another port
    {"origin": f"ftp://{HOST}"},
    {"origin": f"{HERE}/"},
    {"origin": f"{HERE} https://evil.example"},
    {"origin": "https://evil.example", "host": "evil.example:1", "sec-fetch-site": "cross-site"},
    {"origin": HERE, "sec-fetch-site": "cross-site"},
    {"origin": HERE, "sec-fetch-site": "same-site"},
    {"origin": HERE, "sec-fetch-site": ""},
    {"origin": None, "sec-fetch-site": "cross-site"},
)
FROM_HERE: tuple[dict[str, str | None], ...] = (
    {"origin": HERE},
    {"origin": f"https://{HOST}"},  # a proxy has the certificate
    {"origin": HERE, "sec-fetch-site": "same-origin"},
    {"origin": None, "sec-fetch-site": "none"},
)


def routes_of(site: Site) -> list[BaseRoute]:
    """The route table of the pages."""
    return site.app._app.routes  # noqa: SLF001 - the frame around them has no use for them


def requests(site: Site, *, unsafe: bool) -> Iterator[tuple[str, str, Role | None]]:
    """Each method and path of each route, and the role that it needs."""
    for route in routes_of(site):
        if isinstance(route, PageRoute):
            path = re.sub(r"\{\w+:(?:int|float)\}", "7", route.path)
            path = re.sub(r"\{\w+(?::\w+)?\}", "x", path)
            for method in sorted(route.methods or ()):
                if (method not in ("GET", "HEAD", "OPTIONS")) is unsafe:
                    yield method, path, route.needs


@pytest.fixture
def browsers(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[Role | None, Browser]:
    """A browser without a session, and one of each role. The routes then say that they were reached, and do nothing."""
    site.user("Admin")
    for role in (Role.VIEWER, Role.EDITOR):
        site.user(role.value, role)
    made = {None: Browser(site), **{role: site.signed_in(role.value) for role in Role}}
    for route in routes_of(site):
        if isinstance(route, PageRoute):
            monkeypatch.setattr(route, "app", PlainTextResponse(REACHED))
    return made


def test_routes__are_all_behind_the_gate(site: Site) -> None:
    bare = [route for route in routes_of(site) if not isinstance(route, PageRoute)]
    assert all(isinstance(route, Route) and (route.methods or set()) <= {"GET", "HEAD"} for route in bare)
    assert [route.path for route in bare if isinstance(route, Route)] == ["/assets/{digest}/{name}"]
    open_to_all = {path.split("/")[1] for _, path, needs in requests(site, unsafe=True) if needs is None}
    assert open_to_all == {"sign-in", "sign-out", "first-run", "invitation"}
    assert len(list(requests(site, unsafe=True))) >= 13


def test_unsafe_routes__asked_from_elsewhere_do_nothing(site: Site, browsers: dict[Role | None, Browser]) -> None:
    through = [
        (method, path, role, headers)
        for role, browser in browsers.items()
        for number, (method, path, _) in enumerate(requests(site, unsafe=True))
        for headers in (FROM_ELSEWHERE if not number else FROM_ELSEWHERE[:2])
        if (answer := browser.ask(method, path, headers=QUICK | headers)).status_code != 403 or REACHED in answer.text
    ]
    assert through == []


def test_unsafe_routes__asked_from_here_need_their_role(site: Site, browsers: dict[Role | None, Browser]) -> None:
    wrong = []
    for role, browser in browsers.items():
        for number, (method, path, needs) in enumerate(requests(site, unsafe=True)):
            for headers in FROM_HERE if not number else FROM_HERE[:1]:
                answer = browser.ask(method, path, headers=QUICK | headers)
                if answer.status_code != expected(role, needs) or (REACHED in answer.text) != answer.is_success:
                    wrong.append((method, path, role, headers, answer.status_code))
                if answer.is_redirect and answer.headers["location"] != "/sign-in":
                    wrong.append((method, path, role, headers, answer.headers["location"]))
    assert wrong == []


def test_safe_routes__need_their_role(site: Site, browsers: dict[Role | None, Browser]) -> None:
    wrong = []
    for role, browser in browsers.items():
        for method, path, needs in requests(site, unsafe=False):
            answer = browser.ask(method, path, headers=QUICK)
            reached = answer.status_code == 200
            if answer.status_code != expected(role, needs) or (method == "GET" and (REACHED in answer.text) != reached):
                wrong.append((method, path, role, answer.status_code))
    assert wrong == []


def expected(role: Role | None, needs: Role | None) -> int:
    """The status that a person of a role is answered."""
    if needs is None:
        return 200
    return 303 if role is None else 200 if includes(role, needs) else 403


def test_role__is_the_one_of_now(site: Site) -> None:
    site.user("Anna")
    bob = site.user("Bob", Role.EDITOR)
    admin, browser = site.signed_in("Anna"), site.signed_in("Bob")
    assert browser.get("/users").status_code == 403
    assert admin.post(f"/users/{bob.user_id}/role", {"role": "admin"}).status_code == 303
    assert not browser.is_in  # another session for other rights
    assert site.signed_in("Bob").get("/users").status_code == 200


def test_refusal__says_who_may(site: Site) -> None:
    site.user("Anna")
    site.user("Bob", Role.EDITOR)
    answer = site.signed_in("Bob").get("/users")
    assert answer.status_code == 403
    assert "This needs the role admin; yours is editor." in answer.text


def test_script__is_sent_to_sign_in_as_a_whole(site: Site) -> None:
    site.user("Anna")
    answer = Browser(site).get("/profile", headers={"hx-request": "true", "hx-request-type": "partial"})
    assert (answer.status_code, answer.headers["hx-redirect"], answer.content) == (204, "/sign-in?next=/profile", b"")


def test_public_url__is_from_here_behind_a_proxy_that_names_another_host(new_site: type[Site]) -> None:
    site = new_site(public_url="https://t.example.com")
    site.user("Anna")
    browser = site.signed_in("Anna", host="10.0.0.7:8080")
    assert browser.post("/preferences", headers={"origin": "https://t.example.com"}).status_code == 303
    assert browser.post("/preferences", headers={"origin": "https://t.example.com.evil.example"}).status_code == 403


def test_nobodys_cookie__is_none(site: Site) -> None:
    site.user("Anna")
    browser = Browser(site)
    for value in ("", "x", "A" * 43, "A" * 5_000, "%00", "' OR 1=1"):
        browser.cookies["trueup_session_8080"] = value
        assert browser.get("/profile").status_code == 303

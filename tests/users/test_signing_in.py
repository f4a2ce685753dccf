"""Signing in and out, as a browser does it, and what must not work: planted, stolen and old sessions."""

import re

import pytest
from site_of_pages import PASSWORD, Browser, Site

from trueup.model.words import Role


@pytest.mark.front
def test_sign_in__leads_where_one_wanted_to_go_and_out_again(site: Site) -> None:
    site.user("Anna")
    browser = Browser(site)
    asked = browser.get("/profile?x=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/profile%3Fx%3D1")
    form = browser.get(asked.headers["location"])
    assert form.status_code == 200
    assert 'name="next" value="/profile?x=1"' in form.text
    let_in = browser.sign_in("Anna@Example.com ", next="/profile?x=1")
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/profile?x=1")
    assert browser.is_in
    assert browser.get("/sign-in?next=/profile").headers["location"] == "/profile"
    out = browser.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert not browser.is_in
    assert set(browser.cookies) == {"trueup_browser_8080"}
    assert re.search(r"signed in +user=anna@example.com +address=192.0.2.1", site.log)
    assert re.search(r"signed out +user=anna@example.com +address=192.0.2.1", site.log)


@pytest.mark.front
def test_cookie__is_kept_from_scripts_and_other_sites(site: Site) -> None:
    site.user("Anna")
    plain, secure = Browser(site), Browser(site, scheme="https", host="trueup.test")
    for browser, name, ends in ((plain, "trueup_session_8080", ""), (secure, "__Host-trueup_session", "; secure")):
        lines = browser.sign_in("anna@example.com").headers.get_list("set-cookie")
        (line,) = (line for line in lines if line.startswith(f"{name}="))
        assert re.fullmatch(
            rf"{name}=[\w-]{{43}}; HttpOnly; Max-Age=1209600; Path=/; SameSite=lax{ends}", line, re.IGNORECASE
        )
        assert browser.is_in


@pytest.mark.front
def test_cookie__is_for_secure_connections_where_a_proxy_or_the_setting_says_so(new_site: type[Site]) -> None:
    site = new_site(trusted_proxies=["10.0.0.0/8"], public_url="https://t.example.com")
    site.user("Anna")
    for browser, forwarded, is_secure in (
        (Browser(site, address="10.0.0.1"), "https", True),
        (Browser(site, address="10.0.0.1"), "http", False),
        (Browser(site), "https", False),  # who is no proxy of ours says nothing
        (Browser(site, host="t.example.com"), "", True),
    ):
        data = {"email": "anna@example.com", "password": PASSWORD}
        headers = {"x-forwarded-proto": forwarded, "x-forwarded-for": "192.0.2.9"}
        let_in = browser.post("/sign-in", data, headers=headers)
        assert ("__Host-trueup_session=" in str(let_in.headers)) is is_secure


@pytest.mark.front
def test_wrong_password__says_nothing_of_who_there_is(site: Site) -> None:
    site.user("Anna")
    browser = Browser(site)
    for email in ("anna@example.com", "nobody@example.com", "", "x" * 100_000, "a\0b@c.d", "' OR 1=1 --"):
        refused = browser.sign_in(email, "not the password")
        assert refused.status_code == 422
        assert "The e-mail address or the password is wrong." in refused.text
    assert not browser.cookies
    assert "sign-in refused  user=anna@example.com" in site.log
    assert "nobody@example.com" not in site.log  # what was typed there may be a password


@pytest.mark.front
def test_guesses__are_slowed_down_and_the_right_browser_is_not(new_site: type[Site]) -> None:
    site = new_site(wrong_passwords_per_minute=2)
    site.user("Anna")
    hers, others = site.signed_in("Anna"), Browser(site)
    hers.post("/sign-out")
    answers = [others.sign_in("anna@example.com", f"guess number {n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 31
    assert "Too many wrong passwords. Try again in" in answers[-1].text
    assert 'value="anna@example.com"' in answers[-1].text
    assert others.sign_in("anna@example.com").status_code == 429
    assert hers.sign_in("anna@example.com").status_code == 303  # from the same address


@pytest.mark.front
def test_planted_session__is_not_taken_over(site: Site) -> None:
    site.user("Anna")
    attacker = site.signed_in("Anna")
    for planted in ("A" * 43, attacker.cookies["trueup_session_8080"]):
        victim = Browser(site)
        victim.cookies["trueup_session_8080"] = planted
        assert victim.sign_in("anna@example.com").status_code == 303
        assert victim.cookies["trueup_session_8080"] != planted
        attacker.cookies["trueup_session_8080"] = planted
        assert not attacker.is_in


@pytest.mark.front
def test_stolen_cookie__is_worth_nothing_once_its_session_ended(site: Site) -> None:
    site.user("Anna")
    ends = (
        lambda browser: browser.post("/sign-out"),
        lambda browser: browser.post("/profile/sessions/end"),
        lambda browser: browser.sign_in("anna@example.com"),
        lambda browser: browser.post(
            "/profile/password", {"current": PASSWORD, "password": PASSWORD, "repeated": PASSWORD}
        ),
    )
    for end in ends:
        owner, thief = site.signed_in("Anna"), Browser(site, address="198.51.100.66")
        thief.cookies.update(owner.cookies)
        assert thief.is_in
        assert end(owner).status_code == 303
        assert not thief.is_in


@pytest.mark.front
def test_session__ends_when_it_is_idle_or_old_and_stays_ended(site: Site) -> None:
    site.user("Anna")
    for hours, step in ((13, 13), (14 * 24, 11)):
        browser = site.signed_in("Anna")
        begun = site.clock.moved_seconds
        while site.clock.moved_seconds < begun + hours * 3_600:
            assert browser.is_in
            site.run(_settled(site))
            site.clock.moved_seconds += step * 3_600
        assert not browser.is_in
        site.run(_settled(site))
        site.clock.moved_seconds = begun  # the clock is set back
        assert not browser.is_in
        site.clock.moved_seconds = begun + hours * 3_600 + 86_400


@pytest.mark.front
def test_session__of_a_clock_that_was_ahead_is_over(site: Site) -> None:
    site.user("Anna")
    site.clock.moved_seconds = 365 * 86_400
    browser = site.signed_in("Anna")
    site.clock.moved_seconds = 0
    assert not browser.is_in


@pytest.mark.front
def test_use__is_written_once_a_minute(site: Site) -> None:
    site.user("Anna")
    browser = site.signed_in("Anna")

    def written() -> set[int]:
        found = site.run(site.readers.look(lambda db: db.read_sql("SELECT last_used_at FROM sessions", {"at": int})))
        return set(found["at"].to_list())

    first = written()
    for _ in range(5):
        browser.get("/profile")
    site.run(_settled(site))
    assert written() == first
    site.clock.moved_seconds += 61
    browser.get("/profile")
    site.run(_settled(site))
    (last,) = written()
    assert 61_000_000 <= last - min(first) < 120_000_000


@pytest.mark.front
@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "http:evil",
        "/\t/evil.example", "/\n/evil.example", " //evil.example", "/ /evil.example", "javascript:alert(1)", "data:,x",
        "evil.example", "@evil.example", "/a\r\nset-cookie: x=1", "/\u2028/evil.example", "//evil.example/%2e%2e",
        "/sign-in?next=//evil.example", "/sign-out", "https:/evil.example", "/" + "a" * 3_000, "//[",
        "/\\/evil.example",
        "http://trueup.test:8080@evil.example/", "\x00//evil.example", "/\x7f/evil", "",
    ],
)  # fmt: skip
def test_sign_in__leads_nowhere_else(site: Site, wanted: str) -> None:
    site.user("Anna")
    browser = Browser(site)
    assert browser.sign_in("anna@example.com", next=wanted).headers["location"] == "/"
    assert browser.get("/sign-in", params={"next": wanted}).headers["location"] == "/"


@pytest.mark.front
@pytest.mark.parametrize(
    "wanted", ["/conversions?status=approved&q=a%20b", "/a//b", "/users/1", "/?x=https://e.x/", "/zażółć"]
)
def test_sign_in__leads_to_every_page_of_ours(site: Site, wanted: str) -> None:
    site.user("Anna")
    location = Browser(site).sign_in("anna@example.com", next=wanted).headers["location"]
    assert str(site_url(location)) == str(site_url(wanted))


@pytest.mark.front
def test_ledger__that_is_away_lets_nobody_in_or_out(site: Site) -> None:
    site.user("Anna")
    browser = site.signed_in("Anna")
    site.writer.stop()
    assert Browser(site).sign_in("anna@example.com").status_code == 503
    assert browser.post("/sign-out").status_code == 503
    assert browser.is_in


@pytest.mark.front
def test_sessions__are_seen_and_ended_one_by_one(site: Site) -> None:
    site.user("Anna")
    site.user("Bob", Role.EDITOR)
    here, there, bobs = site.signed_in("Anna"), site.signed_in("Anna", address="198.51.100.7"), site.signed_in("Bob")
    page = here.get("/profile").text
    assert "198.51.100.7" in page
    assert page.count("This one") == 1
    assert "Sign out everywhere (2 sessions)" in page
    ends = re.findall(r'action="(/profile/sessions/\d+/end)"', page)
    assert [bobs.post(path).status_code for path in ends] == [404, 404]
    own = re.search(r'This one.*?action="(/profile/sessions/\d+/end)"', page, re.DOTALL)
    assert own
    (others,) = set(ends) - {own[1]}
    assert here.post(others).status_code == 303
    assert [here.is_in, there.is_in, bobs.is_in] == [True, False, True]
    assert here.post(others).status_code == 404
    assert here.post(own[1]).headers["location"] == "/sign-in"
    assert not here.is_in


def site_url(path: str) -> "object":
    """A path as a browser asks for it."""
    from httpx2 import URL  # noqa: PLC0415 - one test asks

    return URL("http://trueup.test").join(path)


async def _settled(site: Site) -> None:
    """Wait until the writer has done what nobody waits for."""
    import asyncio  # noqa: PLC0415 - one helper needs it

    await asyncio.wrap_future(site.writer.submit(_nothing))


def _nothing(_database: object):  # noqa: ANN202 - a generator without anything
    yield from ()

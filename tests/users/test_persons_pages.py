"""First run, invitations, resets, the demo's link, the profile and the users: their forms, as people send them."""

import re

import pytest
from site_of_pages import PASSWORD, Browser, Site, path_of

from trueup.access.links import demo_link, first_run
from trueup.ledger.open import open_ledger
from trueup.ledger.users import read_users
from trueup.model.words import Role

pytestmark = pytest.mark.front

CHOICE = {"password": PASSWORD, "repeated": PASSWORD}


def first_link(site: Site) -> str:
    with open_ledger(site.url) as database:
        return f"/first-run/{first_run(database, site.making())}"


def invited(site: Site, admin: Browser, **words: str) -> str:
    """Invite by the form. Returns: the path of the link."""
    shown = admin.post("/users/invite", {"email": "bob@example.com", "name": "Bob", "role": "editor", **words})
    assert shown.status_code == 201, shown.text
    assert site.url
    return path_of(shown.text)


def test_first_run__makes_the_admin_and_signs_them_in(site: Site) -> None:
    path, browser = first_link(site), Browser(site)
    assert "Become the admin" in browser.get(path).text
    assert "Become the admin" in browser.get(path).text  # to look at it uses nothing up
    wrong = browser.post(path, {"email": "anna", "name": "<b>Anna", "password": "short", "repeated": "x"})
    assert wrong.status_code == 422
    for text in ("no e-mail address", "at least 12 characters", 'value="anna"', 'value="&lt;b&gt;Anna"'):
        assert text in wrong.text
    unlike = browser.post(path, {"email": "a@b.c", "name": "A", "password": PASSWORD, "repeated": "x"})
    assert "The two passwords are not the same." in unlike.text
    made = browser.post(path, {"email": "a@b.c", "name": "A", **CHOICE})
    assert (made.status_code, made.headers["location"]) == (303, "/")
    assert browser.get("/users").status_code == 200
    again = Browser(site)
    assert [again.get(path).status_code, again.post(path, {"email": "b@b.c", "name": "B", **CHOICE}).status_code] == [
        410
    ] * 2
    assert not again.cookies


def test_invitation__is_used_once(site: Site) -> None:
    site.user("Anna")
    path = invited(site, site.signed_in("Anna"))
    bob, other = Browser(site), Browser(site)
    assert "Anna invited you" in bob.get(path).text
    assert "bob@example.com" in bob.get(path).text
    assert bob.post(path, {"password": "Bob", "repeated": "Bob"}).status_code == 422
    assert bob.post(path, CHOICE).headers["location"] == "/"
    assert bob.is_in
    late = other.post(path, {"password": "another password", "repeated": "another password"})
    assert (late.status_code, other.cookies) == (410, {})
    assert "it works once" in other.get(path).text
    assert Browser(site).sign_in("bob@example.com").status_code == 303
    assert "user invited  user=bob@example.com  role=editor  by=anna@example.com" in site.log
    assert path.rpartition("/")[2] not in site.log


def test_invitation__expires_and_stays_expired(site: Site) -> None:
    site.user("Anna")
    path, browser = invited(site, site.signed_in("Anna")), Browser(site)
    site.clock.moved_seconds = 7 * 86_400
    assert "This link has expired." in browser.get(path).text
    assert browser.post(path, CHOICE).status_code == 410
    site.clock.moved_seconds = 0
    site.user("Cy", Role.VIEWER)  # meanwhile the writer has noted that it expired
    assert browser.post(path, CHOICE).status_code == 410


@pytest.mark.parametrize("path", ["/invitation/x", "/invitation/" + "A" * 43, "/first-run/" + "A" * 43, "/sign-in/x"])
def test_link__that_nobody_made_leads_nowhere(site: Site, path: str) -> None:
    browser = Browser(site, address="127.0.0.1", host="localhost:8080")
    assert browser.get(path).status_code == 410
    if not path.startswith("/sign-in"):
        assert browser.post(path, CHOICE).status_code == 410
    assert not browser.cookies


def test_link__for_one_purpose_is_none_for_another(site: Site) -> None:
    path = first_link(site)
    assert Browser(site).get(path.replace("first-run", "invitation")).status_code == 410
    assert Browser(site).post(path.replace("first-run", "invitation"), CHOICE).status_code == 410


def test_demo_link__works_once_and_on_this_machine_alone(site: Site) -> None:
    with open_ledger(site.url) as database:
        path = f"/sign-in/{demo_link(database, site.making())}"
    here = {"address": "127.0.0.1", "host": "localhost:8080"}
    assert Browser(site, address="192.0.2.1", host="localhost:8080").get(path).status_code == 403
    assert Browser(site, address="127.0.0.1", host="rebound.example:8080").get(path).status_code == 403
    assert Browser(site, **here).get(path, headers={"x-forwarded-for": "192.0.2.1"}).status_code == 403
    assert Browser(site, **here).ask("HEAD", path).status_code == 200
    browser = Browser(site, **here)
    assert browser.get(path).headers["location"] == "/"
    assert browser.get("/users").status_code == 200
    assert browser.get(path).headers["location"] == "/"  # again in the same browser: who is in, is in
    assert Browser(site, **here).get(path).status_code == 410
    assert Browser(site).sign_in("demo@localhost", "").status_code == 422


def test_password__is_changed_by_who_knows_it(new_site: type[Site]) -> None:
    site = new_site(wrong_passwords_per_minute=4)
    site.user("Anna")
    here, there = site.signed_in("Anna"), site.signed_in("Anna")
    new = {"password": "another long password", "repeated": "another long password"}
    for sent, why in (
        ({"current": "wrong", **new}, "This is not your password."),
        (new, "This is not your password."),
        ({"current": PASSWORD, "password": "anna@example.com", "repeated": "anna@example.com"}, "not your name"),
        ({"current": PASSWORD, **new, "repeated": "x"}, "The two passwords are not the same."),
    ):
        refused = here.post("/profile/password", sent)
        assert (refused.status_code, why in refused.text) == (422, True)
        assert PASSWORD not in refused.text
    assert there.is_in
    assert here.post("/profile/password", {"current": PASSWORD, **new}).headers["location"] == "/profile"
    assert [here.is_in, there.is_in] == [True, False]
    assert Browser(site).sign_in("anna@example.com").status_code == 422
    assert Browser(site).sign_in("anna@example.com", new["password"]).status_code == 303
    tries = [here.post("/profile/password", {"current": f"guess {n}", **new}).status_code for n in range(8)]
    assert 429 in tries  # whoever sits down at an open browser does not find it out


def test_preferences__are_kept_and_odd_ones_are_not(site: Site) -> None:
    site.user("Anna")
    browser = site.signed_in("Anna")
    sent = {"theme": "dark", "density": "compact", "letter_keys": "off", "next": "/profile"}
    assert browser.post("/preferences", sent).headers["location"] == "/profile"
    page = browser.get("/profile").text
    assert 'data-bs-theme="dark" data-density="compact"' in page
    assert "data-letter-keys" not in page
    odd = {"theme": '"><script>', "density": "", "next": "//evil.example", "role": "admin"}
    assert browser.post("/preferences", odd).headers["location"] == "/"
    assert 'data-bs-theme="dark" data-density="compact"' in browser.get("/profile").text


def test_name__is_changed_to_what_is_free(site: Site) -> None:
    site.user("Anna")
    site.user("Bob", Role.VIEWER)
    browser = site.signed_in("Bob")
    assert "Another user is called anna" in browser.post("/profile/name", {"name": "anna"}).text
    assert browser.post("/profile/name", {"name": "<i>Robert</i>"}).status_code == 303
    assert "&lt;i&gt;Robert&lt;/i&gt;" in browser.get("/profile").text


def test_users__are_listed_with_how_they_stand(site: Site) -> None:
    site.user("Anna")
    admin = site.signed_in("Anna")
    invited(site, admin, email="<bob>@example.com", name="<script>alert(1)</script>")
    page = admin.get("/users").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    for text in ("Active", "Invited", "(you)", "Editor"):
        assert text in page
    site.clock.moved_seconds = 8 * 86_400
    assert "Has no password" in site.signed_in("Anna").get("/users").text


def test_invitation__by_a_wrong_form_makes_nobody(site: Site) -> None:
    site.user("Anna")
    admin = site.signed_in("Anna")
    for sent, why in (
        ({"email": "x", "name": "", "role": "editor"}, "no e-mail address"),
        ({"email": "anna@example.com", "name": "", "role": "editor"}, "is a user already"),
        ({"email": "b@example.com", "name": "anna", "role": "editor"}, "Another user is called anna"),
        ({"email": "b@example.com", "name": "", "role": "root"}, "Choose a role."),
        ({}, "Choose a role."),
    ):
        refused = admin.post("/users/invite", sent)
        assert (refused.status_code, why in refused.text) == (422, True)
    with open_ledger(site.url) as database:
        assert len(read_users(database)) == 1


def test_reset__by_an_admin_ends_what_there_was(site: Site) -> None:
    anna, bob = site.user("Anna"), site.user("Bob", Role.EDITOR)
    admin, browser = site.signed_in("Anna"), site.signed_in("Bob")
    path = path_of(admin.post(f"/users/{bob.user_id}/reset").text)
    assert not browser.is_in
    assert browser.sign_in("bob@example.com").status_code == 422
    assert "The old password works no more." in browser.get(path).text
    assert browser.post(path, CHOICE).status_code == 303
    assert browser.is_in
    assert admin.post(f"/users/{anna.user_id}/reset").status_code == 422  # one's own is under Profile
    assert admin.post("/users/77/reset").status_code == 404
    assert admin.is_in


def test_removal__is_asked_for_and_never_of_the_last_admin(site: Site) -> None:
    anna, bob = site.user("Anna"), site.user("Bob", Role.EDITOR)
    admin, browser = site.signed_in("Anna"), site.signed_in("Bob")
    asked = admin.get(f"/users/{bob.user_id}/remove").text
    assert "Remove Bob" in asked
    assert "Keep Bob" in asked
    assert browser.is_in
    assert admin.post(f"/users/{bob.user_id}/remove").headers["location"] == "/users"
    assert not browser.is_in
    for path, sent in ((f"/users/{anna.user_id}/remove", {}), (f"/users/{anna.user_id}/role", {"role": "viewer"})):
        refused = admin.post(path, sent)
        assert (refused.status_code, "is the last admin" in refused.text) == (422, True)
    assert admin.post(f"/users/{anna.user_id}/role", {"role": "root"}).status_code == 422
    assert admin.get(f"/users/{bob.user_id}").status_code == 404


def test_own_rights__can_be_given_away(site: Site) -> None:
    anna = site.user("Anna")
    site.user("Cy", Role.ADMIN)
    admin = site.signed_in("Anna")
    assert admin.post(f"/users/{anna.user_id}/role", {"role": "viewer"}).headers["location"] == "/sign-in"
    assert not admin.is_in
    assert site.signed_in("Anna").get("/users").status_code == 403


def test_link__of_an_invitation_leads_to_where_the_world_reaches_the_server(new_site: type[Site]) -> None:
    site = new_site(public_url="https://t.example.com")
    site.user("Anna")
    admin = site.signed_in("Anna")
    shown = admin.post("/users/invite", {"email": "b@example.com", "name": "", "role": "viewer"}).text
    assert re.search(r">https://t\.example\.com/invitation/[\w-]{43}<", shown)

"""Signing in, inviting and joining in a browser: with the keyboard alone, without scripts, on a phone."""

import os

import pytest
from browsing import PHONE, Browse, is_wider_than_window, violations
from playwright.sync_api import expect
from served import Served

from trueup.access.links import Making, invite
from trueup.ledger.open import open_ledger
from trueup.live.context import now
from trueup.model.words import Role

PASSWORD = "correct horse battery"  # noqa: S105 - of users of tests
LONG_NAME = "<b>" + "A very long name " * 7 + "</b>"


def test_invited_person__joins_and_signs_in_without_scripts_or_mouse(browse: Browse, own_site: Served) -> None:
    admin = browse(own_site, "/users", scripts=False)
    admin.get_by_role("link", name="Invite a user").click()
    admin.get_by_label("E-mail address").fill("bob@example.com")
    admin.get_by_label("Role").select_option("editor")
    admin.get_by_role("button", name="Make the link").click()
    link = admin.locator("#link").inner_text()
    page = browse(own_site, link.removeprefix(own_site.url), role=None, scripts=False)
    page.locator("#field-password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Conversions")).to_be_visible()
    page.goto("/profile")
    page.get_by_role("button", name="Sign out everywhere (1 session)").click()
    page.locator("#field-email").focus()
    page.keyboard.type("bob@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Conversions")).to_be_visible()
    assert page.goto("/users").status == 403


@pytest.mark.long
def test_pages_of_persons__are_well_made_with_a_long_name_light_and_dark_and_on_a_phone(
    browse: Browse, own_site: Served
) -> None:
    with open_ledger(own_site.database_url) as database:
        making = Making("a test", now(), os.urandom)
        browse(own_site, "/help")  # makes the first admin
        user, token = invite(database, "bob@example.com", LONG_NAME.strip(), Role.EDITOR, 7, making)
    asked = {
        Role.ADMIN: ("/profile", "/users", "/users/invite", f"/users/{user.user_id}", f"/users/{user.user_id}/remove"),
        None: ("/sign-in", f"/invitation/{token}", "/invitation/x", "/first-run/x"),
    }
    found: list[str] = []
    for role, paths in asked.items():
        for scheme in ("light", "dark"):
            page = browse(own_site, paths[0], role=role, size=PHONE, scheme=scheme)
            for path in paths:
                page.goto(path)
                found += [f"{path}: {each}" for each in violations(page)]
                found += [f"{path}: wider than the window"] * is_wider_than_window(page)
    assert found == []

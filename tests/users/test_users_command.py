"""`trueup users`, as a person meets it."""

import json
import re
import time

import pytest
from command_line import CommandLine

from trueup.access.links import choose_password, find_link
from trueup.ledger.database import Database
from trueup.model.words import LinkPurpose


def now() -> int:
    """The commands' clock: the real one."""
    return time.time_ns() // 1_000


def token_of(link: str) -> str:
    found = re.fullmatch(r"(https?://[^/\s]+)/invitation/([A-Za-z0-9_-]{43})", link.strip())
    assert found, link
    return found[2]


def activated(trueup: CommandLine, ledger: Database, *words: str) -> None:
    """Make a user who has chosen a password."""
    made = json.loads(trueup("users", "create", *words, "--json").stdout)
    choose_password(ledger, token_of(made["link"]), "a hash", now())


@pytest.mark.front
def test_create__prints_a_link_and_nothing_else(trueup: CommandLine, ledger: Database) -> None:
    ran = trueup("users", "create", " Anna@Example.com ", "--name", "Anna Nowak")
    assert (ran.code, len(ran.stdout.splitlines())) == (0, 1)
    assert ran.stdout.startswith("http://127.0.0.1:8080/invitation/")
    assert "Anna Nowak (anna@example.com, admin). It works once, within 7 days" in ran.stderr
    assert find_link(ledger, token_of(ran.stdout), now()).purpose is LinkPurpose.INVITATION


@pytest.mark.front
def test_create__the_first_is_an_admin_and_others_are_viewers(trueup: CommandLine) -> None:
    assert trueup("users", "create", "a@b.c", "--role", "viewer").stderr == "The first user is an admin.\n"
    roles = [json.loads(trueup("users", "create", f"{name}@b.c", "--json").stdout)["role"] for name in ("a", "b")]
    assert roles == ["admin", "viewer"]


@pytest.mark.front
def test_create__refuses_what_no_user_can_be(trueup: CommandLine) -> None:
    assert trueup("users", "create", "anna@example.com", "--name", "Anna").code == 0
    for email, name, why in (
        ("anna", "X", "This is no e-mail address; it looks like anna@example.com."),
        ("a b@example.com", "X", "This is no e-mail address; it looks like anna@example.com."),
        (f"{'a' * 250}@b.cd", "X", "This is no e-mail address; it looks like anna@example.com."),
        ("ANNA@example.com", "X", "anna@example.com is a user already."),
        ("b@example.com", "aNNa", "Another user is called aNNa; add something that tells them apart."),
        ("b@example.com", "two\nlines", "A name has no line breaks or characters that cannot be seen."),
        ("b@example.com", "\u202eanna", "A name has no line breaks or characters that cannot be seen."),
        ("b@example.com", "x" * 129, "A name has 1 to 128 characters."),
    ):
        ran = trueup("users", "create", email, "--name", name)
        assert (ran.code, ran.stdout, ran.stderr) == (2, "", f"{why}\n")
    assert trueup("users", "create", "b@example.com", "--role", "root").code == 2


@pytest.mark.front
def test_create__says_where_the_server_is(trueup: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_PUBLIC_URL", "https://t.example.com")
    assert trueup("users", "create", "a@b.c").stdout.startswith("https://t.example.com/invitation/")
    ran = trueup("users", "create", "b@b.c", "--server", "http://10.0.0.1:9/")
    assert ran.stdout.startswith("http://10.0.0.1:9/invitation/")


@pytest.mark.front
def test_list__shows_how_each_stands(trueup: CommandLine, ledger: Database) -> None:
    assert "no user yet" in trueup("users", "list").stdout
    activated(trueup, ledger, "anna@example.com", "--name", "Anna [bold]x")
    trueup("users", "create", "bob@example.com", "--role", "editor")
    shown = trueup("users", "list").stdout
    assert re.search(r"anna@example.com +Anna \[bold\]x +admin +active", shown)
    assert re.search(r"bob@example.com +bob +editor +invited", shown)
    users = json.loads(trueup("users", "list", "--json").stdout)
    assert [(user["email"], user["state"], user["signed_in_at"]) for user in users] == [
        ("anna@example.com", "active", None),
        ("bob@example.com", "invited", None),
    ]


@pytest.mark.front
def test_reset__prints_another_link_and_ends_the_first(trueup: CommandLine, ledger: Database) -> None:
    first = trueup("users", "create", "anna@example.com").stdout
    ran = trueup("users", "reset", "ANNA@example.com")
    assert ran.code == 0
    assert find_link(ledger, token_of(ran.stdout), now()).purpose is LinkPurpose.INVITATION
    with pytest.raises(Exception, match="another one has taken its place"):
        find_link(ledger, token_of(first), now())
    choose_password(ledger, token_of(ran.stdout), "a hash", now())
    made = json.loads(trueup("users", "reset", "anna@example.com", "--json").stdout)
    assert (made["state"], find_link(ledger, token_of(made["link"]), now()).purpose) == ("invited", LinkPurpose.RESET)
    assert json.loads(trueup("users", "list", "--json").stdout)[0]["state"] == "invited"
    assert trueup("users", "reset", "nobody@example.com").code == 2


@pytest.mark.front
def test_remove__never_the_last_admin(trueup: CommandLine, ledger: Database) -> None:
    activated(trueup, ledger, "anna@example.com")
    ran = trueup("users", "remove", "anna@example.com")
    assert (ran.code, ran.stderr) == (2, "anna is the last admin. Make another user an admin first.\n")
    trueup("users", "create", "bob@example.com", "--role", "admin")  # who has no password yet
    assert trueup("users", "remove", "anna@example.com").code == 2
    activated(trueup, ledger, "cy@example.com", "--role", "admin")
    assert trueup("users", "remove", "anna@example.com").stdout == "anna (anna@example.com) is no user any more.\n"
    assert json.loads(trueup("users", "remove", "bob@example.com", "--json").stdout)["state"] == "removed"
    assert trueup("users", "remove", "cy@example.com").code == 2
    assert [user["email"] for user in json.loads(trueup("users", "list", "--json").stdout)] == ["cy@example.com"]

"""One-time links: each works once, until it expires, for what it was made."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from trueup.access.links import (
    DAY,
    LinkError,
    Making,
    choose_password,
    demo_link,
    enter_demo,
    expire,
    find_link,
    first_run,
    invite,
    make_first_admin,
    open_invitations,
    reset,
)
from trueup.access.sessions import Browser, Limits, find_session, open_session
from trueup.access.users import UserError, remove_user
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.ledger.users import count_users, read_user, read_users
from trueup.model.words import Role

NOW = 1_800_000_000_000_000
MAKING = Making("a test", NOW, os.urandom)


def invited(ledger: Database, email: str = "anna@example.com") -> tuple[int, str]:
    user, token = invite(ledger, email, "", Role.ADMIN, 7, MAKING)
    return user.user_id, token


@pytest.mark.front
def test_first_run__makes_one_admin(ledger: Database) -> None:
    earlier, token = first_run(ledger, MAKING), first_run(ledger, MAKING)
    assert earlier
    assert token
    with pytest.raises(LinkError, match="never made here"):
        make_first_admin(ledger, earlier, "a@b.c", "A", "hash", NOW)
    with pytest.raises(UserError, match="no e-mail address"):
        make_first_admin(ledger, token, "a", "A", "hash", NOW)  # and the link still works
    admin = make_first_admin(ledger, token, "a@b.c", "A", "hash", NOW)
    assert (admin.role, read_users(ledger)) == (Role.ADMIN, [admin])
    with pytest.raises(LinkError, match="works once"):
        make_first_admin(ledger, token, "b@b.c", "B", "hash", NOW)
    assert first_run(ledger, MAKING) is None


def test_first_run__is_of_no_use_once_there_is_somebody(ledger: Database) -> None:
    token = first_run(ledger, MAKING)
    invited(ledger)
    assert token
    with pytest.raises(LinkError, match="made already"):
        make_first_admin(ledger, token, "b@b.c", "B", "hash", NOW)
    assert count_users(ledger) == 1


@pytest.mark.front
def test_link__used_by_many_at_once_lets_one_in(url: str) -> None:
    with open_ledger(url) as ledger:
        token = first_run(ledger, MAKING)
    assert token

    def come(number: int) -> bool:
        with open_ledger(url) as database:
            try:
                make_first_admin(database, token, f"{number}@b.c", str(number), "hash", NOW)
            except LinkError:
                return False
            return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(come, range(4))) == 1
    with open_ledger(url) as ledger:
        assert count_users(ledger) == 1


def test_invitation__works_once_and_until_it_expires(ledger: Database) -> None:
    user_id, token = invited(ledger)
    for moment in (NOW + 7 * DAY, NOW - DAY):  # too late; or the clock was ahead when it was made
        with pytest.raises(LinkError, match="expired"):
            choose_password(ledger, token, "hash", moment)
    assert list(open_invitations(ledger, NOW)) == [user_id]
    choose_password(ledger, token, "hash", NOW + 7 * DAY - 1)
    with pytest.raises(LinkError, match="works once"):
        choose_password(ledger, token, "another", NOW)
    user = read_user(ledger, user_id)
    assert user
    assert user.password == "hash"  # noqa: S105 - it is none
    assert not open_invitations(ledger, NOW)


@pytest.mark.front
def test_expired_link__does_not_come_back_to_life_when_the_clock_is_set_back(ledger: Database) -> None:
    _, token = invited(ledger)
    expire(ledger, token, NOW)  # it has not
    find_link(ledger, token, NOW)
    expire(ledger, token, NOW + 7 * DAY)
    with pytest.raises(LinkError, match="works once"):
        choose_password(ledger, token, "hash", NOW)


@pytest.mark.front
@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 42 + "=", "A" * 42 + "\n", "../../x", "é" * 43])
def test_link__that_nobody_made_is_none(ledger: Database, token: str) -> None:
    with pytest.raises(LinkError, match="never made here"):
        find_link(ledger, token, NOW)


@pytest.mark.front
def test_link__is_for_one_purpose(ledger: Database) -> None:
    _, invitation = invited(ledger)
    demo = demo_link(ledger, MAKING)
    uses: list[tuple[str, Callable[[str], object]]] = [
        (invitation, lambda token: enter_demo(ledger, token, NOW)),
        (invitation, lambda token: make_first_admin(ledger, token, "b@b.c", "B", "hash", NOW)),
        (demo, lambda token: choose_password(ledger, token, "hash", NOW)),
        (demo, lambda token: make_first_admin(ledger, token, "b@b.c", "B", "hash", NOW)),
    ]
    for token, use in uses:
        with pytest.raises(LinkError, match="something else"):
            use(token)
    choose_password(ledger, invitation, "hash", NOW)
    assert enter_demo(ledger, demo, NOW).role is Role.ADMIN


@pytest.mark.front
def test_reset__ends_password_and_sessions_at_once(ledger: Database) -> None:
    user_id, token = invited(ledger)
    user = choose_password(ledger, token, "hash", NOW)
    session = open_session(ledger, user, Browser("::1", ""), NOW, Limits(1, 1), os.urandom)
    assert session
    assert find_session(ledger, session)
    reset(ledger, user_id, 1, MAKING)
    after = read_user(ledger, user_id)
    assert after
    assert (after.password, find_session(ledger, session)) == ("", None)
    # Whoever gave the old password a moment before comes too late.
    assert open_session(ledger, user, Browser("::1", ""), NOW, Limits(1, 1), os.urandom) is None


@pytest.mark.front
def test_link__of_a_user_who_was_removed_does_not_work(ledger: Database) -> None:
    invited(ledger)
    user_id, token = invited(ledger, "bob@example.com")
    remove_user(ledger, user_id)
    with pytest.raises(LinkError):
        choose_password(ledger, token, "hash", NOW)

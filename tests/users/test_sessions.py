"""Sessions: what a token is good for, until when, and what ends it."""

import os

import polars as pl
import pytest

from trueup.access.links import Making, invite
from trueup.access.preferences import Preferences, preferences_from, stored_from
from trueup.access.sessions import (
    Browser,
    Limits,
    change_password,
    end_session,
    end_sessions,
    find_session,
    is_over,
    note_use,
    open_session,
)
from trueup.access.users import UserError, change_role, keep_preferences, remove_user, rename_user
from trueup.ledger.database import Database
from trueup.ledger.sessions import SessionRecord, read_sessions
from trueup.ledger.users import UserRecord
from trueup.model.words import Density, Role, Theme

NOW = 1_800_000_000_000_000
MINUTE = 60_000_000
HOUR = 60 * MINUTE
LIMITS = Limits(idle_hours=12, absolute_hours=48)
HERE = Browser("192.0.2.7", "Mozilla/5.0 \x1b[31m" + "x" * 500)


@pytest.fixture
def anna(ledger: Database) -> UserRecord:
    return invite(ledger, "anna@example.com", "Anna", Role.ADMIN, 7, Making("a test", NOW, os.urandom))[0]


@pytest.fixture
def bob(ledger: Database, anna: UserRecord) -> UserRecord:
    assert anna
    return invite(ledger, "bob@example.com", "Bob", Role.EDITOR, 7, Making("a test", NOW, os.urandom))[0]


def begun(ledger: Database, user: UserRecord, now: int = NOW, replaces: str = "") -> str:
    token = open_session(ledger, user, HERE, now, LIMITS, os.urandom, replaces)
    assert token
    return token


def test_session__is_found_by_its_token_alone(ledger: Database, anna: UserRecord) -> None:
    token = begun(ledger, anna)
    found = find_session(ledger, token)
    assert found
    session, person = found
    assert (person.name, person.role, session.address) == ("Anna", Role.ADMIN, "192.0.2.7")
    assert session.user_agent == ("Mozilla/5.0 [31m" + "x" * 500)[:256]
    others = ["", token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token + "A", f"{token}\n", "1"]
    assert not any(find_session(ledger, each) for each in others)
    stored = ledger.read_sql("SELECT sha256 FROM sessions", {"sha256": pl.String})["sha256"].item()
    assert stored != token
    assert find_session(ledger, stored) is None


def test_sign_in__takes_no_token_that_the_browser_brought(ledger: Database, anna: UserRecord) -> None:
    planted = "A" * 43
    token = begun(ledger, anna, replaces=planted)
    assert token != planted
    assert find_session(ledger, planted) is None
    again = begun(ledger, anna, replaces=token)
    assert (find_session(ledger, token), again == token) == (None, False)
    assert len(read_sessions(ledger, anna.user_id)) == 1


@pytest.mark.parametrize(
    ("signed_in", "used", "over"),
    [
        (0, 0, False),
        (-12 * HOUR, -12 * HOUR + 1, False),
        (-12 * HOUR, -12 * HOUR, True),
        (-48 * HOUR + 1, 0, False),
        (-48 * HOUR, 0, True),
        (4 * MINUTE, 4 * MINUTE, False),  # clocks differ a little
        (6 * MINUTE, 0, True),  # begun while the clock was ahead: nobody knows when
        (0, 6 * MINUTE, True),
        (-10_000 * HOUR, 0, True),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_session__lasts_its_time(database_kind: str, signed_in: int, used: int, over: bool) -> None:
    assert database_kind
    session = SessionRecord(1, 1, NOW + signed_in, NOW + used, "", "")
    assert is_over(session, NOW, LIMITS) is over


def test_use__is_noted_and_never_goes_back(ledger: Database, anna: UserRecord) -> None:
    begun(ledger, anna)
    (session,) = read_sessions(ledger, anna.user_id)
    for moment, noted in ((NOW + HOUR, NOW + HOUR), (NOW - HOUR, NOW + HOUR)):
        note_use(ledger, session.session_id, moment)
        assert read_sessions(ledger, anna.user_id)[0].last_used_at == noted


@pytest.mark.front
def test_sessions__that_are_over_are_cleared_away(ledger: Database, anna: UserRecord, bob: UserRecord) -> None:
    begun(ledger, bob, NOW - 13 * HOUR)
    begun(ledger, anna)
    assert not read_sessions(ledger, bob.user_id)


def test_ending__one_or_all_and_nobody_elses(ledger: Database, anna: UserRecord, bob: UserRecord) -> None:
    first, second, third, bobs = (begun(ledger, user) for user in (anna, anna, anna, bob))
    ids = {token: find_session(ledger, token)[0].session_id for token in (first, second, third, bobs)}
    assert not end_session(ledger, ids[first], bob.user_id)
    assert end_session(ledger, ids[first], anna.user_id)
    assert not end_session(ledger, ids[first], anna.user_id)
    assert end_sessions(ledger, anna.user_id, but=ids[third]) == 1
    assert [bool(find_session(ledger, token)) for token in (first, second, third, bobs)] == [False, False, True, True]


def test_change_of_password__ends_the_others_and_moves_this_one(ledger: Database, anna: UserRecord) -> None:
    here, elsewhere = begun(ledger, anna), begun(ledger, anna)
    session_id = find_session(ledger, here)[0].session_id
    token = change_password(ledger, anna, session_id, "new hash", os.urandom)
    assert token
    assert [bool(find_session(ledger, each)) for each in (here, elsewhere, token)] == [False, False, True]
    assert change_password(ledger, anna, session_id, "a rival's hash", os.urandom) is None  # of the old password


@pytest.mark.front
def test_change_of_rights__ends_sessions(ledger: Database, anna: UserRecord, bob: UserRecord) -> None:
    annas, bobs = begun(ledger, anna), begun(ledger, bob)
    change_role(ledger, bob.user_id, Role.EDITOR)  # as it was
    assert find_session(ledger, bobs)
    change_role(ledger, bob.user_id, Role.ADMIN)
    assert [bool(find_session(ledger, each)) for each in (annas, bobs)] == [True, False]


def test_last_admin__stays_one(ledger: Database, anna: UserRecord, bob: UserRecord) -> None:
    for change in (lambda: change_role(ledger, anna.user_id, Role.EDITOR), lambda: remove_user(ledger, anna.user_id)):
        with pytest.raises(UserError, match="Anna is the last admin"):
            change()
    change_role(ledger, bob.user_id, Role.ADMIN)
    change_role(ledger, anna.user_id, Role.VIEWER)
    with pytest.raises(UserError, match="no such user"):
        change_role(ledger, 77, Role.ADMIN)


def test_removal__ends_sessions(ledger: Database, bob: UserRecord) -> None:
    token = begun(ledger, bob)
    keep_preferences(ledger, bob.user_id, {"theme": "dark"})
    remove_user(ledger, bob.user_id)
    assert find_session(ledger, token) is None
    assert open_session(ledger, bob, HERE, NOW, LIMITS, os.urandom) is None
    for table in ("sessions", "preferences"):
        assert ledger.read_sql(f"SELECT count(*) FROM {table}", {"n": pl.Int64}).item() == 0  # noqa: S608 - ours


def test_renaming__to_what_nobody_else_is_called(ledger: Database, bob: UserRecord) -> None:
    token = begun(ledger, bob)
    with pytest.raises(UserError, match="Another user is called ANNA"):
        rename_user(ledger, bob.user_id, "ANNA")
    rename_user(ledger, bob.user_id, " Bob B. ")
    assert find_session(ledger, token)[1].name == "Bob B."


@pytest.mark.front
def test_preferences__come_with_the_session(ledger: Database, anna: UserRecord) -> None:
    token = begun(ledger, anna)
    assert find_session(ledger, token)[1].preferences == Preferences()
    chosen = Preferences(Theme.DARK, Density.COMPACT, letter_keys=False, columns={"clicks": ("time", "country")})
    keep_preferences(ledger, anna.user_id, stored_from(chosen))
    keep_preferences(ledger, anna.user_id, {"theme": "light"})  # others stay
    found = find_session(ledger, token)[1].preferences
    assert found == Preferences(Theme.LIGHT, Density.COMPACT, letter_keys=False, columns=chosen.columns)


@pytest.mark.parametrize(
    "stored", [{"theme": "pink", "density": ""}, {"columns.clicks": "{"}, {"columns.clicks": "7"}, {"x": "y"}]
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_preferences__of_another_version_are_not_chosen(database_kind: str, stored: dict[str, str]) -> None:
    assert database_kind
    assert preferences_from(stored) == Preferences()

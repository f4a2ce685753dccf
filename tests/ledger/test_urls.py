"""Databases' URLs: those that are understood work, and of none is a password ever seen."""

from pathlib import Path

import pytest
from command_line import CommandLine
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.ledger.database import LIVE, Database, DatabaseError
from trueup.ledger.urls import HIDDEN, password_of, refuse_unreadable, showable, without_password
from trueup.settings import SettingsError, read_settings

SECRET = "S3cr3t"  # noqa: S105 - of a test
FORMS = (
    "postgresql://user:{}@127.0.0.1:1/name",
    "postgres://user:{}@127.0.0.1:1,localhost:1/name?sslmode=disable",
    "postgresql://{}@127.0.0.1:1/name",
    "postgresql://:{}@127.0.0.1:1",
    "postgresql://user:{}@127.0.0.1:port/name",
    "postgresql://user:{}@127.0.0.1:99999/name",
    "postgresql://user:{}@[::1/name",
    "postgresql://user:{}@127.0.0.1:1/na me",
    "postgresql://127.0.0.1:1/name?user=user&password={}",
    "postgresql://127.0.0.1:1/name&password={}",
    "postgresql://127.0.0.1:1/name?password={}&nonsense=1",
    "postgresql://127.0.0.1:1/name?sslpassword={}",
    "postgresql://user:other@127.0.0.1:1/name?{}=1",
    "postgresql+psycopg://user:{}@127.0.0.1:1/name",
    "postgresql:/user:{}@127.0.0.1:1/name",
    "POSTGRESQL://user:{}@127.0.0.1:1/name",
    "mysql://user:{}@127.0.0.1:1/name",
    "host=127.0.0.1 port=1 password={}",
    "host=127.0.0.1 port=1 password='{}'",
    " postgresql://user:{}@127.0.0.1:1/name",
)
# What a password may hold that means something in a URL, around what is looked for.
_around = st.text(alphabet="@:/?#&=%[]+.,;' \"\\é0a", max_size=4)
_passwords = st.tuples(_around, _around).map(lambda around: f"{around[0]}{SECRET}{around[1]}{SECRET}{around[0]}")


def _is_user(url: str) -> bool:
    """Whether the text stands where a user's name does, as any text may."""
    return SECRET in url.partition("://")[2].partition("@")[0].partition(":")[0]


@given(password=_passwords, form=st.sampled_from(FORMS))
@tried(100)
def test_password__is_in_nothing_that_is_said_of_a_database(password: str, form: str) -> None:
    url = form.format(password)
    if "://" in url and _is_user(url):
        return
    said = [showable(url)]
    with pytest.raises(DatabaseError) as failed:
        Database(url, LIVE)
    said.append(str(failed.value))
    assert failed.value.__cause__ is None
    assert not [text for text in said if SECRET in text]


@pytest.mark.front
@pytest.mark.parametrize("form", [*FORMS, "postgresql://user:{}", "postgresql://user:{}/name"])
def test_password__is_in_nothing_that_a_command_says(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_FOLDER", str(tmp_path / "files"))
    url = form.format(f"p/{SECRET}@" if "@" in form else SECRET)
    commands = [["report"], ["backup", tmp_path / "copy"], ["audit", "--db", url]]
    if showable(url) == HIDDEN:  # a server starts without a database that cannot be reached
        commands.append(["serve", "--port", "0"])
    for words in commands:
        ran = CommandLine(url)(*words)
        assert ran.code
        assert SECRET not in ran.stdout + ran.stderr


def test_password__is_in_no_mistake_of_the_settings() -> None:
    with pytest.raises(SettingsError) as failed:
        read_settings({"database_url": [f"postgresql://user:{SECRET}@h/n"], "metrics_token": [SECRET]})
    assert "database_url" in str(failed.value)
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("sqlite:////var/lib/trueup.db", "sqlite:////var/lib/trueup.db", None),
        ("postgresql://trueup@db.example/trueup", "postgresql://trueup@db.example/trueup", ""),
        ("postgres://u:p%40ss@db:5433/t", "postgresql://u@db:5433/t", "p@ss"),
        ("postgresql://u:a#b?c@[2001:db8::1]:5432/t", "postgresql://u@[2001:db8::1]:5432/t", "a#b?c"),
        ("postgresql:///t?host=/run/postgresql&password=x", "postgresql:///t?host=/run/postgresql", "x"),
        ("postgresql://u@a,b:5433/t?target_session_attrs=read-write", "postgresql://u@a,b:5433/t", ""),
    ],
)
def test_url__is_understood_and_shown_without_its_secrets(url: str, shown: str, password: str | None) -> None:
    refuse_unreadable(url)
    assert showable(url) == shown
    if password is not None:
        assert password_of(url) == password
        assert password_of(without_password(url)) == ""


def test_url__of_a_password_with_signs_reaches_the_database(postgres_url: str) -> None:
    url = postgres_url.replace("postgres:@", "postgres:a%40b%2Fc#?d@")
    with Database(url, LIVE):
        pass

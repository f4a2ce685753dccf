"""Which commands make a ledger where there is none: only those that begin one, and they say so."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from command_line import CommandLine
from typer.main import get_command

from trueup.cli.main import app
from trueup.cli.workspace import USES, Use
from trueup.ledger.database import Database

LOOKING = {
    "batches": [],
    "batch": ["1"],
    "click": ["k1"],
    "search": ["k1"],
    "history": ["k1-1"],
    "conversions": [],
    "report": [],
    "audit": [],
    "backup": ["copy"],
    "setup show": [],
    "postbacks urls": [],
    "keys list": [],
    "users list": [],
    "mappings list": [],
}
CHANGING = {
    "update-status": ["rows.csv", "--yes"],
    "undo": ["1", "--yes"],
    "decide-again": ["--batch", "1", "--yes"],
    "postbacks rotate-key": ["Northwind"],
    "postbacks drop-key": ["Northwind"],
    "keys revoke": ["1"],
    "users reset": ["anna@example.com"],
    "users remove": ["anna@example.com"],
    "mappings remove": ["northwind"],
    "spool retry": [],
    "spool claim": [],
    "spool take-up": [],
}
BEGINNING = {
    "upload": ["rows.csv", "--yes"],
    "clicks import": ["clicks.csv", "--yes"],
    "setup apply": ["setup.toml"],
    "keys create": ["crm", "--scope", "read"],
    "users create": ["anna@example.com"],
}
ONLY_LOOKED = {"upload": ["rows.csv", "--preview"], "clicks import": ["clicks.csv", "--preview"]}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands are given."""
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("click_id,status\nk1,declined\n")
    Path("clicks.csv").write_text("click_id,campaign,offer,clicked_at\nk1,,,2026-03-01T00:00:00Z\n")
    Path("setup.toml").write_text('[[traffic_sources]]\nname = "PushAds"\n')


@pytest.fixture
def nowhere(database_kind: str, new_empty_url: Callable[[], str]) -> str:
    """A URL without a ledger: no file at all, or a database without tables."""
    return "sqlite:///mistyped.db" if database_kind == "sqlite" else new_empty_url()


def leaves_nothing(url: str) -> bool:
    if url.startswith("sqlite"):
        return not list(Path.cwd().glob("mistyped*")) and not Path("copy").exists()
    with Database(url) as db:
        found = db.read_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", {"tables": pl.Int64})
    return bool(found.item() == 0) and not Path("copy").exists()


def _names(command: object, words: tuple[str, ...] = ()) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(words)
    for name, each in (below or {}).items():
        yield from _names(each, (*words, name))


def test_every_command__is_sorted() -> None:
    assert set(USES) == set(_names(get_command(app)))
    assert {name for name, use in USES.items() if use is Use.LOOKS} == set(LOOKING)
    assert {name for name, use in USES.items() if use is Use.CHANGES} == set(CHANGING)
    assert {name for name, use in USES.items() if use is Use.BEGINS} == {*BEGINNING, "serve", "demo"}


@pytest.mark.parametrize(("name", "words"), [*LOOKING.items(), *CHANGING.items(), *ONLY_LOOKED.items()], ids=str)
def test_looking__makes_no_ledger_and_says_that_there_is_none(nowhere: str, name: str, words: list[str]) -> None:
    if name == "backup" and not nowhere.startswith("sqlite"):
        pytest.skip("pg_dump is tried where a server has its programs")
    ran = CommandLine(nowhere)(*name.split(), *words)
    assert (ran.code, ran.stdout) == (3, "")
    assert "here is no ledger in" in ran.stderr
    assert leaves_nothing(nowhere)


@pytest.mark.parametrize(("name", "words"), BEGINNING.items(), ids=str)
def test_beginning__makes_a_ledger_and_says_so_once(nowhere: str, name: str, words: list[str]) -> None:
    ran = CommandLine(nowhere)(*name.split(), *words)
    assert ran.code in (0, 1), ran.stderr
    assert ran.stderr.splitlines()[0].startswith("Made a new workspace in ")
    again = CommandLine(nowhere)("keys", "create", "again", "--scope", "read")
    assert (again.code, "Made" in again.stderr) == (0, False)


def test_setup__is_previewed_before_there_is_a_ledger(nowhere: str) -> None:
    ran = CommandLine(nowhere)("setup", "apply", "setup.toml", "--preview")
    assert (ran.code, ran.stdout.splitlines()[0]) == (0, '+ traffic source "PushAds"')
    assert "There is no ledger in" in ran.stderr
    assert leaves_nothing(nowhere)


def test_setup_with_mistakes__makes_no_ledger(nowhere: str) -> None:
    assert CommandLine(nowhere)("setup", "apply", "-", stdin="[nonsense]").code == 2
    assert leaves_nothing(nowhere)


def test_empty_file__is_no_ledger_and_stays_empty() -> None:
    Path("mistyped.db").touch()
    assert CommandLine("sqlite:///mistyped.db")("batches").code == 3
    assert Path("mistyped.db").read_bytes() == b""


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_password__is_not_told(nowhere: str) -> None:
    secret = nowhere.replace("postgres:@", "postgres:hush@", 1)
    ran = CommandLine(secret)("batches")
    assert ran.code == 3
    assert "hush" not in ran.stderr

"""Opening a ledger: made on first use, by one program at a time; refused when it is not ours to touch."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import polars as pl
import pytest
from databases import by_hand, execute, write
from sqlalchemy import func, select

from trueup.ledger.database import Database, DatabaseError, Transaction
from trueup.ledger.open import HEAD, EarlierRulesError, migration_sql, open_ledger
from trueup.ledger.policies import read_policies
from trueup.ledger.schema import batches, metadata, policies
from trueup.model.policy import RULES_VERSION, Policy, UnknownRulesError

VERSION = "SELECT version_num FROM trueup_version"
OPEN = "import sys; from trueup.ledger.open import open_ledger; open_ledger(sys.argv[1], create=True).close()"
OPEN_AT_A_WORD = f"import sys, alembic.command; print('ready', flush=True); sys.stdin.readline(); {OPEN}"


def test_empty_database__gets_every_table(new_empty_url: Callable[[], str]) -> None:
    with open_ledger(new_empty_url(), create=True) as db:
        for table in metadata.sorted_tables:
            assert db.read(select(func.count()).select_from(table), {"rows": pl.Int64}).item() == 0
        assert db.read_sql(VERSION, {"version": pl.String}).item() == HEAD


def test_second_opening__leaves_everything_as_it_is(new_empty_url: Callable[[], str]) -> None:
    url = new_empty_url()
    with open_ledger(url, create=True) as db:
        execute(db, batches.insert().values(file_name="march.csv"))
    with open_ledger(url) as db:
        assert db.read_sql("SELECT file_name FROM batches", {"name": pl.String})["name"].to_list() == ["march.csv"]


@pytest.mark.front
def test_second_opening__does_not_load_alembic(url: str) -> None:
    words = [sys.executable, "-c", f"{OPEN}; assert 'alembic' not in sys.modules", url]
    subprocess.run(words, check=True, timeout=60)


def test_version_check__takes_a_few_milliseconds_at_most(url: str) -> None:
    """The bound is loose, for a busy machine; a migration written for nothing would take ten times as long."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        with Database(url):
            opened = time.perf_counter()
        with open_ledger(url):
            took.append(time.perf_counter() - opened - (opened - began))
    assert min(took) < 0.02


@pytest.mark.front
def test_programs_that_start_at_once__make_the_tables_once(new_empty_url: Callable[[], str]) -> None:
    url = new_empty_url()
    words = [sys.executable, "-c", OPEN_AT_A_WORD, url]
    programs = [subprocess.Popen(words, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) for _ in range(3)]
    for program in programs:
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.stdin.write("go\n")
        program.stdin.flush()
    assert [program.communicate(timeout=120)[1] for program in programs] == [""] * 3
    with open_ledger(url) as db:
        assert db.read_sql(VERSION, {"version": pl.String})["version"].to_list() == [HEAD]


def test_migration_that_fails__leaves_nothing_behind(new_empty_url: Callable[[], str]) -> None:
    url = new_empty_url()
    with Database(url) as db, pytest.raises(DatabaseError, match="no_such_column"):
        migrate_and_fail(db)
    with open_ledger(url, create=True) as db:
        assert db.read_sql("SELECT count(*) FROM clicks", {"rows": pl.Int64}).item() == 0


def migrate_and_fail(db: Database) -> None:
    with db.transaction() as transaction:
        for statement in [*migration_sql(db.dialect.name, None), "SELECT no_such_column FROM clicks"]:
            transaction.run(statement)


def test_ledger_of_a_newer_program__is_refused(url: str) -> None:
    with Database(url) as db:
        by_hand(db, "UPDATE trueup_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="a newer Trueup made this ledger"):
        open_ledger(url)


@pytest.mark.parametrize("version", ["0001", "0003"])
def test_ledger_made_under_earlier_rules__is_left_as_it_is(url: str, version: str) -> None:
    with Database(url) as db:
        by_hand(db, f"UPDATE trueup_version SET version_num = '{version}'")  # noqa: S608 - a version of our own
    with pytest.raises(EarlierRulesError, match=r"made under earlier rules.*Build it again.*rebuild_ledger"):
        open_ledger(url)
    with Database(url) as db:
        assert db.read_sql(VERSION, {"version": pl.String}).item() == version


def test_policy_of_other_rules__decides_nothing(url: str) -> None:
    newer = Policy().content.replace(f'"rules_version":{RULES_VERSION}', f'"rules_version":{RULES_VERSION + 1}')
    with open_ledger(url) as db:
        write(db, Transaction.insert_new, policies, pl.DataFrame({"policy_id": [7], "content": [newer]}))
        with pytest.raises(DatabaseError, match=f"version {RULES_VERSION + 1} of the rules is asked for"):
            read_policies(db, [7])


def test_policy__of_other_rules_has_another_id() -> None:
    """The version of the rules is part of what a row was received under."""
    assert f'"rules_version":{RULES_VERSION}' in Policy().content
    with pytest.raises(UnknownRulesError):
        Policy(rules_version=RULES_VERSION + 1)


def test_database_of_something_else__is_refused_and_not_touched(new_empty_url: Callable[[], str]) -> None:
    url = new_empty_url()
    with Database(url) as db:
        by_hand(db, "CREATE TABLE clicks (id INTEGER)")
    with pytest.raises(DatabaseError, match="is no ledger"):
        open_ledger(url)
    with Database(url) as db:
        by_hand(db, "SELECT id FROM clicks")


def test_file_that_is_no_database__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes\n" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        open_ledger(f"sqlite:///{path}")


def test_missing_folder__is_said(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=f"no folder {tmp_path}/absent to keep"):
        open_ledger(f"sqlite:///{tmp_path}/absent/trueup.db", create=True)


@pytest.mark.parametrize("url", ["sqlite:///", "mysql://localhost/x", "trueup.db", ""])
def test_url_of_no_database__is_said(url: str) -> None:
    with pytest.raises(DatabaseError, match="sqlite:///FILE"):
        open_ledger(url)


def test_ledger_without_its_version__is_refused(url: str) -> None:
    with Database(url) as db:
        by_hand(db, "DELETE FROM trueup_version")
    with pytest.raises(DatabaseError, match="this ledger is damaged"):
        open_ledger(url)

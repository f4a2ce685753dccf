"""A SQLite file is locked, gone, read-only, damaged under load: clicks go to the spool, and are recorded after."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ledger_seen import rows
from serving import PROGRAM
from trials import NewTrials, Record, Trials, within

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

one_database = pytest.mark.parametrize("database_kind", ["sqlite"])


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def _locked(url: str) -> Iterator[None]:
    with closing(_connected(url)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def _connected(url: str) -> sqlite3.Connection:
    return sqlite3.connect(_file(url), isolation_level=None, timeout=30)


@contextmanager
def _renamed(url: str, table: str) -> Iterator[None]:
    with closing(_connected(url)) as other:
        other.execute(f"ALTER TABLE {table} RENAME TO gone")
    yield
    with closing(_connected(url)) as other:
        other.execute(f"ALTER TABLE gone RENAME TO {table}")


@contextmanager
def _moved(url: str, *, another_there: bool) -> Iterator[None]:
    """The file is elsewhere, and then back, with what the server itself made beside it."""
    file = _file(url)
    aside = file.with_name("aside.db")
    file.rename(aside)
    if another_there:
        shutil.copy(aside, file)
    yield
    aside.replace(file)


@contextmanager
def _damaged(url: str, table: str) -> Iterator[None]:
    """The first page of a table's tree is not to be read; then it is as it was."""
    with closing(_connected(url)) as other:
        (root,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = other.execute("PRAGMA page_size").fetchone()
        _hold_without_log(url, other)
        with _file(url).open("r+b", buffering=0) as file:
            file.seek((root - 1) * size)
            intact = file.read(size)
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
        _touch(other)
        other.execute("COMMIT")
    yield
    with _file(url).open("r+b", buffering=0) as file:
        file.seek((root - 1) * size)
        file.write(intact)
    with closing(_connected(url)) as other:
        _touch(other)


def _touch(other: sqlite3.Connection) -> None:
    """Write what is there already: whoever has pages in memory is to look again."""
    (version,) = other.execute("PRAGMA user_version").fetchone()
    other.execute(f"PRAGMA user_version = {version}")


def _hold_without_log(url: str, other: sqlite3.Connection) -> None:
    """Take the writer's place at a moment when all is in the file itself, so that it is the file that is read."""

    def held() -> bool:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        other.execute("BEGIN IMMEDIATE")
        if Path(f"{_file(url)}-wal").stat().st_size == 0:
            return True
        other.execute("ROLLBACK")
        return False

    assert within(30, held)


def _harmed(trials: Trials) -> None:
    url = trials.world.trueup.url
    for seconds in (1, 3, 8):
        with trials.round("another program holds the file") as turn, _locked(url):
            trials.outage(turn, seconds)
    for table in ("clicks", "conversions", "batches"):
        with trials.round(f"the table `{table}` is renamed, and back") as turn, _renamed(url, table):
            trials.outage(turn, 3)
    with trials.round("a page of `clicks` is damaged, and mended") as turn, _damaged(url, "clicks"):
        trials.outage(turn, 4)
    with trials.round("a page of `journal` is damaged, and mended") as turn, _damaged(url, "journal"):
        trials.outage(turn, 4)


@one_database
def test_sqlite__refuses(database_kind: str, url: str, new_trials: NewTrials, record: Record) -> None:
    assert database_kind == "sqlite"
    trials = new_trials(url)
    with trials.load.running():
        trials.load.wait_for_more(10)
        _harmed(trials)
    record(trials.stop_and_count())


@one_database
@pytest.mark.parametrize("another_there", [False, True], ids=["gone", "replaced"])
def test_sqlite__its_file_is_not_where_it_was(
    database_kind: str, another_there: bool, url: str, new_trials: NewTrials, record: Record
) -> None:
    assert database_kind == "sqlite"
    trials = new_trials(url)
    fault = "the file is replaced by a copy, and put back" if another_there else "the file is moved away, and back"
    with trials.load.running():
        trials.load.wait_for_more(10)
        with trials.round(fault) as turn, _moved(url, another_there=another_there):
            trials.outage(turn, 4)
    record(trials.stop_and_count())


@one_database
def test_sqlite__may_not_be_written(database_kind: str, url: str, new_trials: NewTrials, record: Record) -> None:
    assert database_kind == "sqlite"
    # The administrator may write whatever the file's mode says, so that has to be taken from it.
    program = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", PROGRAM) if os.geteuid() == 0 else (PROGRAM,)
    if not shutil.which(program[0]):
        pytest.skip("setpriv is not there")
    trials = new_trials(url, program=program)
    with trials.load.running():
        trials.load.wait_for_more(10)
        with trials.round("the file is read-only when Trueup starts") as turn:
            trials.server.kill()
            turn.clicks.clear()
            _file(url).chmod(0o400)
            try:
                trials.server.start()
            except AssertionError:
                turn.trouble("it does not start on a file that may not be written")
            else:
                turn.statuses.clear()
                turn.slowest.clear()
                trials.outage(turn, 3)
            _file(url).chmod(0o600)
    record(trials.stop_and_count())


@one_database
def test_sqlite__is_damaged_when_trueup_starts(
    database_kind: str, url: str, new_trials: NewTrials, record: Record
) -> None:
    assert database_kind == "sqlite"
    trials = new_trials(url)
    with trials.load.running():
        trials.load.wait_for_more(10)
        with trials.round("a page of `clicks` is damaged when Trueup starts, and mended") as turn:
            trials.server.kill()
            assert rows(url, "SELECT count(*) FROM clicks")[0][0] > 0
            with _damaged(url, "clicks"):
                try:
                    trials.server.start()
                except AssertionError:
                    turn.trouble("it does not start on a damaged file")
                else:
                    turn.statuses.clear()
                    turn.slowest.clear()
                    trials.outage(turn, 4)
    record(trials.stop_and_count())

"""PostgreSQL goes away under load, in every way: visitors are sent on, networks put off, nothing is lost."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import adbc_driver_postgresql.dbapi
import pytest
from load import health
from postgres_server import PostgreSQL
from serving import Server
from trials import ENVIRONMENT, NewTrials, Record, Trials, within

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

_SMALL_DISK: Final = 64 << 20
_GOES_TO_THE_SPOOL_SECONDS: Final = 2.0
_STOPS_SECONDS: Final = 38.0  # what supervises it kills it after 40


def _taken_away(trials: Trials, postgresql: PostgreSQL) -> None:
    with trials.round("PostgreSQL is stopped, and started again") as turn:
        postgresql.stop()
        trials.outage(turn, 6)
        postgresql.start()
    with trials.round("PostgreSQL is killed, and started again") as turn:
        postgresql.kill()
        trials.outage(turn, 3)
        postgresql.start()
    with trials.round("PostgreSQL stands still") as turn:
        postgresql.freeze()
        trials.outage(turn, 8)
        postgresql.thaw()


@pytest.mark.parametrize("workers", [1, 3])
def test_postgresql__goes_away(workers: int, postgresql: PostgreSQL, new_trials: NewTrials, record: Record) -> None:
    trials = new_trials(postgresql.url(postgresql.new_database()), TRUEUP_WORKERS=workers)
    with trials.load.running():
        trials.load.wait_for_more(20)
        _taken_away(trials, postgresql)
    record(trials.stop_and_count())


@contextmanager
def _renamed(postgresql: PostgreSQL, database: str, table: str) -> Iterator[None]:
    postgresql.run(f"ALTER TABLE {table} RENAME TO gone", database=database)
    yield
    postgresql.run(f"ALTER TABLE gone RENAME TO {table}", database=database)


@contextmanager
def _locked(postgresql: PostgreSQL, database: str, table: str) -> Iterator[None]:
    with (
        adbc_driver_postgresql.dbapi.connect(postgresql.url(database), autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.executemany("BEGIN", None)
        cursor.executemany(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", None)
        yield
        cursor.executemany("ROLLBACK", None)


@contextmanager
def _told(postgresql: PostgreSQL, database: str, setting: str, value: str) -> Iterator[None]:
    """A setting of one database, in force from now on."""
    postgresql.run(f'ALTER DATABASE "{database}" SET {setting} = {value}')
    postgresql.drop_connections(database)
    yield
    postgresql.run(f'ALTER DATABASE "{database}" RESET {setting}')
    postgresql.drop_connections(database)


@contextmanager
def _read_only_everywhere(postgresql: PostgreSQL) -> Iterator[None]:
    postgresql.run("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    yield
    postgresql.run(
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )


def _refused(trials: Trials, postgresql: PostgreSQL, database: str) -> None:
    """The server is there, and does not do what is asked."""
    for table in ("clicks", "conversions", "batches"):
        with trials.round(f"the table `{table}` is renamed, and back") as turn, _renamed(postgresql, database, table):
            trials.outage(turn, 3)
    with trials.round("another session holds the table `clicks`") as turn, _locked(postgresql, database, "clicks"):
        trials.outage(turn, 8)
    with trials.round("another session holds the table `batches`") as turn, _locked(postgresql, database, "batches"):
        trials.outage(turn, 5)
    with (
        trials.round("statements time out") as turn,
        _told(postgresql, database, "statement_timeout", "1"),
    ):
        time.sleep(3)
    with (
        trials.round("the database is read-only") as turn,
        _told(postgresql, database, "default_transaction_read_only", "on"),
    ):
        trials.outage(turn, 3)
    with trials.round("PostgreSQL is read-only, its connections stay") as turn, _read_only_everywhere(postgresql):
        trials.outage(turn, 3)
    with trials.round("connections are ended, again and again"):
        for _ in range(8):
            postgresql.drop_connections(database)
            time.sleep(0.3)


@pytest.mark.parametrize("workers", [1, 3])
def test_postgresql__refuses(workers: int, postgresql: PostgreSQL, new_trials: NewTrials, record: Record) -> None:
    database = postgresql.new_database()
    trials = new_trials(postgresql.url(database), TRUEUP_WORKERS=workers)
    with trials.load.running():
        trials.load.wait_for_more(20)
        _refused(trials, postgresql, database)
    record(trials.stop_and_count())


@pytest.fixture
def small_disk(postgresql: PostgreSQL) -> Iterator[Path]:
    """A file system with little room, for a database."""
    folder = postgresql.folder.with_name(f"{postgresql.folder.name}-disk")
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK},mode=777", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("only the system's administrator can mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def test_postgresql__has_a_full_disk(
    postgresql: PostgreSQL, small_disk: Path, new_trials: NewTrials, record: Record
) -> None:
    place = small_disk / "tables"
    place.mkdir()
    place.chmod(0o777)
    subprocess.run(["chown", f"--reference={postgresql.folder}", str(place)], check=True)
    postgresql.run(f"CREATE TABLESPACE small LOCATION '{place}'")
    database = postgresql.new_database("TABLESPACE small")
    trials = new_trials(postgresql.url(database))
    with trials.load.running():
        trials.load.wait_for_more(20)
        with trials.round("PostgreSQL's disk is full") as turn:
            ballast = _filled(small_disk)
            # Pages that have room still take rows; it says so when the first does not.
            within(20, lambda: health(trials.server, "/readyz") == 503)
            trials.outage(turn, 3)
            ballast.unlink()
    record(trials.stop_and_count())
    trials.server.kill()
    postgresql.run(f'DROP DATABASE "{database}" WITH (FORCE)', "DROP TABLESPACE small")


def _filled(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\1" * (1 << 14))
        except OSError:
            pass
    return ballast


@pytest.mark.parametrize("workers", [1, 3])
def test_postgresql__is_away_at_the_start(
    workers: int, postgresql: PostgreSQL, new_trials: NewTrials, record: Record
) -> None:
    trials = new_trials(postgresql.url(postgresql.new_database()), TRUEUP_WORKERS=workers)
    with trials.load.running():
        trials.load.wait_for_more(20)
        with trials.round("PostgreSQL is away when Trueup starts") as turn:
            trials.server.stop()
            postgresql.stop()
            try:
                trials.server.start()
            except AssertionError:
                turn.trouble("it does not start without the database")
            else:
                turn.statuses.clear()  # nobody was answered while it was down
                turn.slowest.clear()
                trials.outage(turn, 5)
            postgresql.start()
    record(trials.stop_and_count())


def test_postgresql__a_process_is_killed_while_it_is_away(
    postgresql: PostgreSQL, new_trials: NewTrials, record: Record
) -> None:
    trials = new_trials(postgresql.url(postgresql.new_database()), TRUEUP_WORKERS=3)
    with trials.load.running(12):
        trials.load.wait_for_more(20)
        for number in range(3):
            with trials.round("one of three processes is killed while PostgreSQL is away") as turn, ExitStack() as back:
                postgresql.stop()
                back.callback(postgresql.start)
                time.sleep(_GOES_TO_THE_SPOOL_SECONDS)
                # Its clicks are in no ledger yet: whoever asks is put off, and never told that there is no such click.
                trials.kill_one(turn, number)
    record(trials.stop_and_count())


def test_postgresql__stands_still_when_trueup_is_told_to_stop(
    postgresql: PostgreSQL, new_trials: NewTrials, record: Record
) -> None:
    trials = new_trials(postgresql.url(postgresql.new_database()))
    with trials.load.running():
        trials.load.wait_for_more(20)
        with trials.round("Trueup is asked to stop while PostgreSQL stands still") as turn:
            postgresql.freeze()
            time.sleep(_GOES_TO_THE_SPOOL_SECONDS)
            began = time.monotonic()
            trials.server.stop()
            if time.monotonic() - began > _STOPS_SECONDS:
                turn.trouble(f"it took {time.monotonic() - began:.0f} seconds to stop")
            postgresql.thaw()
            trials.server.start()
    record(trials.stop_and_count())


def test_postgresql__fewer_processes_take_up_what_more_left(
    postgresql: PostgreSQL, new_trials: NewTrials, record: Record
) -> None:
    trials = new_trials(postgresql.url(postgresql.new_database()), TRUEUP_WORKERS=3)
    with trials.load.running(12):
        trials.load.wait_for_more(20)
        with trials.round("killed while PostgreSQL is away, started again with fewer processes"):
            postgresql.stop()
            time.sleep(_GOES_TO_THE_SPOOL_SECONDS)
            trials.server.kill()
            postgresql.start()
            with_one = Server(trials.world.trueup.url, trials.server.folder, {**ENVIRONMENT, "TRUEUP_WORKERS": 1})
            with_one.port, trials.server = trials.server.port, with_one
            trials.load.server = with_one
            with_one.start()
    try:
        record(trials.stop_and_count())
    finally:
        with_one.kill()

"""No wait on the database is without an end, and a person's own word on how long it lasts is heard."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pytest

from trueup.ledger.commit import lock_clicks
from trueup.ledger.database import LIVE, PATIENT, Database, DatabaseUnavailableError, Waits
from trueup.ledger.open import open_ledger
from trueup.ledger.urls import parameters_of
from trueup.ledger.waits import with_waits

BRIEF = Waits(connect=2, lock=0.3, statement=0.3, silence=6)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """The block says that the database is not there now, and soon."""
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailableError):
        yield
    assert time.monotonic() - began < seconds


def test_wait__for_a_server_that_never_answers_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ends_within(8):
        Database(f"postgresql://someone@127.0.0.1:{silent.getsockname()[1]}/trueup", BRIEF)


def test_wait__for_anothers_clicks_ends(url: str) -> None:
    with open_ledger(url) as other, other.transaction() as transaction:
        lock_clicks(transaction, ["a"])
        with open_ledger(url, BRIEF) as ledger:
            with ends_within(5), ledger.transaction() as waiting:
                lock_clicks(waiting, ["a"])
            assert ledger.read_sql("SELECT count(*) FROM clicks", {"clicks": pl.Int64}).item() == 0


@on_postgresql
def test_wait__for_anothers_row_ends(url: str) -> None:
    with open_ledger(url) as other, open_ledger(url, BRIEF) as ledger, other.transaction() as transaction:
        transaction.run("INSERT INTO secrets VALUES ('a', 'theirs')")
        with ends_within(5), ledger.transaction() as waiting:
            waiting.run("INSERT INTO secrets VALUES ('a', 'ours')")


@on_postgresql
@pytest.mark.parametrize(
    "slow", ["SELECT pg_sleep(30)::text", "SELECT n::text FROM generate_series(1, 1000000000000) AS n"]
)
def test_wait__for_a_statement_ends(url: str, slow: str) -> None:
    with Database(url, BRIEF) as ledger, ends_within(5):
        ledger.read_sql(slow, {"text": pl.String})


@on_postgresql
def test_wait__of_a_person_has_no_end_for_statements_alone(url: str) -> None:
    assert PATIENT.statement is None
    with Database(url, PATIENT) as ledger:
        assert _setting(ledger, "statement_timeout") == "0"
        assert _setting(ledger, "lock_timeout") == "1min"


@on_postgresql
def test_wait__is_what_the_url_says_where_it_says_so(url: str) -> None:
    own = f"{url}&options=-c%20statement_timeout%3D12345%20-c%20work_mem%3D5MB&connect_timeout=7"
    assert parameters_of(with_waits(own, LIVE))["connect_timeout"] == "7"
    with Database(own, LIVE) as ledger:
        assert _setting(ledger, "statement_timeout") == "12345ms"
        assert _setting(ledger, "work_mem") == "5MB"
        assert _setting(ledger, "lock_timeout") == "2s"


@on_postgresql
def test_wait__is_what_the_environment_says_where_it_says_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=54321")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "9")
    assert "connect_timeout" not in parameters_of(with_waits(url, LIVE))
    with Database(url, LIVE) as ledger:
        assert _setting(ledger, "lock_timeout") == "54321ms"
        assert _setting(ledger, "statement_timeout") == "10s"


def test_wait__for_a_silent_server_is_stated_to_libpq_and_to_the_server() -> None:
    stated = parameters_of(with_waits("postgresql://trueup@db.example/trueup", LIVE))
    assert (stated["connect_timeout"], stated["tcp_user_timeout"], stated["keepalives_idle"]) == ("2", "6000", "3")
    assert "-c tcp_user_timeout=6000" in stated["options"]


def _setting(ledger: Database, name: str) -> str:
    return str(ledger.read_sql("SELECT current_setting($1)", {"value": pl.String}, [name]).item())

"""A failure of the database says whether to try again, to leave this data out, or to have somebody look."""

import threading
from collections.abc import Callable
from contextlib import suppress

import polars as pl
import pytest
from databases import by_hand

from trueup.ledger.database import (
    Database,
    DatabaseError,
    DatabaseRefusedError,
    DatabaseUnavailableError,
    Transaction,
)
from trueup.ledger.open import open_ledger
from trueup.ledger.schema import rollups, secrets
from trueup.model.frames import ROLLUPS, completed

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])
Fault = Callable[[Transaction], object]


def _cell(revenue: int) -> pl.DataFrame:
    given = pl.DataFrame({"conversion_type": ["sale"], "status": ["approved"], "revenue": [revenue]})
    return completed(given, ROLLUPS, {name: 0 for name, dtype in ROLLUPS.items() if dtype == pl.Int64})


def _too_much(transaction: Transaction) -> None:
    for _ in range(2):
        transaction.put(rollups, _cell((1 << 63) - 1), add=["conversions", "revenue"])


FAULTS: dict[str, tuple[Fault, type[DatabaseError]]] = {
    "a sum that leaves 64 bits": (_too_much, DatabaseRefusedError),
    "nothing where there must be something": (
        lambda transaction: transaction.run("INSERT INTO secrets (name, value) VALUES ('a', NULL)"),
        DatabaseRefusedError,
    ),
    "a table that is gone": (lambda transaction: transaction.run("INSERT INTO gone VALUES (1)"), DatabaseError),
    "a column that is gone": (
        lambda transaction: transaction.read_sql("SELECT gone FROM clicks", {"a": pl.Int64}),
        DatabaseError,
    ),
    "a statement that is none": (lambda transaction: transaction.run("NONSENSE"), DatabaseError),
    "what is there already": (lambda transaction: [_store(transaction, "a", "b") for _ in range(2)], DatabaseError),
}


def _store(transaction: Transaction, name: str, value: str) -> None:
    transaction.append(secrets, pl.DataFrame({"name": [name], "value": [value]}))


@pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS)
def test_failure__is_of_the_data_only_where_the_database_says_so(
    ledger: Database, fault: Fault, kind: type[DatabaseError]
) -> None:
    with pytest.raises(DatabaseError) as failed, ledger.transaction() as transaction:
        fault(transaction)
    assert type(failed.value) is kind
    assert "\n" not in str(failed.value)
    with ledger.transaction() as transaction:
        _store(transaction, "a", "afterwards")  # and the connection is as good as before


@on_postgresql
def test_failure__of_text_that_postgresql_cannot_hold_is_of_the_data(ledger: Database) -> None:
    with pytest.raises(DatabaseRefusedError), ledger.transaction() as transaction:
        _store(transaction, "a", "b\0c")


def test_failure__of_a_place_that_cannot_be_written_is_for_now(ledger: Database) -> None:
    by_hand(ledger, "PRAGMA query_only = 1" if ledger.is_sqlite else "SET default_transaction_read_only = on")
    with pytest.raises(DatabaseUnavailableError), ledger.transaction() as transaction:
        _store(transaction, "a", "b")


@on_sqlite
def test_failure__of_a_full_disk_is_for_now(ledger: Database) -> None:
    by_hand(ledger, "PRAGMA max_page_count = 1")  # it is no smaller than the file
    with pytest.raises(DatabaseUnavailableError, match="full"), ledger.transaction() as transaction:
        _store(transaction, "a", "x" * 100_000)
    assert _stored(ledger) == 0


@on_postgresql
def test_failure__of_two_who_wait_for_each_other_is_for_now(url: str) -> None:
    meeting, ended = threading.Barrier(2), []

    def lock(first: int, then: int) -> None:
        with open_ledger(url) as ledger:
            try:
                with ledger.transaction():
                    ledger.read_sql(f"SELECT pg_advisory_xact_lock({first})::text", {"a": pl.String})
                    meeting.wait()
                    ledger.read_sql(f"SELECT pg_advisory_xact_lock({then})::text", {"a": pl.String})
                ended.append("done")
            except DatabaseError as error:
                ended.append(type(error).__name__)

    threads = [threading.Thread(target=lock, args=order) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["DatabaseUnavailableError", "done"]


@on_postgresql
@pytest.mark.parametrize("many", [10, 100_000_000])
def test_failure__of_a_connection_is_for_now_wherever_it_breaks(url: str, many: int) -> None:
    with Database(url) as admin, Database(url) as ledger:
        end = threading.Timer(0.3 if many > 10 else 0, _end, [admin])
        end.start()
        if many == 10:
            end.join()
        with pytest.raises(DatabaseUnavailableError):
            ledger.read_sql("SELECT n FROM generate_series(1, $1) AS n", {"n": pl.Int64}, [many])
        end.join()
        with pytest.raises(DatabaseUnavailableError):
            by_hand(ledger, "DELETE FROM secrets")


def test_failure__that_somebody_lets_pass_leaves_nothing_of_its_transaction(ledger: Database) -> None:
    def let_pass() -> None:
        with ledger.transaction() as transaction:
            _store(transaction, "a", "b")
            with suppress(DatabaseError):
                transaction.run("NONSENSE")

    with pytest.raises(DatabaseError, match="has failed"):
        let_pass()
    assert _stored(ledger) == 0


@on_postgresql
def test_failure__to_roll_back_says_that_the_connection_is_of_no_use(url: str) -> None:
    def fail(admin: Database, ledger: Database) -> None:
        with ledger.transaction() as transaction:
            _store(transaction, "a", "b")
            _end(admin)
            raise ValueError

    with Database(url) as admin, Database(url) as ledger:
        with pytest.raises(DatabaseUnavailableError, match="rolled back"):
            fail(admin, ledger)
        with pytest.raises(DatabaseUnavailableError), ledger.read_transaction():
            pass
        assert _stored(admin) == 0


@on_postgresql
def test_close__of_what_is_lost_already_is_no_failure(url: str) -> None:
    with Database(url) as admin:
        ledger = Database(url)
        by_hand(ledger, "BEGIN")
        _end(admin)
        ledger.close()
        ledger.close()


def _end(admin: Database) -> None:
    """End a connection as a server does that is stopped."""
    others = "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for (pid,) in admin.read_sql(others, {"pid": pl.Int64}).iter_rows():
        admin.read_sql("SELECT pg_terminate_backend($1::int, 5000)::text", {"ended": pl.String}, [pid])


def _stored(ledger: Database) -> int:
    return int(ledger.read_sql("SELECT count(*) FROM secrets", {"rows": pl.Int64}).item())

"""What is written is written in a transaction, and a transaction that has ended is of no use any more."""

from collections.abc import Callable
from contextlib import suppress

import polars as pl
import pytest
from sqlalchemy import insert, select

from trueup.ledger.database import Database, Readable, ReadTransaction, Transaction, TransactionEndedError
from trueup.ledger.schema import secrets

ROW = pl.DataFrame({"name": ["a"], "value": ["b"]})
ALL = select(secrets.c.name)
NAME = {"name": pl.String}
NEW = insert(secrets).values(name="a", value="b")

READS: dict[str, Callable[[Readable], object]] = {
    "read": lambda ended: ended.read(ALL, NAME),
    "read_sql": lambda ended: ended.read_sql("SELECT name FROM secrets", NAME),
}
WRITES: dict[str, Callable[[Transaction], object]] = {
    "run": lambda ended: ended.run("DELETE FROM secrets"),
    "execute": lambda ended: ended.execute(NEW),
    "returning": lambda ended: ended.returning(NEW.returning(secrets.c.name), NAME),
    "append": lambda ended: ended.append(secrets, ROW),
    "put": lambda ended: ended.put(secrets, ROW),
    "insert_new": lambda ended: ended.insert_new(secrets, ROW),
}


@pytest.mark.parametrize("use", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
@pytest.mark.parametrize("fails", [False, True], ids=["committed", "rolled back"])
def test_transaction_that_has_ended__is_of_no_use(
    ledger: Database, use: Callable[[Transaction], object], fails: bool
) -> None:
    ended = _ended(ledger, fails=fails)
    with pytest.raises(TransactionEndedError):
        use(ended)
    with ledger.transaction(), pytest.raises(TransactionEndedError):  # nor is it within the next one
        use(ended)
    assert ledger.read(ALL, NAME).height == 0


@pytest.mark.parametrize("use", READS.values(), ids=READS)
def test_read_transaction_that_has_ended__is_of_no_use(ledger: Database, use: Callable[[Readable], object]) -> None:
    with ledger.read_transaction() as transaction:
        use(transaction)
    with pytest.raises(TransactionEndedError):
        use(transaction)


@pytest.mark.parametrize("kind", [Database, ReadTransaction])
def test_what_reads__has_no_way_to_write(kind: type[Readable]) -> None:
    assert {name for name in WRITES if hasattr(kind, name)} == set()


def _ended(ledger: Database, *, fails: bool) -> Transaction:
    with suppress(ZeroDivisionError), ledger.transaction() as transaction:
        if fails:
            raise ZeroDivisionError
    return transaction

"""A ledger that one test had is as new for the next one, or it is not given again."""

from collections.abc import Iterator

import polars as pl
import pytest
from databases import Databases, Ledgers, by_hand, execute
from sqlalchemy import func, make_url, select

from trueup.ledger.database import Database, DatabaseUnavailableError
from trueup.ledger.schema import batches, metadata


@pytest.fixture
def ledgers(postgres_databases: Databases, postgres_template: str) -> Iterator[Ledgers]:
    ledgers = Ledgers(postgres_databases, postgres_template)
    yield ledgers
    ledgers.close()
    postgres_databases.drop_all()


def test_ledger_given_back__is_empty_and_numbers_begin_anew(ledgers: Ledgers) -> None:
    url = ledgers.take()
    with Database(url) as database:
        for name in ("first", "second"):
            execute(database, batches.insert().values(file_name=name))
        by_hand(database, "INSERT INTO clicks (click_id) VALUES ('a')")
        by_hand(database, "BEGIN")
        by_hand(database, "INSERT INTO offers (name) VALUES ('never committed')")
        ledgers.give_back()
        with pytest.raises(DatabaseUnavailableError):
            by_hand(database, "COMMIT")
    assert ledgers.take() == url
    with Database(url) as database:
        for table in metadata.sorted_tables:
            assert database.read(select(func.count()).select_from(table), {"rows": pl.Int64}).item() == 0
        by_hand(database, "INSERT INTO batches (file_name) VALUES ('new')")
        by_hand(database, "INSERT INTO offers (name) VALUES ('new')")
        numbers = "SELECT batch_id FROM batches UNION ALL SELECT offer_id FROM offers"
        assert database.read_sql(numbers, {"number": pl.Int64})["number"].to_list() == [1, 1]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE clicks RENAME TO elsewhere",
        "ALTER TABLE offers ADD COLUMN more bigint",
        "DROP INDEX journal_parked",
        "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "UPDATE trueup_version SET version_num = '9999'",
        'ALTER DATABASE "{name}" SET default_transaction_read_only = off',
        None,
    ],
)
def test_ledger_that_was_changed__is_not_given_again(
    ledgers: Ledgers, postgres_databases: Databases, change: str | None
) -> None:
    url = ledgers.take()
    if change is None:
        postgres_databases.drop(url)
    else:
        with Database(url) as database:
            by_hand(database, change.format(name=make_url(url).database))
    ledgers.give_back()
    assert ledgers.take() != url

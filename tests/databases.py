"""Databases of a PostgreSQL server for tests: made and dropped, and ledgers that are emptied and used again."""

import json
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
# Of what is no row: which transactions last wrote it, which no change leaves as they were. TRUNCATE writes to pg_class,
# so of that it is the facts. 16384 is the first number that PostgreSQL gives to what is not its own.
_CATALOGS: Final = {
    "pg_attribute": "attrelid >= 16384",
    "pg_attrdef": "true",
    "pg_constraint": "oid >= 16384",
    "pg_index": "indexrelid >= 16384",
    "pg_sequence": "true",
    "pg_trigger": "true",
    "pg_proc": "oid >= 16384",
    "pg_namespace": "true",
    "pg_extension": "true",
    "trueup_version": "true",
}
_WRITERS: Final = " UNION ALL ".join(
    f"SELECT concat_ws(' ', '{name}', count(*), sum(xmin::text::bigint)) FROM {name} WHERE {own}"  # noqa: S608 - the above
    for name, own in _CATALOGS.items()
)
_SHAPE: Final = f"""
    WITH facts (fact) AS (
        SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions) FROM pg_class WHERE oid >= 16384
        UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL {_WRITERS}
    )
    SELECT md5(string_agg(fact, ' ' ORDER BY fact)) FROM facts
"""  # noqa: S608 - the same
# A table that nobody wrote to has no bytes. To delete a few rows is quicker than new files for a table and its indexes.
_WRITTEN: Final = """
    SELECT json_object_agg(oid::regclass, CASE WHEN pg_table_size(oid) > 65536 THEN 'TRUNCATE' ELSE 'DELETE FROM' END)
    FROM pg_class
    WHERE relkind = 'r' AND oid >= 16384 AND relname <> 'trueup_version' AND pg_relation_size(oid) > 0
"""
# A number may have been given out though no row came of it.
_NUMBERS_ANEW: Final = """
    SELECT count(setval(seqrelid::regclass, seqstart, false)) FROM pg_sequence
    WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""

# Numbers go on after those that were given out.
_NUMBERS_ON: Final = """
    SELECT 'SELECT ' || coalesce(string_agg(
        format('setval(%L, %s)::text', seqrelid::regclass, pg_sequence_last_value(seqrelid)), ', '
    ), '1') FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
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

    One that a test changed in any other way, such as by renaming a table, is dropped. Whoever empties one stays
    connected to it: a new connection learns all about the tables first, which takes longer than to empty them.
    """

    def __init__(self, databases: Databases, template: str) -> None:
        self._databases, self._template = databases, template
        self._free: list[str] = []
        self._taken: list[str] = []
        self._cleaners: dict[str, Database] = {}
        self._shape = ""

    def take(self) -> str:
        """Take a ledger that is as new. Returns: its URL."""
        url = self._free.pop() if self._free else self._new()
        self._taken.append(url)
        return url

    def _new(self) -> str:
        url = self._databases.create(self._template)
        self._shape = self._shape or _text(self._cleaner(url), _SHAPE)
        return url

    def give_back(self) -> None:
        """Empty all that were taken."""
        while self._taken:
            url = self._taken.pop()
            if self._emptied(url):
                self._free.append(url)
            else:
                self._let_go(url)
                self._databases.drop(url)

    def close(self) -> None:
        """Let go of all."""
        for url in list(self._cleaners):
            self._let_go(url)

    def _emptied(self, url: str) -> bool:
        """Empty a ledger. Returns: whether it is as new."""
        for _ in range(2):  # a test may have ended the first connection
            try:
                return _empty(self._cleaner(url), self._shape)
            except DatabaseError:
                self._let_go(url)
        return False  # it is not there any more

    def _cleaner(self, url: str) -> Database:
        if url not in self._cleaners:
            self._cleaners[url] = Database(url)
        return self._cleaners[url]

    def _let_go(self, url: str) -> None:
        if url in self._cleaners:
            self._cleaners.pop(url).close()


def _empty(database: Database, shape: str) -> bool:
    """Empty a ledger of this shape. Returns: whether it had it."""
    _text(database, _ALONE)
    if _text(database, _SHAPE) != shape:
        return False
    written: dict[str, str] = json.loads(_text(database, _WRITTEN) or "{}")
    truncated = [table for table, how in written.items() if how == "TRUNCATE"]
    if truncated:
        by_hand(database, f"TRUNCATE {', '.join(truncated)}")
    deleted = [f"of_{table} AS (DELETE FROM {table})" for table in written.keys() - truncated]  # noqa: S608 - our own tables
    by_hand(database, f"WITH {', '.join(deleted)} {_NUMBERS_ANEW}" if deleted else _NUMBERS_ANEW)
    return True


def copying(database: Database) -> str:
    """The statement that makes a ledger without rows a copy of this one."""
    tables = json.loads(_text(database, _WRITTEN) or "{}")
    rows = {table: _text(database, f"SELECT json_agg(t) FROM {table} t") for table in tables}  # noqa: S608 - our own tables
    puts = [
        f"into_{table} AS (INSERT INTO {table} OVERRIDING SYSTEM VALUE "  # noqa: S608 - the same
        f"SELECT * FROM json_populate_recordset(NULL::{table}, $rows${found}$rows$))"
        for table, found in rows.items()
        if found
    ]
    return f"WITH {', '.join(puts)} {_text(database, _NUMBERS_ON)}"


def _text(database: Database, sql: str) -> str:
    return str(database.read_sql(f"SELECT coalesce(({sql})::text, '')", {"text": pl.String}).item())

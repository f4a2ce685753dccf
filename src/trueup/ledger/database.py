"""One connection to SQLite or PostgreSQL: Arrow frames in and out, through ADBC.

SQLAlchemy Core writes the statements, ADBC runs them, and every read is cast to the schema its caller states (ADBC's
SQLite driver guesses a column's type from its values). Reads by many click ids and writes of many rows are one
statement each on both databases; nothing is staged in temporary tables.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

import adbc_driver_sqlite.dbapi
import polars as pl
import pyarrow as pa
from adbc_driver_manager import Error as DriverError
from adbc_driver_manager.dbapi import Connection, Cursor
from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Executable,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from trueup.ledger import postgresql as server
from trueup.ledger.failures import DatabaseError, DatabaseRefusedError, DatabaseUnavailableError, failure
from trueup.ledger.urls import SQLITE, refuse_unreadable, without_secrets
from trueup.ledger.waits import LIVE, PATIENT, READING, Waits, with_waits
from trueup.model.frames import Schema

__all__ = [
    "DEFAULT_URL",
    "LIVE",
    "PATIENT",
    "READING",
    "Database",
    "DatabaseError",
    "DatabaseRefusedError",
    "DatabaseUnavailableError",
    "Waits",
    "is_one_of",
]

DEFAULT_URL: Final = "sqlite:///trueup.db"
_SQLITE: Final[Dialect] = sqlite.dialect(paramstyle="qmark")
_POSTGRESQL: Final[Dialect] = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # the same
_ARROW_TYPES: Final = {int: pa.int64(), str: pa.string(), bytes: pa.binary(), type(None): pa.null()}
_NOT_IN_TRANSACTION: Final = "no transaction is active"  # SQLite's words where a failure has rolled back already

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # NORMAL loses acknowledged commits when the power goes
    "PRAGMA cache_size = -131072",  # 128 MiB
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 8000",
)


def place_of(url: str) -> tuple[int, int] | None:
    """Which file a SQLite database is, by device and number; None for no file, and for PostgreSQL.

    Args:
        url: The database.
    """
    if not url.startswith(SQLITE):
        return None
    try:
        found = os.stat(url.removeprefix(SQLITE))  # noqa: PTH116 - asked after each commit
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Database:
    """An open database. Not for several threads at once."""

    def __init__(self, url: str, waits: Waits = PATIENT) -> None:
        """Open.

        Args:
            url: `sqlite:///path`, or a `postgresql://` URL.
            waits: How long anything may take.

        Raises:
            DatabaseError: It is no database's URL.
            DatabaseUnavailableError: It cannot be opened now.
        """
        refuse_unreadable(url)
        self.lock_seconds = 0.0  # how long the last transaction took
        self.is_sqlite = url.startswith(SQLITE)
        self.dialect = _SQLITE if self.is_sqlite else _POSTGRESQL
        self._url = url if self.is_sqlite else with_waits(url, waits)
        self._is_lost = False  # its transaction cannot be ended, so nothing may follow in it
        self._has_failed = False  # whether a statement of the transaction failed
        try:
            self._connection, self._cursor = self._open(waits)
            self._place = place_of(url)
        except DriverError as error:
            said = str(failure(error, is_sqlite=self.is_sqlite))
            plain = said if self.is_sqlite else without_secrets(said, url)
            raise DatabaseUnavailableError(f"the database cannot be opened: {plain}") from None

    def _open(self, waits: Waits) -> tuple[Connection, Cursor]:
        connection: Connection
        with ExitStack() as on_failure:
            if self.is_sqlite:
                _make_private(self._url.removeprefix(SQLITE))
                connection = adbc_driver_sqlite.dbapi.connect(self._url.removeprefix(SQLITE), autocommit=True)
            else:
                connection = server.connect(self._url)
            on_failure.callback(connection.close)
            cursor = connection.cursor()
            waiting = f"PRAGMA busy_timeout = {round(waits.lock * 1000)}"  # first: the other statements may wait
            for pragma in (waiting, *_SQLITE_PRAGMAS) if self.is_sqlite else ():
                cursor.execute(pragma)
                cursor.fetchall()
            on_failure.pop_all()
        return connection, cursor

    def refuse_moved(self) -> None:
        """Make sure that SQLite's file is still at its place: a program goes on writing to a file that was moved.

        Raises:
            DatabaseUnavailableError: It was moved, deleted or replaced. What was committed last may be in no ledger.
        """
        if self._place is not None and self._place != place_of(self._url):
            raise DatabaseUnavailableError("the database's file was moved, deleted or replaced")

    def close(self) -> None:
        """Close. What is not committed is lost. Closing a connection that is lost already raises nothing."""
        for part in (self._cursor, self._connection):
            with suppress(DriverError):
                part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, all of it or nothing. On SQLite this waits for the one writer's place.

        Raises:
            DatabaseUnavailableError: Also where the failed transaction cannot be rolled back; the connection is of no
                use then, and is opened anew by whoever needs it.
        """
        self.run("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        began = perf_counter()
        self._has_failed = False
        try:
            yield
            self._commit()
            self.refuse_moved()
            self.lock_seconds = perf_counter() - began
        except BaseException as error:
            self._roll_back(error)
            raise

    @contextmanager
    def read_transaction(self) -> Iterator[None]:
        """Read everything in the block as of one moment, whatever is written meanwhile.

        Nothing may be written in it.
        """
        self.run("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            if not self.is_sqlite:
                self.run("SET LOCAL work_mem = '64MB'")  # a page of conversions is sorted in memory
            yield
        except BaseException as error:
            self._roll_back(error)
            raise
        self._roll_back(None)

    def _commit(self) -> None:
        if self._has_failed:  # the block caught it; PostgreSQL would take COMMIT for ROLLBACK, and say nothing
            raise DatabaseError("a statement of the transaction has failed")
        self.run("COMMIT")

    def _roll_back(self, why: BaseException | None) -> None:
        try:
            self.run("ROLLBACK")
        except DatabaseError as error:
            if self.is_sqlite and _NOT_IN_TRANSACTION in str(error):
                return
            self._is_lost = True
            if why is None or isinstance(why, Exception):
                raise DatabaseUnavailableError(f"what was begun cannot be rolled back: {error}") from why

    def data_version(self) -> int | None:
        """A number that changes whenever another connection commits; None where the database has no such number."""
        if not self.is_sqlite:
            return None
        with self._told_plainly():
            self._cursor.execute("PRAGMA data_version")
            found: pa.Table = self._cursor.fetch_arrow_table()
        return int(found.column(0)[0].as_py())

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a plain SQL text that returns no rows."""
        with self._told_plainly():  # `executemany`: the PostgreSQL driver's `execute` tries to read rows first, as COPY
            self._cursor.executemany(sql, _record(parameters) if parameters else None)

    def execute(self, statement: Executable, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns no rows."""
        sql, parameters = self._compiled(statement, values or {})
        self.run(sql, parameters)

    def read(self, statement: Executable, schema: Schema, values: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Read rows.

        Args:
            statement: What to read.
            schema: The columns that the statement reads, in its order, and their types.
            values: The values of the statement's parameters, by name.

        Returns:
            A frame of exactly the schema's columns, cast to its types.
        """
        sql, parameters = self._compiled(statement, values or {})
        return self.read_sql(sql, schema, parameters)

    def read_sql(self, sql: str, schema: Schema, parameters: Sequence[Any] = ()) -> pl.DataFrame:
        """Read rows of a plain SQL text, the columns in the schema's order."""
        with self._told_plainly():
            self._cursor.execute(sql, _record(parameters) if parameters else None)
            found = pl.DataFrame(_Rows(self._cursor.fetch_arrow_table()))
        found.columns = list(schema)
        columns = zip(found.get_columns(), schema.values(), strict=True)
        return pl.DataFrame([column if column.dtype == dtype else column.cast(dtype) for column, dtype in columns])

    def append(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert new rows in bulk. Within the caller's transaction."""
        if not frame.height:
            return
        with self._told_plainly():
            if self.is_sqlite:
                self._cursor.executemany(_append_sql(table.name, tuple(frame.columns)), frame)
            else:
                self._cursor.adbc_ingest(table.name, frame, mode="append")

    def put(self, table: Table, frame: pl.DataFrame, *, add: Sequence[str] = ()) -> None:
        """Insert rows, or change those whose primary key is there.

        Args:
            table: The table.
            frame: The rows; the columns of the key are among their columns.
            add: The columns that are added to what is stored. All others replace it.
        """
        self._write(_put_sql(self.is_sqlite, table, tuple(frame.columns), tuple(add)), frame)

    def insert_new(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert the rows whose primary key is not there; leave the others as they are."""
        self._write(_put_sql(self.is_sqlite, table, tuple(frame.columns), None), frame)

    def _write(self, sql: str, frame: pl.DataFrame) -> None:
        if not frame.height:
            return
        with self._told_plainly():
            self._cursor.executemany(sql, frame if self.is_sqlite else frame.select(pl.all().implode()))

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        if self._is_lost:
            raise DatabaseUnavailableError("the connection to the database is lost")
        try:
            yield
        except DriverError as error:
            self._has_failed = True
            told = failure(error, is_sqlite=self.is_sqlite)
            if isinstance(told, DatabaseUnavailableError) and not self.is_sqlite:
                server.lose(self._url)
            raise told from error

    def _compiled(self, statement: Executable, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        sql, names, fixed = _compile(self.dialect, statement)
        known = {**fixed, **values, **_bounds(values)}
        return sql, [self._parameter(known[name]) for name in names]

    def _parameter(self, value: Any) -> Any:  # noqa: ANN401 - any value a driver takes
        if isinstance(value, pl.Series):
            value = value.to_list()
        return json.dumps(value) if self.is_sqlite and isinstance(value, list) else value

    def is_one_of(self, key: ColumnElement[Any] | Column[Any], name: str) -> ColumnElement[bool]:
        """A condition: the column is among the list that is bound to `name` (any number of values, one parameter)."""
        return is_one_of(self.is_sqlite, key, name)


def _make_private(path: str) -> None:
    """Make a new database file that its owner alone can read: it holds secrets. One that is there stays as it is."""
    with suppress(OSError):  # the driver says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def is_one_of(is_sqlite: bool, key: ColumnElement[Any] | Column[Any], name: str) -> ColumnElement[bool]:
    """The condition of `Database.is_one_of`, for statements that are built once per database kind."""
    if is_sqlite:
        return key.in_(select(column("value")).select_from(func.json_each(bindparam(name)).table_valued("value")))
    kind = Text() if isinstance(key.type, Text) else key.type  # a parameter's type must not name a collation
    listed = key == any_(bindparam(name, type_=postgresql.ARRAY(kind)))
    return and_(listed, key.between(bindparam(f"{name}_least", type_=kind), bindparam(f"{name}_most", type_=kind)))


def _record(parameters: Sequence[Any]) -> pa.RecordBatch:
    """One record of parameters with their types stated. Otherwise Arrow looks for pandas at every value."""
    values = [pa.array([value], _arrow_type(value)) for value in parameters]
    return pa.record_batch(values, names=[str(place) for place in range(len(values))])


def _arrow_type(value: Any) -> pa.DataType | None:  # noqa: ANN401 - any value a driver takes
    if isinstance(value, list):
        return pa.list_(_arrow_type(value[0]) if value else pa.null())
    return _ARROW_TYPES.get(type(value))


def _bounds(values: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest and the largest value of each list.

    Without them, PostgreSQL scans all of a table it has no numbers of.
    """
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    least = {f"{name}_least": min(value, default=None) for name, value in lists.items()}
    return least | {f"{name}_most": max(value, default=None) for name, value in lists.items()}


@lru_cache(maxsize=256)
def _compile(dialect: Dialect, statement: Executable) -> tuple[str, list[str], Mapping[str, Any]]:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]  # every statement of ours compiles
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - SQLAlchemy's own promise for these dialects
    names = list(compiled.positiontup or ())
    return str(compiled), names, compiled.params


class _Rows:
    """Rows as Polars takes them without pyarrow's help, which is slow. Read before: only pyarrow tells what failed."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@lru_cache(maxsize=64)
def _append_sql(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=64)
def _put_sql(is_sqlite: bool, table: Table, columns: tuple[str, ...], add: tuple[str, ...] | None) -> str:
    key = [c.name for c in table.primary_key.columns]
    names = ", ".join(columns)
    if is_sqlite:
        source = f"VALUES ({', '.join('?' * len(columns))})"
    else:
        types = [table.c[name].type.compile(_POSTGRESQL).split(" COLLATE")[0] for name in columns]
        arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, start=1))
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - places and types of our own tables
    if add is None:
        action = "NOTHING"
    else:
        sets = (f"{c} = {f'{table.name}.{c} + ' if c in add else ''}excluded.{c}" for c in columns if c not in key)
        action = f"UPDATE SET {', '.join(sets)}"
    return f"INSERT INTO {table.name} ({names}) {source} ON CONFLICT ({', '.join(key)}) DO {action}"

"""The ledger's database: Arrow frames in and out, of SQLite or PostgreSQL.

A `Database` reads. It writes nothing: its `transaction()` does, and what is written needs the `Transaction` that it
gives. Every read is cast to the schema its caller states (ADBC's SQLite driver guesses a column's type from its
values). Reads by many click ids and writes of many rows are one statement each on both databases; nothing is staged in
temporary tables.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Final, NoReturn, Self, overload

import polars as pl
import pyarrow as pa
from adbc_driver_manager.dbapi import Cursor
from sqlalchemy import Column, ColumnElement, SelectBase, Table, UpdateBase

from trueup.ledger.connection import Connection
from trueup.ledger.failures import DatabaseError, DatabaseRefusedError, DatabaseUnavailableError
from trueup.ledger.statements import (
    POSTGRESQL_DIALECT,
    SQLITE_DIALECT,
    append_sql,
    as_record,
    compiled,
    is_one_of,
    put_sql,
)
from trueup.ledger.waits import LIVE, PATIENT, READING, Waits
from trueup.model.frames import ColumnsOf, Frame, Schema, empty

__all__ = [
    "DEFAULT_URL",
    "LIVE",
    "PATIENT",
    "READING",
    "Database",
    "DatabaseError",
    "DatabaseRefusedError",
    "DatabaseUnavailableError",
    "ReadTransaction",
    "Readable",
    "Transaction",
    "TransactionEndedError",
    "Waits",
    "is_one_of",
]

DEFAULT_URL: Final = "sqlite:///trueup.db"
_NOT_IN_TRANSACTION: Final = "no transaction is active"  # SQLite's words where a failure has rolled back already


class TransactionEndedError(RuntimeError):
    """A transaction is used after its end: what it was to do would happen outside of it."""


class Readable:
    """What the ledger is read by: a database, or a transaction in it."""

    def __init__(self, connection: Connection) -> None:
        """Read by a connection."""
        self._cursor: Callable[[], AbstractContextManager[Cursor]] = connection.cursor
        self.is_sqlite = connection.is_sqlite
        self.dialect = SQLITE_DIALECT if connection.is_sqlite else POSTGRESQL_DIALECT

    @overload
    def read(
        self, statement: SelectBase, schema: ColumnsOf[Frame], values: Mapping[str, Any] | None = None
    ) -> Frame: ...
    @overload
    def read(self, statement: SelectBase, schema: Schema, values: Mapping[str, Any] | None = None) -> pl.DataFrame: ...
    def read(self, statement: SelectBase, schema: Schema, values: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Read rows.

        Args:
            statement: What to read.
            schema: The columns that the statement reads, in its order, and their types.
            values: The values of the statement's parameters, by name.

        Returns:
            A frame of exactly the schema's columns, cast to its types.
        """
        sql, parameters = compiled(self.dialect, statement, values or {})
        return self.read_sql(sql, schema, parameters)

    @overload
    def read_sql(self, sql: str, schema: ColumnsOf[Frame], parameters: Sequence[Any] = ()) -> Frame: ...
    @overload
    def read_sql(self, sql: str, schema: Schema, parameters: Sequence[Any] = ()) -> pl.DataFrame: ...
    def read_sql(self, sql: str, schema: Schema, parameters: Sequence[Any] = ()) -> pl.DataFrame:
        """Read rows of a plain SQL text, the columns in the schema's order."""
        with self._cursor() as cursor:
            cursor.execute(sql, as_record(parameters) if parameters else None)
            table = cursor.fetch_arrow_table()
        if not table.num_rows:
            return empty(schema)
        found = pl.DataFrame(_Rows(table))
        found.columns = list(schema)
        if found.dtypes == list(schema.values()):
            return found
        columns = zip(found.get_columns(), schema.values(), strict=True)
        return pl.DataFrame([column if column.dtype == dtype else column.cast(dtype) for column, dtype in columns])

    def data_version(self) -> int | None:
        """A number that changes whenever another connection commits; None where the database has no such number."""
        return self.number("PRAGMA data_version") if self.is_sqlite else None

    def number(self, sql: str) -> int:
        """Read the one whole number that a plain SQL text comes to."""
        with self._cursor() as cursor:
            cursor.execute(sql)
            found: pa.Table = cursor.fetch_arrow_table()
        return int(found.column(0)[0].as_py())

    def is_one_of(self, key: ColumnElement[Any] | Column[Any], name: str) -> ColumnElement[bool]:
        """A condition: the column is among the list that is bound to `name` (any number of values, one parameter)."""
        return is_one_of(self.is_sqlite, key, name)


class ReadTransaction(Readable):
    """A transaction that reads everything as of one moment. It writes nothing."""

    def end(self) -> None:
        """Refuse further use."""
        self._cursor = _refuse_ended


class Transaction(Readable):
    """A transaction that writes. What it has written is committed together, or not at all."""

    def end(self) -> None:
        """Refuse further use."""
        self._cursor = _refuse_ended

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a plain SQL text that returns no rows."""
        with self._cursor() as cursor:  # as `Connection.run`, unless the transaction has ended
            cursor.executemany(sql, as_record(parameters) if parameters else None)

    def execute(self, statement: UpdateBase, values: Mapping[str, Any] | None = None) -> None:
        """Insert, update or delete rows."""
        sql, parameters = compiled(self.dialect, statement, values or {})
        self.run(sql, parameters)

    def returning(self, statement: UpdateBase, schema: Schema, values: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Insert, update or delete rows, and read what the statement returns of them. Otherwise as `read`."""
        sql, parameters = compiled(self.dialect, statement, values or {})
        return self.read_sql(sql, schema, parameters)

    def append(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert new rows in bulk."""
        if not frame.height:
            return
        with self._cursor() as cursor:
            if self.is_sqlite:
                cursor.executemany(append_sql(table.name, tuple(frame.columns)), frame)
            else:
                cursor.adbc_ingest(table.name, frame, mode="append")

    def put(self, table: Table, frame: pl.DataFrame, *, add: Sequence[str] = ()) -> None:
        """Insert rows, or change those whose primary key is there.

        Args:
            table: The table.
            frame: The rows; the columns of the key are among their columns.
            add: The columns that are added to what is stored. All others replace it.
        """
        self._write(put_sql(self.is_sqlite, table, tuple(frame.columns), tuple(add)), frame)

    def insert_new(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert the rows whose primary key is not there; leave the others as they are."""
        self._write(put_sql(self.is_sqlite, table, tuple(frame.columns), None), frame)

    def _write(self, sql: str, frame: pl.DataFrame) -> None:
        if not frame.height:
            return
        with self._cursor() as cursor:
            cursor.executemany(sql, frame if self.is_sqlite else frame.select(pl.all().implode()))


class Database(Readable):
    """An open database. It is read as it is now, or in a transaction. Not for several threads at once."""

    def __init__(self, url: str, waits: Waits = PATIENT) -> None:
        """Open.

        Args:
            url: `sqlite:///path`, or a `postgresql://` URL.
            waits: How long anything may take.

        Raises:
            DatabaseError: It is no database's URL.
            DatabaseUnavailableError: It cannot be opened now.
        """
        self._connection = Connection(url, waits)
        super().__init__(self._connection)
        self.refuse_moved = self._connection.refuse_moved
        self.lock_seconds = 0.0  # how long the last transaction took

    def close(self) -> None:
        """Close. What is not committed is lost. Closing a connection that is lost already raises nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit what the block does, all of it or nothing. On SQLite this waits for the one writer's place.

        Yields:
            What the block writes by. It is of no use afterwards.

        Raises:
            DatabaseUnavailableError: Also where the failed transaction cannot be rolled back; the connection is of no
                use then, and is opened anew by whoever needs it.
        """
        self._connection.run("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        transaction = Transaction(self._connection)
        began = perf_counter()
        self._connection.has_failed = False
        try:
            yield transaction
            self._commit()
            self.refuse_moved()
            self.lock_seconds = perf_counter() - began
        except BaseException as error:
            self._roll_back(error)
            raise
        finally:
            transaction.end()

    @contextmanager
    def read_transaction(self) -> Iterator[ReadTransaction]:
        """Read everything in the block as of one moment, whatever is written meanwhile.

        Yields:
            What the block reads by. It is of no use afterwards.
        """
        self._connection.run("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        transaction = ReadTransaction(self._connection)
        try:
            if not self.is_sqlite:
                self._connection.run("SET LOCAL work_mem = '64MB'")  # a page of conversions is sorted in memory
            yield transaction
        except BaseException as error:
            self._roll_back(error)
            raise
        finally:
            transaction.end()
        self._roll_back(None)

    def only_read(self, memory: int) -> None:
        """Have SQLite refuse whatever would write on this connection, and keep little in memory for it.

        Args:
            memory: For pages of the file, in KiB.
        """
        if self.is_sqlite:
            self._connection.run(f"PRAGMA cache_size = -{memory}")
            self._connection.run("PRAGMA query_only = ON")

    def copy_to(self, file: Path) -> None:
        """Have SQLite copy all of it to a file that is empty, from one read transaction: no writer waits for it."""
        self._connection.run("VACUUM INTO ?", [str(file)])

    def _commit(self) -> None:
        if self._connection.has_failed:  # the block caught it; PostgreSQL would take COMMIT for ROLLBACK, silently
            raise DatabaseError("a statement of the transaction has failed")
        self._connection.run("COMMIT")

    def _roll_back(self, why: BaseException | None) -> None:
        try:
            self._connection.run("ROLLBACK")
        except DatabaseError as error:
            if self.is_sqlite and _NOT_IN_TRANSACTION in str(error):
                return
            self._connection.is_lost = True
            if why is None or isinstance(why, Exception):
                raise DatabaseUnavailableError(f"what was begun cannot be rolled back: {error}") from why


def _refuse_ended() -> NoReturn:
    raise TransactionEndedError("the transaction has ended")


class _Rows:
    """Rows as Polars takes them without pyarrow's help, which is slow. Read before: only pyarrow tells what failed."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

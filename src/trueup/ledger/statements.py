"""Statements as SQL, and their values as drivers take them. SQL is written once for each statement and database."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import polars as pl
import pyarrow as pa
from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    SelectBase,
    Table,
    Text,
    UpdateBase,
    and_,
    any_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.cache_key import CacheKey
from sqlalchemy.sql.compiler import SQLCompiler

SQLITE_DIALECT: Final[Dialect] = sqlite.dialect(paramstyle="qmark")
POSTGRESQL_DIALECT: Final[Dialect] = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # the same
_SHAPES: Final = 1_000
_WRITTEN: Final[dict[tuple[str, tuple[Any, ...]], SQLCompiler]] = {}  # what differs in values alone is written once
_ARROW_TYPES: Final = {
    bool: pa.bool_(),  # before the whole numbers, which Python's are among
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    type(None): pa.null(),
}


def compiled(dialect: Dialect, statement: SelectBase | UpdateBase, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Write a statement as SQL.

    Args:
        dialect: The database's.
        statement: The statement.
        values: The values of its parameters, by name.

    Returns:
        The SQL, and the values in the order of their places in it.
    """
    sql, names, fixed = _compile(dialect, statement)
    known = {**fixed, **values, **_bounds(values)}
    as_text = dialect is SQLITE_DIALECT
    return sql, [_parameter(known[name], as_text) for name in names]


def _parameter(value: Any, as_text: bool) -> Any:  # noqa: ANN401 - any value a driver takes
    if isinstance(value, pl.Series):
        value = value.to_list()
    return json.dumps(value) if as_text and isinstance(value, list) else value


def is_one_of(is_sqlite: bool, key: ColumnElement[Any] | Column[Any], name: str) -> ColumnElement[bool]:
    """The condition of `Readable.is_one_of`, for statements that are built once per database kind."""
    if is_sqlite:
        return key.in_(select(column("value")).select_from(func.json_each(bindparam(name)).table_valued("value")))
    kind = Text() if isinstance(key.type, Text) else key.type  # a parameter's type must not name a collation
    listed = key == any_(bindparam(name, type_=postgresql.ARRAY(kind)))
    return and_(listed, key.between(bindparam(f"{name}_least", type_=kind), bindparam(f"{name}_most", type_=kind)))


def as_record(parameters: Sequence[Any]) -> pa.RecordBatch:
    """One record of parameters with their types stated. Otherwise Arrow looks for pandas at every value."""
    kinds = tuple(
        (list, type(value[0] if value else None)) if isinstance(value, list) else type(value) for value in parameters
    )
    return pa.RecordBatch.from_struct_array(pa.array([tuple(parameters)], _record_type(kinds)))


@lru_cache(maxsize=256)
def _record_type(kinds: tuple[type | tuple[type, type], ...]) -> pa.StructType:
    return pa.struct([(str(place), _arrow_type(kind)) for place, kind in enumerate(kinds)])


def _arrow_type(kind: type | tuple[type, type]) -> pa.DataType:
    if isinstance(kind, tuple):
        return pa.list_(_arrow_type(kind[1]))
    return next(found for known, found in _ARROW_TYPES.items() if issubclass(kind, known))


def _bounds(values: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest and the largest value of each list.

    Without them, PostgreSQL scans all of a table it has no numbers of.
    """
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    least = {f"{name}_least": min(value, default=None) for name, value in lists.items()}
    return least | {f"{name}_most": max(value, default=None) for name, value in lists.items()}


@lru_cache(maxsize=256)
def _compile(dialect: Dialect, statement: SelectBase | UpdateBase) -> tuple[str, list[str], Mapping[str, Any]]:
    alike = statement._generate_cache_key()  # noqa: SLF001 - by which SQLAlchemy itself knows statements of one shape
    written = _WRITTEN.get((dialect.name, alike.key)) if alike else None
    if written is None or alike is None:
        written = _written(dialect, statement, alike)
        fixed = written.params
    else:
        fixed = written.construct_params(extracted_parameters=alike.bindparams, _check=False)
    return str(written), list(written.positiontup or ()), fixed


def _written(dialect: Dialect, statement: SelectBase | UpdateBase, alike: CacheKey | None) -> SQLCompiler:
    written = statement.compile(dialect=dialect, cache_key=alike, compile_kwargs={"render_postcompile": True})
    assert isinstance(written, SQLCompiler)  # noqa: S101 - SQLAlchemy's own promise for these dialects
    if alike is not None and not written.post_compile_params:  # those are lists, whose lengths show in the SQL
        if len(_WRITTEN) >= _SHAPES:
            _WRITTEN.clear()
        _WRITTEN[dialect.name, alike.key] = written
    return written


@lru_cache(maxsize=64)
def append_sql(table: str, columns: tuple[str, ...]) -> str:
    """Write the insert of rows on SQLite."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=64)
def put_sql(is_sqlite: bool, table: Table, columns: tuple[str, ...], add: tuple[str, ...] | None) -> str:
    """Write the insert of rows some of which may be there.

    Args:
        is_sqlite: Whether it is for SQLite.
        table: The table.
        columns: The columns of the rows.
        add: The columns that are added to what is stored, the others replace it; None where what is stored stays.

    Returns:
        The SQL.
    """
    key = [c.name for c in table.primary_key.columns]
    names = ", ".join(columns)
    if is_sqlite:
        source = f"VALUES ({', '.join('?' * len(columns))})"
    else:
        types = [table.c[name].type.compile(POSTGRESQL_DIALECT).split(" COLLATE")[0] for name in columns]
        arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, start=1))
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - places and types of our own tables
    if add is None:
        action = "NOTHING"
    else:
        sets = (f"{c} = {f'{table.name}.{c} + ' if c in add else ''}excluded.{c}" for c in columns if c not in key)
        action = f"UPDATE SET {', '.join(sets)}"
    return f"INSERT INTO {table.name} ({names}) {source} ON CONFLICT ({', '.join(key)}) DO {action}"

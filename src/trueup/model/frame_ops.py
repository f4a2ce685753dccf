"""How steps on columns are carried out: several at once, in the order they are written.

Each call of Polars that answers with a frame costs about a tenth of a millisecond, however few rows there are, because
it wakes threads. So steps that need not look at earlier results are one plan, and few rows are sorted, looked up and
summed without threads. Columns are taken as `rows[:, names]`: given `rows[names]`, Polars first tries names as places.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

FEW: Final = 500  # rows: up to here, waking threads costs more than they save
_BEYOND: Final = 2**63  # the first number that 64 bits do not hold
_AS_WRITTEN: Final = pl.QueryOptFlags.none()


def collect_unoptimized(plan: pl.LazyFrame) -> pl.DataFrame:
    """Carry out a plan as it is written: for a small batch, improving or streaming it takes longer than it saves."""
    return plan.collect(engine="in-memory", optimizations=_AS_WRITTEN)


def left_join(rows: pl.DataFrame, found: pl.DataFrame, key: str) -> pl.DataFrame:
    """Put beside each row what was found for its key: a left join that keeps the order of the rows.

    Args:
        rows: Any rows that have the key.
        found: What was found, each key once.
        key: The column that both have.

    Returns:
        The rows with the columns of `found`, null where nothing was found.
    """
    if max(rows.height, found.height) > FEW:
        return collect_unoptimized(rows.lazy().join(found.lazy(), on=key, how="left", maintain_order="left"))
    place_of = {value: place for place, value in enumerate(found[key].to_list())}
    places = pl.Series([place_of.get(value) for value in rows[key].to_list()], dtype=pl.UInt32)
    return rows.hstack([column[places] for column in found.get_columns() if column.name != key])


def sum_by(rows: pl.DataFrame, key: Sequence[str], sums: Sequence[str]) -> pl.DataFrame:
    """Sum some columns for each key.

    Args:
        rows: Rows without nulls.
        key: The columns that make up the key.
        sums: The columns to sum, of whole numbers.

    Returns:
        One row for each key, sorted by key, with the columns of `key` and `sums`. A sum is never wrong, however many
        rows there are: one that does not fit in 64 bits is null.
    """
    if not 0 < rows.height <= FEW:
        plan = rows.lazy().group_by(*key).agg(pl.col(*sums).cast(pl.Int128).sum()).sort(*key)
        return collect_unoptimized(plan.with_columns_seq(pl.col(*sums).cast(pl.Int64, strict=False)))
    keys = list(zip(*(rows[name].to_list() for name in key), strict=True))
    place_of = {cell: place for place, cell in enumerate(keys)}
    cells = sorted(place_of)
    columns = []
    for name in sums:
        found = dict.fromkeys(cells, 0)
        for cell, value in zip(keys, rows[name].to_list(), strict=True):
            found[cell] += value
        columns.append(
            pl.Series(name, [value if -_BEYOND <= value < _BEYOND else None for value in found.values()], pl.Int64)
        )
    if cells == keys:
        return rows[:, key].hstack(columns)
    places = pl.Series([place_of[cell] for cell in cells], dtype=pl.UInt32)
    return pl.DataFrame([rows[name][places] for name in key]).hstack(columns)


def distinct(values: pl.Series) -> list[Any]:
    """The values that come, each once and sorted."""
    return sorted(set(values.to_list())) if values.len() <= FEW else values.unique().sort().to_list()


def is_each_once(values: pl.Series) -> bool:
    """Whether no value comes twice."""
    found = values.n_unique() if values.len() > FEW else len(set(values.to_list()))
    return found == values.len()

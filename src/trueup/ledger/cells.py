"""Counts for reports: cells, by whatever they are asked for.

They come from the rollups, which know whole hours (UTC); where more is asked than rollups know, from the segments,
which know quarter hours and what a click has; and where those do not know it either, from the rows themselves. All give
the same cells.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, FromClause, Table, cast, func, select

from trueup.ledger.coded import CodedSegments
from trueup.ledger.database import Readable
from trueup.ledger.queries import NO_TEXT, TIME_OF, Selection, conditions_on, values_of
from trueup.ledger.schema import click_rollups, clicks, conversions, rollups
from trueup.ledger.segment_cells import Alike, click_segment_cells, conversion_segment_cells
from trueup.ledger.segments import SegmentKind
from trueup.model.frame_ops import collect_unoptimized
from trueup.model.frames import BUCKET_MICROS, CLICK_ATTRIBUTES, CLICK_ROLLUP_KEY, HOUR_BUCKETS, Cells
from trueup.model.money import MICROS, micros_of_sums

# What cells can be told apart by. Conversions are always told apart by type and status too; clicks have no label.
CELL_KEYS: Final = (*CLICK_ROLLUP_KEY, *CLICK_ATTRIBUTES, "label")
_CLICK_KEYS: Final = (*CLICK_ROLLUP_KEY, *CLICK_ATTRIBUTES)
# What clicks can be filtered by. A batch is one of conversions; that a click has an import is another matter.
_CLICK_FILTERS: Final = frozenset({*_CLICK_KEYS, "click_id"})
# What the rollups do not know.
_SINGLED_OUT: Final = frozenset({"batch_id", "click_id", "transaction_id"})  # nor do the segments
_OF_ROWS: Final = frozenset({*CLICK_ATTRIBUTES, "label", *_SINGLED_OUT})
_OF_CLICK_ROWS: Final = frozenset({*CLICK_ATTRIBUTES, "click_id"})
# Shifts times before 1970 above zero and back: SQL divides whole numbers towards zero, buckets are counted downwards.
_BUCKETS_SHIFT: Final = 100_000_000


@dataclass(frozen=True)
class _Source:
    """What can be counted."""

    rows: FromClause  # what is filtered
    joined: FromClause  # the same, with what it is grouped by
    columns: Mapping[str, ColumnElement[Any]]  # what it can be grouped by
    time: ColumnElement[int]  # what the selection's bounds are compared with
    time_micros: int  # microseconds in one unit of `time`
    count: tuple[str, ColumnElement[Any]]  # the count's name, and what counts the rows
    money: str  # the column of micros that is summed
    conditions: tuple[ColumnElement[bool], ...]


def read_cells(
    database: Readable, selection: Selection, keys: Sequence[str], alike: Alike | None = None
) -> tuple[Cells, Cells]:
    """Count the selected clicks, as `read_click_cells` does, and conversions, as `read_conversion_cells` does.

    Both at the same time, and what both need is read once. Call it within `read_transaction`.
    """
    read = CodedSegments(database, SegmentKind.CLICKS)
    with ThreadPoolExecutor(1) as beside:
        clicks = beside.submit(read_click_cells, database, selection, keys, alike, read)
        conversions = read_conversion_cells(database, selection, keys, alike, read, clicks.result)
        return clicks.result(), conversions


def read_conversion_cells(
    database: Readable,
    selection: Selection,
    keys: Sequence[str],
    alike: Alike | None = None,
    read: CodedSegments | None = None,
    before_sums: Callable[[], object] | None = None,
) -> Cells:
    """Count the selected conversions (docs/counting.md).

    Args:
        database: The ledger.
        selection: Which conversions to count.
        keys: The CELL_KEYS to group by.
        alike: Gives for quarter hours the first of each one's group: cells may stand for a group instead of for each.
            None if each is asked for.
        read: The segments of clicks, as far as they were read in the same transaction.
        before_sums: Called once the rows of segments are read: what it raises spares the work of summing them.

    Returns:
        The keys, conversion_type, status, conversions, and revenue in micros of the workspace's currency, of 128 bits.
        Cells without conversions are left out.

    Raises:
        TooManyGroupsError: Segments are counted, and there are more groups than GROUPS_MAX.
    """
    of_rows = _of_rows(selection, keys, _OF_ROWS)
    by = [*keys, "conversion_type", "status"]
    if not selection.on_quarter_hours or not of_rows.isdisjoint(_SINGLED_OUT):
        not_removed = conversions.c.removed == 0
        raw = _raw(conversions, keys, TIME_OF[selection.clock], "conversions", "revenue", not_removed)
        return _cells(database, raw, selection, by)
    if selection.on_hours and not of_rows:
        hourly = _rolled_up(rollups, "conversions", "revenue", rollups.c.clock == selection.clock.value)
        cells = _cells(database, hourly, selection, by)
        if _are_whole_hours_enough(cells, alike):
            return cells
    read = read or CodedSegments(database, SegmentKind.CLICKS)
    return Cells(conversion_segment_cells(database, selection, keys, alike, read, before_sums))


def read_click_cells(
    database: Readable,
    selection: Selection,
    keys: Sequence[str],
    alike: Alike | None = None,
    read: CodedSegments | None = None,
) -> Cells:
    """Count the selected clicks by the time of the click (docs/counting.md).

    Filters that a click has nothing of, such as type and status, do not narrow them.

    Args:
        database: The ledger.
        selection: Which clicks to count.
        keys: The CELL_KEYS to group by; the label is left out.
        alike: As of conversions.
        read: The same.

    Returns:
        The keys, clicks, and cost in micros of the workspace's currency, of 128 bits. Cells without clicks are left
        out.

    Raises:
        TooManyGroupsError: Segments are counted, and there are more groups than GROUPS_MAX.
    """
    keys = [key for key in keys if key in _CLICK_KEYS]
    filters = {column: values for column, values in selection.any_of.items() if column in _CLICK_FILTERS}
    selection = replace(selection, any_of=filters)
    of_rows = _of_rows(selection, keys, _OF_CLICK_ROWS)
    if not selection.on_quarter_hours or not of_rows.isdisjoint(_SINGLED_OUT):
        return _cells(database, _raw(clicks, keys, "clicked_at", "clicks", "cost"), selection, keys)
    if selection.on_hours and not of_rows:
        cells = _cells(database, _rolled_up(click_rollups, "clicks", "cost"), selection, keys)
        if _are_whole_hours_enough(cells, alike):
            return cells
    read = read or CodedSegments(database, SegmentKind.CLICKS)
    return Cells(click_segment_cells(database, selection, keys, alike, read))


def _are_whole_hours_enough(cells: Cells, alike: Alike | None) -> bool:
    """Whether no hour of the cells has quarter hours in different groups, such as two days of a zone 5:30 ahead."""
    if "bucket" not in cells.columns:
        return True
    if alike is None:
        return False
    hours = cells["bucket"].unique()
    groups = alike(pl.concat([hours + quarter for quarter in range(HOUR_BUCKETS)]))
    of_quarters = [groups.slice(quarter * hours.len(), hours.len()) for quarter in range(HOUR_BUCKETS)]
    return all((of_quarter == of_quarters[0]).all() for of_quarter in of_quarters)


def _of_rows(selection: Selection, keys: Sequence[str], of_rows: frozenset[str]) -> frozenset[str]:
    """What is asked for that rollups do not know."""
    return of_rows.intersection([*keys, *selection.any_of])


def _cells(database: Readable, source: _Source, selection: Selection, keys: list[str]) -> Cells:
    by = [source.columns[key] for key in keys]
    (count, counting), micros = source.count, source.rows.c[source.money]
    # A sum of micros may not fit in 64 bits; the sums of whole units and of the rest do.
    sums = [counting, func.sum(micros // MICROS), func.sum(micros % MICROS)]
    statement = (
        select(*by, *(cast(func.coalesce(total, 0), BigInteger) for total in sums))
        .select_from(source.joined)
        .where(*source.conditions, *conditions_on(database, selection, source.rows, source.time))
        .group_by(*by)
    )
    read = {key: pl.Int64 if key.endswith("_id") or key == "bucket" else pl.String for key in keys}
    read |= dict.fromkeys([count, "units", "rest"], pl.Int64)
    found = database.read(statement, read, values_of(selection, source.time_micros)).lazy()
    whole = micros_of_sums(pl.col("units"), pl.col("rest"))
    plan = found.filter(pl.col(count) != 0).select_seq(*keys, count, whole.alias(source.money))
    return Cells(collect_unoptimized(plan))


def _rolled_up(table: Table, count: str, money: str, *conditions: ColumnElement[bool]) -> _Source:
    counted = (count, func.sum(table.c[count]))
    return _Source(table, table, dict(table.c), table.c.bucket, BUCKET_MICROS, counted, money, conditions)


def _raw(
    table: Table, keys: Sequence[str], time: str, count: str, money: str, *conditions: ColumnElement[bool]
) -> _Source:
    moment = table.c[time]
    bucket = (moment + _BUCKETS_SHIFT * BUCKET_MICROS) // BUCKET_MICROS - _BUCKETS_SHIFT
    columns: dict[str, ColumnElement[Any]] = {**table.c, "bucket": bucket}
    of_click = [key for key in keys if key in CLICK_ATTRIBUTES and key not in table.c]
    columns |= {key: func.coalesce(clicks.c[key], NO_TEXT) for key in of_click}
    joined = table.outerjoin(clicks, clicks.c.click_id == table.c.click_id) if of_click else table
    return _Source(table, joined, columns, moment, 1, (count, func.count()), money, conditions)

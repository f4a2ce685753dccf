"""What the ledger holds of some clicks: one statement per table, whatever the number of clicks."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl
from sqlalchemy import Column, Select, Table, Text, bindparam, func, select

from trueup.ledger.database import Readable, is_one_of
from trueup.ledger.schema import PARKED, changes, clicks, conversions, journal
from trueup.model.frame_ops import distinct
from trueup.model.frames import (
    CHANGES,
    CLICK_FACTS,
    CONVERSIONS,
    JOURNAL,
    Changes,
    ClickFacts,
    Conversions,
    JournalRows,
    Schema,
)
from trueup.model.snapshot import LAST_ROWS, NOTHING_STORED, Snapshot

_CLICK_IDS: Final[Schema] = {"click_id": pl.String}
_KNOWN: Final = select(clicks.c.click_id)
_WAITED_FOR: Final = select(journal.c.click_id).where(PARKED)


def read_snapshot(database: Readable, click_ids: Sequence[str]) -> Snapshot:
    """Read everything that deciding rows of these clicks needs."""
    last_rows = database.read(_last_rows(database.is_sqlite), LAST_ROWS, {"ids": list(click_ids)})
    return Snapshot(
        clicks=read_click_facts(database, click_ids),
        conversions=read_conversions(database, last_rows["click_id"].to_list()),  # no other click can have any
        last_rows=last_rows,
    )


def read_click_facts(database: Readable, click_ids: Sequence[str]) -> ClickFacts:
    """CLICK_FACTS of those of the clicks that are known."""
    statement = _of_clicks(clicks, tuple(CLICK_FACTS), database.is_sqlite)
    return database.read(statement, CLICK_FACTS, {"ids": list(click_ids)})


def read_conversions(database: Readable, click_ids: Sequence[str]) -> Conversions:
    """CONVERSIONS of the clicks, removed ones included."""
    if not click_ids:
        return NOTHING_STORED.conversions
    statement = _of_clicks(conversions, tuple(CONVERSIONS), database.is_sqlite)
    return database.read(statement, CONVERSIONS, {"ids": list(click_ids)})


def read_journal(database: Readable, click_ids: Sequence[str]) -> JournalRows:
    """JOURNAL rows of the clicks, in the order of each click."""
    statement = _of_clicks(journal, tuple(JOURNAL), database.is_sqlite, numbered=True)
    return JournalRows(database.read(statement, JOURNAL, {"ids": list(click_ids)}).sort("click_id", "n"))


def read_changes(database: Readable, click_id: str, n: int) -> Changes:
    """CHANGES of one conversion, oldest first."""
    of_conversion = (changes.c.click_id == click_id) & (changes.c.n == n)
    statement = select(*(changes.c[name] for name in CHANGES)).where(of_conversion).order_by(changes.c.version)
    return database.read(statement, CHANGES)


def known_clicks(database: Readable, click_ids: Sequence[str]) -> pl.Series:
    """Those of the clicks that are stored."""
    return _found_of(database, click_ids, _KNOWN, clicks.c.click_id)


def clicks_waited_for(database: Readable, click_ids: Sequence[str]) -> list[str]:
    """Those of the clicks that a row was ever parked for, sorted."""
    found = _found_of(database, click_ids, _WAITED_FOR, journal.c.click_id)
    return distinct(found)


def _found_of(
    database: Readable, click_ids: Sequence[str], among: Select[tuple[str]], column: Column[str]
) -> pl.Series:
    """Which of the click ids are among those that a statement finds.

    New clicks stand together at the end of the index, with hardly another between them. So it is a hundred times
    cheaper to read what lies between the first and the last of them once than to look for each.
    """
    if not click_ids:
        return pl.Series([], dtype=pl.String)
    ids = sorted(click_ids)
    between, listed = _looks(database.is_sqlite, among, column)
    most = len(ids) + 1
    found = database.read(between, _CLICK_IDS, {"first": ids[0], "last": ids[-1], "most": most})["click_id"]
    if found.len() == most:  # so many lie between that it is cheaper to look for each
        return database.read(listed, _CLICK_IDS, {"ids": ids})["click_id"]
    return found.filter(found.is_in(ids)) if found.len() else found


@cache
def _looks(
    is_sqlite: bool, among: Select[tuple[str]], column: Column[str]
) -> tuple[Select[tuple[str]], Select[tuple[str]]]:
    first, last = (bindparam(name, type_=Text()) for name in ("first", "last"))
    between = among.where(column.between(first, last)).limit(bindparam("most"))
    return between, among.where(is_one_of(is_sqlite, column, "ids"))


def clicks_with_rows_of(database: Readable, click_ids: Sequence[str], batch_ids: Iterable[int]) -> list[str]:
    """Those of the clicks that have a row of one of the batches, sorted."""
    wanted = sorted(batch_ids)
    if not click_ids or not wanted:
        return []
    values = {"ids": list(click_ids), "batches": wanted}
    found = database.read(_with_rows_of(database.is_sqlite), _CLICK_IDS, values)
    return distinct(found["click_id"])


@cache
def _of_clicks(
    table: Table, columns: tuple[str, ...], is_sqlite: bool, *, numbered: bool = False
) -> Select[tuple[str]]:
    statement = select(*(table.c[name] for name in columns)).where(is_one_of(is_sqlite, table.c.click_id, "ids"))
    return statement.where(table.c.n > 0) if numbered else statement


@cache
def _last_rows(is_sqlite: bool) -> Select[tuple[str, int]]:
    of_clicks = is_one_of(is_sqlite, journal.c.click_id, "ids")
    return (
        select(journal.c.click_id, func.max(journal.c.n)).where(of_clicks, journal.c.n > 0).group_by(journal.c.click_id)
    )


@cache
def _with_rows_of(is_sqlite: bool) -> Select[tuple[str]]:
    of_clicks = is_one_of(is_sqlite, journal.c.click_id, "ids")
    of_batches = is_one_of(is_sqlite, journal.c.batch_id, "batches")
    return select(journal.c.click_id).where(of_clicks, journal.c.n > 0, of_batches)

"""What the ledger holds of some clicks: one statement per table, whatever the number of clicks."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl
from sqlalchemy import Select, Table, bindparam, func, select

from trueup.ledger.database import Database, is_one_of
from trueup.ledger.schema import changes, clicks, conversions, journal
from trueup.model.batch import CHANGES, CLICK_FACTS, CONVERSIONS, JOURNAL, Schema, empty
from trueup.model.snapshot import LAST_ROWS, NOTHING_STORED, Snapshot

PARKED_CLICKS: Final[Schema] = {"click_id": pl.String}


def read_snapshot(database: Database, click_ids: Sequence[str]) -> Snapshot:
    """Read everything a decision about these clicks rests on."""
    last_rows = database.read(_last_rows(database.is_sqlite), LAST_ROWS, {"ids": list(click_ids)})
    return Snapshot(
        clicks=read_click_facts(database, click_ids),
        conversions=read_conversions(database, last_rows["click_id"].to_list()),  # no other click can have any
        last_rows=last_rows,
    )


def read_click_facts(database: Database, click_ids: Sequence[str]) -> pl.DataFrame:
    """CLICK_FACTS of those of the clicks that are known."""
    statement = _of_clicks(clicks, tuple(CLICK_FACTS), database.is_sqlite)
    return database.read(statement, CLICK_FACTS, {"ids": list(click_ids)})


def read_conversions(database: Database, click_ids: Sequence[str]) -> pl.DataFrame:
    """CONVERSIONS of the clicks, removed ones included."""
    if not click_ids:
        return NOTHING_STORED.conversions
    statement = _of_clicks(conversions, tuple(CONVERSIONS), database.is_sqlite)
    return database.read(statement, CONVERSIONS, {"ids": list(click_ids)})


def read_journal(database: Database, click_ids: Sequence[str]) -> pl.DataFrame:
    """JOURNAL rows of the clicks, in the order of each click."""
    statement = _of_clicks(journal, tuple(JOURNAL), database.is_sqlite, numbered=True)
    return database.read(statement, JOURNAL, {"ids": list(click_ids)}).sort("click_id", "n")


def read_changes(database: Database, click_id: str, n: int) -> pl.DataFrame:
    """CHANGES of one conversion, oldest first."""
    of_conversion = (changes.c.click_id == click_id) & (changes.c.n == n)
    statement = select(*(changes.c[name] for name in CHANGES)).where(of_conversion).order_by(changes.c.version)
    return database.read(statement, CHANGES)


def clicks_with_outcome(database: Database, click_ids: Sequence[str], outcome: str) -> list[str]:
    """Those of the clicks that have a row of this outcome, sorted."""
    if not click_ids:
        return empty(PARKED_CLICKS)["click_id"].to_list()
    statement = _with_outcome(database.is_sqlite)
    found = database.read(statement, PARKED_CLICKS, {"ids": list(click_ids), "outcome": outcome})
    return found["click_id"].unique().sort().to_list()


def clicks_with_rows_of(database: Database, click_ids: Sequence[str], batch_ids: Iterable[int]) -> list[str]:
    """Those of the clicks that have a row of one of the batches, sorted."""
    wanted = sorted(batch_ids)
    if not click_ids or not wanted:
        return []
    values = {"ids": list(click_ids), "batches": wanted}
    found = database.read(_with_rows_of(database.is_sqlite), PARKED_CLICKS, values)
    return found["click_id"].unique().sort().to_list()


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


@cache
def _with_outcome(is_sqlite: bool) -> Select[tuple[str]]:
    of_clicks = is_one_of(is_sqlite, journal.c.click_id, "ids")
    return select(journal.c.click_id).where(of_clicks, journal.c.n > 0, journal.c.outcome == bindparam("outcome"))

"""The ledger in ranges of click ids, for reading all of it in bounded memory."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import polars as pl
from sqlalchemy import Select, Table, bindparam, select

from trueup.ledger.database import Readable
from trueup.ledger.schema import (
    changes,
    click_arrivals,
    clicks,
    conversions,
    journal,
    later_policies,
    row_sub_parameters,
)
from trueup.model.frames import (
    ARRIVALS,
    CHANGES,
    CLICK_FACTS,
    CONVERSIONS,
    JOURNAL,
    LATER_POLICIES,
    NUMBERED_CLICKS,
    ROW_SUB_PARAMETERS,
    Arrivals,
    Changes,
    ClickFacts,
    ColumnsOf,
    Conversions,
    Frame,
    JournalRows,
    LaterPolicies,
    NumberedClicks,
)

_NUMBERED: Final = journal.c.n > 0
_BORDER: Final = (
    select(journal.c.click_id)
    .where(_NUMBERED, journal.c.click_id > bindparam("after"))
    .order_by(journal.c.click_id, journal.c.n)
    .offset(bindparam("rows"))
    .limit(1)
)
_STORED_FACTS: Final = ColumnsOf[ClickFacts]({**CLICK_FACTS, "batch_id": pl.Int64})


def next_border(database: Readable, after: str, rows: int) -> str | None:
    """Find where a range of about `rows` journal rows ends.

    Args:
        database: The ledger.
        after: The click id that the range comes after.
        rows: About how many rows it is to have.

    Returns:
        Its last click id, None for the last range.
    """
    found = database.read(_BORDER, {"click_id": pl.String}, {"after": after, "rows": rows})
    return str(found.item()) if found.height else None


def read_range(database: Readable, table: Table, schema: ColumnsOf[Frame], after: str, upto: str | None) -> Frame:
    """Read a table's rows of a range of click ids.

    Args:
        database: The ledger.
        table: The table. Of the journal, only rows with a number are read.
        schema: The columns to read.
        after: The click id that the range comes after.
        upto: Its last click id, None for all that follow.

    Returns:
        The rows.
    """
    rows = _after(table, tuple(schema)) if upto is None else _between(table, tuple(schema))
    return database.read(rows, schema, {"after": after, "upto": upto})


@cache
def _after(table: Table, columns: tuple[str, ...]) -> Select[Any]:
    rows = select(*(table.c[name] for name in columns)).where(table.c.click_id > bindparam("after"))
    return rows.where(_NUMBERED) if table is journal else rows


@cache
def _between(table: Table, columns: tuple[str, ...]) -> Select[Any]:
    return _after(table, columns).where(table.c.click_id <= bindparam("upto"))


def journal_range(database: Readable, after: str, upto: str | None) -> JournalRows:
    """JOURNAL rows, in the order of each click."""
    return JournalRows(read_range(database, journal, JOURNAL, after, upto).sort("click_id", "n"))


def later_policies_range(database: Readable, after: str, upto: str | None) -> LaterPolicies:
    """LATER_POLICIES."""
    return read_range(database, later_policies, LATER_POLICIES, after, upto)


def sub_parameters_range(database: Readable, after: str, upto: str | None) -> pl.DataFrame:
    """ROW_SUB_PARAMETERS."""
    return read_range(database, row_sub_parameters, ColumnsOf[pl.DataFrame](ROW_SUB_PARAMETERS), after, upto)


def conversions_range(database: Readable, after: str, upto: str | None) -> Conversions:
    """CONVERSIONS, removed ones included."""
    return read_range(database, conversions, CONVERSIONS, after, upto)


def click_facts_range(database: Readable, after: str, upto: str | None) -> ClickFacts:
    """CLICK_FACTS, and the import that brought each click, 0 for a visit."""
    return read_range(database, clicks, _STORED_FACTS, after, upto)


def recorded_arrivals_range(database: Readable, after: str, upto: str | None) -> Arrivals:
    """ARRIVALS that are on record, a click's in their order."""
    return Arrivals(read_range(database, click_arrivals, ARRIVALS, after, upto).sort("click_id", "place"))


def clicks_in_parts(database: Readable, rows: int = 50_000) -> Iterator[NumberedClicks]:
    """Read the clicks with their numbers (NUMBERED_CLICKS), so many at a time. Call it within `read_transaction`."""
    columns = [clicks.c[name] for name in NUMBERED_CLICKS]
    part = select(*columns).where(clicks.c.click_id > bindparam("after")).order_by(clicks.c.click_id).limit(rows)
    after = ""
    while True:
        found = database.read(part, NUMBERED_CLICKS, {"after": after})
        if not found.height:
            return
        yield found
        after = str(found["click_id"][-1])


def changes_range(database: Readable, after: str, upto: str | None) -> Changes:
    """CHANGES, a conversion's in their order."""
    return Changes(read_range(database, changes, CHANGES, after, upto).sort("click_id", "n", "version"))

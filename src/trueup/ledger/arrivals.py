"""How clicks arrived. Arrivals are on record where a click is not, or may not stay, as its only arrival brought it.

That is: it arrived more than once, its import was undone, or a row set sub-parameters of it. They are added and never
changed or removed, so that undoing a batch, and undoing that, follows from them. A click that has none on record has
arrived once, as the table of clicks has it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, cast

import polars as pl
from sqlalchemy import Select, Text, bindparam, exists, func, insert, literal_column, or_, select, union

from trueup.ledger.database import Readable, Transaction, is_one_of
from trueup.ledger.schema import click_arrivals, clicks, journal
from trueup.model.frame_ops import collect_unoptimized
from trueup.model.frames import ARRIVALS, NUMBERED_CLICKS, STORED_CLICKS, Arrivals, ColumnsOf, Frame, Schema
from trueup.model.words import Outcome

_CLICK_IDS: Final[Schema] = {"click_id": pl.String}
_UNACCEPTED: Final = or_(
    *(journal.c.outcome == word.value for word in (Outcome.REFUSED_UNKNOWN_CLICK, Outcome.PARKED_UNKNOWN_CLICK))
)
# A visit cannot be undone: where it is the only arrival, rows set sub-parameters, and nothing else comes of that.
_NO_VISIT_ONLY: Final = (click_arrivals.c.place > 1) | (click_arrivals.c.batch_id > 0)
_FIRST, _LAST = (bindparam(name, type_=Text()) for name in ("first", "last"))
_ANY: Final = select(click_arrivals.c.click_id).where(click_arrivals.c.click_id.between(_FIRST, _LAST)).limit(1)
_ONLY: Final = {"place": 1, "was_known": 0, "after_n": None}  # of a click's only arrival
_LAST_N: Final = func.coalesce(func.max(journal.c.n), 0)
_UNACCEPTED_BEFORE: Final = select(_LAST_N).where(journal.c.click_id == clicks.c.click_id, journal.c.n > 0, _UNACCEPTED)
_UNRECORDED: Final = select(
    *(clicks.c[name] for name in STORED_CLICKS),
    *(literal_column(str(_ONLY[name])) for name in ("place", "was_known")),
    _UNACCEPTED_BEFORE.scalar_subquery(),
).where(~exists().where(click_arrivals.c.click_id == clicks.c.click_id))
_KEEP_ONLY: Final = {
    is_sqlite: insert(click_arrivals).from_select(
        list(ARRIVALS), _UNRECORDED.where(is_one_of(is_sqlite, clicks.c.click_id, "ids"))
    )
    for is_sqlite in (True, False)
}


def read_stored_clicks(database: Readable, click_ids: Sequence[str], schema: ColumnsOf[Frame]) -> Frame:
    """Those of the clicks that are known, in the columns of a schema that STORED_CLICKS have."""
    return database.read(_stored(tuple(schema), database.is_sqlite), schema, {"ids": list(click_ids)})


@cache
def _stored(names: Sequence[str], is_sqlite: bool) -> Select[tuple[Any, ...]]:
    return select(*(clicks.c[name] for name in names)).where(is_one_of(is_sqlite, clicks.c.click_id, "ids"))


def read_arrivals(database: Readable, click_ids: Sequence[str], schema: ColumnsOf[Frame]) -> Frame:
    """Every arrival of some clicks, on record or not.

    Args:
        database: The ledger.
        click_ids: The clicks.
        schema: The columns of ARRIVALS that are wanted; click_id, batch_id and place are among them.

    Returns:
        Those columns, in no order.
    """
    on_record, of_stored = (
        ColumnsOf[pl.DataFrame]({name: dtype for name, dtype in schema.items() if name in there})
        for there in (ARRIVALS, NUMBERED_CLICKS)
    )
    chosen = _recorded(tuple(on_record), database.is_sqlite)
    recorded = database.read(chosen, on_record, {"ids": list(click_ids)})
    return with_only_arrivals(recorded, read_stored_clicks(database, click_ids, of_stored), schema)


@cache
def _recorded(names: Sequence[str], is_sqlite: bool) -> Select[tuple[Any, ...]]:
    chosen = select(*(click_arrivals.c[name] for name in names))
    return chosen.where(is_one_of(is_sqlite, click_arrivals.c.click_id, "ids"))


def with_only_arrivals(recorded: pl.DataFrame, stored: pl.DataFrame, schema: ColumnsOf[Frame]) -> Frame:
    """Complete the arrivals of clicks by those that are not on record.

    Args:
        recorded: Arrivals that are on record.
        stored: The same clicks as they are stored, those of the columns that a stored click has.
        schema: The columns that are wanted: of ARRIVALS, and click_number, which all arrivals of a click share.

    Returns:
        All arrivals, in those columns.
    """
    unknown = {name: pl.lit(value, dtype=ARRIVALS[name]).alias(name) for name, value in _ONLY.items()}
    columns: list[Any] = [unknown.get(name, name) for name in schema]
    only, there = stored.lazy(), recorded.lazy()
    if not recorded.height:
        alone: Any = collect_unoptimized(only.select_seq(columns))
        return cast("Frame", alone)
    if "click_number" in schema:
        there = there.join(only.select("click_id", "click_number"), on="click_id", how="left")
        there = there.with_columns(pl.col("click_number").fill_null(0))
    only = only.join(recorded.lazy(), on="click_id", how="anti").select_seq(columns)
    both: Any = collect_unoptimized(pl.concat([there.select(*schema), only]))
    return cast("Frame", both)


def clicks_on_record(database: Readable, click_ids: Sequence[str]) -> list[str]:
    """Those of the clicks that arrived more than once, or by an import, and whose arrivals are on record; sorted."""
    if not click_ids:
        return []
    if not database.read(_ANY, _CLICK_IDS, {"first": min(click_ids), "last": max(click_ids)}).height:  # nearly always
        return []
    chosen = select(click_arrivals.c.click_id).where(
        database.is_one_of(click_arrivals.c.click_id, "ids"), _NO_VISIT_ONLY
    )
    return database.read(chosen.distinct(), _CLICK_IDS, {"ids": list(click_ids)})["click_id"].sort().to_list()


def keep_only_arrivals(transaction: Transaction, click_ids: Sequence[str]) -> None:
    """Put the only arrival of clicks on record, those of them that have none there. They are as it brought them."""
    transaction.execute(_KEEP_ONLY[transaction.is_sqlite], {"ids": list(click_ids)})


def append_arrivals(transaction: Transaction, arrivals: Arrivals) -> None:
    """Put arrivals on record that come now. Their `after_n` is looked up."""
    last = _last_unaccepted(transaction, arrivals["click_id"].to_list())
    beside = arrivals.join(last, on="click_id", how="left", maintain_order="left")
    transaction.append(click_arrivals, beside.with_columns(after_n=pl.col("last_n").fill_null(0)).select(*ARRIVALS))


def _last_unaccepted(database: Readable, click_ids: Sequence[str]) -> pl.DataFrame:
    """The last row of each click that was not accepted, when it came, for want of the click."""
    rows = select(journal.c.click_id, func.max(journal.c.n)).where(
        database.is_one_of(journal.c.click_id, "ids"), journal.c.n > 0, _UNACCEPTED
    )
    return database.read(
        rows.group_by(journal.c.click_id), {"click_id": pl.String, "last_n": pl.Int64}, {"ids": list(click_ids)}
    )


def brought_by(database: Readable, batch_id: int) -> pl.Series:
    """The click ids that an import brought, whether they were known or not, sorted."""
    stored = select(clicks.c.click_id).where(clicks.c.batch_id == batch_id)
    recorded = select(click_arrivals.c.click_id).where(click_arrivals.c.batch_id == batch_id)
    return database.read(union(stored, recorded), _CLICK_IDS)["click_id"].sort()


def read_brought(database: Readable, batch_id: int) -> pl.DataFrame:
    """The clicks that an import brought, and whether each was known when it came: click_id, was_known."""
    stored = select(clicks.c.click_id, literal_column("0")).where(clicks.c.batch_id == batch_id)
    recorded = select(click_arrivals.c.click_id, click_arrivals.c.was_known).where(
        click_arrivals.c.batch_id == batch_id
    )
    found = database.read(union(stored, recorded), {"click_id": pl.String, "was_known": pl.Int64})
    return found.group_by("click_id").agg(pl.col("was_known").max())


def count_only_arrivals(database: Readable) -> dict[int, int]:
    """How many clicks each import brought that have no arrival on record."""
    recorded = exists().where(click_arrivals.c.click_id == clicks.c.click_id)
    counted = select(clicks.c.batch_id, func.count()).where(clicks.c.batch_id > 0, ~recorded)
    found = database.read(counted.group_by(clicks.c.batch_id), {"batch_id": pl.Int64, "clicks": pl.Int64})
    return dict(found.iter_rows())

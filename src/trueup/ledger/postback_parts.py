"""What is read of one batch of postbacks, or of many of them sorted.

No index has the lines, since uploads would fill it at random. SQLite goes back from the end of a batch by the order in
which rows were stored; PostgreSQL finds the pages that a batch is on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Self

import polars as pl
from sqlalchemy import Select, bindparam, column, exists, select, text

from trueup.ledger.database import Readable, is_one_of
from trueup.ledger.schema import clicks, journal
from trueup.model.frames import JOURNAL, JournalRows, empty

HOUR_MICROS: Final = 3_600 * 1_000_000
STORED_TOGETHER: Final = 2_000  # messages of one commit: a row is stored at most so far from the place of its line
_READ_WHOLE: Final = 6_000  # rows of a batch that are read faster than their places are counted
_LEAST_WINDOW: Final = 500
_MOST_WINDOW: Final = 8_000
_STORED_AT: Final = (
    text("SELECT rowid FROM journal WHERE batch_id = :of_batch ORDER BY rowid DESC LIMIT :window OFFSET :ahead")
    .bindparams(bindparam("of_batch"), bindparam("window"), bindparam("ahead"))
    .columns(column("rowid"))
)


@dataclass(frozen=True)
class Wanted:
    """Which postbacks are looked at; what is not given lets everything through."""

    from_at: int | None = None  # received at this moment or later, in microseconds since the epoch
    to_at: int | None = None  # received before this moment
    outcomes: tuple[str, ...] = ()  # as they were recorded
    origins: tuple[str, ...] = ()
    network_ids: tuple[int, ...] = ()  # of their clicks

    def within(self, received_at: int) -> "Wanted":
        """The same for a batch: its rows are of the hour that it began in, or of the beginning of the next one.

        Args:
            received_at: When the batch began.
        """
        begins = received_at // HOUR_MICROS * HOUR_MICROS
        return replace(
            self,
            from_at=None if self.from_at is None or self.from_at <= begins else self.from_at,
            to_at=None if self.to_at is None or self.to_at >= begins + 2 * HOUR_MICROS else self.to_at,
        )

    @property
    def is_all_of_a_batch(self) -> bool:
        """Whether a batch's rows need not be looked at one by one."""
        return not (self.outcomes or self.network_ids or self.from_at is not None or self.to_at is not None)


@dataclass(frozen=True)
class Part:
    """What was read of one batch, in the order of reading."""

    batch_id: int
    rows: pl.DataFrame
    read_to: int  # the cut up to which its lines were looked at
    looked_at: int

    @classmethod
    def read(cls, database: Readable, head: Mapping[str, Any], wanted: Wanted, most: int, budget: int) -> Self:
        """Read the wanted rows below a line, window by window, until there are enough of them."""
        rows: list[pl.DataFrame] = []
        count, looked, end = 0, 0, head["before"]
        wanted = wanted.within(head["received_at"])
        size = most if wanted.is_all_of_a_batch else max(_LEAST_WINDOW, 4 * most)
        if not wanted.is_all_of_a_batch and end <= _READ_WHOLE:
            size = end
        while count < most and end > 1 and looked < max(budget, size):
            begin = max(1, end - size)
            size = max(size, min(2 * size, _MOST_WINDOW))
            found = window(database, head, begin, end, wanted, most - count)
            looked += end - begin
            full = count + found.height >= most
            end = int(found["line"].min()) if full else begin  # type: ignore[arg-type]  # a column of numbers
            rows.append(found)
            count += found.height
        return cls(head["batch_id"], joined(rows), end, looked)

    @classmethod
    def read_up(cls, database: Readable, head: Mapping[str, Any], wanted: Wanted, most: int, budget: int) -> Self:
        """Read the wanted rows from a line on upwards, as `read` does downwards."""
        rows: list[pl.DataFrame] = []
        count, looked, begin, last = 0, 0, head["from"], head["rows_done"] + 1
        wanted = wanted.within(head["received_at"])
        size = most if wanted.is_all_of_a_batch else max(_LEAST_WINDOW, 4 * most)
        if not wanted.is_all_of_a_batch and last - begin <= _READ_WHOLE:
            size = max(1, last - begin)
        while count < most and begin < last and looked < max(budget, size):
            end = min(last, begin + size)
            size = max(size, min(2 * size, _MOST_WINDOW))
            found = window(database, head, begin, end, wanted, most - count, upward=True)
            looked += end - begin
            full = count + found.height >= most
            begin = int(found["line"].max()) + 1 if full else end  # type: ignore[arg-type]  # a column of numbers
            rows.append(found)
            count += found.height
        return cls(head["batch_id"], joined(rows), begin, looked)

    def rest(self, taken: pl.DataFrame, *, upward: bool) -> int:
        """Its line of the cut where its next row is, once some rows were taken."""
        left = self.rows.slice(taken.filter(batch_id=self.batch_id).height)
        return int(left["line"][0]) + (not upward) if left.height else self.read_to


def window(
    database: Readable,
    head: Mapping[str, Any],
    begin: int,
    end: int,
    wanted: Wanted,
    most: int,
    *,
    upward: bool = False,
) -> pl.DataFrame:
    """The wanted rows of a batch on some lines, the highest first, or the lowest."""
    values: dict[str, Any] = {"of_batch": head["batch_id"], "begin": begin, "end": end, "most": most}
    by_place = database.is_sqlite and head["rows_done"] > _READ_WHOLE
    if by_place:
        ahead = max(0, head["rows_done"] + 1 - end - STORED_TOGETHER)
        behind = head["rows_done"] + 1 - begin + STORED_TOGETHER
        values |= {"ahead": ahead, "window": behind - ahead}
    times = wanted.from_at is not None or wanted.to_at is not None
    if times:
        values |= {"from_at": wanted.from_at or 0, "to_at": wanted.to_at or 2**62}
    kinds = bool(wanted.outcomes), bool(wanted.network_ids)
    statement = _of_window(database.is_sqlite, by_place, *kinds, times=times, upward=upward)
    return database.read(statement, JOURNAL, values | lists_of(wanted))


@cache
def _of_window(
    is_sqlite: bool, by_place: bool, outcomes: bool, networks: bool, *, times: bool, upward: bool
) -> Select[Any]:
    rows = wanted_rows(is_sqlite, outcomes, networks, times).where(
        journal.c.batch_id == bindparam("of_batch"),
        journal.c.line >= bindparam("begin"),
        journal.c.line < bindparam("end"),
    )
    if by_place:
        rows = rows.where(column("rowid").in_(_STORED_AT))
    return rows.order_by(journal.c.line if upward else journal.c.line.desc()).limit(bindparam("most"))


@cache
def wanted_rows(is_sqlite: bool, outcomes: bool, networks: bool, times: bool) -> Select[Any]:
    """JOURNAL of the rows that are wanted, of any batch."""
    rows = select(*(journal.c[name] for name in JOURNAL))
    if outcomes:
        rows = rows.where(is_one_of(is_sqlite, journal.c.outcome, "outcomes"))
    if networks:
        of_network = clicks.c.click_id == journal.c.click_id, is_one_of(is_sqlite, clicks.c.network_id, "network_ids")
        rows = rows.where(exists().where(*of_network))
    if times:
        rows = rows.where(journal.c.received_at >= bindparam("from_at"), journal.c.received_at < bindparam("to_at"))
    return rows


def lists_of(wanted: Wanted) -> dict[str, Any]:
    """The lists that `wanted_rows` is given."""
    lists = {"outcomes": list(wanted.outcomes), "network_ids": list(wanted.network_ids)}
    return {name: values for name, values in lists.items() if values}


def joined(found: list[pl.DataFrame]) -> JournalRows:
    """Rows one after another; there may be none."""
    return JournalRows(pl.concat([empty(JOURNAL), *found]))

"""Postbacks and pixels as they came, newest first, across all their batches.

The messages of an hour are a batch for each origin and each process, and each batch numbers its rows as they come: its
lines. So a place in the list is a line of each batch of one hour. What comes meanwhile has a higher line, or is of a
batch that came later: no page skips a row or shows one twice.

No index has the lines, since uploads would fill it at random. SQLite goes back from the end of a batch by the order in
which rows were stored; PostgreSQL finds the pages that a batch is on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, Self

import polars as pl
from sqlalchemy import Select, bindparam, column, exists, or_, select, text

from trueup.ledger.database import Readable, is_one_of
from trueup.ledger.schema import batches, clicks, journal
from trueup.model.frames import JOURNAL, JournalRows, Schema, empty
from trueup.model.words import BatchKind

HOUR_MICROS: Final = 3_600 * 1_000_000
LOOKED_AT_MOST: Final = 20_000  # rows that one page looks through for those that are wanted
STORED_TOGETHER: Final = 2_000  # messages of one commit: a row is stored at most so far from the place of its line
_READ_WHOLE: Final = 6_000  # rows of a batch that are read faster than their places are counted
_LEAST_WINDOW: Final = 500
_MOST_WINDOW: Final = 8_000

_HEADS: Final[Schema] = {
    "batch_id": pl.Int64,
    "received_at": pl.Int64,
    "rows_done": pl.Int64,
    "outcomes": pl.String,
}
_HEADS_TOGETHER: Final = 1_000
_HEAD: Final = select(*(batches.c[name] for name in _HEADS)).where(batches.c.kind == BatchKind.POSTBACKS.value)
_OF_HOUR: Final = _HEAD.where(batches.c.received_at.between(bindparam("first"), bindparam("last")))
_BEFORE: Final = _HEAD.where(batches.c.received_at < bindparam("before")).order_by(batches.c.received_at.desc())
_LATER: Final = _HEAD.where(batches.c.received_at >= bindparam("since"))
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
class Place:
    """Where a page of the list begins."""

    hour: int  # of the batches that are read, in hours since the epoch
    lines: Mapping[int, int] = field(default_factory=dict)  # batch -> the line that its next row comes before

    def as_text(self) -> str:
        """The place as a link has it."""
        return f"{self.hour}_" + "_".join(f"{batch}.{line}" for batch, line in sorted(self.lines.items()))

    @classmethod
    def from_text(cls, given: str) -> Self:
        """Read back what `as_text` wrote. Raises: ValueError: It is no place."""
        hour, *parts = given.split("_")
        pairs = (part.split(".") for part in parts if part)
        lines = {_number(batch): _number(line) for batch, line in pairs}
        return cls(_number(hour), lines)


@dataclass(frozen=True)
class PostbackPage:
    """Some postbacks, newest first."""

    rows: JournalRows
    next: Place | None  # None on the last page
    looked_back_to: int | None = None  # it ends here, before it is full: so many rows were looked through


def newest_place(database: Readable, now: int) -> Place:
    """Where the list begins now: what comes later is newer than all that pages from here on show.

    Args:
        database: The ledger.
        now: The moment, in microseconds since the epoch.
    """
    hour = now // HOUR_MICROS
    since = (hour - 1) * HOUR_MICROS  # a batch of the hour before may take rows still
    return Place(hour, {head["batch_id"]: head["rows_done"] + 1 for head in _heads(database, _LATER, since=since)})


def count_newer(database: Readable, wanted: Wanted, place: Place, most: int) -> int:
    """Count the wanted postbacks that came since a place was the newest one; no further than to `most`."""
    since = (place.hour - 1) * HOUR_MICROS
    counted = 0
    for head in _heads(database, _of_origins(_LATER, wanted), since=since):
        after, end = place.lines.get(head["batch_id"], 1), head["rows_done"] + 1
        if wanted.is_all_of_a_batch:
            counted += end - after
        else:
            counted += _window(database, head, max(after, end - LOOKED_AT_MOST), end, wanted, most).height
        if counted >= most:
            return most
    return counted


def postbacks_page(database: Readable, wanted: Wanted, place: Place | None, most: int) -> PostbackPage:
    """Read some postbacks, newest first.

    Args:
        database: The ledger, as of one moment: the caller has begun a transaction.
        wanted: Which of them.
        place: Where the page begins; None for the newest.
        most: How many to read at most.

    Returns:
        The page. It may have fewer rows than there are where few of very many are wanted; the next one goes on.
    """
    found: list[pl.DataFrame] = []
    looked = count = 0
    for hour, heads in _hours(database, wanted, place):
        parts = [_Part.read(database, head, wanted, most - count + 1, LOOKED_AT_MOST - looked) for head in heads]
        looked += sum(part.looked_at for part in parts)
        taken = _newest_of(parts, most - count)
        found.append(taken)
        count += taken.height
        is_full = sum(part.rows.height for part in parts) > taken.height  # there is a row for the next page
        if is_full or looked >= LOOKED_AT_MOST:
            rest = {part.batch_id: part.rest(taken) for part in parts}
            left = {batch_id: line for batch_id, line in rest.items() if line > 1}
            after = Place(hour, left) if left else _place_before(database, wanted, hour)
            looked_back_to = None if is_full or after is None else hour * HOUR_MICROS
            return PostbackPage(_joined(found), after, looked_back_to)
    return PostbackPage(_joined(found), None)


def is_of_messages(database: Readable, batch_ids: pl.Series) -> list[int]:
    """Those of some batches that are of postbacks or pixels."""
    chosen = _HEAD.where(database.is_one_of(batches.c.batch_id, "wanted"))
    return database.read(chosen, _HEADS, {"wanted": batch_ids.unique().to_list()})["batch_id"].to_list()


@dataclass(frozen=True)
class _Part:
    """What was read of one batch, the highest lines first."""

    batch_id: int
    rows: pl.DataFrame
    read_down_to: int  # the lowest line that was looked at
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
            found = _window(database, head, begin, end, wanted, most - count)
            looked += end - begin
            full = count + found.height >= most
            end = int(found["line"].min()) if full else begin  # type: ignore[arg-type]  # a column of numbers
            rows.append(found)
            count += found.height
        return cls(head["batch_id"], _joined(rows), end, looked)

    def rest(self, taken: pl.DataFrame) -> int:
        """The line that its next row comes before, once some rows were taken."""
        left = self.rows.slice(taken.filter(batch_id=self.batch_id).height)
        return int(left["line"][0]) + 1 if left.height else self.read_down_to


def _newest_of(parts: list[_Part], most: int) -> pl.DataFrame:
    """The newest rows of some batches, of each its highest lines: a clock that stepped back does not part them."""
    timed = [part.rows.with_columns(at=pl.col("received_at").cum_min()) for part in parts]
    order, down = ["at", "batch_id", "line"], [True, True, True]
    return pl.concat(timed).sort(order, descending=down).head(most).drop("at") if timed else empty(JOURNAL)


def _hours(database: Readable, wanted: Wanted, place: Place | None) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The batches of each hour, newest first, and of each the line that its rows come `before`."""
    hour = place.hour if place else _hour_before(database, wanted, None)
    while hour is not None and (wanted.from_at is None or hour >= wanted.from_at // HOUR_MICROS):
        first = hour * HOUR_MICROS
        found = _heads(database, _of_origins(_OF_HOUR, wanted), first=first, last=first + HOUR_MICROS - 1)
        found = [head for head in found if _has_some(head, wanted)]
        if place and place.hour == hour and place.lines:  # what is not named came later
            found = [head for head in found if head["batch_id"] in place.lines]
            yield hour, [head | {"before": place.lines[head["batch_id"]]} for head in found]
        else:
            yield hour, [head | {"before": head["rows_done"] + 1} for head in found]
        hour = _hour_before(database, wanted, hour)


def _hour_before(database: Readable, wanted: Wanted, hour: int | None) -> int | None:
    """The last hour before one that has postbacks with a wanted outcome; None where there is none."""
    before = 2**62 if hour is None else hour * HOUR_MICROS
    if wanted.to_at is not None:
        before = min(before, wanted.to_at)
    most = _HEADS_TOGETHER if wanted.outcomes else 1
    statement = _of_origins(_BEFORE, wanted).limit(most)
    while True:
        found = _heads(database, statement, before=before)
        fitting = next((head for head in found if _has_some(head, wanted)), None)
        if fitting is not None:
            return int(fitting["received_at"]) // HOUR_MICROS
        if len(found) < most:
            return None
        before = found[-1]["received_at"]


def _has_some(head: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether a batch has a row of a wanted outcome, as it counts them."""
    return not wanted.outcomes or not json.loads(head["outcomes"] or "{}").keys().isdisjoint(wanted.outcomes)


def _place_before(database: Readable, wanted: Wanted, hour: int) -> Place | None:
    before = _hour_before(database, wanted, hour)
    return None if before is None else Place(before)


def _window(
    database: Readable, head: Mapping[str, Any], begin: int, end: int, wanted: Wanted, most: int
) -> pl.DataFrame:
    """The wanted rows of a batch on some lines, the highest first."""
    values: dict[str, Any] = {"of_batch": head["batch_id"], "begin": begin, "end": end, "most": most}
    by_place = database.is_sqlite and head["rows_done"] > _READ_WHOLE
    if by_place:
        ahead = max(0, head["rows_done"] + 1 - end - STORED_TOGETHER)
        behind = head["rows_done"] + 1 - begin + STORED_TOGETHER
        values |= {"ahead": ahead, "window": behind - ahead}
    times = wanted.from_at is not None or wanted.to_at is not None
    if times:
        values |= {"from_at": wanted.from_at or 0, "to_at": wanted.to_at or 2**62}
    statement = _of_window(database.is_sqlite, by_place, bool(wanted.outcomes), bool(wanted.network_ids), times)
    return database.read(statement, JOURNAL, values | _lists(wanted))


@cache
def _of_window(is_sqlite: bool, by_place: bool, outcomes: bool, networks: bool, times: bool) -> Select[Any]:
    rows = select(*(journal.c[name] for name in JOURNAL)).where(
        journal.c.batch_id == bindparam("of_batch"),
        journal.c.line >= bindparam("begin"),
        journal.c.line < bindparam("end"),
    )
    if by_place:
        rows = rows.where(column("rowid").in_(_STORED_AT))
    if outcomes:
        rows = rows.where(is_one_of(is_sqlite, journal.c.outcome, "outcomes"))
    if networks:
        of_network = clicks.c.click_id == journal.c.click_id, is_one_of(is_sqlite, clicks.c.network_id, "network_ids")
        rows = rows.where(exists().where(*of_network))
    if times:
        rows = rows.where(journal.c.received_at >= bindparam("from_at"), journal.c.received_at < bindparam("to_at"))
    return rows.order_by(journal.c.line.desc()).limit(bindparam("most"))


def _of_origins(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    if not wanted.origins:
        return statement
    return statement.where(or_(*(batches.c.origin == origin for origin in wanted.origins)))


def _heads(database: Readable, statement: Select[Any], **values: int) -> list[dict[str, Any]]:
    return list(database.read(statement, _HEADS, values).iter_rows(named=True))


def _lists(wanted: Wanted) -> dict[str, Any]:
    lists = {"outcomes": list(wanted.outcomes), "network_ids": list(wanted.network_ids)}
    return {name: values for name, values in lists.items() if values}


def _joined(found: list[pl.DataFrame]) -> JournalRows:
    return JournalRows(pl.concat([empty(JOURNAL), *found]))


def _number(given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > len(str(2**62)):
        raise ValueError("it is no number")
    return int(given)

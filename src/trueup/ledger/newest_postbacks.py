"""Postbacks and pixels as they came, newest or oldest first, across all their batches.

The messages of an hour are a batch for each origin and each process, and each batch numbers its rows as they come: its
lines. So a place in the list is a line of each batch of one hour: a cut, above which are the batches that it does not
name, too. What comes meanwhile has a higher line, or is of a batch that came later: no page skips a row or shows one
twice.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import polars as pl
from sqlalchemy import Select, bindparam, or_, select

from trueup.ledger.database import Readable
from trueup.ledger.postback_parts import HOUR_MICROS, Part, Wanted, joined, window
from trueup.ledger.schema import batches
from trueup.model.frames import JOURNAL, JournalRows, Schema, empty
from trueup.model.words import BatchKind

LOOKED_AT_MOST: Final = 20_000  # rows that one page looks through for those that are wanted

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
FROM: Final = _HEAD.where(batches.c.received_at >= bindparam("since")).order_by(batches.c.received_at)
_LATER: Final = _HEAD.where(batches.c.received_at >= bindparam("since"))


@dataclass(frozen=True)
class Place:
    """Where a page of the list begins: a cut."""

    hour: int  # of the batches that it parts, in hours since the epoch
    lines: Mapping[int, int] = field(default_factory=dict)  # batch -> its first line above; none: all are below

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
    """Some postbacks, in the order in which they were read."""

    rows: JournalRows
    next: Place | None  # None on the last page
    looked_to: int | None = None  # it ends at this moment, before it is full: so many rows were looked through


def newest_place(database: Readable, now: int) -> Place:
    """Where the list begins now: what comes later is newer than all that pages from here on show.

    Args:
        database: The ledger.
        now: The moment, in microseconds since the epoch.
    """
    hour = now // HOUR_MICROS
    since = (hour - 1) * HOUR_MICROS  # a batch of the hour before may take rows still
    return Place(hour, {head["batch_id"]: head["rows_done"] + 1 for head in heads_of(database, _LATER, since=since)})


def count_newer(database: Readable, wanted: Wanted, place: Place, most: int) -> int:
    """Count the wanted postbacks that came since a place was the newest one; no further than to `most`."""
    since = (place.hour - 1) * HOUR_MICROS
    counted = 0
    for head in heads_of(database, of_origins(_LATER, wanted), since=since):
        after, end = place.lines.get(head["batch_id"], 1), head["rows_done"] + 1
        if wanted.is_all_of_a_batch:
            counted += end - after
        else:
            counted += window(database, head, max(after, end - LOOKED_AT_MOST), end, wanted, most).height
        if counted >= most:
            return most
    return counted


def postbacks_page(
    database: Readable, wanted: Wanted, place: Place | None, most: int, *, upward: bool = False
) -> PostbackPage:
    """Read some postbacks.

    Args:
        database: The ledger, as of one moment: the caller has begun a transaction.
        wanted: Which of them.
        place: Where the page begins; None for the beginning.
        most: How many to read at most.
        upward: Whether to read what is above the place, oldest first, rather than what is below, newest first.

    Returns:
        The page. It may have fewer rows than there are where few of very many are wanted; the next one goes on.
    """
    found: list[pl.DataFrame] = []
    looked = count = 0
    for hour, heads in (_hours_after if upward else _hours)(database, wanted, place):
        read = Part.read_up if upward else Part.read
        parts = [read(database, head, wanted, most - count + 1, LOOKED_AT_MOST - looked) for head in heads]
        looked += sum(part.looked_at for part in parts)
        taken = _oldest_of(parts, most - count) if upward else _newest_of(parts, most - count)
        found.append(taken)
        count += taken.height
        is_full = sum(part.rows.height for part in parts) > taken.height  # there is a row for the next page
        if is_full or looked >= LOOKED_AT_MOST:
            after = _rest(database, wanted, hour, parts, taken, upward=upward)
            looked_to = None if is_full or after is None else (hour + upward) * HOUR_MICROS
            return PostbackPage(joined(found), after, looked_to)
    return PostbackPage(joined(found), None)


def is_of_messages(database: Readable, batch_ids: pl.Series) -> list[int]:
    """Those of some batches that are of postbacks or pixels."""
    chosen = _HEAD.where(database.is_one_of(batches.c.batch_id, "wanted"))
    return database.read(chosen, _HEADS, {"wanted": batch_ids.unique().to_list()})["batch_id"].to_list()


def _newest_of(parts: list[Part], most: int) -> pl.DataFrame:
    """The newest rows of some batches, of each its highest lines: a clock that stepped back does not part them."""
    timed = [part.rows.with_columns(at=pl.col("received_at").cum_min()) for part in parts]
    order, down = ["at", "batch_id", "line"], [True, True, True]
    return pl.concat(timed).sort(order, descending=down).head(most).drop("at") if timed else empty(JOURNAL)


def _oldest_of(parts: list[Part], most: int) -> pl.DataFrame:
    """The oldest rows of some batches, of each its lowest lines."""
    timed = [part.rows.with_columns(at=pl.col("received_at").cum_max()) for part in parts]
    return pl.concat(timed).sort("at", "batch_id", "line").head(most).drop("at") if timed else empty(JOURNAL)


def _rest(
    database: Readable, wanted: Wanted, hour: int, parts: list[Part], taken: pl.DataFrame, *, upward: bool
) -> Place | None:
    """The place where a page ends that some rows of an hour's batches were taken for; None where the list ends."""
    rest = {part.batch_id: part.rest(taken, upward=upward) for part in parts}
    if upward:
        return Place(hour, rest)
    left = {batch_id: line for batch_id, line in rest.items() if line > 1}
    return Place(hour, left) if left else _place_before(database, wanted, hour)


def _hours(database: Readable, wanted: Wanted, place: Place | None) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The batches of each hour, newest first, and of each the line that its rows come `before`."""
    hour = place.hour if place else _hour_before(database, wanted, None)
    # A batch may have rows of the beginning of the next hour.
    while hour is not None and (wanted.from_at is None or hour >= wanted.from_at // HOUR_MICROS - 1):
        first = hour * HOUR_MICROS
        found = heads_of(database, of_origins(_OF_HOUR, wanted), first=first, last=first + HOUR_MICROS - 1)
        found = [head for head in found if has_some(head, wanted)]
        if place and place.hour == hour and place.lines:  # what is not named came later
            found = [head for head in found if head["batch_id"] in place.lines]
            yield hour, [head | {"before": place.lines[head["batch_id"]]} for head in found]
        else:
            yield hour, [head | {"before": head["rows_done"] + 1} for head in found]
        hour = _hour_before(database, wanted, hour)


def _hours_after(database: Readable, wanted: Wanted, place: Place | None) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The batches of each hour, oldest first, and of each the line that its rows are read `from`."""
    since = place.hour if place else (wanted.from_at or 0) // HOUR_MICROS - 1
    if place and not place.lines:
        since += 1
    while (hour := _hour_from(database, wanted, since)) is not None:
        found = heads_of(
            database, of_origins(_OF_HOUR, wanted), first=hour * HOUR_MICROS, last=(hour + 1) * HOUR_MICROS - 1
        )
        lines = place.lines if place and place.hour == hour else {}
        yield hour, [head | {"from": lines.get(head["batch_id"], 1)} for head in found if has_some(head, wanted)]
        since = hour + 1


def _hour_from(database: Readable, wanted: Wanted, hour: int) -> int | None:
    """The first hour from one on that has postbacks with a wanted outcome; None where there is none."""
    at = _first_with_some(database, wanted, FROM, "since", hour * HOUR_MICROS)
    return None if at is None or (wanted.to_at is not None and at >= wanted.to_at) else at // HOUR_MICROS


def _hour_before(database: Readable, wanted: Wanted, hour: int | None) -> int | None:
    """The last hour before one that has postbacks with a wanted outcome; None where there is none."""
    before = 2**62 if hour is None else hour * HOUR_MICROS
    if wanted.to_at is not None:
        before = min(before, wanted.to_at)
    at = _first_with_some(database, wanted, _BEFORE, "before", before)
    return None if at is None else at // HOUR_MICROS


def _first_with_some(database: Readable, wanted: Wanted, heads: Select[Any], bound: str, moment: int) -> int | None:
    """When the first batch with a wanted outcome began, `since` a moment or `before` it; None where there is none."""
    most = _HEADS_TOGETHER if wanted.outcomes else 1
    statement = of_origins(heads, wanted).limit(most)
    while True:
        found = heads_of(database, statement, **{bound: moment})
        fitting = next((head for head in found if has_some(head, wanted)), None)
        if fitting is not None or len(found) < most:
            return int(fitting["received_at"]) if fitting else None
        moment = found[-1]["received_at"] + (bound == "since")


def has_some(head: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether a batch has a row of a wanted outcome, as it counts them."""
    return not wanted.outcomes or not json.loads(head["outcomes"] or "{}").keys().isdisjoint(wanted.outcomes)


def _place_before(database: Readable, wanted: Wanted, hour: int) -> Place | None:
    before = _hour_before(database, wanted, hour)
    return None if before is None else Place(before)


def of_origins(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    """The same, of the wanted origins alone."""
    if not wanted.origins:
        return statement
    return statement.where(or_(*(batches.c.origin == origin for origin in wanted.origins)))


def heads_of(database: Readable, statement: Select[Any], **values: int) -> list[dict[str, Any]]:
    """The batches that a statement finds: _HEADS of each."""
    return list(database.read(statement, _HEADS, values).iter_rows(named=True))


def _number(given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > len(str(2**62)):
        raise ValueError("it is no number")
    return int(given)

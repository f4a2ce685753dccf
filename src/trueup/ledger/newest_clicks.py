"""Clicks in the order of their arrival, newest or oldest first, a page at a time.

A click has a number: which of all clicks it was to arrive. Visits arrive when they happen, so that is the order of
their time; an import's clicks arrive together, whenever they happened. Which numbers fit a filter is found in the
segments and their loose rows, which have each attribute as a column; the clicks themselves are read by their numbers.

Pages are read from the highest number downwards. Upwards is the same with all numbers turned negative.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import polars as pl
from sqlalchemy import Select, bindparam, exists, func, select

from trueup.ledger.database import Readable, is_one_of
from trueup.ledger.schema import clicks, conversions, loose_clicks, segments
from trueup.ledger.segments import (
    SegmentKind,
    click_numbers_where,
    loose_click_numbers_where,
    segments_numbered,
)
from trueup.model.frames import BUCKET_MICROS, COUNTED_CLICKS, NUMBERED_CLICKS, NumberedClicks, Schema, empty

LOOKED_AT_MOST: Final = 30_000  # clicks that one page reads to find those that are wanted,
SEEN_MOST: Final = 600_000  # and numbers of segments that it goes through
_LEAST_WINDOW: Final = 1_000
_GROWTH: Final = 4  # each window to the one before it
_ROWS_TOGETHER: Final = 130_000  # of segments that are read at once
_OF_CLICKS: Final = segments.c.kind == SegmentKind.CLICKS.value
_NUMBER: Final[Schema] = {"number": pl.Int64}
_NEWEST: Final = (
    select(func.coalesce(func.max(segments.c.click_number_most), 0)).where(_OF_CLICKS),
    select(func.coalesce(func.max(loose_clicks.c.click_number), 0)),
)
_HEADS: Final[Schema] = {
    "segment_id": pl.Int64,
    "rows": pl.Int64,
    "click_number_least": pl.Int64,
    "click_number_most": pl.Int64,
    "click_least": pl.Int64,
    "click_most": pl.Int64,
}
_SEGMENTS: Final = select(*(segments.c[name] for name in _HEADS)).where(
    _OF_CLICKS,
    segments.c.click_most >= bindparam("from_bucket"),
    segments.c.click_least <= bindparam("to_bucket"),
)
_BELOW: Final = _SEGMENTS.where(segments.c.click_number_least < bindparam("cut")).order_by(
    segments.c.click_number_most.desc(), segments.c.segment_id.desc()
)
_ABOVE: Final = _SEGMENTS.where(segments.c.click_number_most >= bindparam("cut")).order_by(
    segments.c.click_number_least, segments.c.segment_id
)
_MADE: Final = exists().where(conversions.c.click_id == clicks.c.click_id, conversions.c.removed == 0)


@dataclass(frozen=True)
class WantedClicks:
    """Which clicks are looked at; what is not given lets everything through."""

    from_at: int | None = None  # clicked at this moment or later, in microseconds since the epoch
    to_at: int | None = None  # clicked before this moment
    any_of: Mapping[str, Sequence[str] | Sequence[int]] = field(default_factory=dict)  # column -> values it may have
    converted: bool | None = None  # whether it has conversions

    @property
    def is_timed(self) -> bool:
        """Whether the time of clicks is bounded."""
        return self.from_at is not None or self.to_at is not None


@dataclass(frozen=True)
class ClickPage:
    """Some clicks, in the order in which they were read."""

    rows: NumberedClicks
    next: int | None  # the cut where the next page begins; None on the last page
    looked_back_to: int | None = None  # the number where it ends, before it is full: so many clicks were looked through


def newest_click(database: Readable) -> int:
    """The number of the click that arrived last; 0 where there is none."""
    return max(int(database.read(newest, _NUMBER).item()) for newest in _NEWEST)


def count_newer_clicks(database: Readable, wanted: WantedClicks, after: int, most: int) -> int:
    """Count the wanted clicks that arrived after a number; no further than to `most`."""
    newest = newest_click(database)
    return _window(database, wanted, (max(after, newest - LOOKED_AT_MOST), newest + 1), most, _DOWN).height


def clicks_by_arrival(
    database: Readable, wanted: WantedClicks, cut: int | None, most: int, *, upward: bool = False
) -> ClickPage:
    """Read some clicks by their numbers.

    Args:
        database: The ledger, as of one moment: the caller has begun a transaction.
        wanted: Which of them.
        cut: Where the page begins: below are the lower numbers, above are this number and the higher ones. None for the
            beginning.
        most: How many to read at most.
        upward: Whether to read what is above, oldest first, rather than what is below, newest first.

    Returns:
        The page. It may have fewer clicks than there are where few of very many are wanted; the next one goes on.
    """
    way = _Way(-1, -newest_click(database) - 1) if upward else _Way(1, 0)
    end = way.end_of(cut) if cut is not None else 0 if upward else newest_click(database) + 1
    found: list[pl.DataFrame] = []
    count, looked, seen = 0, 0, 0
    for part in _parts(database, wanted, way, end, most):
        if looked >= LOOKED_AT_MOST or seen >= SEEN_MOST:
            return ClickPage(_joined(found), way.end_of(part.end), way.end_of(part.end))
        rows = part.read(database, wanted, way, most - count + 1)
        looked, seen = looked + part.reads, seen + part.rows
        found.append(rows)
        count += rows.height
        if count > most:  # one more than the page has: there is a next one
            shown = _joined(found).head(most)
            last = int(shown["click_number"][-1])
            return ClickPage(NumberedClicks(shown), last + 1 if upward else last)
    return ClickPage(_joined(found), None)


@dataclass(frozen=True)
class _Way:
    """In which way clicks are read. What is below calls numbers those that are to be read downwards."""

    sign: int  # of these numbers
    lowest: int  # below all of them

    def end_of(self, cut: int) -> int:
        """The number that all those to be read from a cut on are below; and the other way round."""
        return cut if self.sign > 0 else 1 - cut


@dataclass(frozen=True)
class _Part:
    """Numbers that wanted clicks can have: those above `begin` and below `end`, or some of them."""

    begin: int
    end: int
    rows: int = 0  # of segments that were gone through
    numbers: pl.Series | None = None  # None: all between

    @property
    def reads(self) -> int:
        """How many clicks are read for it."""
        return self.end - self.begin - 1 if self.numbers is None else self.numbers.len()

    def read(self, database: Readable, wanted: WantedClicks, way: _Way, most: int) -> NumberedClicks:
        """Read the wanted clicks among them, the highest numbers first."""
        if self.numbers is None:
            return _window(database, wanted, (self.begin, self.end), most, way)
        found: list[pl.DataFrame] = []
        count, size = 0, max(most, _LEAST_WINDOW // 4)
        for numbers in (self.numbers[at : at + size] for at in range(0, self.numbers.len(), size)):
            bounds = int(numbers[-1]) - 1, int(numbers[0]) + 1
            rows = _window(database, wanted, bounds, most - count, way, numbers)
            found.append(rows)
            count += rows.height
            if count >= most:
                break
        return _joined(found)


def candidates(database: Readable, wanted: WantedClicks, most: int) -> list[tuple[Select[Any], dict[str, Any]]] | None:
    """Find where the wanted clicks can be.

    Args:
        database: The ledger, as of one moment.
        wanted: Which clicks.
        most: How many clicks may be looked at.

    Returns:
        Statements that read NUMBERED_CLICKS of all of them, each once, with their values; None where more would have to
        be looked at.
    """
    found = []
    count = 0
    for part in _parts(database, wanted, _DOWN, newest_click(database) + 1, most):
        count += part.reads
        if count > most:
            return None
        if part.reads:
            numbers = None if part.numbers is None else part.numbers.to_list()
            values = _values(wanted, part.begin, part.end, numbers)
            rows = _rows(database.is_sqlite, *_kinds(wanted), few=numbers is not None, are_many=True)
            found.append((rows, values))
    return found


def _parts(database: Readable, wanted: WantedClicks, way: _Way, end: int, most: int) -> Iterator[_Part]:
    """Where the wanted clicks can be, the highest numbers first; each part begins where the one before ended."""
    if wanted.any_of or wanted.is_timed:
        yield from _parts_of_segments(database, wanted, way, end, most)
        return
    yield from _windows(way.lowest, end, most)


_DOWN: Final = _Way(1, 0)


def _windows(floor: int, end: int, most: int) -> Iterator[_Part]:
    """All numbers between two, in parts that grow, so that the first ones are read soon."""
    size = max(_LEAST_WINDOW, 2 * most)
    while end > floor + 1:
        begin = max(floor, end - size - 1)
        yield _Part(begin, end)
        end, size = begin + 1, min(size * _GROWTH, LOOKED_AT_MOST)


def _parts_of_segments(database: Readable, wanted: WantedClicks, way: _Way, end: int, most: int) -> Iterator[_Part]:
    buckets = {
        "from_bucket": (wanted.from_at or 0) // BUCKET_MICROS,
        "to_bucket": ((wanted.to_at or 2**62) - 1) // BUCKET_MICROS,
    }
    heads = database.read(_BELOW if way.sign > 0 else _ABOVE, _HEADS, {"cut": way.end_of(end), **buckets})
    highest = heads["click_number_most"] if way.sign > 0 else -heads["click_number_least"]
    known = {name: values for name, values in wanted.any_of.items() if name in COUNTED_CLICKS}
    times = (buckets["from_bucket"], buckets["to_bucket"]) if wanted.is_timed or not known else None
    # Numbers of loose rows, and of a segment that reaches below the next one's beginning.
    waiting = loose_click_numbers_where(database, known, times) * way.sign
    waiting = waiting.filter(waiting < end).unique().sort(descending=True)
    if not heads.height:
        yield _Part(way.lowest, end, waiting.len(), waiting)
    for first, after, rows in _together(heads):
        floor = int(highest[after]) if after < heads.height else way.lowest
        some = heads[first:after]
        if not wanted.any_of and not waiting.len() and _are_within(some, buckets):
            yield from _windows(floor, end, most)
            end = min(end, floor + 1)
            continue
        found = segments_numbered(database, some["segment_id"].to_list())
        there = click_numbers_where(database, found, known, times) * way.sign
        numbers = pl.concat([waiting, there]).unique().sort(descending=True)
        numbers = numbers.filter(numbers < end)
        yield _Part(floor, end, rows, numbers.filter(numbers > floor))
        waiting, end = numbers.filter(numbers <= floor), min(end, floor + 1)


def _are_within(heads: pl.DataFrame, buckets: Mapping[str, int]) -> bool:
    """Whether all clicks of some segments are of the wanted time."""
    first, last = heads["click_least"].min(), heads["click_most"].max()
    return bool(first > buckets["from_bucket"] and last < buckets["to_bucket"])  # type: ignore[operator]  # numbers


def _together(heads: pl.DataFrame) -> Iterator[tuple[int, int, int]]:
    """Which segments are read at once: from the first to before the second, and how many rows they have."""
    first = rows = 0
    for place, more in enumerate(heads["rows"].to_list()):
        rows += more
        if rows >= _ROWS_TOGETHER or place == heads.height - 1:
            yield first, place + 1, rows
            first, rows = place + 1, 0


def _window(
    database: Readable,
    wanted: WantedClicks,
    between: tuple[int, int],
    most: int,
    way: _Way,
    numbers: pl.Series | None = None,
) -> NumberedClicks:
    """The wanted clicks with numbers above one and below another, and only some of them if any are given."""
    above, below = sorted(way.sign * number for number in between)
    chosen = None if numbers is None else (numbers * way.sign).to_list()
    statement = _in_order(database.is_sqlite, *_kinds(wanted), few=chosen is not None, upward=way.sign < 0)
    return database.read(statement, NUMBERED_CLICKS, _values(wanted, above, below, chosen) | {"most": most})


def _values(wanted: WantedClicks, above: int, below: int, numbers: list[int] | None) -> dict[str, Any]:
    """The values of `_rows`."""
    values: dict[str, Any] = {"above": above, "below": below}
    values |= {column: list(chosen) for column, chosen in wanted.any_of.items()}
    if numbers is not None:
        values["numbers"] = numbers
    if wanted.is_timed:
        values |= {"from_at": wanted.from_at or 0, "to_at": wanted.to_at or 2**62}
    return values


def _kinds(wanted: WantedClicks) -> tuple[tuple[str, ...], bool, bool | None]:
    """What the conditions on clicks depend on: the columns, whether times are meant, and whether conversions are."""
    return tuple(wanted.any_of), wanted.is_timed, wanted.converted


@cache
def _rows(
    is_sqlite: bool,
    columns: tuple[str, ...],
    times: bool,
    converted: bool | None,
    *,
    few: bool,
    are_many: bool = False,
) -> Select[Any]:
    number = clicks.c.click_number
    rows = select(*(clicks.c[name] for name in NUMBERED_CLICKS)).where(
        number > bindparam("above"), number < bindparam("below")
    )
    if few:
        # PostgreSQL asks its index for each number. Of many, it had better look at all that are between.
        rows = rows.where(is_one_of(is_sqlite, number + 0 if are_many and not is_sqlite else number, "numbers"))
    for name in columns:
        rows = rows.where(is_one_of(is_sqlite, clicks.c[name], name))
    if times:
        rows = rows.where(clicks.c.clicked_at >= bindparam("from_at"), clicks.c.clicked_at < bindparam("to_at"))
    if converted is not None:
        rows = rows.where(_MADE if converted else ~_MADE)
    return rows


@cache
def _in_order(
    is_sqlite: bool, columns: tuple[str, ...], times: bool, converted: bool | None, *, few: bool, upward: bool
) -> Select[Any]:
    rows, number = _rows(is_sqlite, columns, times, converted, few=few), clicks.c.click_number
    return rows.order_by(number if upward else number.desc()).limit(bindparam("most"))


def _joined(found: list[pl.DataFrame]) -> NumberedClicks:
    return NumberedClicks(pl.concat([empty(NUMBERED_CLICKS), *found]))

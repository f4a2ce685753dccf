"""Clicks in the order of their arrival, newest first, a page at a time.

A click has a number: which of all clicks it was to arrive. Visits arrive when they happen, so that is the order of
their time; an import's clicks arrive together, whenever they happened. A page goes back through the numbers by windows,
and past those whose segments have no click of the wanted time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import polars as pl
from sqlalchemy import Select, bindparam, exists, func, select

from trueup.ledger.database import Readable, is_one_of
from trueup.ledger.schema import clicks, conversions, segments
from trueup.ledger.segments import SegmentKind
from trueup.model.frames import BUCKET_MICROS, NUMBERED_CLICKS, NumberedClicks, Schema

LOOKED_AT_MOST: Final = 30_000  # clicks that one page looks through for those that are wanted
_LEAST_WINDOW: Final = 1_000
_GROWTH: Final = 4  # each window to the one before it
_OF_CLICKS: Final = segments.c.kind == SegmentKind.CLICKS.value
_NUMBER: Final[Schema] = {"number": pl.Int64}
_NEWEST: Final = select(func.coalesce(func.max(segments.c.click_number_most), 0)).where(_OF_CLICKS)
_SPANS: Final[Schema] = {"least": pl.Int64, "most": pl.Int64}
_SPANS_OF_TIME: Final = (
    select(segments.c.click_number_least, segments.c.click_number_most)
    .where(
        _OF_CLICKS, segments.c.click_most >= bindparam("from_bucket"), segments.c.click_least <= bindparam("to_bucket")
    )
    .order_by(segments.c.click_number_most.desc())
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
    def is_all(self) -> bool:
        """Whether every click is wanted."""
        return not self.any_of and self.from_at is None and self.to_at is None and self.converted is None


@dataclass(frozen=True)
class ClickPage:
    """Some clicks, newest first."""

    rows: NumberedClicks
    next: int | None  # the number that the next page comes before; None on the last page
    looked_back_to: int | None = None  # the number where it ends, before it is full: so many clicks were looked through


def newest_click(database: Readable) -> int:
    """The number of the click that arrived last; 0 where there is none."""
    return int(database.read(_NEWEST, _NUMBER).item())


def count_newer_clicks(database: Readable, wanted: WantedClicks, after: int, most: int) -> int:
    """Count the wanted clicks that arrived after a number; no further than to `most`."""
    newest = newest_click(database)
    begin = max(after, newest - LOOKED_AT_MOST)
    return _window(database, wanted, begin, newest + 1, most).height


def clicks_by_arrival(database: Readable, wanted: WantedClicks, before: int | None, most: int) -> ClickPage:
    """Read some clicks, newest first.

    Args:
        database: The ledger, as of one moment: the caller has begun a transaction.
        wanted: Which of them.
        before: The number that the page comes before; None for the newest.
        most: How many to read at most.

    Returns:
        The page. It may have fewer clicks than there are where few of very many are wanted; the next one goes on.
    """
    found: list[pl.DataFrame] = []
    count = looked = 0
    for begin, end in _windows(_spans(database, wanted, before), most):
        if looked >= LOOKED_AT_MOST:
            return ClickPage(_joined(found), end, end)
        rows = _window(database, wanted, begin, end, most - count + 1)
        looked += end - begin - 1
        found.append(rows)
        count += rows.height
        if count > most:  # one more than the page has: there is a next one
            shown = _joined(found).head(most)
            return ClickPage(NumberedClicks(shown), int(shown["click_number"][-1]))
    return ClickPage(_joined(found), None)


def _spans(database: Readable, wanted: WantedClicks, before: int | None) -> Iterator[tuple[int, int]]:
    """Where the wanted clicks can be: numbers above the first and below the second, the highest first."""
    end = before if before is not None else newest_click(database) + 1
    if wanted.from_at is None and wanted.to_at is None:
        yield 0, end
        return
    bounds = {
        "from_bucket": (wanted.from_at or 0) // BUCKET_MICROS,
        "to_bucket": ((wanted.to_at or 2**62) - 1) // BUCKET_MICROS,
    }
    for least, last in database.read(_SPANS_OF_TIME, _SPANS, bounds).iter_rows():
        end = min(end, last + 1)
        if least < end:
            yield least - 1, end
            end = least


def _windows(spans: Iterator[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """The same in parts that grow, so that the first ones are read soon."""
    size = max(_LEAST_WINDOW, 2 * most)
    for least, most_of_span in spans:
        end = most_of_span
        while end > least + 1:
            begin = max(least, end - size - 1)
            yield begin, end
            end, size = begin + 1, min(size * _GROWTH, LOOKED_AT_MOST)


def _window(database: Readable, wanted: WantedClicks, above: int, below: int, most: int) -> NumberedClicks:
    values: dict[str, Any] = {"above": above, "below": below, "most": most}
    values |= {column: list(chosen) for column, chosen in wanted.any_of.items()}
    times = wanted.from_at is not None or wanted.to_at is not None
    if times:
        values |= {"from_at": wanted.from_at or 0, "to_at": wanted.to_at or 2**62}
    statement = _statement(database.is_sqlite, tuple(wanted.any_of), times, wanted.converted)
    return database.read(statement, NUMBERED_CLICKS, values)


@cache
def _statement(is_sqlite: bool, columns: tuple[str, ...], times: bool, converted: bool | None) -> Select[Any]:
    number = clicks.c.click_number
    rows = select(*(clicks.c[name] for name in NUMBERED_CLICKS)).where(
        number > bindparam("above"), number < bindparam("below")
    )
    for name in columns:
        rows = rows.where(is_one_of(is_sqlite, clicks.c[name], name))
    if times:
        rows = rows.where(clicks.c.clicked_at >= bindparam("from_at"), clicks.c.clicked_at < bindparam("to_at"))
    if converted is not None:
        rows = rows.where(_MADE if converted else ~_MADE)
    return rows.order_by(number.desc()).limit(bindparam("most"))


def _joined(found: list[pl.DataFrame]) -> NumberedClicks:
    return NumberedClicks(pl.concat([pl.DataFrame(schema=dict(NUMBERED_CLICKS)), *found]))

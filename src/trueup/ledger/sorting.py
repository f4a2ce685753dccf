"""Lists that are sorted by one of their columns: the rows that come after a place, whatever the column.

No index has such a column, so all rows that match are gone through for each page. A place is the column's value of a
row and what parts it from all others of the same value: no page skips a row or shows one twice while rows come in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Select, Text, bindparam, collate, literal_column, tuple_

from trueup.ledger.database import Readable
from trueup.model.frames import Schema

Place: TypeAlias = tuple[int | str, ...]

SORTED_MOST: Final = 200_000  # rows that are sorted: docs/speed.md says how long they take
# Below every payout: rows without one stand at the end where the greatest comes first.
LEAST: Final = -(2**63) + 1
NO_PAYOUT: Final[ColumnElement[int]] = literal_column(str(LEAST), BigInteger)
_KEY: Final = "sorted_by_"


class Sort(NamedTuple):
    """By what a list is sorted."""

    by: str  # a column, as its readers call it
    goes_down: bool  # whether the greatest value comes first


@dataclass(frozen=True)
class Asked:
    """Which page of a list is read."""

    most: int  # rows that it has at most
    place: Place | None = None  # that of the row that it comes after; None for the beginning
    is_before: bool = False  # it comes before that row instead

    def of_places(self, values: int) -> "Asked":
        """The same page where its place has so many values. That of another sort is the beginning."""
        return self if self.place is None or len(self.place) == values else Asked(self.most)


class SortedPage(NamedTuple):
    """A page, in the order of its list."""

    rows: pl.DataFrame
    places: list[Place]  # of each row
    has_more: bool  # whether there were more rows in the direction of reading


def sorted_page(
    database: Readable,
    rows: Select[Any],
    keys: Mapping[str, ColumnElement[Any]],
    schema: Schema,
    values: Mapping[str, Any],
    sort: Sort,
    asked: Asked,
) -> SortedPage:
    """Read a page of rows, sorted.

    Args:
        database: The ledger.
        rows: All rows that are meant, in any order.
        keys: What they are sorted by, the most significant first; together no two rows have the same.
        schema: The columns of `rows`.
        values: The values of the parameters of `rows`, by name.
        sort: Whether the greatest comes first.
        asked: Which page.
    """
    names = dict(zip(keys, (f"{_KEY}{number}" for number in count()), strict=False))
    expressions = [_in_bytes(database, key) for key in keys.values()]
    goes_down = sort.goes_down is not asked.is_before
    chosen = rows.add_columns(*(key.label(names[name]) for name, key in zip(keys, expressions, strict=True)))
    given: dict[str, Any] = {}
    if asked.place is not None:
        given = dict(zip((f"{name}_of_place" for name in names.values()), asked.place, strict=True))
        place, key = tuple_(*(bindparam(name) for name in given)), tuple_(*expressions)
        chosen = chosen.where(key < place if goes_down else key > place)
    chosen = chosen.order_by(*(key.desc() if goes_down else key for key in expressions)).limit(asked.most + 1)
    kinds = {names[name]: pl.String if isinstance(key.type, Text) else pl.Int64 for name, key in keys.items()}
    return page_of(database.read(chosen, {**schema, **kinds}, {**values, **given}), list(kinds), asked)


def page_of(read: pl.DataFrame, keys: Sequence[str], asked: Asked) -> SortedPage:
    """Make a page of what was read for it: one row more than it has at most, in the direction of reading.

    Args:
        read: The rows, with the columns of their places.
        keys: Those columns.
        asked: Which page it is.
    """
    shown = read.head(asked.most)
    shown = shown.reverse() if asked.is_before else shown
    places = shown[:, list(keys)].rows()
    own = [name for name in shown.columns if name not in keys or not name.startswith(_KEY)]
    return SortedPage(shown[:, own], places, read.height > asked.most)


def page_of_few(rows: pl.DataFrame, keys: Sequence[str], sort: Sort, asked: Asked) -> SortedPage:
    """Make a page of rows that are all here.

    Args:
        rows: All rows, in any order.
        keys: What they are sorted by; together no two rows have the same.
        sort: Whether the greatest comes first.
        asked: Which page.
    """
    goes_down = sort.goes_down is not asked.is_before
    ordered = rows.sort(keys, descending=goes_down, multithreaded=False)
    skipped = 0
    if (given := asked.place) is not None:
        places = ordered.select(keys).rows()
        skipped = sum(place >= given if goes_down else place <= given for place in places)
    return page_of(ordered.slice(skipped, asked.most + 1), keys, asked)


def merged(pages: Sequence[SortedPage], sort: Sort, asked: Asked) -> SortedPage:
    """Make one page of the same page of several lists, which share no row.

    Args:
        pages: The page of each list; one at least.
        sort: Whether the greatest comes first.
        asked: Which page.
    """
    places = [place for page in pages for place in page.places]
    goes_down = sort.goes_down is not asked.is_before
    nearest = sorted(range(len(places)), key=places.__getitem__, reverse=goes_down)[: asked.most]
    shown = nearest[::-1] if asked.is_before else nearest
    has_more = len(places) > asked.most or any(page.has_more for page in pages)
    return SortedPage(pl.concat([page.rows for page in pages])[shown], [places[at] for at in shown], has_more)


def _in_bytes(database: Readable, key: ColumnElement[Any]) -> ColumnElement[Any]:
    """PostgreSQL sorts texts by their bytes, too, as SQLite does."""
    return collate(key, "C") if isinstance(key.type, Text) and not database.is_sqlite else key

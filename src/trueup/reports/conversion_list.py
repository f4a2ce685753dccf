"""The conversions in pages and whole, in the order of any of their sorts."""

from collections.abc import Iterator
from typing import Final

from trueup.ledger.cells import read_conversion_cells
from trueup.ledger.database import Readable, ReadTransaction
from trueup.ledger.queries import (
    Selection,
    count_by_status,
    read_conversions,
    read_conversions_backwards,
    read_conversions_page,
)
from trueup.ledger.sorted_conversions import PLACE_KINDS, SORTED_BY, sorted_conversions
from trueup.ledger.sorting import SORTED_MOST, Asked, Sort, SortedPage, page_of
from trueup.model.frames import LoggedConversions
from trueup.reports.sorts import NEWEST_FIRST, OLDEST_FIRST, TIME

SORTS: Final = (TIME, *SORTED_BY)
_PLACE: Final = ("converted_at", "click_id", "n")
_KINDS: Final = (int, str, int)


def kinds_of_place(sort: Sort) -> tuple[type, ...]:
    """What the values of a place are."""
    return _KINDS if sort.by == TIME else (PLACE_KINDS[sort.by], *_KINDS)


def sort_for(database: Readable, selection: Selection, sort: Sort, matching: int | None = None) -> Sort:
    """The sort that conversions can be read in: the one that is asked for, unless too many match; by time then.

    Args:
        database: The ledger.
        selection: Which conversions.
        sort: The sort that is asked for.
        matching: How many they are, None where that is not known yet.
    """
    if sort.by == TIME:
        return sort
    if matching is None:
        counted = (
            count_by_status(database, selection)
            if selection.removed
            else read_conversion_cells(database, selection, [])
        )
        matching = int(counted["conversions"].sum())
    return sort if matching <= SORTED_MOST else NEWEST_FIRST


def read_conversion_page(database: Readable, selection: Selection, sort: Sort, asked: Asked) -> SortedPage:
    """Read a page of the selected conversions.

    Args:
        database: The ledger.
        selection: Which conversions.
        sort: One that `sort_for` gave for them.
        asked: Which page; a place of another sort is that of the beginning.
    """
    asked = asked.of_places(len(kinds_of_place(sort)))
    if sort.by != TIME:
        return sorted_conversions(database, selection, sort, asked)
    goes_down = sort.goes_down is not asked.is_before
    found = read_conversions_page(database, selection, asked.place, asked.most + 1, newest_first=goes_down)  # type: ignore[arg-type]  # it is one of the time
    return page_of(found, _PLACE, asked)


def read_all_conversions(
    transaction: ReadTransaction, selection: Selection, sort: Sort, first: int | None = None
) -> Iterator[LoggedConversions]:
    """Read all selected conversions in their order.

    Args:
        transaction: What all pages are read in.
        selection: Which conversions.
        sort: One that `sort_for` gave for them.
        first: How many to read, None for all.

    Returns:
        LOGGED, in pages, one at least.
    """
    if sort.by != TIME:
        asked = Asked(SORTED_MOST if first is None else min(first, SORTED_MOST))
        yield LoggedConversions(sorted_conversions(transaction, selection, sort, asked).rows)
        return
    read = read_conversions if sort == OLDEST_FIRST else read_conversions_backwards
    for page in read(transaction, selection):
        yield page if first is None else LoggedConversions(page.head(first))
        first = None if first is None else first - page.height
        if first is not None and first <= 0:
            return

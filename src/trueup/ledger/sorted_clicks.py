"""Clicks sorted by what they cost and what came of them; and the clicks of an import, by that or by their ids."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, cast, func, select

from trueup.ledger.database import Readable
from trueup.ledger.newest_clicks import WantedClicks, candidates
from trueup.ledger.schema import IMPORTED, clicks, conversions
from trueup.ledger.sorted_conversions import WORTH
from trueup.ledger.sorting import Asked, Sort, SortedPage, merged, sorted_page
from trueup.model.frames import NUMBERED_CLICKS
from trueup.model.words import Status

CLICKS_SORTED_MOST: Final = 100_000  # what came of each is looked up
BY_ID: Final = Sort("click_id", goes_down=False)
SORTED_BY: Final = ("cost", "conversions", "revenue")
PLACE_KINDS: Final = (int, int)  # of those three
_STORED: Final[dict[str, ColumnElement[Any]]] = {"cost": clicks.c.cost, "time": clicks.c.clicked_at}
_LEFT_OUT: Final = "left_out_types"
_OF_IMPORT: Final = select(*(clicks.c[name] for name in NUMBERED_CLICKS)).where(
    clicks.c.batch_id == bindparam("of_batch"), IMPORTED
)


def sorted_clicks(
    database: Readable, wanted: WantedClicks, left_out: Collection[str], sort: Sort, asked: Asked
) -> SortedPage | None:
    """Read a page of clicks: by a column of SORTED_BY, then in the order of their arrival.

    Args:
        database: The ledger, as of one moment.
        wanted: Which clicks.
        left_out: The conversion types that are not included in conversions.
        sort: By what.
        asked: Which page.

    Returns:
        The page; None where too many clicks would have to be sorted.
    """
    found = candidates(database, wanted, CLICKS_SORTED_MOST)
    if found is None:
        return None
    nothing = select(*(clicks.c[name] for name in NUMBERED_CLICKS)).where(clicks.c.click_number < 0)
    pages = [_page(database, rows, values, left_out, sort, asked) for rows, values in found or [(nothing, {})]]
    return merged(pages, sort, asked)


def sorted_clicks_of_import(
    database: Readable, batch_id: int, left_out: Collection[str], sort: Sort, asked: Asked
) -> SortedPage:
    """Read a page of the clicks that an import brought and that still are as it brought them.

    Args:
        database: The ledger.
        batch_id: The import.
        left_out: The conversion types that are not included in conversions.
        sort: By what: a column of SORTED_BY, the time of the click, or BY_ID, which alone reads one page only.
        asked: Which page.
    """
    return _page(database, _OF_IMPORT, {"of_batch": batch_id}, left_out, sort, asked)


def _page(
    database: Readable,
    rows: Select[Any],
    values: dict[str, Any],
    left_out: Collection[str],
    sort: Sort,
    asked: Asked,
) -> SortedPage:
    if sort.by == BY_ID.by:
        by_id = {"click_id": clicks.c.click_id}
        return sorted_page(database, rows, by_id, NUMBERED_CLICKS, values, sort, asked)
    given = {**values, _LEFT_OUT: list(left_out)} if left_out and sort.by == "conversions" else values
    keys = {sort.by: _key(database, sort.by, bool(left_out)), "click_number": clicks.c.click_number}
    return sorted_page(database, rows, keys, NUMBERED_CLICKS, given, sort, asked)


def _key(database: Readable, by: str, leaves_out: bool) -> ColumnElement[Any]:
    """What clicks are sorted by, as lists show it."""
    if by in _STORED:
        return _STORED[by]
    of_click = (conversions.c.click_id == clicks.c.click_id, conversions.c.removed == 0)
    if by == "revenue":
        worth = cast(func.coalesce(func.sum(WORTH), 0), BigInteger)
        return select(worth).where(*of_click).scalar_subquery()
    counted = select(func.count()).where(*of_click, conversions.c.status != Status.DECLINED.value)
    if leaves_out:
        counted = counted.where(~database.is_one_of(conversions.c.conversion_type, _LEFT_OUT))
    return counted.scalar_subquery()

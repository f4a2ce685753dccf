"""Conversions sorted by something else than their time."""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, literal_column, or_, select

from trueup.ledger.database import Readable
from trueup.ledger.queries import LOGGED, Selection, selected, values_of
from trueup.ledger.schema import conversions
from trueup.ledger.sorting import Asked, Sort, SortedPage, sorted_page
from trueup.model.counting import PAID

# What counts as revenue, as lists show it.
WORTH: Final = case(
    (or_(*(conversions.c.status == literal_column(f"'{status.value}'") for status in PAID)), conversions.c.revenue),
    else_=literal_column("0"),
)
SORTED_BY: Final[dict[str, ColumnElement[Any]]] = {
    "type": conversions.c.conversion_type,
    "status": conversions.c.status,
    "payout": conversions.c.payout,
    "revenue": WORTH,
}
PLACE_KINDS: Final = {name: str if name in ("type", "status") else int for name in SORTED_BY}


def sorted_conversions(database: Readable, selection: Selection, sort: Sort, asked: Asked) -> SortedPage:
    """Read a page of the selected conversions: by a column of SORTED_BY, then time, click id and n.

    Args:
        database: The ledger.
        selection: Which conversions. All of them are gone through.
        sort: By what.
        asked: Which page.
    """
    chosen = select(*(conversions.c[name] for name in LOGGED)).where(*selected(database, selection, conversions))
    then = {name: conversions.c[name] for name in ("converted_at", "click_id", "n")}
    keys = {sort.by: SORTED_BY[sort.by], **then}
    return sorted_page(database, chosen, keys, LOGGED, values_of(selection, 1), sort, asked)

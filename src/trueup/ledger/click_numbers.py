"""Numbers of clicks: each click that is stored gets one, and so does a click that changes. None is given twice."""

from typing import Final

import polars as pl

from trueup.ledger.database import Transaction
from trueup.model.frames import Schema

_NUMBERED: Final[Schema] = {"click_number": pl.Int64}
_NEXT: Final = "SELECT nextval('click_numbers') FROM generate_series(1, $1::int)"
# What was ever given is in a segment, or will be.
_LAST: Final = (
    "SELECT max((SELECT coalesce(max(click_number_most), 0) FROM segments WHERE kind = 'clicks'),"
    " (SELECT coalesce(max(click_number), 0) FROM loose_clicks))"
)


def new_click_numbers(transaction: Transaction, clicks: int) -> pl.Series:
    """Numbers for new clicks, in their order. Within the caller's transaction.

    Args:
        transaction: What it is written in.
        clicks: How many are needed.
    """
    if not transaction.is_sqlite:
        return transaction.read_sql(_NEXT, _NUMBERED, [clicks])["click_number"]
    first = transaction.number(_LAST) + 1
    return pl.int_range(first, first + clicks, dtype=pl.Int64, eager=True).alias("click_number")

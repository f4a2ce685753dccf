"""The conversions log: each conversion as a row for people, as lists and exports show it."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from trueup.ledger.database import ReadTransaction
from trueup.ledger.queries import Selection, read_conversions
from trueup.ledger.sorting import Sort
from trueup.model.catalog import Catalog
from trueup.model.frames import EXPORT_COLUMNS, ExportRows, LoggedConversions
from trueup.model.money import money_text
from trueup.model.times import times_text
from trueup.reports.conversion_list import read_all_conversions
from trueup.reports.names import name_of
from trueup.reports.sorts import OLDEST_FIRST

# The names that a row of an export has, and that uploads read.
NUMBERS: Final = ("payout",)  # the text columns that hold numbers

_NAMED: Final = {
    "campaign_id": "campaign",
    "offer_id": "offer",
    "network_id": "affiliate_network",
    "traffic_source_id": "traffic_source",
}


def read_log(
    transaction: ReadTransaction,
    catalog: Catalog,
    selection: Selection,
    time_zone: str,
    newest: int | None = None,
    page_rows: int | None = None,
    sort: Sort = OLDEST_FIRST,
) -> Iterator[ExportRows]:
    """Read the selected conversions as EXPORT_COLUMNS.

    Args:
        transaction: What all pages are read in.
        catalog: The setup, with the names of all resources.
        selection: Which conversions.
        time_zone: The zone to show times in.
        newest: How many to read; None for all of them. Oldest first, they are the newest; else the first of the sort.
        page_rows: How many rows a page has where they come oldest first; None for as many as suit the database.
        sort: By what they are sorted, as `sort_for` gave it for them.

    Returns:
        Pages, one at least. All columns are text but the batch's number.
    """
    if sort == OLDEST_FIRST:
        pages = read_conversions(transaction, selection, newest, page_rows)
    else:
        pages = read_all_conversions(transaction, selection, sort, newest)
    for page in pages:
        yield as_log(page, catalog, time_zone)


_ID_AND_PAYOUT: Final = [
    pl.format("{}-{}", "click_id", "n").alias("conversion_id"),
    money_text(pl.col("payout")).alias("payout"),
]


def as_log(conversions: LoggedConversions, catalog: Catalog, time_zone: str) -> ExportRows:
    """Write conversions as EXPORT_COLUMNS.

    Args:
        conversions: LOGGED.
        catalog: The setup, with the names of all resources.
        time_zone: The zone to show times in.

    Returns:
        EXPORT_COLUMNS, in the same order.
    """
    shown = [
        *_ID_AND_PAYOUT,
        times_text(pl.col("converted_at"), time_zone).alias("converted_at"),
        *(name_of(key, catalog).alias(title) for key, title in _NAMED.items()),
    ]
    return ExportRows(conversions.with_columns(shown).select(EXPORT_COLUMNS))

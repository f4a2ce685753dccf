"""Clicks as people look at them: newest first, or by another sort, with what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import polars as pl

from trueup.ledger.arrivals import clicks_on_record, read_arrivals
from trueup.ledger.database import Database, Readable
from trueup.ledger.newest_clicks import WantedClicks, clicks_by_arrival, count_newer_clicks, newest_click
from trueup.ledger.pages import read_numbered_clicks
from trueup.ledger.snapshot import read_conversions
from trueup.ledger.sorted_clicks import (
    BY_ID,
    CLICKS_SORTED_MOST,
    PLACE_KINDS,
    SORTED_BY,
    sorted_clicks,
    sorted_clicks_of_import,
)
from trueup.ledger.sorting import Asked, Sort, SortedPage
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.counting import is_counted, is_paid
from trueup.model.frame_ops import collect_unoptimized
from trueup.model.frames import ARRIVALS, Arrivals, ColumnsOf, NumberedClicks
from trueup.model.ids import CLICK_ID
from trueup.reports.filters import Filters, selection
from trueup.reports.names import name_of
from trueup.reports.sorts import NEWEST_FIRST, TIME
from trueup.reports.spans import WrongWordError

Meaning = TypeVar("Meaning", int, bool)

SORTS: Final = (TIME, *SORTED_BY)
IMPORT_SORTS: Final = (BY_ID.by, TIME, *SORTED_BY)
KINDS_OF_PLACES: Final = ((int,), PLACE_KINDS)  # by time, and by anything else
NEWER_MOST: Final = 1_000  # counted of those that came meanwhile
_IS_BOT: Final = {"yes": 1, "no": 0}
_CONVERTED: Final = {"yes": True, "no": False}
_NAMED: Final = {
    "campaign": "campaign_id",
    "offer": "offer_id",
    "affiliate_network": "network_id",
    "traffic_source": "traffic_source_id",
}
_CAME: Final = ColumnsOf[Arrivals]({name: ARRIVALS[name] for name in ("click_id", "batch_id", "place")})


@dataclass(frozen=True)
class ClickFilters:
    """What a person asked for, in the words used; what is not given lets everything through."""

    from_: str | None = None
    to: str | None = None
    campaign: Sequence[str] = ()
    offer: Sequence[str] = ()
    network: Sequence[str] = ()
    source: Sequence[str] = ()
    where: Sequence[str] = ()  # such as `country=PL`
    bot: str = ""  # yes, no
    converted: str = ""  # yes, no

    def understood(self, catalog: Catalog, time_zone: str, now: int) -> WantedClicks:
        """Find out which clicks are meant. Raises: WrongWordError: A word is not known."""
        filters = Filters(
            self.from_,
            self.to,
            campaign=self.campaign,
            offer=self.offer,
            network=self.network,
            source=self.source,
            where=self.where,
        )
        chosen = selection(filters, catalog, time_zone, now)
        any_of: dict[str, Sequence[str] | Sequence[int]] = dict(chosen.any_of)
        if "label" in any_of:
            raise WrongWordError("Clicks have no label; conversions have.")
        if self.bot:
            any_of["is_bot"] = [_yes_or_no("bot", self.bot, _IS_BOT)]
        converted = _yes_or_no("converted", self.converted, _CONVERTED) if self.converted else None
        return WantedClicks(chosen.from_at, chosen.to_at, any_of, converted)


@dataclass(frozen=True)
class ClickList:
    """A page of clicks."""

    rows: pl.DataFrame  # NUMBERED_CLICKS, their names, `conversions`, `revenue`, `pending_revenue`, `arrivals`
    newest: int  # the number of the last click when it was read: what came later is counted from here
    sort: Sort  # the one it was read in: by time where too many clicks fit for another
    next: int | None = None  # by time: the cut where the next page in the same direction begins; None on the last one
    page: SortedPage | None = None  # by something else: the page, with its places
    looked_back: bool = field(default=False)  # it ends before it is full, since so much was looked through


def read_click_list(
    database: Database,
    catalog: Catalog,
    wanted: WantedClicks,
    click_ids: Sequence[str],
    asked: Asked,
    sort: Sort = NEWEST_FIRST,
) -> ClickList:
    """Read a page of clicks.

    Args:
        database: The ledger.
        catalog: The setup, with the names of all resources.
        wanted: Which of them.
        click_ids: The clicks that are meant, whatever else is said; none for any.
        asked: Which page. By time, a place is a cut: `next` of a page beside it. One of another sort is the beginning.
        sort: By what.
    """
    with database.read_transaction() as moment:
        newest = newest_click(moment)
        if click_ids:
            return _named(moment, catalog, click_ids, newest, sort)
        if sort.by != TIME:
            page = sorted_clicks(moment, wanted, catalog.left_out_types, sort, asked.of_places(len(PLACE_KINDS)))
            if page is not None:
                rows = with_results(moment, catalog, NumberedClicks(page.rows))
                return ClickList(rows, newest, sort, page=page)
            sort = NEWEST_FIRST
        cut = asked.place if asked.place is None or len(asked.place) == 1 else None
        upward = sort.goes_down is (asked.is_before and cut is not None)
        found = clicks_by_arrival(moment, wanted, int(cut[0]) if cut else None, asked.most, upward=upward)
        rows = with_results(moment, catalog, found.rows)
        rows = rows.reverse() if asked.is_before and cut else rows
        return ClickList(rows, newest, sort, found.next, looked_back=found.looked_back_to is not None)


def read_clicks_of_import(
    database: Readable, catalog: Catalog, batch: BatchRecord, sort: Sort, asked: Asked
) -> ClickList:
    """Read a page of the clicks that an import brought and that still are as it brought them.

    Args:
        database: The ledger.
        catalog: The setup, with the names of all resources.
        batch: The import.
        sort: By what, of IMPORT_SORTS.
        asked: Which page; a place of another sort is that of the beginning.
    """
    if sort.by != BY_ID.by and batch.rows_done > CLICKS_SORTED_MOST:
        sort = BY_ID
    values = 1 if sort.by == BY_ID.by else len(PLACE_KINDS)
    page = sorted_clicks_of_import(database, batch.batch_id, catalog.left_out_types, sort, asked.of_places(values))
    return ClickList(with_results(database, catalog, NumberedClicks(page.rows)), 0, sort, page=page)


def _named(database: Readable, catalog: Catalog, click_ids: Sequence[str], newest: int, sort: Sort) -> ClickList:
    """The clicks of some ids: few, on one page."""
    known = [each for each in click_ids if CLICK_ID.fullmatch(each)]
    found = with_results(database, catalog, read_numbered_clicks(database, known))
    keys = ["click_number"] if sort.by == TIME else [sort.by, "click_number"]
    return ClickList(found.sort(keys, descending=sort.goes_down), newest, sort)


def count_new_clicks(database: Readable, wanted: WantedClicks, newest: int) -> int:
    """Count the clicks that arrived since a page was read, no further than to NEWER_MOST."""
    return count_newer_clicks(database, wanted, newest, NEWER_MOST)


def with_results(database: Readable, catalog: Catalog, found: NumberedClicks) -> pl.DataFrame:
    """Put beside clicks what they are called by in the setup, what became of them, and how often they arrived."""
    click_ids = found["click_id"].to_list()
    made = read_conversions(database, sorted(click_ids)).lazy().filter(removed=0)
    results = made.group_by("click_id").agg(
        conversions=is_counted(catalog.left_out_types).sum().cast(pl.Int64),
        revenue=pl.col("revenue").filter(is_paid()).sum(),
        pending_revenue=pl.col("revenue").filter(pl.col("status") == "pending").sum(),
    )
    more = clicks_on_record(database, click_ids)
    came = read_arrivals(database, more, _CAME).lazy().group_by("click_id").agg(arrivals=pl.len().cast(pl.Int64))
    named = (name_of(key, catalog).alias(title) for title, key in _NAMED.items())
    beside = found.lazy().with_columns(named).join(results, on="click_id", how="left", maintain_order="left")
    beside = beside.join(came, on="click_id", how="left", maintain_order="left")
    nothing = pl.col("conversions", "revenue", "pending_revenue").fill_null(0)
    return collect_unoptimized(beside.with_columns(nothing, pl.col("arrivals").fill_null(1)))


def _yes_or_no(kind: str, word: str, meanings: Mapping[str, Meaning]) -> Meaning:
    if word not in meanings:
        raise WrongWordError(f"{kind} is yes or no.")
    return meanings[word]

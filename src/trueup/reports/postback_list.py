"""Postbacks and pixels as people look at them, in the order of any sort, with the decision and what holds now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.ledger.batches import batches_numbered
from trueup.ledger.database import Database, Readable
from trueup.ledger.newest_postbacks import (
    Place,
    count_newer,
    is_of_messages,
    newest_place,
    postbacks_page,
)
from trueup.ledger.postback_parts import HOUR_MICROS, Wanted
from trueup.ledger.snapshot import read_click_facts, read_journal
from trueup.ledger.sorted_postbacks import SORTED_BY, sorted_postbacks
from trueup.ledger.sorting import LEAST, Asked, Sort, SortedPage, page_of_few
from trueup.model.catalog import Catalog
from trueup.model.frame_ops import distinct
from trueup.model.frames import JOURNAL, JournalRows, empty
from trueup.model.ids import CLICK_ID
from trueup.model.words import BatchKind, Origin, Outcome
from trueup.reports.filters import Filters, known_word, selection
from trueup.reports.names import name_of
from trueup.reports.now import with_messages_and_now
from trueup.reports.sorts import NEWEST_FIRST, TIME

SORTS: Final = (TIME, *SORTED_BY)
_PLACE_VALUES: Final = 4  # of a place of any other sort than by time
NEWER_MOST: Final = 1_000  # counted of those that came meanwhile


@dataclass(frozen=True)
class PostbackFilters:
    """What a person asked for, in the words used; what is not given lets everything through."""

    from_: str | None = None
    to: str | None = None
    outcome: Sequence[str] = ()
    network: Sequence[str] = ()
    origin: Sequence[str] = ()
    click_id: str = ""

    def understood(self, catalog: Catalog, time_zone: str, now: int) -> Wanted:
        """Find out which postbacks are meant. Raises: WrongWordError: A word is not known."""
        chosen = selection(Filters(self.from_, self.to, network=self.network), catalog, time_zone, now)
        return Wanted(
            from_at=chosen.from_at,
            to_at=chosen.to_at,
            outcomes=tuple(known_word("outcome", word, Outcome).value for word in self.outcome),
            origins=tuple(known_word("origin", word, Origin).value for word in self.origin),
            network_ids=tuple(map(int, chosen.any_of.get("network_id", ()))),
        )


@dataclass(frozen=True)
class PostbackList:
    """A page of postbacks."""

    rows: pl.DataFrame  # JOURNAL, NOW, `message`, `network`, `origin`, and whether the click `is_known`
    next: str  # by time: the cut where the next page in the same direction begins; '' on the last one
    newest: str  # where the list began when it was read: what came later is counted from here
    sort: Sort = NEWEST_FIRST  # the one it was read in: by time where too many rows match for another
    page: SortedPage | None = None  # by something else: the page, with its places
    looked_to: int | None = None  # it ends at this moment, since so much was looked through


def read_postbacks(
    database: Database,
    catalog: Catalog,
    wanted: Wanted,
    click_id: str,
    asked: Asked,
    now: int,
    sort: Sort = NEWEST_FIRST,
) -> PostbackList:
    """Read a page of postbacks.

    Args:
        database: The ledger.
        catalog: The setup, with the names of all resources.
        wanted: Which of them.
        click_id: The click that they name; '' for any.
        asked: Which page. By time, a place is a cut: `next` of a page beside it. One of another sort is the beginning.
        now: The moment, in microseconds since the epoch.
        sort: By what.

    Raises:
        ValueError: The place is none of this list.
    """
    with database.read_transaction() as moment:
        newest = newest_place(moment, now).as_text()
        if sort.by != TIME:
            of_sort = asked.of_places(_PLACE_VALUES)
            page = (
                _of_click_sorted(_of_click(moment, wanted, click_id), sort, of_sort)
                if click_id
                else sorted_postbacks(moment, wanted, sort, of_sort)
            )
            if page is not None:
                return PostbackList(_shown(moment, catalog, JournalRows(page.rows)), "", newest, sort, page)
            sort = NEWEST_FIRST
        cut = str(asked.place[0]) if asked.place and len(asked.place) == 1 else ""
        is_before = asked.is_before and bool(cut)
        upward = sort.goes_down is is_before
        if click_id:
            found, following = _of_click_page(_of_click(moment, wanted, click_id), cut, asked.most, upward=upward)
            looked_to = None
        else:
            place = Place.from_text(cut) if cut else None
            read = postbacks_page(moment, wanted, place, asked.most, upward=upward)
            found, following, looked_to = read.rows, read.next.as_text() if read.next else "", read.looked_to
        rows = JournalRows(found.reverse()) if is_before else found
        return PostbackList(_shown(moment, catalog, rows), following, newest, sort, looked_to=looked_to)


def count_new_postbacks(database: Readable, wanted: Wanted, newest: str) -> int:
    """Count the postbacks that came since a page was read, no further than to NEWER_MOST.

    Args:
        database: The ledger.
        wanted: Which of them.
        newest: `newest` of that page.

    Raises:
        ValueError: `newest` is of no such page.
    """
    return count_newer(database, wanted, Place.from_text(newest), NEWER_MOST)


def read_postback(database: Readable, catalog: Catalog, batch_id: int, line: int) -> pl.DataFrame:
    """One postback, in the columns of `PostbackList.rows`; none where there is no such."""
    batch = batches_numbered(database, [batch_id]).get(batch_id)
    if batch is None or batch.kind is not BatchKind.POSTBACKS:
        return _shown(database, catalog, empty(JOURNAL))
    place = Place(batch.received_at // HOUR_MICROS, {batch_id: line + 1})
    found = postbacks_page(database, Wanted(), place, 1).rows
    return _shown(database, catalog, JournalRows(found.filter(batch_id=batch_id, line=line)))


def _of_click(database: Readable, wanted: Wanted, click_id: str) -> JournalRows:
    """The postbacks of one click: it has few."""
    if not CLICK_ID.fullmatch(click_id):
        return empty(JOURNAL)
    rows = read_journal(database, [click_id])
    rows = JournalRows(rows.filter(pl.col("batch_id").is_in(is_of_messages(database, rows["batch_id"]))))
    conditions = [pl.lit(value=True)]
    if wanted.outcomes:
        conditions.append(pl.col("outcome").is_in(list(wanted.outcomes)))
    if wanted.from_at is not None:
        conditions.append(pl.col("received_at") >= wanted.from_at)
    if wanted.to_at is not None:
        conditions.append(pl.col("received_at") < wanted.to_at)
    return JournalRows(rows.filter(*conditions))


def _of_click_page(rows: JournalRows, cut: str, most: int, *, upward: bool) -> tuple[JournalRows, str]:
    """A page of them by which of the click's rows they are, and the cut where it ends."""
    if cut:
        number = _click_place(cut)
        rows = JournalRows(rows.filter(pl.col("n") >= number if upward else pl.col("n") < number))
    chosen = rows.sort("n", descending=not upward)
    page = JournalRows(chosen.head(most))
    return page, f"n{page['n'][-1] + upward}" if chosen.height > most else ""


def _of_click_sorted(rows: JournalRows, sort: Sort, asked: Asked) -> SortedPage:
    column = {"payout": pl.col("payout").fill_null(LEAST), "decision": pl.col("outcome")}[sort.by]
    page = page_of_few(rows.with_columns(of_sort=column), ["of_sort", "received_at", "batch_id", "line"], sort, asked)
    return page._replace(rows=page.rows.drop("of_sort"))


def _click_place(cut: str) -> int:
    if not cut.startswith("n") or not (cut[1:].isascii() and cut[1:].isdigit()):
        raise ValueError("it is no place of a click's rows")
    return int(cut[1:])


def _shown(database: Readable, catalog: Catalog, rows: JournalRows) -> pl.DataFrame:
    batches = batches_numbered(database, distinct(rows["batch_id"]))
    origins = {batch_id: batch.origin.value for batch_id, batch in batches.items()}
    click_ids = distinct(rows.filter(pl.col("n") > 0)["click_id"])
    facts = read_click_facts(database, click_ids)
    networks = facts.select("click_id", network=name_of("network_id", catalog), is_known=pl.lit(value=True))
    return (
        with_messages_and_now(database, rows)
        .with_columns(
            origin=pl.col("batch_id").replace_strict(origins, default="", return_dtype=pl.String),
        )
        .join(networks, on="click_id", how="left", maintain_order="left")
        .with_columns(pl.col("network").fill_null(""), pl.col("is_known").fill_null(value=False))
    )

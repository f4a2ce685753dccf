"""Postbacks and pixels as people look at them: newest first, with the decision, its reason, and what holds now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.decide.messages import message_of
from trueup.ledger.batches import batches_numbered
from trueup.ledger.database import Database, Readable
from trueup.ledger.newest_postbacks import (
    HOUR_MICROS,
    Place,
    PostbackPage,
    Wanted,
    count_newer,
    is_of_messages,
    newest_place,
    postbacks_page,
)
from trueup.ledger.snapshot import read_click_facts, read_journal
from trueup.model.catalog import Catalog
from trueup.model.frames import JOURNAL, JournalRows, empty
from trueup.model.ids import CLICK_ID
from trueup.model.words import BatchKind, Origin, Outcome
from trueup.reports.filters import Filters, known_word, selection
from trueup.reports.names import name_of
from trueup.reports.now import with_now

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
    """Some postbacks, newest first."""

    rows: pl.DataFrame  # JOURNAL, NOW, `message`, `network`, `origin`, and whether the click `is_known`
    next: str  # where the next page begins, '' on the last one
    newest: str  # where the list began when it was read: what came later is counted from here
    looked_back_to: int | None = field(default=None)  # it ends at this moment, since so much was looked through


def read_postbacks(
    database: Database, catalog: Catalog, wanted: Wanted, click_id: str, after: str, most: int, now: int
) -> PostbackList:
    """Read a page of postbacks.

    Args:
        database: The ledger.
        catalog: The setup, with the names of all resources.
        wanted: Which of them.
        click_id: The click that they name; '' for any.
        after: `next` of the page before; '' for the newest.
        most: How many rows the page has at most.
        now: The moment, in microseconds since the epoch.

    Raises:
        ValueError: `after` is none of this list.
    """
    with database.read_transaction() as moment:
        newest = newest_place(moment, now).as_text()
        if click_id:
            rows, following = _of_click(moment, wanted, click_id, after, most)
            return PostbackList(_shown(moment, catalog, rows), following, newest)
        page = postbacks_page(moment, wanted, Place.from_text(after) if after else None, most)
        return _listed(moment, catalog, page, newest)


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


def _listed(database: Readable, catalog: Catalog, page: PostbackPage, newest: str) -> PostbackList:
    following = page.next.as_text() if page.next else ""
    return PostbackList(_shown(database, catalog, page.rows), following, newest, page.looked_back_to)


def _of_click(database: Readable, wanted: Wanted, click_id: str, after: str, most: int) -> tuple[JournalRows, str]:
    """The postbacks of one click, by which of its rows they are: a click has few."""
    if not CLICK_ID.fullmatch(click_id):
        return empty(JOURNAL), ""
    rows = read_journal(database, [click_id])
    rows = JournalRows(rows.filter(pl.col("batch_id").is_in(is_of_messages(database, rows["batch_id"]))))
    conditions = [pl.lit(value=True)]
    if wanted.outcomes:
        conditions.append(pl.col("outcome").is_in(list(wanted.outcomes)))
    if wanted.from_at is not None:
        conditions.append(pl.col("received_at") >= wanted.from_at)
    if wanted.to_at is not None:
        conditions.append(pl.col("received_at") < wanted.to_at)
    if after:
        conditions.append(pl.col("n") < _click_place(after))
    chosen = rows.filter(*conditions).sort("n", descending=True)
    page = JournalRows(chosen.head(most))
    return page, f"n{page['n'][-1]}" if chosen.height > most else ""


def _click_place(after: str) -> int:
    if not after.startswith("n") or not after[1:].isdigit():
        raise ValueError("it is no place of a click's rows")
    return int(after[1:])


def _shown(database: Readable, catalog: Catalog, rows: JournalRows) -> pl.DataFrame:
    batches = batches_numbered(database, rows["batch_id"].unique().to_list())
    origins = {batch_id: batch.origin.value for batch_id, batch in batches.items()}
    click_ids = rows.filter(pl.col("n") > 0)["click_id"].unique().sort().to_list()
    facts = read_click_facts(database, click_ids)
    networks = facts.select("click_id", network=name_of("network_id", catalog), is_known=pl.lit(value=True))
    return (
        with_now(database, rows)
        .with_columns(
            message=message_of(rows),
            origin=pl.col("batch_id").replace_strict(origins, default="", return_dtype=pl.String),
        )
        .join(networks, on="click_id", how="left", maintain_order="left")
        .with_columns(pl.col("network").fill_null(""), pl.col("is_known").fill_null(value=False))
    )

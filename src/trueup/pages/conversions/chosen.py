"""Which conversions an action means: those that were ticked, or all that the filters of the list let through."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request

from trueup.ledger.cells import read_conversion_cells
from trueup.ledger.database import Readable, ReadTransaction
from trueup.ledger.queries import LOGGED, Selection
from trueup.ledger.queries import read_conversions as read_selected
from trueup.ledger.snapshot import read_conversions
from trueup.model.frames import LoggedConversions, empty
from trueup.model.ids import split_conversion_id
from trueup.model.words import Status
from trueup.pages.conversions.filters import selection_of
from trueup.pages.lists.period import period_of
from trueup.pages.lists.query import Query
from trueup.pages.rendering import pages_of

TICKED: Final = "id"  # in the URL: a ticked conversion
ALL: Final = "all"  # in the URL: all that match, whatever is ticked
NONE_MATCH: Final = "No conversion matches any more. Nothing was changed."
_TICKED_MOST: Final = 1_000
_KEY: Final = ["click_id", "n"]


@dataclass(frozen=True)
class Chosen:
    """What an action means."""

    ids: tuple[str, ...]  # of the ticked conversions, each once
    keys: tuple[tuple[str, int], ...]  # the same
    selection: Selection | None  # where all that match are meant
    url: str  # the query by which the same are meant again
    list_url: str  # the list that they were chosen in


@dataclass(frozen=True)
class Tally:
    """How many they are, and what they are worth."""

    conversions: int
    worth: int  # micros of the workspace's currency, whatever their status
    by_status: tuple[tuple[Status, int, int], ...]  # status, conversions, worth


def chosen_of(request: Request) -> Chosen:
    """Read from the URL which conversions are meant. The forms of actions keep it.

    Raises:
        HTTPException: None is, or too many are ticked, or something ticked is no conversion.
        WrongWordError: A filter cannot be read.
    """
    query, catalog = Query(request), pages_of(request).context.catalog
    list_url = query.url("/conversions", id=None, all=None)
    if query.one(ALL) == "1":
        now = pages_of(request).context.clock()
        selection = selection_of(query, period_of(query, catalog.workspace.time_zone, now), catalog, now)
        return Chosen((), (), selection, query.url(id=None), list_url)
    ids = tuple(dict.fromkeys(query.all(TICKED)))
    keys = tuple(key for each in ids if (key := split_conversion_id(each)))
    if not ids or len(keys) < len(ids):
        raise HTTPException(422, "Tick the conversions first." if not ids else "Something ticked is no conversion.")
    if len(ids) > _TICKED_MOST:
        raise HTTPException(422, f"Tick {_TICKED_MOST:,} at most, or take all that match.")
    return Chosen(ids, keys, None, query.url(all=None), list_url)


def tally_of(transaction: ReadTransaction, chosen: Chosen) -> Tally:
    """Count what is meant, and sum it up."""
    if chosen.selection is None:
        rows: pl.DataFrame = read_ticked(transaction, chosen).with_columns(conversions=pl.lit(1))
    else:
        rows = read_conversion_cells(transaction, chosen.selection, [])
    sums = {
        status: (conversions, int(worth))
        for status, conversions, worth in rows.group_by("status")
        .agg(pl.col("conversions").sum(), pl.col("revenue").cast(pl.Int128).sum())
        .iter_rows()
    }
    by_status = tuple((status, *sums[status]) for status in Status if status in sums)
    return Tally(sum(each[1] for each in by_status), sum(each[2] for each in by_status), by_status)


def read_chosen(transaction: ReadTransaction, chosen: Chosen) -> Iterator[LoggedConversions]:
    """Read what is meant: LOGGED, in pages, one at least."""
    if chosen.selection is None:
        yield read_ticked(transaction, chosen)
    else:
        yield from read_selected(transaction, chosen.selection)


def read_ticked(database: Readable, chosen: Chosen) -> LoggedConversions:
    """Read the ticked conversions, in the order in which they were ticked: LOGGED, removed ones too.

    Raises:
        HTTPException: There is no such conversion.
    """
    if not chosen.keys:
        return empty(LOGGED)
    wanted = pl.DataFrame(chosen.keys, {"click_id": pl.String, "n": pl.Int64}, orient="row")
    stored = read_conversions(database, wanted["click_id"].unique().to_list())
    found = wanted.join(stored.select(*LOGGED), on=_KEY, how="inner", maintain_order="left")
    if found.height < wanted.height:
        raise HTTPException(404, "One of the conversions is not there. Choose them from the list anew.")
    return LoggedConversions(found.select(*LOGGED))


def named(chosen: Chosen, tally: Tally) -> str:
    """What is meant, for a title: `93 conversions`, or the one conversion's id."""
    if len(chosen.ids) == 1:
        return chosen.ids[0]
    return f"{tally.conversions:,} {'conversion' if tally.conversions == 1 else 'conversions'}"


def shown(rows: LoggedConversions) -> list[dict[str, Any]]:
    """Conversions for a template."""
    return rows.with_columns(conversion_id=pl.format("{}-{}", "click_id", "n")).to_dicts()

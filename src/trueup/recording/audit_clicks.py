"""What the audit proves of clicks: each is what its arrivals and rows make of it.

And every import brought what it says.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from trueup.decide.again import decided_again, moved_conversions
from trueup.ledger.arrivals import count_only_arrivals, read_stored_clicks
from trueup.ledger.database import Readable
from trueup.model.batches import BatchRecord
from trueup.model.frames import (
    STORED_CLICKS,
    ArrivalFacts,
    Arrivals,
    ClickFacts,
    Conversions,
    JournalRows,
    LaterPolicies,
    StoredClicks,
)
from trueup.model.past import Past, clicks_that_count
from trueup.model.sub_parameters import SetByRows, set_by_rows, with_set
from trueup.model.words import BatchKind, ClickOutcome

_ARRIVAL: Final = ["click_id", "batch_id"]


def set_by_past(past: Past, given: pl.DataFrame, undone_batch_ids: frozenset[int]) -> SetByRows:
    """Find what the rows of clicks set of them.

    Args:
        past: The past of these clicks, and of others.
        given: What the rows give (ROW_SUB_PARAMETERS).
        undone_batch_ids: The batches whose rows do not count.
    """
    if not given.height:
        return {}
    ids = given["click_id"].unique().implode()
    rows, later, arrivals = (
        frame.filter(pl.col("click_id").is_in(ids)) for frame in (past.rows, past.later, past.arrivals)
    )
    these = replace(past, rows=JournalRows(rows), later=LaterPolicies(later), arrivals=ArrivalFacts(arrivals))
    return set_by_rows(given, decided_again(these, without=undone_batch_ids).journal)


def clicks_differ(
    database: Readable, facts: ClickFacts, recorded: Arrivals, by_rows: SetByRows, undone_batch_ids: frozenset[int]
) -> list[str]:
    """Find clicks that are not what they arrived as, with what their rows set.

    Args:
        database: The ledger.
        facts: The clicks of a range that are stored: their ids and imports, at least.
        recorded: ARRIVALS of the range that are on record.
        by_rows: What rows set of the clicks of the range.
        undone_batch_ids: The imports that are undone, among other batches.

    Returns:
        What is wrong.
    """
    only = facts.join(recorded, on="click_id", how="anti")
    left = only.filter(pl.col("batch_id").is_in(list(undone_batch_ids)))
    return [
        *(f"click {click_id} is there, and its import {batch} is undone" for click_id, batch in _pairs(left)),
        *_numbered_wrongly(recorded),
        *_not_as_arrived(database, facts, recorded, by_rows, undone_batch_ids),
    ]


def _numbered_wrongly(recorded: Arrivals) -> list[str]:
    counted = recorded.group_by("click_id").agg(
        arrivals=pl.len(), last=pl.col("place").max(), ways=pl.col("batch_id").n_unique()
    )
    wrong = counted.filter((pl.col("arrivals") != pl.col("last")) | (pl.col("arrivals") != pl.col("ways")))
    return [
        f"click {click_id} has {arrivals} arrivals by {ways} ways, the last is numbered {last}"
        for click_id, arrivals, last, ways in wrong.iter_rows()
    ]


def _not_as_arrived(
    database: Readable, facts: ClickFacts, recorded: Arrivals, by_rows: SetByRows, undone_batch_ids: frozenset[int]
) -> list[str]:
    expected = with_set(StoredClicks(clicks_that_count(recorded, undone_batch_ids).select(*STORED_CLICKS)), by_rows)
    there = facts.join(recorded, on="click_id", how="semi")
    stored = read_stored_clicks(database, there["click_id"].to_list(), STORED_CLICKS).join(
        there, on="click_id", how="semi"
    )
    unrecorded = facts.filter(pl.col("click_id").is_in(list(by_rows))).join(recorded, on="click_id", how="anti")
    lost = expected.join(stored, on=_ARRIVAL, how="anti")
    odd = stored.join(expected, on=_ARRIVAL, how="anti")
    changed = expected.join(stored, on=list(STORED_CLICKS), how="anti").join(lost, on="click_id", how="anti")
    return [
        *(
            f"click {click_id} is not as batch {batch} brought it, with what its rows set"
            for click_id, batch in _pairs(changed)
        ),
        *(f"rows set sub-parameters of click {of}, and what it came with is lost" for of in unrecorded["click_id"]),
        *(f"click {click_id} is not there, and batch {batch} brought it" for click_id, batch in _pairs(lost)),
        *(
            f"click {click_id} is there as batch {batch} brought it, which does not count"
            for click_id, batch in _pairs(odd)
        ),
    ]


def counted_for_others(conversions: Conversions, facts: ClickFacts) -> list[str]:
    """Find conversions that are counted for another campaign, offer or time than their click's.

    Args:
        conversions: CONVERSIONS.
        facts: CLICK_FACTS of their clicks.

    Returns:
        What is wrong.
    """
    moved = moved_conversions(conversions, facts)
    return [
        f"conversion {click_id}-{n} is not counted for its click"
        for click_id, n in moved[["click_id", "n"]].iter_rows()
    ]


class Brought:
    """What each import brought: counted range by range."""

    def __init__(self, database: Readable) -> None:
        """Count the clicks that have arrived once."""
        self._new, self._known = Counter(count_only_arrivals(database)), Counter[int]()

    def add(self, recorded: Arrivals) -> None:
        """Count arrivals that are on record (ARRIVALS)."""
        counted = recorded.filter(pl.col("batch_id") > 0).group_by("batch_id", "was_known").len()
        for batch_id, was_known, arrivals in counted.iter_rows():
            (self._known if was_known else self._new)[batch_id] += arrivals

    def differs_from(self, batches: Sequence[BatchRecord]) -> list[str]:
        """Compare with what the imports say of themselves. Returns: what is wrong."""
        imports = {batch.batch_id: batch for batch in batches if batch.kind is BatchKind.CLICKS}
        return [
            *self._say_otherwise(imports.values()),
            *(
                f"clicks came by batch {batch_id}, which is no import of clicks"
                for batch_id in sorted({*self._new, *self._known} - imports.keys())
            ),
        ]

    def _say_otherwise(self, imports: Collection[BatchRecord]) -> list[str]:
        found = []
        for batch in imports:
            for outcome, counted in ((ClickOutcome.IMPORTED, self._new), (ClickOutcome.KNOWN, self._known)):
                said, there = batch.outcomes.get(outcome, 0), counted[batch.batch_id]
                if said != there:
                    found.append(
                        f"batch {batch.batch_id} says that {said:,} clicks were {outcome}, and {there:,} are there"
                    )
        return found


def _pairs(clicks: pl.DataFrame) -> list[tuple[str, int]]:
    return list(clicks.select(_ARRIVAL).iter_rows())

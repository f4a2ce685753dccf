"""Decide some clicks' rows again from nothing, and say what differs from what is stored (docs/ledger.md).

An undo, the undo of an undo, parked rows whose click has come, and the audit all do this, with different arguments.
"""

import polars as pl

from trueup.decide.effects import final_conversions
from trueup.decide.pipeline import Decisions, decide
from trueup.decide.rounds import STEPS, Steps
from trueup.decide.terms import Policies
from trueup.model.frames import BATCH, CONVERSIONS, MUTABLE, BatchRows, ClickFacts, Conversions, JournalRows, TurnedRows
from trueup.model.snapshot import NOTHING_STORED, Snapshot
from trueup.model.words import Outcome

# Decided once, when the row was received.
_STANDING = [Outcome.REFUSED_UNKNOWN_CLICK.value, Outcome.REFUSED_TOO_MANY_ROWS.value]
_COMPARED = [name for name in MUTABLE if name != "version"]


def decide_again(
    journal: JournalRows, snapshot: Snapshot, policies: Policies, *, without: frozenset[int], by_batch: int | None
) -> Steps:
    """Find out what the conversions of some clicks should be, as the difference from what is stored.

    Args:
        journal: All JOURNAL rows of these clicks.
        snapshot: The facts and the stored conversions of these clicks.
        policies: The policies that the rows were received under.
        without: The undone batches, whose rows are left out.
        by_batch: The batch that the changes are recorded for, None where they are not recorded.

    Returns:
        STEPS; no rows where nothing differs. A conversion that no row makes any more becomes `removed`.
    """
    decided = decided_again(journal, snapshot.clicks, policies, without=without)
    return _difference(snapshot.conversions, final_conversions(decided.steps), by_batch)


def turned_rows(
    journal: JournalRows, clicks: ClickFacts, policies: Policies, *, before: frozenset[int], after: frozenset[int]
) -> TurnedRows:
    """Find the rows whose outcome changes when other batches are left out than before.

    Args:
        journal: All JOURNAL rows of some clicks.
        clicks: CLICK_FACTS of those clicks that are known.
        policies: The policies that the rows were received under.
        before: The batches that are left out now.
        after: The batches that are to be left out.

    Returns:
        JOURNAL with the outcomes after the change, and the outcome before it as `was`. Rows that are left out before or
        after are not among them.
    """
    # Most clicks have rows of one batch only.
    others = journal.filter(~pl.col("batch_id").is_in(list(before ^ after)))["click_id"].unique()
    shared = JournalRows(journal.filter(pl.col("click_id").is_in(others.implode())))
    was, becomes = (decided_again(shared, clicks, policies, without=without).journal for without in (before, after))
    known = was.select("click_id", "n", was="outcome")
    turned = becomes.join(known, on=["click_id", "n"], how="inner")
    return TurnedRows(turned.filter(pl.col("was") != pl.col("outcome")))


def decided_again(
    journal: JournalRows, clicks: ClickFacts, policies: Policies, *, without: frozenset[int]
) -> Decisions:
    """Decide the rows of some clicks from nothing.

    Args:
        journal: All JOURNAL rows of these clicks.
        clicks: CLICK_FACTS of those clicks that are known.
        policies: The policies that the rows were received under.
        without: The batches whose rows are left out.

    Returns:
        The decisions about the other rows.
    """
    rows = journal.filter(~pl.col("batch_id").is_in(list(without))).with_columns(refusal=_standing_refusal())
    from_nothing = Snapshot(clicks, NOTHING_STORED.conversions, NOTHING_STORED.last_rows)
    return decide(BatchRows(rows.select(*BATCH)), from_nothing, policies)


def _standing_refusal() -> pl.Expr:
    """Whether a row was refused for good when it was received: deciding again keeps the refusal.

    Refused for good are rows refused on sight, rows of an unknown click in a workspace that does not park, and rows
    that were too many for their click.
    """
    stands = pl.col("outcome").is_in(_STANDING) & (pl.col("refusal") == "")
    return pl.when(stands).then(pl.col("outcome")).otherwise(pl.col("refusal"))


def _difference(stored: Conversions, folded: Conversions, by_batch: int | None) -> Steps:
    was = stored.select("click_id", "n", *(pl.col(name).alias(f"was_{name}") for name in MUTABLE))
    kept = folded.join(was, on=["click_id", "n"], how="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"was_{name}")) for name in _COMPARED)
    gone = stored.filter(pl.col("removed") == 0).join(folded, on=["click_id", "n"], how="anti")
    gone = gone.select(*CONVERSIONS, *(pl.col(name).alias(f"was_{name}") for name in MUTABLE)).with_columns(removed=1)
    steps = pl.concat([kept.filter(differs), gone.select(kept.columns)], how="vertical_relaxed")
    steps = steps.with_columns(
        version=pl.col("was_version").fill_null(0) + 1, by_batch=pl.lit(by_batch or 0), by_line=pl.lit(0)
    )
    return Steps(steps.select(pl.col(name).cast(dtype) for name, dtype in STEPS.items()))

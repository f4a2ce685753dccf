"""Decide some clicks' rows again from nothing, and say what differs from what is stored (docs/ledger.md).

An undo, the undo of an undo, parked rows whose click has come, rows under a later policy, and the audit all do this,
with different arguments.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from trueup.decide.effects import final_conversions
from trueup.decide.pipeline import Decisions, decide
from trueup.decide.rounds import STEPS, Steps
from trueup.model.frames import (
    BATCH,
    CLICK_FACTS,
    CONVERSIONS,
    MUTABLE,
    BatchRows,
    ClickFacts,
    Conversions,
    JournalRows,
    NumberedClicks,
    TurnedRows,
)
from trueup.model.past import Past, clicks_that_count
from trueup.model.snapshot import NOTHING_STORED, Snapshot
from trueup.model.words import Outcome

# Decided once, when the row was received; the second until the click turns out to have come before the row, or the row
# has a later policy.
_TOO_MANY, _UNKNOWN_CLICK = Outcome.REFUSED_TOO_MANY_ROWS.value, Outcome.REFUSED_UNKNOWN_CLICK.value
_COMPARED = [name for name in MUTABLE if name != "version"]
_OF_CLICK = [name for name in CLICK_FACTS if name != "click_id"]


def _standing_refusal() -> pl.Expr:
    """Whether a row was refused for good when it was received: deciding again keeps the refusal.

    Refused for good are rows refused on sight, and rows that were too many for their click; and so are rows of an
    unknown click in a workspace that does not park, unless an arrival of the click counts again that came before them,
    or a person has them decided by a later policy.
    """
    is_late = pl.col("after_n").is_null() | (pl.col("n") <= pl.col("after_n"))
    had_no_click = (pl.col("outcome") == _UNKNOWN_CLICK) & is_late & pl.col("later").is_null()
    stands = (pl.col("outcome") == _TOO_MANY) | had_no_click
    return pl.when(stands & (pl.col("refusal") == "")).then(pl.col("outcome")).otherwise(pl.col("refusal"))


_STANDING_REFUSAL: Final = _standing_refusal().alias("refusal")
_POLICY: Final = pl.coalesce("later", "policy_id").alias("policy_id")
_MOVED: Final = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_now") for name in _OF_CLICK)
_AS_BEFORE: Final = [pl.col(name).alias(f"was_{name}") for name in MUTABLE]
_DIFFERS: Final = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"was_{name}")) for name in _COMPARED)
_AS_STEPS: Final = [pl.col(name).cast(dtype) for name, dtype in STEPS.items()]


def decide_again(past: Past, conversions: Conversions, *, without: frozenset[int], by_batch: int | None) -> Steps:
    """Find out what the conversions of some clicks should be, as the difference from what is stored.

    Args:
        past: The past of these clicks.
        conversions: Those of them that are stored.
        without: The undone batches, whose rows, arrivals and later policies are left out.
        by_batch: The batch that the changes are recorded for, None where they are not recorded.

    Returns:
        STEPS; no rows where nothing differs. A conversion that no row makes any more becomes `removed`.
    """
    decided = decided_again(past, without=without)
    return _difference(conversions, final_conversions(decided.steps), by_batch)


def turned_rows(past: Past, *, before: frozenset[int], after: frozenset[int]) -> TurnedRows:
    """Find the rows whose outcome changes when other batches are left out than before.

    Args:
        past: The past of some clicks.
        before: The batches that are left out now.
        after: The batches that are to be left out.

    Returns:
        JOURNAL with the outcomes after the change, and the outcome before it as `was`. Rows that are left out before or
        after are not among them.
    """
    # Most clicks have rows of one batch only.
    others = past.rows.filter(~pl.col("batch_id").is_in(list(before ^ after)))["click_id"].unique()
    shared = replace(past, rows=JournalRows(past.rows.filter(pl.col("click_id").is_in(others.implode()))))
    was, becomes = (decided_again(shared, without=without).journal for without in (before, after))
    known = was.select("click_id", "n", was="outcome")
    turned = becomes.join(known, on=["click_id", "n"], how="inner")
    return TurnedRows(turned.filter(pl.col("was") != pl.col("outcome")))


def decided_again(past: Past, *, without: frozenset[int]) -> Decisions:
    """Decide the rows of some clicks from nothing.

    Args:
        past: The past of these clicks.
        without: The batches whose rows, arrivals and later policies are left out.

    Returns:
        The decisions about the other rows.
    """
    left_out = pl.col("batch_id").is_in(list(without))
    clicks = clicks_that_count(past.arrivals, without)
    holding = (
        past.later.filter(~left_out).sort("batch_id").group_by("click_id", "n").agg(later=pl.col("policy_id").last())
    )
    rows = (
        past.rows.filter(~left_out)
        .join(clicks.select("click_id", "after_n"), on="click_id", how="left", maintain_order="left")
        .join(holding, on=["click_id", "n"], how="left", maintain_order="left")
        .with_columns(_STANDING_REFUSAL, _POLICY)
    )
    facts = ClickFacts(clicks.select(*CLICK_FACTS))
    from_nothing = Snapshot(facts, NOTHING_STORED.conversions, NOTHING_STORED.last_rows)
    return decide(BatchRows(rows.select(*BATCH)), from_nothing, past.policies)


def moved_conversions(conversions: Conversions, clicks: ClickFacts | NumberedClicks) -> Conversions:
    """Find the conversions whose click has become another than the one they are counted for.

    Args:
        conversions: Those that are stored.
        clicks: Those of their clicks that are known.

    Returns:
        The conversions, with the facts that they are counted for.
    """
    there = conversions.filter(pl.col("removed") == 0)
    both = there.join(clicks.select(*CLICK_FACTS), on="click_id", how="inner", suffix="_now")
    return Conversions(both.filter(_MOVED).select(*CONVERSIONS))


def _difference(stored: Conversions, folded: Conversions, by_batch: int | None) -> Steps:
    was = stored.select("click_id", "n", *_AS_BEFORE)
    kept = folded.join(was, on=["click_id", "n"], how="left")
    gone = stored.filter(pl.col("removed") == 0).join(folded, on=["click_id", "n"], how="anti")
    gone = gone.select(*CONVERSIONS, *_AS_BEFORE).with_columns(removed=1)
    steps = pl.concat([kept.filter(_DIFFERS), gone.select(kept.columns)], how="vertical_relaxed")
    steps = steps.with_columns(
        version=pl.col("was_version").fill_null(0) + 1, by_batch=pl.lit(by_batch or 0), by_line=pl.lit(0)
    )
    return Steps(steps.select(_AS_STEPS))

"""The steps of the rules, in order: from a batch, what the ledger holds of its clicks, and the policies, to outcomes.

It is pure: the same arguments give the same decisions. How rows are grouped into batches makes no difference.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.decide.duplicates import acting_mode
from trueup.decide.payouts import with_revenue, without_idle_currency
from trueup.decide.refusals import any_refused, with_details, with_refusals
from trueup.decide.rounds import Steps, Verdicts, play_rounds
from trueup.decide.terms import Policies, with_terms
from trueup.decide.times import with_moments
from trueup.model.frame_ops import FEW, collect_unoptimized, is_each_once, left_join
from trueup.model.frames import BATCH, JOURNAL, BatchRows, JournalRows, UndecidedRows
from trueup.model.snapshot import Snapshot
from trueup.model.words import DEFAULT_TYPE, Outcome, RowKind

# Rows with one of these outcomes get no n: they have no usable click id, or their sender may not report this click.
_OF_NO_CLICK: Final = [
    Outcome.REFUSED_NOT_ALLOWED.value,
    Outcome.REFUSED_MALFORMED_ROW.value,
    Outcome.REFUSED_MISSING_CLICK_ID.value,
    Outcome.REFUSED_BAD_CLICK_ID.value,
]

_USABLE: Final = ~pl.col("refusal").is_in(_OF_NO_CLICK)
_PLACE: Final = _USABLE.cast(pl.Int64)
# Rows stand click by click, so what was counted before a click holds until the next one: much quicker than `over`.
_BEGINS_A_CLICK: Final = pl.col("click").ne_missing(pl.col("click").shift())
_BEFORE_ITS_CLICK: Final = pl.when(_BEGINS_A_CLICK).then(_PLACE.cum_sum() - _PLACE).forward_fill()
_PLACE_IN_CLICK: Final = _PLACE.cum_sum() - _BEFORE_ITS_CLICK
_IS_CONVERSION: Final = pl.col("kind") == RowKind.CONVERSION
# A conversion without a type has the default one; a status update without one is for every type.
_NO_TYPE: Final = _IS_CONVERSION & (pl.col("conversion_type") == "")
_TYPE: Final = (
    pl.when(_NO_TYPE).then(pl.lit(DEFAULT_TYPE)).otherwise(pl.col("conversion_type")).alias("conversion_type")
)
_ACTING_MODE: Final = acting_mode()
_IN_ORDER: Final = [pl.int_range(pl.len(), dtype=pl.UInt32).alias("index"), pl.col("click_id").rle_id().alias("click")]
_THE_ONLY: Final = [pl.Series(name, [0], pl.UInt32) for name in ("index", "click")]  # of a single row
_FACTS: Final = pl.col("campaign_id", "offer_id", "network_id", "traffic_source_id", "click_number").fill_null(0)

_REFUSED_VERDICT: Final = [
    "index",
    pl.col("refused").alias("outcome"),
    pl.lit(0, pl.Int64).alias("conversion_n"),
    "detail",
]
_SUM_REFUSED: Final = Outcome.REFUSED_BAD_PAYOUT.value  # of a row that the rounds refuse, for its sum
_MODE: Final = ["mode", "mode_from"]
_ASKED_ITS_MODE: Final = [
    outcome.value for outcome in tuple(Outcome)[tuple(Outcome).index(Outcome.REFUSED_MANUAL_STATUS) :]
]
_MODE_WHERE_ASKED: Final = [
    pl.when(pl.col("outcome").is_in(_ASKED_ITS_MODE)).then(pl.col(name)).otherwise(pl.lit("")).alias(name)
    for name in _MODE
]
_TOLD: Final = ["outcome", "conversion_n", "detail"]
_JOURNAL: Final = list(JOURNAL)
_RECEIVED: Final = [name for name in BATCH if name != "detail"]


@dataclass(frozen=True)
class Decisions:
    """The decisions about the rows of a batch."""

    journal: JournalRows  # every row with its n, outcome and conversion, ordered by click
    steps: Steps  # conversions before -> after, those of one click in order


def decide(batch: BatchRows, snapshot: Snapshot, policies: Policies) -> Decisions:
    """Decide the rows of a batch.

    Args:
        batch: BATCH rows. The rows of one click stand in the order in which they came. Where `n` is null, the rows are
            new and follow the click's stored rows; where it is given, they are decided again.
        snapshot: What is stored of their clicks.
        policies: Every policy that the rows name.

    Returns:
        One outcome for each row, and what changes.
    """
    placed = _placed(batch, snapshot)
    rows = with_terms(with_moments(without_idle_currency(placed), policies), policies)
    plan = with_revenue(rows).with_columns_seq(_TYPE, *(_ACTING_MODE if _names_some(rows) else []))
    rows = UndecidedRows(collect_unoptimized(with_refusals(plan, are_new=_are_new(batch))))
    played = rows
    if any_refused(rows):
        rows = with_details(rows)
        played = UndecidedRows(rows.filter(rows["is_played"]))
    verdicts, steps = play_rounds(played, snapshot.conversions)
    return Decisions(journal=_with_verdicts(placed, rows, verdicts), steps=steps)


def _placed(batch: BatchRows, snapshot: Snapshot) -> UndecidedRows:
    """Put the rows of each click one after another, each with its n and the facts of its click.

    New rows are counted on from the rows that their click has had, refused ones too.
    """
    are_new = _are_new(batch)
    rows = left_join(_in_order(batch, are_new=are_new), snapshot.clicks, "click_id")
    if not are_new:
        return UndecidedRows(collect_unoptimized(rows.lazy().with_columns_seq(_FACTS)))
    n = _PLACE if is_each_once(batch["click_id"]) else _PLACE_IN_CLICK
    if snapshot.last_rows.height:
        rows = left_join(rows, snapshot.last_rows, "click_id")
        n = n + pl.col("last_n").fill_null(0)
    numbered = rows.lazy().with_columns_seq(_FACTS, n=pl.when(_USABLE).then(n).otherwise(0))
    return UndecidedRows(collect_unoptimized(numbered))


def _in_order(batch: BatchRows, *, are_new: bool) -> pl.DataFrame:
    if batch.height == 1:  # as most postbacks come
        return batch.hstack(_THE_ONLY)
    order = ["click_id"] if are_new else ["click_id", "n"]
    ordered = batch.lazy().sort(order, maintain_order=True, multithreaded=batch.height > FEW)
    return collect_unoptimized(ordered.with_columns_seq(_IN_ORDER))


def _are_new(batch: BatchRows) -> bool:
    """Whether the rows are received now and have no n yet."""
    return batch["n"].null_count() > 0


def _with_verdicts(placed: UndecidedRows, rows: UndecidedRows, verdicts: Verdicts) -> JournalRows:
    """Every row with its outcome: the verdict of the rounds, or the refusal of a row that the rounds do not play."""
    if verdicts.height < rows.height:
        verdicts = Verdicts(pl.concat([verdicts, rows.filter(~rows["is_played"]).select_seq(_REFUSED_VERDICT)]))
    if not verdicts["index"].is_sorted():  # most batches have one round, and it keeps their order
        verdicts = Verdicts(verdicts.sort("index", multithreaded=rows.height > FEW))
    told = verdicts[:, _TOLD].hstack(rows[:, _MODE])
    if any_refused(rows) or _names_some(rows) or (told["outcome"] == _SUM_REFUSED).any():
        told = told.with_columns_seq(_MODE_WHERE_ASKED)
    return JournalRows(placed[:, _RECEIVED].hstack(told)[:, _JOURNAL])


def _names_some(rows: UndecidedRows) -> bool:
    """Whether some of the rows name their conversion."""
    return rows["target_n"].null_count() < rows.height

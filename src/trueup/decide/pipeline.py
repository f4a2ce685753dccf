"""The rules in their order: a batch, what the ledger holds of its clicks, and the policies give one outcome per row.

Pure: the same arguments give the same decisions. How rows were grouped into batches makes no difference to them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from trueup.decide.duplicates import acting_mode
from trueup.decide.payouts import with_revenue
from trueup.decide.refusals import with_refusals
from trueup.decide.rounds import play_rounds
from trueup.decide.terms import Policies, with_terms
from trueup.model.batch import JOURNAL
from trueup.model.snapshot import Snapshot
from trueup.model.words import DEFAULT_TYPE, Outcome, RowKind

# Rows refused for one of these have no usable click id: no click's order counts them.
_NO_USABLE_CLICK: Final = [
    Outcome.REFUSED_MALFORMED_ROW.value,
    Outcome.REFUSED_MISSING_CLICK_ID.value,
    Outcome.REFUSED_BAD_CLICK_ID.value,
]

_USABLE: Final = ~pl.col("refusal").is_in(_NO_USABLE_CLICK)
_PLACE: Final = _USABLE.cast(pl.Int64)
_PLACE_IN_CLICK: Final = _PLACE.cum_sum().over("click")
_IS_CONVERSION: Final = pl.col("kind") == RowKind.CONVERSION
_NO_TYPE: Final = _IS_CONVERSION & (pl.col("conversion_type") == "")
_TYPE: Final = (
    pl.when(_NO_TYPE).then(pl.lit(DEFAULT_TYPE)).otherwise(pl.col("conversion_type")).alias("conversion_type")
)
_MODE: Final = acting_mode().alias("mode")

# Rows whose outcome hangs on their click's conversions.
_NAMES_CONVERSIONS: Final = pl.col("target_n").is_not_null() | ~_IS_CONVERSION
_IS_PLAYED: Final = (pl.col("refused_early") == "") & ((pl.col("refused_late") == "") | _NAMES_CONVERSIONS)
_REFUSED: Final = pl.when(pl.col("refused_early") != "").then(pl.col("refused_early")).otherwise(pl.col("refused_late"))
_REFUSED_VERDICT: Final = ["index", _REFUSED.alias("outcome"), pl.lit(0, pl.Int64).alias("conversion_n"), "detail"]


@dataclass(frozen=True)
class Decisions:
    """What a batch comes to."""

    journal: pl.DataFrame  # JOURNAL: every row with its n, outcome and conversion, ordered by click
    steps: pl.DataFrame  # STEPS: conversions before -> after, a click's in their order


def decide(batch: pl.DataFrame, snapshot: Snapshot, policies: Policies) -> Decisions:
    """Decide a batch.

    Takes: BATCH rows, a click's in the order they came (`n` null: they follow the click's stored rows; given: they are
    decided again as those); the stored facts of their clicks; every policy the rows name.
    """
    batch = _numbered(_in_click_order(batch), snapshot)
    rows: pl.DataFrame = batch
    for step in _steps(snapshot, policies):
        rows = step(rows)
    verdicts, steps = play_rounds(rows.filter(_IS_PLAYED), _with_click(snapshot.conversions, rows))
    return Decisions(journal=_with_verdicts(batch, rows, verdicts), steps=steps)


def _steps(snapshot: Snapshot, policies: Policies) -> list[Callable[[pl.DataFrame], pl.DataFrame]]:
    """What every row is looked at for before its click's conversions are; each adds columns, none drops a row."""
    return [
        lambda rows: _with_click_facts(rows, snapshot.clicks),
        lambda rows: with_terms(rows, policies),
        _with_defaults,
        with_revenue,
        with_refusals,
    ]


def _in_click_order(batch: pl.DataFrame) -> pl.DataFrame:
    order = ["click_id"] if batch["n"].null_count() else ["click_id", "n"]
    batch = batch.sort(order, maintain_order=True)
    return batch.with_columns(index=pl.int_range(pl.len(), dtype=pl.UInt32), click=pl.col("click_id").rle_id())


def _numbered(batch: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """Give rows their n: a click's rows are counted on from those it has had, whatever became of them."""
    if not batch["n"].null_count():
        return batch
    n = _PLACE if batch["click"].is_unique().all() else _PLACE_IN_CLICK
    if snapshot.last_rows.height:
        batch = batch.join(snapshot.last_rows, on="click_id", how="left", maintain_order="left")
        n = n + pl.col("last_n").fill_null(0)
    return batch.with_columns(n=pl.when(_USABLE).then(n).otherwise(0)).drop("last_n", strict=False)


def _with_click_facts(rows: pl.DataFrame, clicks: pl.DataFrame) -> pl.DataFrame:
    rows = rows.join(clicks, on="click_id", how="left", maintain_order="left")
    return rows.with_columns(pl.col("campaign_id", "offer_id", "network_id", "traffic_source_id").fill_null(0))


def _with_defaults(rows: pl.DataFrame) -> pl.DataFrame:
    """A conversion without a type has the default one; a status update without one is for every type."""
    return rows.with_columns(_TYPE, _MODE)


def _with_click(conversions: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The stored conversions with the number that this batch gives their click."""
    if not conversions.height:
        return conversions.with_columns(click=pl.lit(0, dtype=pl.UInt32))
    return conversions.join(rows.select("click_id", "click").unique(), on="click_id")


def _with_verdicts(batch: pl.DataFrame, rows: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Every row with its outcome: as the rounds said, or as it was refused without one."""
    if verdicts.height < batch.height:
        verdicts = pl.concat([verdicts, rows.filter(~_IS_PLAYED).select(_REFUSED_VERDICT)])
    told = verdicts.sort("index")
    return batch.with_columns(told["outcome"], told["conversion_n"], told["detail"]).select(*JOURNAL)

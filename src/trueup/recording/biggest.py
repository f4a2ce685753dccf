"""The conversions that a batch would change most in money: what a preview shows of them.

A change is first what it adds to the revenue that counts. Where that is the same, what it moves between the statuses
decides: a pending sale that is declined changes no revenue, and is a loss all the same.
"""

from typing import Any, Final

import polars as pl

from trueup.decide.rounds import Steps
from trueup.model.counting import is_paid
from trueup.model.frames import Schema, empty
from trueup.model.ids import conversion_id
from trueup.model.money import text_from_micros
from trueup.model.words import Status

MOST: Final = 10

BIGGEST: Final[Schema] = {
    "click_id": pl.String,
    "n": pl.Int64,
    "conversion_type": pl.String,
    "line": pl.Int64,  # the last line that changes it; of an undo, of the file that said what holds then
    "was_status": pl.String,  # null: it is not there before, like the two below
    "was_payout": pl.Int64,
    "was_currency": pl.String,
    "status": pl.String,  # null: it is not there after, like the two below
    "payout": pl.Int64,
    "currency": pl.String,
    "change": pl.Int64,  # of the revenue that counts, micros of the workspace's currency
    "moved": pl.Int64,  # the most that revenue, pending revenue or declined revenue changes by
}
NOTHING_BIG: Final = empty(BIGGEST)

_KEY: Final = ["click_id", "n"]
_SEEN: Final = ("status", "payout", "currency")
_REVENUE: Final = pl.col("revenue")
_SUMS: Final = {
    "change": _REVENUE.filter(is_paid()).sum(),
    "pending": _REVENUE.filter(pl.col("status") == Status.PENDING).sum(),
    "declined": _REVENUE.filter(pl.col("status") == Status.DECLINED).sum(),
}
_IS_THERE: Final = pl.col("removed") == 0
_WAS_THERE: Final = pl.col("was_version").is_not_null() & (pl.col("was_removed") == 0)
_BY_SIZE: Final = [pl.col("change").abs(), pl.col("moved"), pl.col("line"), pl.col("click_id"), pl.col("n")]
_DESCENDING: Final = [True, True, False, False, False]


def biggest_changes(so_far: pl.DataFrame, steps: Steps) -> pl.DataFrame:
    """Take more steps into account.

    Args:
        so_far: BIGGEST of the steps before.
        steps: STEPS; all of a conversion's that a preview decides are among them.

    Returns:
        BIGGEST, the biggest first.
    """
    steps = _that_may_be_big(so_far, steps)
    if not steps.height:
        return so_far
    after = steps.lazy().filter(_IS_THERE).select(*_KEY, "by_line", "status", "revenue")
    was = steps.lazy().filter(_WAS_THERE).select(*_KEY, "by_line", status="was_status", revenue=-pl.col("was_revenue"))
    sums = pl.concat([after, was]).group_by(_KEY).agg(**_SUMS, line=pl.col("by_line").max())
    moved = pl.max_horizontal(pl.col(name).abs() for name in _SUMS)
    found = _first(sums.with_columns(moved=moved).filter(pl.col("moved") > 0).drop("pending", "declined").collect())
    return _first(pl.concat([so_far, _described(found, steps)]))


def _that_may_be_big(so_far: pl.DataFrame, steps: Steps) -> Steps:
    """Leave out most steps of conversions that change too little to be among the biggest: to sum them up is slow.

    A conversion changes by no more than what its last step leaves and what its first step found.
    """
    least = abs(so_far["change"][-1]) if so_far.height == MOST else 0
    if not least or not steps.height:
        return steps
    is_one_each = steps.select(pl.struct(_KEY).n_unique()).item() == steps.height
    size = _REVENUE.abs() + pl.col("was_revenue").abs().fill_null(0)
    big = steps.filter(size >= least if is_one_each else 2 * size >= least)
    return Steps(big if is_one_each or not big.height else steps.join(big.select(_KEY), on=_KEY, how="semi"))


def _described(found: pl.DataFrame, steps: Steps) -> pl.DataFrame:
    """Sums of a few conversions, with what these were before and are after."""
    mine = steps.lazy().join(found.lazy().select(_KEY), on=_KEY, how="semi", maintain_order="left")
    was_there, is_there = _WAS_THERE.first(), _IS_THERE.last()
    ends = mine.group_by(_KEY).agg(
        pl.col("conversion_type").last(),
        *(pl.when(was_there).then(pl.col(f"was_{name}").first()).alias(f"was_{name}") for name in _SEEN),
        *(pl.when(is_there).then(pl.col(name).last()).alias(name) for name in _SEEN),
    )
    return found.lazy().join(ends, on=_KEY).select(*BIGGEST).collect()


def _first(found: pl.DataFrame) -> pl.DataFrame:
    return found.sort(_BY_SIZE, descending=_DESCENDING).head(MOST)


def big_as_json(biggest: pl.DataFrame) -> list[dict[str, Any]]:
    """BIGGEST as programs are told it, money as decimal strings."""
    return [
        {
            "conversion_id": conversion_id(row["click_id"], row["n"]),
            "conversion_type": row["conversion_type"],
            "line": row["line"],
            "before": _state(row["was_status"], row["was_payout"], row["was_currency"]),
            "after": _state(row["status"], row["payout"], row["currency"]),
            "revenue_change": text_from_micros(row["change"]),
        }
        for row in biggest.iter_rows(named=True)
    ]


def _state(status: str | None, payout: int | None, currency: str | None) -> dict[str, Any] | None:
    if status is None or payout is None:
        return None
    return {"status": status, "payout": text_from_micros(payout), "currency": currency}

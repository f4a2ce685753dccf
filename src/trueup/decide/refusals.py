"""Why a row is not accepted, in order of precedence: the first condition that holds is its outcome.

A row may name a conversion, and whether its click has that conversion is known only once the rows before it are
decided. So there are two lists: refusals above that question, and refusals below it.
"""

from typing import Final

import polars as pl

from trueup.decide.payouts import too_large_to_count
from trueup.decide.times import before_click, in_future, iso
from trueup.model.words import Outcome, UnknownClick

_IS_KNOWN = pl.col("clicked_at").is_not_null()
_WAITS = pl.col("unknown_click") == UnknownClick.PARK

BEFORE_THE_TARGET: Final = (
    (Outcome.REFUSED_UNKNOWN_TYPE, ~pl.col("type_is_known")),
    (Outcome.PARKED_UNKNOWN_CLICK, ~_IS_KNOWN & _WAITS),
    (Outcome.REFUSED_UNKNOWN_CLICK, ~_IS_KNOWN),
    (Outcome.REFUSED_UNKNOWN_CURRENCY, pl.col("rate").is_null()),
    (Outcome.REFUSED_BAD_PAYOUT, too_large_to_count()),
    (Outcome.REFUSED_UNKNOWN_STATUS, ~pl.col("status_is_known")),
)

AFTER_THE_TARGET: Final = (
    (Outcome.REFUSED_BEFORE_CLICK, before_click()),
    (Outcome.REFUSED_IN_FUTURE, in_future()),
    (Outcome.REFUSED_TOO_MANY_ROWS, pl.col("n") > pl.col("rows_per_click")),
)

# What a message adds to the row's own fields.
_DETAILS: Final = {
    Outcome.REFUSED_UNKNOWN_TYPE: pl.col("nearest_types"),
    Outcome.REFUSED_BEFORE_CLICK: iso(pl.col("clicked_at")),
    Outcome.REFUSED_TOO_MANY_ROWS: pl.col("rows_per_click").cast(pl.String),
    Outcome.REFUSED_UNKNOWN_CURRENCY: pl.col("paid_currency"),
    Outcome.REFUSED_BAD_PAYOUT: pl.lit("it is too large in the workspace's currency"),
}


def _first_of(refusals: tuple[tuple[Outcome, pl.Expr], ...]) -> pl.Expr:
    first: pl.Expr = pl.lit("")
    for outcome, holds in reversed(refusals):
        first = pl.when(holds).then(pl.lit(outcome.value)).otherwise(first)
    return first


# Made once: making expressions anew would cost a small batch more than running them.
_EARLY: Final = (
    pl.when(pl.col("refusal") != "")
    .then(pl.col("refusal"))
    .otherwise(_first_of(BEFORE_THE_TARGET))
    .alias("refused_early")
)
_LATE: Final = _first_of(AFTER_THE_TARGET).alias("refused_late")
_SHOWN: Final = pl.when(pl.col("refused_early") != "").then(pl.col("refused_early")).otherwise(pl.col("refused_late"))


def with_refusals(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `refused_early` and `refused_late`, each an outcome or '': what holds above and below the target.

    Takes: rows with their click's facts, their terms and their revenue. Sets `detail` where a message needs one.
    """
    rows = rows.with_columns(_EARLY, _LATE)
    if (rows["refused_early"] == "").all() and (rows["refused_late"] == "").all():
        return rows
    detail = pl.col("detail")
    for outcome, text in _DETAILS.items():
        detail = pl.when(pl.lit(outcome.value).eq(_SHOWN) & (pl.col("refusal") == "")).then(text).otherwise(detail)
    return rows.with_columns(detail=detail)

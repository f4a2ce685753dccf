"""Why a row is not accepted: the first condition that holds is its outcome (docs/outcomes.md).

A row may name a conversion. Whether its click has that conversion is known only when the rows before it are decided. So
there are two lists: refusals that come before `refused_unknown_conversion`, and refusals that come after it.

A click takes only so many rows. That limit is checked once, when a row is received, and never when it is decided again.
"""

from typing import Final

import polars as pl

from trueup.decide.payouts import too_large_to_count
from trueup.decide.times import before_click, given_time, in_future
from trueup.model.frames import UndecidedRows
from trueup.model.times import seconds_text
from trueup.model.words import Outcome, RowKind, UnknownClick

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
)
AT_THE_DOOR: Final = ((Outcome.REFUSED_TOO_MANY_ROWS, pl.col("n") > pl.col("rows_per_click")),)

# What messages need besides the row's own fields.
_DETAILS: Final = {
    Outcome.REFUSED_UNKNOWN_TYPE: pl.col("nearest_types"),
    Outcome.REFUSED_BEFORE_CLICK: seconds_text(pl.col("clicked_at")),
    Outcome.REFUSED_IN_FUTURE: seconds_text(pl.col("converted_at")),
    Outcome.REFUSED_TOO_MANY_ROWS: pl.col("rows_per_click").cast(pl.String),
    Outcome.REFUSED_UNKNOWN_CURRENCY: pl.col("paid_currency"),
    Outcome.REFUSED_BAD_PAYOUT: pl.lit("it is too large in the workspace's currency"),
}


def _first_of(refusals: tuple[tuple[Outcome, pl.Expr], ...]) -> pl.Expr:
    first: pl.Expr = pl.lit("")
    for outcome, holds in reversed(refusals):
        first = pl.when(holds).then(pl.lit(outcome.value)).otherwise(first)
    return first


# Made once: for a small batch, making the expressions takes longer than running them.
_EARLY: Final = (
    pl.when(pl.col("refusal") != "")
    .then(pl.col("refusal"))
    .otherwise(_first_of(BEFORE_THE_TARGET))
    .alias("refused_early")
)
_LATE: Final = _first_of(AFTER_THE_TARGET).alias("refused_late")
_LATE_AT_THE_DOOR: Final = _first_of((*AFTER_THE_TARGET, *AT_THE_DOOR)).alias("refused_late")
_GIVEN_TIME: Final = given_time().alias("converted_at")
_REFUSED: Final = (
    pl.when(pl.col("refused_early") != "")
    .then(pl.col("refused_early"))
    .otherwise(pl.col("refused_late"))
    .alias("refused")
)

# Rows whose outcome depends on their click's conversions. A row that names its conversion and gives what is stored of
# it needs no rate for its payout.
_IS_UPDATE: Final = pl.col("kind") != RowKind.CONVERSION
_NAMES_CONVERSIONS: Final = pl.col("target_n").is_not_null() | _IS_UPDATE
_OF_MONEY: Final = [Outcome.REFUSED_UNKNOWN_CURRENCY.value, Outcome.REFUSED_BAD_PAYOUT.value]
_MAY_REPEAT: Final = (
    pl.col("target_n").is_not_null()
    & ~_IS_UPDATE
    & (pl.col("refusal") == "")
    & pl.col("refused_early").is_in(_OF_MONEY)
)
_IS_PLAYED: Final = (
    (pl.col("refused_early") == "") & ((pl.col("refused_late") == "") | _NAMES_CONVERSIONS)
) | _MAY_REPEAT


def with_refusals(rows: pl.LazyFrame, *, are_new: bool) -> pl.LazyFrame:
    """Add why rows are not accepted, and whether the rounds decide them (`is_played`).

    It also moves `converted_at` to the click's moment where it is a little before that.

    Args:
        rows: Rows with their click's facts, their terms and their revenue.
        are_new: Whether they are received now.

    Returns:
        The rows with `refused_early` and `refused_late`, the refusals before and after `refused_unknown_conversion`,
        and `refused`, the first of both. Each is an outcome, or ''.
    """
    late = _LATE_AT_THE_DOOR if are_new else _LATE
    return rows.with_columns_seq(_EARLY, late).with_columns_seq(_REFUSED, _GIVEN_TIME, is_played=_IS_PLAYED)


def any_refused(rows: UndecidedRows) -> bool:
    """Whether `with_refusals` found anything in these rows."""
    return bool(rows["refused"].max())  # '' is less than any other text


def _detail() -> pl.Expr:
    detail = pl.col("detail")
    for outcome, text in _DETAILS.items():
        is_why = (pl.col("refused") == outcome) & (pl.col("refusal") == "")
        detail = pl.when(is_why).then(text).otherwise(detail)
    return detail


_DETAIL: Final = _detail().alias("detail")


def with_details(rows: UndecidedRows) -> UndecidedRows:
    """Set `detail` of refused rows where a message needs one."""
    return UndecidedRows(rows.with_columns_seq(_DETAIL))

"""The duplicate modes: what a row does where its conversion key already has an original (docs/duplicate-modes.md).

Each mode is one function. It takes a row beside its original, whose columns are named `was_...`, and gives an outcome.
The outcome says which fields of the original get which values. A row without an original is `created` in every mode.
"""

from collections.abc import Callable, Collection
from typing import Final

import polars as pl

from trueup.decide.payouts import converted
from trueup.decide.statuses import changes_status, moves_persons_status, moves_status_back
from trueup.model.money import MICROS, PAYOUT_MAX, RATE_ONE
from trueup.model.words import DuplicateMode, Label, ModeFrom, Outcome, RowKind


def _outcome(outcome: Outcome) -> pl.Expr:
    return pl.lit(outcome.value)


def create() -> pl.Expr:
    """Every row is a conversion of its own."""
    return _outcome(Outcome.CREATED)


def ignore() -> pl.Expr:
    """The first row stands. For `ignore_same_event_id` the original is the conversion with the row's event id."""
    return _outcome(Outcome.IGNORED_DUPLICATE)


def update() -> pl.Expr:
    """The original takes the row's payout, status and time, unless its status must not be moved by this row."""
    return (
        pl.when(moves_persons_status())
        .then(_outcome(Outcome.REFUSED_MANUAL_STATUS))
        .when(moves_status_back())
        .then(_outcome(Outcome.REFUSED_STATUS_REGRESSION))
        .when(_gives_payout() | changes_status() | _gives_time())
        .then(_outcome(Outcome.UPDATED))
        .otherwise(_outcome(Outcome.UNCHANGED))
    )


def add_payout() -> pl.Expr:
    """The row's payout, its own or the default, is added to the original's, unless the sum is too large to keep.

    It stands beside the sums, `added_payout` and `added_revenue`.
    """
    return (
        pl.when(pl.col("paid") == 0)
        .then(_outcome(Outcome.UNCHANGED))
        .when(_sum_is_too_large())
        .then(_outcome(Outcome.REFUSED_BAD_PAYOUT))
        .otherwise(_outcome(Outcome.ADDED_TO_PAYOUT))
    )


MODES: Final[dict[DuplicateMode, Callable[[], pl.Expr]]] = {
    DuplicateMode.CREATE: create,
    DuplicateMode.CREATE_NEW_OR_REPEATED: create,
    DuplicateMode.IGNORE: ignore,
    DuplicateMode.UPDATE: update,
    DuplicateMode.ADD_PAYOUT: add_payout,
    DuplicateMode.IGNORE_SAME_EVENT_ID: ignore,
}


def acting_mode() -> list[pl.Expr]:
    """The mode of each row, and why, where some rows name their conversion.

    A row that names its conversion updates it, or adds to its payout where the person chose that. No stored mode
    applies to it.
    """
    adds = pl.col("chosen_mode") == DuplicateMode.ADD_PAYOUT
    is_free = pl.col("target_n").is_null() | adds | (pl.col("kind") != RowKind.CONVERSION)
    named = {"mode": DuplicateMode.UPDATE.value, "mode_from": ModeFrom.CONVERSION_ID.value}
    return [pl.when(is_free).then(pl.col(name)).otherwise(pl.lit(word)).alias(name) for name, word in named.items()]


def finds_original() -> pl.Expr:
    """Whether the conversion beside a row (columns `was_...`) is the one that the row is compared with."""
    same_type = pl.col("was_conversion_type") == pl.col("conversion_type")
    same_event = (pl.col("was_event_id") == pl.col("event_id")) & (pl.col("event_id") != "")
    by_event = pl.col("mode") == DuplicateMode.IGNORE_SAME_EVENT_ID
    same_id = pl.when(by_event).then(same_event).otherwise(pl.col("was_transaction_id") == pl.col("transaction_id"))
    return (
        pl.when(pl.col("target_n").is_null()).then(same_type & same_id).otherwise(pl.col("was_n") == pl.col("target_n"))
    )


def outcome_beside_original(modes: Collection[str]) -> pl.Expr:
    """The outcome of a row that has an original, by its mode.

    Args:
        modes: The modes that the rows have. Polars works out all that is written here, whichever row needs it.
    """
    told: pl.Expr = pl.lit("")
    for mode, outcome in MODES.items():
        if mode in modes:
            told = pl.when(pl.col("mode") == mode).then(outcome()).otherwise(told)
    return told


def is_as_stored() -> pl.Expr:
    """Rows that name their conversion and give exactly what is stored of it, as the rows of an export do.

    They change nothing, even if the network's status words or the workspace's rates have changed since.
    """
    same = (
        (pl.col("payout") == pl.col("was_payout"))
        & (pl.col("currency") == pl.col("was_currency"))
        & (pl.col("status") == pl.col("was_status"))
        & (pl.col("converted_at") == pl.col("was_converted_at"))
    )
    names_it = pl.col("target_n").is_not_null() & (pl.col("mode") == DuplicateMode.UPDATE)
    return (names_it & same).fill_null(value=False)


def noted_beside() -> pl.Expr:
    """What an ignored or updating row gave, and what its original was then, for the message (`decide.messages`)."""
    noted = ("given_status", "paid_currency", "was_status", "was_payout", "was_currency", "was_converted_at")
    return pl.concat_str([pl.col(name).cast(pl.String) for name in noted], separator="|")


def label(new_or_repeated: Label) -> pl.Expr:
    """The label of a created conversion: only `create_new_or_repeated` tells new conversions from repeated ones."""
    labelled = pl.col("mode") == DuplicateMode.CREATE_NEW_OR_REPEATED
    return pl.when(labelled).then(pl.lit(new_or_repeated.value)).otherwise(pl.lit(Label.UNKNOWN.value))


def updated_fields() -> dict[str, pl.Expr]:
    """The original's fields after `updated`: a field that the row does not give keeps its value."""
    pays, says, dates = _gives_payout(), changes_status(), _gives_time()
    return {
        "status": _taken(says, "given_status", "was_status"),
        "original_status": _taken(says, "status", "was_original_status"),
        "payout": _taken(pays, "paid", "was_payout"),
        "currency": _taken(pays, "paid_currency", "was_currency"),
        "rate": _taken(pays, "rate", "was_rate"),
        "revenue": _taken(pays, "revenue", "was_revenue"),
        "converted_at": _taken(dates, "converted_at", "was_converted_at"),
    }


def added_fields() -> dict[str, pl.Expr]:
    """The original's fields after `added_to_payout`, beside `added_payout` and `added_revenue`."""
    same = _adds_alike()
    return {
        "payout": pl.col("added_payout"),
        "currency": _taken(same, "was_currency", "base_currency"),
        "rate": pl.when(same).then(pl.col("rate")).otherwise(pl.lit(RATE_ONE)),
        "revenue": pl.col("added_revenue"),
    }


def _adds_alike() -> pl.Expr:
    """Whether a row's payout has its original's currency, and the rate that the original was counted by."""
    return (pl.col("paid_currency") == pl.col("was_currency")) & (pl.col("rate") == pl.col("was_rate"))


def added_payout() -> pl.Expr:
    """The sum of a row's payout and its original's, `added_payout`.

    Payout times rate is the revenue. So amounts of two currencies, or of two rates of one currency, are added up in the
    workspace's currency.
    """
    in_own = pl.col("was_payout") + pl.col("paid")
    total = pl.when(_adds_alike()).then(in_own).otherwise(pl.col("was_revenue") + pl.col("revenue"))
    return total.alias("added_payout")


def added_revenue() -> pl.Expr:
    """The same in the workspace's currency, `added_revenue`. Null where it is too large."""
    total = pl.col("added_payout")
    return pl.when(_adds_alike()).then(converted(total, pl.col("rate"))).otherwise(total).alias("added_revenue")


def _sum_is_too_large() -> pl.Expr:
    return ~pl.col("added_payout").is_between(-PAYOUT_MAX, PAYOUT_MAX) | pl.col("added_revenue").is_null()


SUM_TOO_LARGE: Final = f"with it, the conversion's payout would be beyond {PAYOUT_MAX // MICROS:,}"


def _taken(holds: pl.Expr, given: str, kept: str) -> pl.Expr:
    return pl.when(holds).then(pl.col(given)).otherwise(pl.col(kept))


def _gives_payout() -> pl.Expr:
    differs = (pl.col("paid") != pl.col("was_payout")) | (pl.col("paid_currency") != pl.col("was_currency"))
    return pl.col("payout").is_not_null() & differs


def _gives_time() -> pl.Expr:
    return pl.col("converted_at").is_not_null() & (pl.col("converted_at") != pl.col("was_converted_at"))

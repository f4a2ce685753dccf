"""What each outcome says to a person: what happened to the row, or what is wrong with it and what to do."""

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from trueup.model.money import money_text
from trueup.model.times import seconds_text
from trueup.model.words import ClickOutcome, Outcome, RowKind


def _said(text: str, *columns: str | pl.Expr) -> pl.Expr:
    return pl.format(text, *columns)


def _conversion() -> pl.Expr:
    return pl.format("{}-{}", "click_id", "conversion_n")


def _missing_click_id() -> pl.Expr:
    none = pl.lit("The row has no click id.")
    return pl.when(pl.col("detail") == "").then(none).otherwise(_said("The row has no click id, and {}.", "detail"))


def _unknown_status() -> pl.Expr:
    unknown = _said(
        "The status word '{}' is unknown; add it to the network's status_map, "
        "or use approved, pending, declined or other.",
        "status",
    )
    return pl.when(pl.col("status") == "").then(pl.lit("The row has no status to set.")).otherwise(unknown)


def _unknown_type() -> pl.Expr:
    asked = "There is no conversion type '{}'"
    near = _said(asked + " (names are case-sensitive); nearest: {}.", "conversion_type", "detail")
    none = _said(asked + "; add it to the setup, or correct the row.", "conversion_type")
    return pl.when(pl.col("detail") == "").then(none).otherwise(near)


def _updated() -> pl.Expr:
    """What changed: each field as it was and as it is (`decide.duplicates.noted_beside`)."""
    many = _said("The status of {} conversions of the click is now set.", "detail")
    one = _said("Conversion {} has the row's values now.", _conversion())
    row, was = _row_and_original()
    changes = [
        (differs, pl.format("{} {} → {}", pl.lit(name), before, after))
        for (differs, name, after), before in zip(row, was, strict=True)
    ]
    said = _listed(changes)
    each = _said("Conversion {}: {}.", _conversion(), said)
    is_status_update = pl.col("kind") == RowKind.STATUS
    return (
        pl.when(is_status_update & (pl.col("detail") != "1"))
        .then(many)
        .when(is_status_update | (pl.col("detail") == "") | (said == ""))
        .then(one)
        .otherwise(each)
    )


def _ignored() -> pl.Expr:
    """What an ignored row gave, and what its conversion was then (`decide.duplicates.noted_beside`)."""
    row, was = _row_and_original(differing=False)
    given = [(is_given, text) for is_given, _, text in row]
    conversion = [(is_given, text) for (is_given, _), text in zip(given, was, strict=True)]
    text = "Conversion {} is there already; the row changes nothing: it says {}; mode {}."
    beside = pl.concat_str([_listed(given), pl.lit("; the conversion is "), _listed(conversion)])
    says_some = pl.any_horizontal(is_given for is_given, _ in given)
    return _said(text, _conversion(), pl.when(says_some).then(beside).otherwise(pl.lit("nothing more")), "mode")


def _row_and_original(*, differing: bool = True) -> tuple[list[tuple[pl.Expr, str, pl.Expr]], list[pl.Expr]]:
    """What a row gives of status, payout and time, and what its conversion was then.

    Args:
        differing: Whether only what differs is given: a status and a payout that are the same are left out.

    Returns:
        Of each, whether the row gives it, its name and its text; and the texts of what the conversion was.
    """
    noted = pl.col("detail").str.split_exact("|", 5)
    status, currency, *was = (noted.struct.field(f"field_{place}") for place in range(6))
    was_payout, was_time = (was[place].cast(pl.Int64, strict=False) for place in (1, 3))
    in_two = currency != was[2]
    gives_time = pl.col("converted_at").is_not_null() & (pl.col("converted_at") != was_time)
    gives_status, gives_payout = status != "", pl.col("payout").is_not_null()
    if differing:
        gives_status &= status != was[0]
        gives_payout &= in_two | (pl.col("payout") != was_payout)
    row = [
        (gives_status, "status", status),
        (gives_payout, "payout", _amount(pl.col("payout"), currency, in_two)),
        (gives_time, "time", seconds_text(pl.col("converted_at"))),
    ]
    return row, [was[0], _amount(was_payout, was[2], in_two), seconds_text(was_time)]


def _amount(micros: pl.Expr, currency: pl.Expr, in_two: pl.Expr) -> pl.Expr:
    """An amount, with its currency where the message has amounts of two currencies."""
    return pl.when(in_two).then(pl.format("{} {}", money_text(micros), currency)).otherwise(money_text(micros))


def _listed(parts: list[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    given = [pl.when(is_given).then(text) for is_given, text in parts]
    return pl.concat_str(given, separator=", ", ignore_nulls=True)


# Made of a journal row's columns. `detail` is what the decision added.
MESSAGES: Final[dict[Outcome, pl.Expr]] = {
    Outcome.REFUSED_NOT_ALLOWED: pl.lit("The sender may not report conversions of this click."),
    Outcome.REFUSED_MALFORMED_ROW: _said("The row cannot be read: {}.", "detail"),
    Outcome.REFUSED_MISSING_CLICK_ID: _missing_click_id(),
    Outcome.REFUSED_BAD_CLICK_ID: _said("This cannot be a click id: {}.", "detail"),
    Outcome.REFUSED_BAD_PAYOUT: _said("The payout cannot be used: {}.", "detail"),
    Outcome.REFUSED_BAD_TRANSACTION_ID: _said("The transaction id cannot be used: {}.", "detail"),
    Outcome.REFUSED_BAD_EVENT_ID: _said("The event id cannot be used: {}.", "detail"),
    Outcome.REFUSED_BAD_TIME: _said("The time cannot be used: {}.", "detail"),
    Outcome.IGNORED_STATUS: _said("Its sender says that messages of the status '{}' mean nothing.", "status"),
    Outcome.REFUSED_UNKNOWN_TYPE: _unknown_type(),
    Outcome.REFUSED_UNKNOWN_CLICK: _said("There is no click '{}'; import it, or correct the row.", "click_id"),
    Outcome.PARKED_UNKNOWN_CLICK: _said("There is no click '{}' yet; the row waits until it is imported.", "click_id"),
    Outcome.REFUSED_UNKNOWN_CURRENCY: _said(
        "There is no rate for the currency '{}'; add it to the workspace's rates.", "detail"
    ),
    Outcome.REFUSED_UNKNOWN_STATUS: _unknown_status(),
    Outcome.REFUSED_UNKNOWN_CONVERSION: pl.lit("The click has no conversion that matches what the row gives."),
    Outcome.REFUSED_BEFORE_CLICK: _said("It would have happened before its click, which was at {}.", "detail"),
    Outcome.REFUSED_IN_FUTURE: _said("It would happen in the future, at {}.", "detail"),
    Outcome.REFUSED_TOO_MANY_ROWS: _said("The click has had {} rows, the most that one click takes.", "detail"),
    Outcome.REFUSED_MANUAL_STATUS: _said(
        "The status of conversion {} was set by a person and stays; force statuses to change it.", _conversion()
    ),
    Outcome.REFUSED_STATUS_REGRESSION: _said(
        "Conversion {} is decided already and does not go back to pending; force statuses to change it.", _conversion()
    ),
    Outcome.IGNORED_DUPLICATE: _ignored(),
    Outcome.UNCHANGED: pl.lit("Nothing to change: it has these values already."),
    Outcome.ADDED_TO_PAYOUT: _said("The payout is added to conversion {}.", _conversion()),
    Outcome.UPDATED: _updated(),
    Outcome.CREATED: _said("Conversion {} is created.", _conversion()),
}

MESSAGE_COLUMNS: Final = [
    "outcome", "detail", "kind", "click_id", "conversion_n", "conversion_type", "status", "payout",
    "converted_at", "mode",
]  # fmt: skip


def message(outcomes: Collection[str]) -> pl.Expr:
    """The message of each row, as an expression over JOURNAL rows. It needs their MESSAGE_COLUMNS.

    Args:
        outcomes: The outcomes that the rows can have: all of them together take ten times as long as a few.

    Returns:
        The message. What each outcome means: docs/outcomes.md.
    """
    return _rendered({outcome: said for outcome, said in MESSAGES.items() if outcome in outcomes})


def message_of(rows: pl.DataFrame) -> pl.Expr:
    """The message of each of these JOURNAL rows, as `message` gives it."""
    return message(rows["outcome"].unique().to_list() or list(Outcome))  # of no rows: a text alone would be one row


# The messages of a click import.
CLICK_MESSAGES: Final[dict[ClickOutcome, pl.Expr]] = {
    ClickOutcome.REFUSED_MALFORMED_ROW: MESSAGES[Outcome.REFUSED_MALFORMED_ROW],
    ClickOutcome.REFUSED_MISSING_CLICK_ID: MESSAGES[Outcome.REFUSED_MISSING_CLICK_ID],
    ClickOutcome.REFUSED_BAD_CLICK_ID: MESSAGES[Outcome.REFUSED_BAD_CLICK_ID],
    ClickOutcome.REFUSED_UNKNOWN_CAMPAIGN: pl.col("detail"),
    ClickOutcome.REFUSED_UNKNOWN_OFFER: pl.col("detail"),
    ClickOutcome.REFUSED_BAD_TIME: MESSAGES[Outcome.REFUSED_BAD_TIME],
    ClickOutcome.REFUSED_BAD_COST: _said("The cost cannot be used: {}.", "detail"),
    ClickOutcome.REFUSED_BAD_TEXT: _said("The text cannot be kept: {}.", "detail"),
    ClickOutcome.REFUSED_IN_FUTURE: _said("The click would be in the future, at {}.", "detail"),
    ClickOutcome.REPEATED: pl.lit("An earlier line has this click; that one counts."),
    ClickOutcome.KNOWN: pl.lit("The click is known already and is left as it is."),
    ClickOutcome.IMPORTED: pl.lit("The click is imported."),
}


def click_message_of(rows: pl.DataFrame) -> pl.Expr:
    """The message of each of these rows of a click import, as an expression over `outcome` and `detail`."""
    outcomes = rows["outcome"].unique().to_list()
    return _rendered({outcome: said for outcome, said in CLICK_MESSAGES.items() if outcome in outcomes})


def _rendered(messages: Mapping[Outcome, pl.Expr] | Mapping[ClickOutcome, pl.Expr]) -> pl.Expr:
    told: pl.Expr = pl.lit("")
    for outcome, said in messages.items():
        told = pl.when(pl.col("outcome") == outcome).then(said).otherwise(told)
    return told

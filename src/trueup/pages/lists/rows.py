"""Rows of the journal as lists of them show them, and as their files have them."""

from typing import Any

import polars as pl

from trueup.model.ids import conversion_id
from trueup.model.money import money_text
from trueup.model.times import times_text
from trueup.pages.upload.words import message_in_words


def row_as_shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the journal with its messages, then and now, as templates show it."""
    made = row["conversion_n"]
    return {
        **row,
        "reason": message_in_words(row["message"]),
        "reason_now": message_in_words(row["message_now"]),
        "conversion_id": conversion_id(row["click_id"], made) if made else "",
        "has_click": row["n"] > 0,
    }


def rows_in_file(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Rows of the journal with their messages, as files of them have them.

    Args:
        rows: The rows.
        zone: The zone of times.
    """
    made = pl.format("{}-{}", "click_id", "conversion_n")
    return rows.with_columns(
        received_at=times_text(pl.col("received_at"), zone),
        reason=pl.col("message").map_elements(message_in_words, pl.String),
        conversion_id=pl.when(pl.col("conversion_n") > 0).then(made).otherwise(pl.lit("")),
        payout=money_text(pl.col("payout")).fill_null(""),
    )

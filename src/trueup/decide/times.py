"""Which conversion times cannot be: before the click, or in the future."""

from typing import Final

import polars as pl

FUTURE_SLACK_MICROS: Final = 5 * 60 * 1_000_000  # clocks of networks are a little off


def effective_time() -> pl.Expr:
    """When the row says it happened, else the moment it was received."""
    return pl.coalesce("converted_at", "received_at")


def before_click() -> pl.Expr:
    """Rows that happened before their click."""
    return effective_time() < pl.col("clicked_at")


def in_future() -> pl.Expr:
    """Rows that happen more than five minutes after they were received."""
    return pl.col("converted_at").fill_null(0) > pl.col("received_at") + FUTURE_SLACK_MICROS


def iso(micros: pl.Expr) -> pl.Expr:
    """Times as a person reads them, UTC."""
    return micros.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")

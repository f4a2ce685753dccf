"""What a conversion pays: the row's payout, else the offer's; and what that is in the workspace's currency.

The rule is in docs/setup-file.md, at `[[offers]]`.
"""

from typing import Final

import polars as pl

from trueup.model.frames import UndecidedRows
from trueup.model.money import PAYOUT_MAX, RATE_ONE, RATE_SCALE
from trueup.model.policy import OfferPolicy
from trueup.model.rounding import rounded_quotient
from trueup.model.words import PayoutMode


def default_payout(offer: OfferPolicy, conversion_type: str) -> int:
    """The payout of a conversion whose row gives none, by docs/setup-file.md.

    Args:
        offer: The offer of the conversion's click.
        conversion_type: The conversion's type.

    Returns:
        Micros of the offer's currency: the payout that the offer has for the type, else its payout if the payout mode
        is `manual`, else 0.
    """
    if conversion_type in offer.payouts:
        return offer.payouts[conversion_type]
    return offer.payout if offer.payout_mode is PayoutMode.MANUAL else 0


def converted(payout: pl.Expr, rate: pl.Expr) -> pl.Expr:
    """A payout times a rate, rounded to a micro; exact, because the product is a 128-bit integer.

    Args:
        payout: Micros.
        rate: Billionths.

    Returns:
        Micros, null where the amount is larger than any that we keep.
    """
    product = payout.cast(pl.Int128) * rate.cast(pl.Int128)
    micros = rounded_quotient(product, pl.lit(RATE_SCALE, dtype=pl.Int128))
    return pl.when(micros.is_between(-PAYOUT_MAX, PAYOUT_MAX)).then(micros).cast(pl.Int64)


_CURRENCY_OF_PAYOUT: Final = (
    pl.when(pl.col("payout").is_null()).then(pl.lit("")).otherwise("currency").alias("currency")
)
_PAID: Final = pl.coalesce("payout", "default_payout").alias("paid")
_REVENUE: Final = (
    pl.when(pl.col("rate") == RATE_ONE)
    .then(pl.col("paid"))
    .otherwise(converted(pl.col("paid"), pl.col("rate")))
    .alias("revenue")
)


def without_idle_currency(rows: UndecidedRows) -> UndecidedRows:
    """Empty the currency of rows that give no payout. It means nothing there: the offer's payout has its own."""
    if not rows["payout"].null_count() or not rows["currency"].max():
        return rows
    return UndecidedRows(rows.with_columns_seq(_CURRENCY_OF_PAYOUT))


def with_revenue(rows: UndecidedRows) -> pl.LazyFrame:
    """Add `paid`, the row's payout or else the default one, and `revenue`, the same in the workspace's currency.

    Args:
        rows: Rows with `payout` and `default_payout`, in micros, and `rate`, in billionths. A null rate means that the
            currency has none; such rows are refused later.

    Returns:
        The rows. Both new columns are micros.
    """
    rates = rows["rate"]
    if rates.min() == rates.max() == RATE_ONE:
        return rows.lazy().with_columns_seq(_PAID, _PAID.alias("revenue"))
    return rows.lazy().with_columns_seq(_PAID).with_columns_seq(_REVENUE)


def too_large_to_count() -> pl.Expr:
    """Rows whose payout in the workspace's currency is larger than any amount we keep (`with_revenue` made it null)."""
    return pl.col("revenue").is_null() & pl.col("rate").is_not_null()

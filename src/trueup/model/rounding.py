"""Rounding to the nearest whole number; halves go to the even one. Exact, in whole numbers."""

import polars as pl


def rounded_quotient(number: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The whole number that is nearest to a quotient.

    Args:
        number: Of 128 bits; twice of it fits too.
        divisor: The same.

    Returns:
        128 bits; null for a division by nothing.
    """
    # Adding a half and rounding down is right, except for halves that should go down to an even number.
    twice = number * 2 + divisor
    half_up = twice // pl.when(divisor != 0).then(divisor * 2)
    is_half = half_up * (divisor * 2) == twice
    return half_up - (is_half & (half_up % 2 != 0)).cast(pl.Int128)

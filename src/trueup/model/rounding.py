"""Rounding to the nearest whole number; halves go to the even one. Exact, in whole numbers."""

import polars as pl


def rounded_quotient(number: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The whole number that is nearest to a quotient.

    Args:
        number: What is divided, of 128 bits. Twice of it must fit in 128 bits, too.
        divisor: What it is divided by, of the same kind.

    Returns:
        128 bits; null for a division by 0.
    """
    # Adding a half and rounding down is right, except for halves that should go down to an even number.
    twice = number * 2 + divisor
    half_up = twice // pl.when(divisor != 0).then(divisor * 2)
    is_half = half_up * (divisor * 2) == twice
    return half_up - (is_half & (half_up % 2 != 0)).cast(pl.Int128)

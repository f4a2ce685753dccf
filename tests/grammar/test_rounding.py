"""Rounding: to the nearest, halves to the even, as Python's decimals do it."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from random_texts import LAW

from trueup.decide.payouts import with_revenue
from trueup.model.money import PAYOUT_MAX, RATE_ONE, RATE_SCALE
from trueup.model.rounding import rounded_quotient

NUMBERS = st.integers(-(10**36), 10**36) | st.integers(-1_000, 1_000)
DIVISORS = st.integers(-(10**18), 10**18) | st.integers(-12, 12)
HALVES = st.tuples(st.integers(-(10**9), 10**9), DIVISORS).map(lambda pair: (pair[0] * pair[1], 2 * pair[1]))
QUOTIENTS = st.lists(st.tuples(NUMBERS, DIVISORS) | HALVES, min_size=40, max_size=120)
PAYOUTS = st.integers(-PAYOUT_MAX, PAYOUT_MAX) | st.integers(-(10**7), 10**7)
RATES = st.integers(1, RATE_SCALE * RATE_SCALE) | st.sampled_from([RATE_ONE, RATE_ONE // 2, 1_080_000_000])


def rounded(number: int, divisor: int) -> int:
    with localcontext(prec=120):
        return int((Decimal(number) / Decimal(divisor)).to_integral_value(ROUND_HALF_EVEN))


@LAW
@given(quotients=QUOTIENTS)
@example(quotients=[(number, divisor) for number in range(-9, 10) for divisor in range(-4, 5)])
def test_quotients__are_rounded_half_to_the_even(quotients: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(quotients, schema={"number": pl.Int128, "divisor": pl.Int128}, orient="row")
    found = frame.select(rounded_quotient(pl.col("number"), pl.col("divisor"))).to_series().to_list()
    assert found == [rounded(number, divisor) if divisor else None for number, divisor in quotients]


@LAW
@given(rows=st.lists(st.tuples(PAYOUTS | st.none(), PAYOUTS, RATES | st.none()), min_size=1, max_size=120))
@example(rows=[(1, 0, RATE_ONE // 2), (3, 0, RATE_ONE // 2), (-1, 0, RATE_ONE // 2), (-3, 0, RATE_ONE // 2)])
def test_revenue__is_the_payout_by_the_rate_rounded_once(rows: list[tuple[int | None, int, int | None]]) -> None:
    schema = {"payout": pl.Int64, "default_payout": pl.Int64, "rate": pl.Int64}
    found = with_revenue(pl.DataFrame(rows, schema=schema, orient="row")).collect()
    paid = [default if payout is None else payout for payout, default, _ in rows]
    assert found["paid"].to_list() == paid
    for each, (*_, rate), revenue in zip(paid, rows, found["revenue"], strict=True):
        if rate is not None:  # a row whose currency has none is refused
            exact = rounded(each * rate, RATE_SCALE)
            assert revenue == (exact if abs(exact) <= PAYOUT_MAX else None)

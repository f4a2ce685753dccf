"""Amounts and rates: a column is read and written as single values are, and both as Python's decimals say."""

from decimal import ROUND_DOWN, Decimal, InvalidOperation, localcontext
from random import Random

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from random_texts import LAW, columns_of, found, masses_of

from trueup.model.money import (
    MICROS,
    PAYOUT_MAX,
    RATE_SCALE,
    amount,
    amount_cut,
    amount_trouble,
    amounts,
    amounts_trouble,
    decimal_text,
    micros_from_text,
    micros_of_sums,
    money_text,
    rate_from_text,
    text_from_micros,
    text_from_rate,
    ungrouped,
    ungrouped_cells,
)

TEXT = pl.col("text")
SWAPPED = str.maketrans(",.", ".,")
EDGES = (
    "", "+", "-", ".", "-.", "5.", ".5", "-.5", "+1", "-0", "--1", "1.2.3", "1e3", "1_000", "nan", "inf", "1\n",
    "\n1", " 1", "0.000001", "1.0000001", "9000000000", "9000000000.000001", "-9000000000", "9" * 18, "9" * 19,
    "00.10", "000000000009000000000.0000000", "1.00000010", "0" * 40 + "1" + "." + "5" + "0" * 40, "." + "0" * 40,
    "-0-0", "1.0000000", "0" * 17 + "1", "0" * 18 + "1",
    "\u0663", "\uff11", "1.\u0663", "1\u00b2", "1,5", ",5", "1,2345678",
    "1.000,5", "1,000.5", "$1", "1.123456\u0663",
)  # fmt: skip
AMOUNTS = columns_of(
    st.sampled_from(EDGES),
    st.from_regex(r"[+-]?[0-9]{0,20}[.,]?[0-9]{0,9}", fullmatch=True),
    st.text("0123456789.,+-", max_size=24),
    st.text("0123456789.,+-e_ \n\u0663\u00b2", max_size=8),
    st.integers(-2 * PAYOUT_MAX, 2 * PAYOUT_MAX).map(lambda micros: f"{Decimal(micros).scaleb(-6):f}"),
)


def written(random: Random) -> str:
    digits = str(random.randint(0, 10 ** random.randint(0, 20)))
    return random.choice("+- ").strip() + digits[: random.randint(0, 9)] + random.choice(("", ".", ",")) + digits[9:]


MASSES = masses_of(written, "0123456789+-.,e_ \n\u0663\u00b2")
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-(10**8), 10**8)


def by_hand(text: str, decimals: int = 6, most: Decimal | None = Decimal(9_000_000_000)) -> int | None:
    """What Python's decimals say of an amount, within our limits."""
    whole, _, fraction = text.lstrip("+-").partition(".")
    if set(text) - set("0123456789.+-") or len(whole.lstrip("0")) > 18 or len(fraction.rstrip("0")) > decimals:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return None if most is not None and abs(value) > most else int(value.scaleb(decimals))


@LAW
@given(texts=AMOUNTS)
@example(texts=list(EDGES))
def test_amounts__are_what_decimals_say_in_columns_and_alone(texts: list[str]) -> None:
    alone = [amount(text) for text in texts]
    assert alone == [by_hand(text) for text in texts]
    assert found(texts, amounts(TEXT)) == alone


@LAW
@given(texts=MASSES, decimal_comma=st.booleans())
def test_amounts__of_masses_of_texts_are_the_same_in_columns_and_alone(texts: list[str], decimal_comma: bool) -> None:
    alone = [amount(text.translate(SWAPPED) if decimal_comma else text) for text in texts]
    assert found(texts, amounts(TEXT, decimal_comma=decimal_comma)) == alone


@LAW
@given(texts=AMOUNTS)
@example(texts=list(EDGES))
def test_amounts__with_a_decimal_comma_are_the_same_with_the_marks_swapped(texts: list[str]) -> None:
    assert found(texts, amounts(TEXT, decimal_comma=True)) == [amount(text.translate(SWAPPED)) for text in texts]


@LAW
@given(texts=AMOUNTS)
@example(texts=list(EDGES))
def test_trouble__of_an_amount_is_told_in_the_same_words(texts: list[str]) -> None:
    bad = [text for text in texts if amount(text) is None]
    assert found(bad, amounts_trouble(TEXT, TEXT)) == [amount_trouble(text, text) for text in bad]
    swapped = [text.translate(SWAPPED) for text in bad]
    told = found(swapped, amounts_trouble(TEXT, pl.lit("x"), decimal_comma=True))
    assert told == [amount_trouble(text, "x").replace("as 1.20", "as 1,20") for text in bad]


@LAW
@given(texts=AMOUNTS)
@example(texts=list(EDGES))
def test_setup__reads_the_same_amounts_and_larger_ones(texts: list[str]) -> None:
    for text in texts:
        value = by_hand(text, most=None)
        if value is None:
            with pytest.raises(ValueError, match=r"is not a number such as|has more than 6 decimals|is too large"):
                micros_from_text(text)
        else:
            assert micros_from_text(text) == value


@LAW
@given(texts=AMOUNTS)
def test_finer_decimals__are_cut_off(texts: list[str]) -> None:
    for text in texts:
        fine = by_hand(text, decimals=12)
        cut = None if fine is None else int(Decimal(fine).scaleb(-6).to_integral_value(ROUND_DOWN))
        if fine is None:
            assert amount(text) is None
        else:
            assert amount_cut(text) == cut


@pytest.mark.parametrize(
    "text", ["1.123456\u0663", "1.123456\u00b2", "1.123456x", "1.1234567\n", "1.123456-7", "x.1234567"]
)
def test_finer_decimals__are_ascii_digits(text: str) -> None:
    assert amount_cut(text) is None


@LAW
@given(numbers=st.lists(WHOLE, min_size=40, max_size=120))
def test_amounts__are_written_as_decimals_write_them(numbers: list[int]) -> None:
    alone = [text_from_micros(number) for number in numbers]
    with localcontext(prec=60):
        for number, text in zip(numbers, alone, strict=True):
            shortest = Decimal(number).scaleb(-6).normalize()
            assert text == f"{shortest:.{max(2, -int(shortest.as_tuple().exponent))}f}"
            assert abs(number) > PAYOUT_MAX or amount(text) == number
    frame = pl.DataFrame({"number": numbers}, schema={"number": pl.Int64})
    assert frame.select(money_text(pl.col("number"))).to_series().to_list() == alone


@LAW
@given(numbers=st.lists(WHOLE, min_size=40, max_size=120), decimals=st.integers(1, 9), data=st.data())
def test_numbers__are_written_with_the_decimals_that_are_kept(
    numbers: list[int], decimals: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(1, decimals))
    frame = pl.DataFrame({"number": numbers}, schema={"number": pl.Int64})
    written = frame.select(decimal_text(pl.col("number"), decimals, kept)).to_series().to_list()
    with localcontext(prec=60):
        assert [Decimal(text) for text in written] == [Decimal(number).scaleb(-decimals) for number in numbers]
    fractions = [text.partition(".")[2] for text in written]
    assert all(kept <= len(each) <= decimals and not each[kept:].endswith("0") for each in fractions)


@LAW
@given(rates=st.lists(st.integers(1, RATE_SCALE * RATE_SCALE), min_size=40, max_size=120))
def test_rates__are_read_as_they_are_written(rates: list[int]) -> None:
    assert [rate_from_text(text_from_rate(rate)) for rate in rates] == rates


@LAW
@given(texts=AMOUNTS)
def test_rates__are_read_as_amounts_are_with_9_decimals(texts: list[str]) -> None:
    for text in texts:
        rate = by_hand(text, decimals=9, most=None)
        if rate is not None and 0 < rate <= RATE_SCALE * RATE_SCALE:
            assert rate_from_text(text) == rate
        else:
            with pytest.raises(ValueError, match=r"a rate is above 0|is not a number|has more than 9|is too large"):
                rate_from_text(text)


@LAW
@given(numbers=st.lists(st.lists(WHOLE, max_size=20), min_size=1, max_size=40))
def test_sums__in_two_parts_are_whole(numbers: list[list[int]]) -> None:
    frame = pl.DataFrame(
        {
            "units": [sum(number // MICROS for number in some) for some in numbers],
            "rest": [sum(number % MICROS for number in some) for some in numbers],
        },
        schema={"units": pl.Int64, "rest": pl.Int64},
    )
    whole = frame.select(micros_of_sums(pl.col("units"), pl.col("rest"))).to_series().to_list()
    assert whole == [sum(some) for some in numbers]


@LAW
@given(texts=MASSES, decimal_comma=st.booleans())
@example(texts=["1,234.50", "1 234", "1'234'567.8", "1,234'567", "12,34", "1.234,56", "1\u202f234"], decimal_comma=True)
def test_thousands__are_taken_out_alike_in_columns_and_alone(texts: list[str], decimal_comma: bool) -> None:
    alone = [ungrouped(text, decimal_comma=decimal_comma) for text in texts]
    assert found(texts, ungrouped_cells(TEXT, decimal_comma=decimal_comma)) == alone

"""Ids, and how bad values are quoted: a column is taken as single values are."""

import sys

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from random_texts import ANY_TEXT, LAW, columns_of, found

from trueup.dialects.values import (
    BLANKS,
    click_and_target,
    click_id_trouble,
    click_ids_trouble,
    clicks_and_targets,
    id_trouble,
    ids_trouble,
    is_bad_click_id,
    is_bad_id,
    missing_click_trouble,
    missing_clicks_trouble,
    quoted_cells,
    quoted_value,
)

TEXT = pl.col("text")
EDGES = (
    "", "a", "a-1", "a-0", "a-01", "a-9999999999", "a-10000000000", "-1", "-", "a-", "a-1-2", "a.b~_-3", "a-1\n",
    "a b-1", "x" * 64, "x" * 65, "x" * 64 + "-1", "x" * 65 + "-1", "t" * 128, "t" * 129, "\u00fc" * 129, "t\x7f",
    "t\x85", "t\u2028", "a-\u0661",
)  # fmt: skip
IDS = columns_of(
    st.sampled_from(EDGES),
    st.from_regex(r"[A-Za-z0-9_.~ -]{0,6}-?[0-9]{0,11}", fullmatch=True),
    st.text("aB9_.~-\x00\x1b\x7f\x85 é", min_size=50, max_size=140),
)


def test_blanks__are_what_columns_are_stripped_of() -> None:
    letters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    stripped = found(letters, TEXT.str.strip_chars())
    assert {letter for letter, rest in zip(letters, stripped, strict=True) if not rest} == set(BLANKS)


@LAW
@given(texts=IDS)
@example(texts=list(EDGES))
def test_bad_values__are_quoted_alike(texts: list[str]) -> None:
    assert found(texts, quoted_cells(TEXT)) == [quoted_value(text) for text in texts]


@LAW
@given(texts=IDS)
@example(texts=list(EDGES))
def test_click_ids__are_checked_alike(texts: list[str]) -> None:
    told = found(texts, pl.when(is_bad_click_id(TEXT)).then(click_ids_trouble(TEXT)).otherwise(pl.lit("")))
    assert told == [click_id_trouble(text) for text in texts]


@LAW
@given(texts=IDS)
@example(texts=list(EDGES))
def test_ids__are_checked_alike(texts: list[str]) -> None:
    told = found(texts, pl.when(is_bad_id(TEXT)).then(ids_trouble(TEXT, "the id")).otherwise(pl.lit("")))
    assert told == [id_trouble(text, "the id") for text in texts]
    for other in ("", "T1"):
        told = found(texts, missing_clicks_trouble(TEXT, pl.lit(other)))
        assert told == [missing_click_trouble(text, other) for text in texts]
        told = found(texts, missing_clicks_trouble(pl.lit(other), TEXT))
        assert told == [missing_click_trouble(other, text) for text in texts]


CLICK_IDS = st.sampled_from(["", "a", "a-1", "b", "x" * 64]) | ANY_TEXT
PAIRS = st.lists(
    st.tuples(CLICK_IDS, st.sampled_from(EDGES) | ANY_TEXT)
    | st.tuples(CLICK_IDS, st.integers(0, 10**11)).map(lambda pair: (pair[0], f"{pair[0]}-{pair[1]}")),
    min_size=40,
    max_size=120,
)


@LAW
@given(pairs=PAIRS)
def test_conversion_ids__name_clicks_and_numbers_alike(pairs: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema={"click_id": pl.String, "conversion_id": pl.String}, orient="row")
    click, target = clicks_and_targets(pl.col("click_id"), pl.col("conversion_id"))
    assert frame.select(click.alias("click"), target.alias("target")).rows() == [
        click_and_target(*pair) for pair in pairs
    ]

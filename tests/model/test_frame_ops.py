"""Looking up and summing: few rows go another way than many, and come to the same."""

import polars as pl
import pytest

from trueup.model.frame_ops import FEW, left_join, sum_by

LARGEST = 2**63 - 1


def _rows(height: int) -> pl.DataFrame:
    """Rows of seven words and three numbers, in no order."""
    place = pl.int_range(height, dtype=pl.Int64)
    return pl.select(
        word=pl.lit("ż") + (place * 5 % 7).cast(pl.String), number=place % 3, value=place - 100, other=place * 0 + 1
    )


@pytest.mark.parametrize("height", [1, 2, FEW, FEW + 1, 3 * FEW])
def test_summed__few_rows_and_many(height: int) -> None:
    rows = _rows(height)
    expected: dict[tuple[str, int], list[int]] = {}
    for word, number, value, other in rows.iter_rows():
        sums = expected.setdefault((word, number), [0, 0])
        sums[0] += value
        sums[1] += other
    found = sum_by(rows, ["word", "number"], ["value", "other"])
    assert found.schema == rows.schema
    assert found.rows() == [(*key, *sums) for key, sums in sorted(expected.items())]


@pytest.mark.parametrize("height", [3, FEW + 1])
def test_summed__null_where_a_sum_leaves_64_bits(height: int) -> None:
    fill = [("small", 0)] * (height - 3)
    rows = pl.DataFrame(
        [("large", LARGEST), ("large", 1), ("small", LARGEST), *fill], schema=["word", "value"], orient="row"
    )
    assert sum_by(rows, ["word"], ["value"]).rows() == [("large", None), ("small", LARGEST)]
    assert sum_by(rows.with_columns(value=-1 - pl.col("value")), ["word"], ["value"])["value"].to_list()[0] is None


def test_summed__nothing() -> None:
    rows = _rows(0)
    assert sum_by(rows, ["word", "number"], ["value", "other"]).equals(rows)


@pytest.mark.parametrize("height", [0, 1, FEW, FEW + 1])
def test_with_found__keeps_the_rows_in_order_and_says_what_is_not_there(height: int) -> None:
    rows = _rows(height)
    found = pl.DataFrame({"word": ["ż6", "ż0", "elsewhere"], "told": ["six", "zero", "no"], "at": [6, 0, 1]})
    beside = left_join(rows, found, "word")
    told = {"ż6": ("six", 6), "ż0": ("zero", 0)}
    assert beside.columns == [*rows.columns, "told", "at"]
    assert beside.rows() == [(*row, *told.get(row[0], (None, None))) for row in rows.iter_rows()]
    assert left_join(rows, found.clear(), "word")["told"].null_count() == height

"""Counting: what a batch shows and what a report shows are the same sums of the same rows."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from random_texts import LAW

from trueup.model.counting import Sums, sum_totals
from trueup.model.frames import TOTALS
from trueup.model.words import Status
from trueup.reports.metrics import summed

TYPES = ("conversion", "sale", "correction")
CELLS = st.lists(
    st.tuples(
        st.sampled_from(TYPES),
        st.sampled_from([status.value for status in Status]),
        st.integers(-(10**9), 10**9),
        st.integers(-(10**24), 10**24),
    ),
    max_size=60,
)
LEFT_OUT = st.lists(st.sampled_from(TYPES), unique=True)


def by_hand(cells: list[tuple[str, str, int, int]], left_out: list[str]) -> Sums:
    return Sums(
        sum(count for kind, status, count, _ in cells if status != "declined" and kind not in left_out),
        sum(money for _, status, _, money in cells if status in ("approved", "other")),
        sum(money for _, status, _, money in cells if status == "pending"),
        sum(money for _, status, _, money in cells if status == "declined"),
    )


@LAW
@given(cells=CELLS, left_out=LEFT_OUT)
def test_sums__of_batches_and_reports_are_those_counted_by_hand(
    cells: list[tuple[str, str, int, int]], left_out: list[str]
) -> None:
    totals = pl.DataFrame(cells, schema=dict(TOTALS), orient="row")
    expected = by_hand(cells, left_out)
    assert sum_totals(totals, left_out) == expected
    counted = totals.with_columns(clicks=pl.lit(None, pl.Int64), cost=pl.lit(None, pl.Int64))
    told = summed(counted, [], TYPES, left_out).to_dicts()[0]
    assert Sums(*(told[name] for name in vars(expected))) == expected

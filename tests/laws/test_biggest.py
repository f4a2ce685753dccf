"""The biggest changes of a preview are the same however its conversions are parted into chunks."""

from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trueup.decide.rounds import STEPS, Steps
from trueup.model.words import Status
from trueup.recording.biggest import BIGGEST, MOST, NOTHING_BIG, biggest_changes

NOTHING = {"status": None, "payout": None, "currency": None, "revenue": None, "removed": None, "version": None}


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    payout = draw(st.integers(-30, 30)) * 1_000_000
    status = draw(st.sampled_from([status.value for status in Status]))
    removed = draw(st.sampled_from([0, 0, 0, 1]))
    return {"status": status, "payout": payout, "currency": "USD", "revenue": payout, "removed": removed, "version": 1}


@st.composite
def steps_of_one(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What one conversion goes through: each step finds what the one before left."""
    went = [draw(st.just(NOTHING) | states()), *draw(st.lists(states(), min_size=1, max_size=3))]
    return [{**after, **{f"was_{name}": was[name] for name in NOTHING}} for was, after in pairwise(went)]


def changes(conversions: list[tuple[int, list[dict[str, Any]]]]) -> Steps:
    blank = {name: "" if dtype == pl.String else 0 for name, dtype in STEPS.items()}
    rows = [
        {**blank, **step, "click_id": f"k{number}", "n": 1, "conversion_type": "sale", "by_line": 10 * number + place}
        for number, steps in conversions
        for place, step in enumerate(steps)
    ]
    return Steps(pl.DataFrame(rows, schema=dict(STEPS)))


@given(st.lists(steps_of_one(), min_size=5, max_size=40), st.lists(st.integers(1, 8), min_size=40, max_size=40))
def test_biggest__are_the_same_however_conversions_are_parted(
    conversions: list[list[dict[str, Any]]], sizes: list[int]
) -> None:
    numbered = list(enumerate(conversions))
    at_once = biggest_changes(NOTHING_BIG, changes(numbered))
    parted, start = NOTHING_BIG, 0
    for size in sizes:
        parted = biggest_changes(parted, changes(numbered[start : start + size]))
        start += size
    assert parted.to_dicts() == at_once.to_dicts()
    assert parted.height <= MOST
    assert list(parted.columns) == list(BIGGEST)

"""How many rows of longer work are taken at a time: few where each takes long, enough where the machine is busy."""

import pytest

from trueup.recording.chunks import Pace, RunOptions

FIRST = 4_000  # what such work begins with
SLICES = RunOptions(slice_seconds=0.06)


def settled(pace: Pace, fixed: float, each: float) -> tuple[int, float]:
    """Take chunks that cost a fixed time, and some for each row. Returns: the rows of the last, and its seconds."""
    for _ in range(30):
        pace.learn(pace.rows, fixed + pace.rows * each)
    return pace.rows, fixed + pace.rows * each


@pytest.mark.parametrize(
    ("machine", "fixed", "each", "least_rows", "most_seconds"),
    [
        ("quiet", 0.012, 0.000_018, 2_600, 0.061),
        ("busy: a fixed cost of more than a chunk is meant to take", 0.060, 0.000_020, 2_000, 0.101),
        ("very busy", 0.180, 0.000_050, 1_390, 0.251),
        ("so busy that no size helps", 0.500, 0.000_020, 500, 0.511),
        ("rows that take long", 0.010, 0.000_400, 590, 0.251),
        ("fast", 0.001, 0.000_001, 40_000, 0.060),
    ],
)
@pytest.mark.parametrize("begins_with", [1, 500, 40_000])
def test_pace__settles(  # noqa: PLR0913 - a table's columns
    machine: str, fixed: float, each: float, least_rows: int, most_seconds: float, begins_with: int
) -> None:
    pace = Pace(FIRST, SLICES, is_sqlite=True)
    pace.rows = begins_with
    rows, seconds = settled(pace, fixed, each)
    assert rows >= least_rows, machine
    assert seconds <= most_seconds, machine


def test_pace__grows_by_no_more_than_twice() -> None:
    pace = Pace(FIRST, SLICES, is_sqlite=True)
    pace.rows = 700
    pace.learn(700, 0.001)
    assert pace.rows == 1_400


def test_pace__keeps_what_it_is_asked_for() -> None:
    pace = Pace(FIRST, RunOptions(chunk_rows=7), is_sqlite=True)
    pace.learn(7, 0.5)
    assert pace.rows == 7

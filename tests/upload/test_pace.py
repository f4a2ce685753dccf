"""How many rows of longer work are taken at a time: few where each takes long, enough where the machine is busy."""

import pytest

from trueup.recording.chunks import Pace, RunOptions

FIRST = 4_000  # what such work begins with
SLICES = RunOptions(slice_seconds=0.06)


def settled(pace: Pace, waits: float, works: float, each_waits: float, each_works: float) -> tuple[int, float]:
    """Take chunks that wait and work for a fixed time, and for each row. Returns: the rows of the last, its seconds."""
    for _ in range(30):
        worked = works + pace.rows * each_works
        took = waits + pace.rows * each_waits + worked
        pace.learn(pace.rows, took, worked)
    return pace.rows, took


@pytest.mark.parametrize(
    ("machine", "waits", "works", "each_waits", "each_works", "least_rows", "most_seconds"),
    [
        ("quiet, SQLite", 0, 0.010, 0.000_002, 0.000_016, 2_600, 0.061),
        ("quiet, PostgreSQL", 0.005, 0.010, 0.000_011, 0.000_009, 2_000, 0.061),
        ("busy: it waits for longer than a chunk is meant to take", 0.050, 0.010, 0.000_015, 0.000_010, 2_000, 0.111),
        ("very busy", 0.300, 0.010, 0.000_030, 0.000_010, 2_000, 0.391),
        ("so busy that no size helps", 0.600, 0.010, 0.000_030, 0.000_010, 250, 0.621),
        ("rows that are much work", 0, 0.010, 0, 0.000_100, 500, 0.061),
        ("rows that are much work, on a busy machine", 0.100, 0.010, 0.000_100, 0.000_100, 500, 0.211),
        ("rows that wait for a slow disk", 0, 0.010, 0.000_500, 0.000_010, 950, 0.501),
        ("fast", 0, 0.001, 0, 0.000_001, 40_000, 0.060),
    ],
)
@pytest.mark.parametrize("begins_with", [1, 500, 40_000])
def test_pace__settles(
    machine: str,
    waits: float,
    works: float,
    each_waits: float,
    each_works: float,
    least_rows: int,
    most_seconds: float,
    begins_with: int,
) -> None:
    pace = Pace(FIRST, SLICES, is_sqlite=True)
    pace.rows = begins_with
    rows, seconds = settled(pace, waits, works, each_waits, each_works)
    assert rows >= least_rows, machine
    assert seconds <= most_seconds, machine


def test_pace__grows_by_no_more_than_twice() -> None:
    pace = Pace(FIRST, SLICES, is_sqlite=True)
    pace.rows = 700
    pace.learn(700, 0.001, 0.001)
    assert pace.rows == 1_400


def test_pace__keeps_what_it_is_asked_for() -> None:
    pace = Pace(FIRST, RunOptions(chunk_rows=7), is_sqlite=True)
    pace.learn(7, 0.5, 0.5)
    assert pace.rows == 7

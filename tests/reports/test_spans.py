"""Spans of time as people write them: the first moment that is meant, and the first that is not."""

import pytest
from stored import at

from trueup.reports.spans import WrongWordError, bounds

WARSAW = "Europe/Warsaw"
NOW = at("2026-03-30T00:30", WARSAW)  # in UTC it is the day before; the night before had 23 hours


@pytest.mark.parametrize(
    ("from_", "to", "begins", "ends"),
    [
        ("today", "today", "2026-03-30", "2026-03-31"),
        ("yesterday", "yesterday", "2026-03-29", "2026-03-30"),
        ("7d", "1d", "2026-03-23", "2026-03-30"),
        ("0d", "today", "2026-03-30", "2026-03-31"),
        ("2026-03", "2026-03", "2026-03-01", "2026-04-01"),
        ("2025-12", "2026-02", "2025-12-01", "2026-03-01"),
        ("2026-03-29", "2026-03-29", "2026-03-29", "2026-03-30"),
        ("2026-03-29T10:00", "2026-03-29T12:00", "2026-03-29T10:00", "2026-03-29T12:00"),
    ],
)
def test_bounds__are_of_the_viewers_days(from_: str, to: str, begins: str, ends: str) -> None:
    assert bounds(from_, to, WARSAW, NOW) == (at(begins, WARSAW), at(ends, WARSAW))


def test_bounds__are_none_where_nothing_is_said() -> None:
    assert bounds(None, None, WARSAW, NOW) == (None, None)


@pytest.mark.parametrize("text", ["tomorrow", "d", "-7d", "99999d", "2026-13", "2026-00", "Today", "7 d", "d7"])
def test_bounds__say_what_can_be_written(text: str) -> None:
    with pytest.raises(WrongWordError, match="is not a date or a time"):
        bounds(text, None, WARSAW, NOW)

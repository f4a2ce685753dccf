"""Zones: local times become moments alike in columns and alone, as Python's own calendar has it."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_texts import ANY_TEXT, LAW

from trueup.model.zones import ClockChange, clock_changes, day_begins, is_known, local_times, moment, moments

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
KNOWN = (
    "UTC", "Europe/Warsaw", "America/New_York", "Asia/Kolkata", "Asia/Beirut", "America/Havana", "America/St_Johns",
    "Australia/Lord_Howe",  # clocks move by half an hour
    "America/Sao_Paulo",  # clocks moved at midnight
    "Pacific/Apia",  # left out a whole day in 2011
)  # fmt: skip
ZONES = st.sampled_from(KNOWN)


def changes(zone: str) -> list[datetime]:
    """What clocks show within a day after each change of a zone's clocks."""
    days = [datetime(1996, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(365 * 30)]
    at = [each.astimezone(ZoneInfo(zone)) for each in days]
    return [late.replace(tzinfo=None) for early, late in pairwise(at) if early.utcoffset() != late.utcoffset()]


CHANGES = {zone: changes(zone) or [datetime(2024, 1, 1)] for zone in KNOWN}  # noqa: DTZ001 - what a clock shows
ANYTIME = st.datetimes(datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2037-12-31"))


def walls(zone: str) -> st.SearchStrategy[list[datetime]]:
    """Local times, many of them around the changes of the clock."""
    near = st.tuples(st.sampled_from(CHANGES[zone]), st.integers(-105, 8))
    around = near.map(lambda pair: pair[0] + pair[1] * timedelta(minutes=15))
    return st.lists(around | ANYTIME, min_size=40, max_size=120)


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICRO


def by_calendar(wall: datetime, zone: str) -> int | ClockChange:
    first, second = (micros(wall.replace(tzinfo=ZoneInfo(zone), fold=fold)) for fold in (0, 1))
    return first if first == second else ClockChange.SKIPPED if first > second else ClockChange.REPEATED


@LAW
@given(zone=ZONES, data=st.data())
def test_moments__are_those_of_the_calendar_in_columns_and_alone(zone: str, data: st.DataObject) -> None:
    local = data.draw(walls(zone))
    shown = [micros(wall.replace(tzinfo=UTC)) for wall in local]
    expected = [by_calendar(wall, zone) for wall in local]
    assert [moment(each, zone) for each in shown] == expected
    frame = pl.DataFrame({"local": shown}, schema={"local": pl.Int64})
    at, told = frame.select(
        moments(pl.col("local"), zone), clock_changes(pl.col("local"), zone, pl.lit("it")).alias("told")
    )
    assert at.to_list() == [None if isinstance(each, ClockChange) else each for each in expected]
    ways = {ClockChange.SKIPPED: "it never was in", ClockChange.REPEATED: "it was twice in"}
    for each, why in zip(expected, told, strict=True):
        assert not isinstance(each, ClockChange) or why.startswith(f"{ways[each]} {zone}: a clock change {each} it.")


@LAW
@given(zone=ZONES, data=st.data())
def test_moments__show_the_local_times_that_they_are_of(zone: str, data: st.DataObject) -> None:
    local = data.draw(walls(zone))
    at = [found for wall in local if isinstance(found := by_calendar(wall, zone), int)]
    frame = pl.DataFrame({"at": at}, schema={"at": pl.Int64})
    shown = frame.select(local_times(pl.col("at"), zone).dt.replace_time_zone(None)).to_series().to_list()
    assert shown == [wall for wall in local if isinstance(by_calendar(wall, zone), int)]


@LAW
@given(zone=ZONES, data=st.data())
def test_days__begin_with_their_first_moment(zone: str, data: st.DataObject) -> None:
    for wall in data.draw(walls(zone)):
        day = wall.date()
        begin = day_begins(day, zone)
        assert begin == micros(datetime.combine(day, time(), ZoneInfo(zone)))
        before, first = (EPOCH + timedelta(microseconds=at) for at in (begin - 1, begin))
        assert before.astimezone(ZoneInfo(zone)).date() < first.astimezone(ZoneInfo(zone)).date()


@LAW
@given(
    zone=ZONES | st.sampled_from(["EET", "WET", "Africa/Cairo", "Asia/Tehran", "America/Santiago"]),
    days=st.lists(st.dates(date(1975, 1, 1), date(2037, 12, 31)), min_size=40, max_size=120),
)
def test_days__of_filters_are_the_days_of_reports(zone: str, days: list[date]) -> None:
    """Both by one table of zones: the machine's own, of another year, may have others."""
    frame = pl.DataFrame({"at": [day_begins(day, zone) for day in days]}, schema={"at": pl.Int64})
    shown = frame.select(
        local_times(pl.col("at"), zone).dt.date(), local_times(pl.col("at") - 1, zone).dt.date().alias("before")
    )
    for day, (first, before) in zip(days, shown.rows(), strict=True):
        assert before < day <= first


@pytest.mark.parametrize("day", [date(1, 1, 2), date(9999, 12, 31)])
@pytest.mark.parametrize("zone", KNOWN)
def test_days__of_all_years_begin(zone: str, day: date) -> None:
    midnight = datetime.combine(day, time(), UTC)
    assert abs(day_begins(day, zone) - micros(midnight)) <= 26 * 3_600 * 1_000_000


@pytest.mark.parametrize("zone", KNOWN)
def test_names__are_known(zone: str) -> None:
    assert is_known(zone)


NO_NAMES = (
    "", "utc", "+01:00", "-0530", "Z", "europe/warsaw", "Europe/Warsow", " UTC", "UTC\n", "Factory", "localtime",
    "../etc", "\0", "\ud800",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_NAMES)
def test_names__are_written_exactly_so(text: str) -> None:
    assert not is_known(text)


@LAW
@given(text=st.sampled_from(KNOWN).flatmap(lambda zone: st.permutations(zone).map("".join)) | ANY_TEXT)
def test_names__of_nothing_are_not_known(text: str) -> None:
    assert text in KNOWN or text in available_timezones() or not is_known(text)  # such as UCT, of the letters of UTC

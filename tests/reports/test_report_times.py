"""Hours, days and months of a report are the viewer's: borders at local midnight, also where the clock changes."""

import json
from typing import Any

import pytest
from command_line import CommandLine
from databases import by_hand
from stored import MONEY, at, click, conversion, set_up, store

from trueup.ledger.database import Database

HOUR = 3_600 * MONEY


def groups(trueup: CommandLine, by: str, *words: object) -> dict[str, int]:
    """The conversions of each group, in the report's order."""
    ran = trueup("report", "--json", "--by", by, *words)
    assert (ran.code, ran.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(ran.stdout)["rows"]
    return {row[by]: row["conversions"] for row in rows}


def one_each_hour(ledger: Database, begin: int, hours: int) -> None:
    store(ledger, [conversion(f"c{hour:03}", converted_at=begin + hour * HOUR) for hour in range(hours)])


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Warsaw", "2026-03-29", 23),
        ("Europe/Warsaw", "2025-10-26", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2025-11-02", 25),
        ("Asia/Kolkata", "2026-03-29", 24),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_day__has_the_hours_that_its_zone_gives_it(
    ledger: Database, trueup: CommandLine, zone: str, day: str, hours: int
) -> None:
    midnight = at(day, zone)
    one_each_hour(ledger, midnight - 30 * HOUR, 90)
    assert groups(trueup, "day", "--time-zone", zone)[day] == hours
    assert groups(trueup, "day", "--time-zone", zone, "--from", day, "--to", day) == {day: hours}
    assert len(groups(trueup, "hour", "--time-zone", zone, "--from", day, "--to", day)) == hours


@pytest.mark.parametrize(("zone", "day"), [("Europe/Warsaw", "2026-03-29"), ("Asia/Kolkata", "2026-01-01")])
def test_last_microsecond_of_a_day__is_still_that_day(
    ledger: Database, trueup: CommandLine, zone: str, day: str
) -> None:
    midnight = at(day, zone)
    store(ledger, [conversion("c1", converted_at=midnight - 1), conversion("c2", converted_at=midnight)])
    assert list(groups(trueup, "day", "--time-zone", zone).values()) == [1, 1]
    assert groups(trueup, "day", "--time-zone", zone, "--from", day) == {day: 1}


@pytest.mark.front
def test_repeated_hour__is_two_rows_with_their_offsets(ledger: Database, trueup: CommandLine) -> None:
    one_each_hour(ledger, at("2025-10-25T23:00"), 4)
    assert list(groups(trueup, "hour", "--time-zone", "Europe/Warsaw")) == [
        "2025-10-26T01:00+02:00",
        "2025-10-26T02:00+02:00",
        "2025-10-26T02:00+01:00",
        "2025-10-26T03:00+01:00",
    ]


@pytest.mark.front
def test_hours_of_a_half_hour_zone__begin_at_the_full_local_hour(ledger: Database, trueup: CommandLine) -> None:
    store(
        ledger,
        [conversion("c1", converted_at=at("2026-01-01T10:29")), conversion("c2", converted_at=at("2026-01-01T10:30"))],
    )
    shown = groups(trueup, "hour", "--time-zone", "Asia/Kolkata")
    assert shown == {"2026-01-01T15:00+05:30": 1, "2026-01-01T16:00+05:30": 1}


@pytest.mark.front
def test_change_by_half_an_hour__parts_the_repeated_hour_too(ledger: Database, trueup: CommandLine) -> None:
    """Lord Howe's clock goes from 2:00 back to 1:30."""
    begin = at("2026-04-04T14:00")
    store(ledger, [conversion(f"c{n}", converted_at=begin + n * HOUR // 2) for n in range(4)])
    assert groups(trueup, "hour", "--time-zone", "Australia/Lord_Howe") == {
        "2026-04-05T01:00+11:00": 2,
        "2026-04-05T01:00+10:30": 1,
        "2026-04-05T02:00+10:30": 1,
    }


@pytest.mark.front
def test_month__changes_at_local_midnight(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion(f"c{n}", converted_at=at("2026-01-31T22:30") + n * HOUR) for n in range(2)])
    assert groups(trueup, "month", "--time-zone", "Europe/Warsaw") == {"2026-01": 1, "2026-02": 1}
    assert groups(trueup, "month", "--time-zone", "UTC") == {"2026-01": 2}


@pytest.mark.front
def test_time_zone__is_the_workspaces_unless_told(ledger: Database, trueup: CommandLine) -> None:
    set_up(ledger, "Asia/Tokyo")
    store(ledger, [conversion("c1", converted_at=at("2026-01-31T22:30"))])
    assert groups(trueup, "day") == {"2026-02-01": 1}
    assert json.loads(trueup("report", "--json").stdout)["time_zone"] == "Asia/Tokyo"


@pytest.mark.front
def test_days_without_rows__are_not_invented(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion(f"c{n}", converted_at=at(day)) for n, day in enumerate(("2026-01-01", "2026-01-05"))])
    assert list(groups(trueup, "day")) == ["2026-01-01", "2026-01-05"]


def test_counts_that_went_away__leave_no_day_behind(ledger: Database, trueup: CommandLine) -> None:
    """A rollup that came down to nothing stays as a row of zeros."""
    one_each_hour(ledger, at("2026-01-01"), 1)
    by_hand(ledger, "UPDATE rollups SET conversions = 0, revenue = 0")
    assert groups(trueup, "day") == {}


@pytest.mark.front
def test_click_clock__counts_conversions_when_their_click_came(ledger: Database, trueup: CommandLine) -> None:
    clicked, converted = at("2026-01-01T12:00"), at("2026-01-03T12:00")
    store(ledger, [conversion("c1", clicked_at=clicked, converted_at=converted)], [click("c1", clicked)])
    rows = json.loads(trueup("report", "--by", "day", "--json").stdout)["rows"]
    assert [[row["day"], row["clicks"], row["conversions"]] for row in rows] == [
        ["2026-01-01", 1, 0],
        ["2026-01-03", 0, 1],
    ]
    rows = json.loads(trueup("report", "--by", "day", "--json", "--date", "click").stdout)["rows"]
    assert [[row["day"], row["clicks"], row["conversions"], row["cr"]] for row in rows] == [
        ["2026-01-01", 1, 1, "100.00"]
    ]

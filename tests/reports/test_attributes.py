"""Reports by what is known of the click and by the label, while conversions come, change, go, and come to life."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from worlds import World, grown, micros_at

from trueup.ledger import segment_cells
from trueup.ledger.database import Database
from trueup.model.traffic import IncomingConversion
from trueup.model.words import Origin
from trueup.recording.incoming import LiveLedger
from trueup.reports import report

SETUP = """
[workspace]
unknown_click = "park"
[[affiliate_networks]]
name = "Northwind"
duplicate_mode = "update"
[[offers]]
name = "VPN trial"
network = "Northwind"
[[campaigns]]
name = "Push"
slug = "push"
"""
CLICKS = """click_id,campaign,offer,clicked_at,cost,country,sub2,sub1
k1,Push,VPN trial,2026-03-01T10:00:00Z,0.10,PL,mobile,zone 1
k2,Push,VPN trial,2026-03-01T10:01:00Z,0.10,PL,desktop,zone 2
k3,Push,VPN trial,2026-03-02T10:02:00Z,0.10,DE,mobile,zone 1
k4,Push,VPN trial,2026-03-02T23:30:00Z,0.10,,,
"""
LATE = "click_id,campaign,offer,clicked_at,cost,country\nk9,Push,VPN trial,2026-03-01T10:00:00Z,0.50,CZ\n"
ROWS = """click_id,payout,transaction_id,status,converted_at
k1,10.00,t1,approved,2026-03-01T12:00:00Z
k2,20.00,t2,pending,2026-03-01T12:00:00Z
k3,40.00,t3,approved,2026-03-02T12:00:00Z
k4,5.00,t4,approved,2026-03-02T23:30:00Z
k9,7.00,t9,approved,2026-03-01T12:00:00Z
"""


def _grow(world: World) -> None:
    world.set_up(SETUP)
    import_clicks(world, CLICKS)
    assert world.trueup("upload", "-", "--yes", stdin=ROWS).code == 0


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


def import_clicks(world: World, text: str) -> None:
    ran = world.trueup("clicks", "import", world.file(text), "--yes")
    assert ran.code == 0, ran.stderr


def by(world: World, dimensions: str, *words: str) -> dict[str, tuple[Any, ...]]:
    """Clicks, conversions, revenue and pending revenue of each group; the groups come to the totals."""
    found = json.loads(world.trueup("report", "--by", dimensions, *words, "--json").stdout)
    shown = ("clicks", "conversions", "revenue", "pending_revenue")
    for name in ("conversions", "revenue", "pending_revenue", "declined_revenue"):
        assert sum(float(row[name]) for row in found["rows"]) == pytest.approx(float(found["totals"][name]))
    names = dimensions.split(",")
    return {" ".join(row[name] for name in names): tuple(row[name] for name in shown) for row in found["rows"]}


def assert_proved(world: World) -> None:
    ran = world.trueup("audit")
    assert ran.code == 0, ran.stdout


def test_groups__are_those_of_the_click(world: World) -> None:
    assert by(world, "country") == {
        "": (1, 1, "5.00", "0.00"),
        "DE": (1, 1, "40.00", "0.00"),
        "PL": (2, 2, "10.00", "20.00"),
    }
    assert by(world, "sub2,sub1") == {
        " ": (1, 1, "5.00", "0.00"),
        "desktop zone 2": (1, 1, "0.00", "20.00"),
        "mobile zone 1": (2, 2, "50.00", "0.00"),
    }
    assert by(world, "day,country", "--where", "sub2=mobile") == {
        "2026-03-01 PL": (1, 1, "10.00", "0.00"),
        "2026-03-02 DE": (1, 1, "40.00", "0.00"),
    }
    assert by(world, "sub1", "--batch", "2") == by(world, "sub1")
    assert by(world, "country", "--from", "2026-03-02", "--to", "2026-03-02") == {
        "": (1, 1, "5.00", "0.00"),
        "DE": (1, 1, "40.00", "0.00"),
    }


def test_weekdays_and_hours__are_those_of_the_zone(world: World) -> None:
    """1 March 2026 is a Sunday; 23:30 of the next day is Tuesday in Warsaw."""
    assert list(by(world, "weekday", "--time-zone", "Europe/Warsaw")) == ["Monday", "Tuesday", "Sunday"]
    assert by(world, "hour_of_day", "--time-zone", "Europe/Warsaw") == {
        "00:00": (1, 1, "5.00", "0.00"),
        "11:00": (3, 0, "0.00", "0.00"),
        "13:00": (0, 3, "50.00", "20.00"),
    }
    assert by(world, "weekday,country", "--date", "click") == {
        "Monday ": (1, 1, "5.00", "0.00"),
        "Monday DE": (1, 1, "40.00", "0.00"),
        "Sunday PL": (2, 2, "10.00", "20.00"),
    }


@pytest.mark.front
def test_changes__move_what_they_change(world: World) -> None:
    import_clicks(world, LATE)
    assert by(world, "country")["CZ"] == (1, 1, "7.00", "0.00")
    changed = "click_id,payout,transaction_id,status\nk2,25.00,t2,approved\nk3,,t3,rejected\n"
    assert world.trueup("upload", "-", "--yes", stdin=changed).code == 0
    assert by(world, "country") == {
        "": (1, 1, "5.00", "0.00"),
        "CZ": (1, 1, "7.00", "0.00"),
        "DE": (1, 0, "0.00", "0.00"),
        "PL": (2, 2, "35.00", "0.00"),
    }
    assert_proved(world)
    assert world.trueup("undo", "2", "--yes").code == 0
    assert by(world, "country") == {
        "": (1, 0, "0.00", "0.00"),
        "CZ": (1, 0, "0.00", "0.00"),
        "DE": (1, 0, "0.00", "0.00"),
        "PL": (2, 1, "25.00", "0.00"),
    }
    assert_proved(world)


@pytest.mark.front
def test_labels__part_first_sales_from_repeated_ones(world: World) -> None:
    again = "click_id,payout,transaction_id\nk1,10.00,t1\nk1,10.00,t7\n"
    assert world.trueup("upload", "-", "--yes", "--duplicates", "create_new_or_repeated", stdin=again).code == 0
    assert by(world, "label,country", "--where", "country=PL") == {
        "new PL": (None, 1, "10.00", "0.00"),
        "repeated PL": (None, 1, "10.00", "0.00"),
        "unknown PL": (None, 2, "10.00", "20.00"),
    }


def test_sub_parameters_that_come_later__move_the_click_and_its_conversions(world: World, ledger: Database) -> None:
    live = LiveLedger(ledger, lambda: micros_at("2026-03-03T12:00:00Z"), "tests")
    given = {"k1": {"sub1": "zone 7", "sub9": "b"}, "k2": {"sub1": "zone 2"}, "unknown": {"sub1": "zone 2"}}
    live.record(
        [
            IncomingConversion({"click_id": of, "transaction_id": f"t{of[1:]}"}, Origin.POSTBACK, sub_parameters=subs)
            for of, subs in given.items()
        ]
    )
    live.finish()
    assert by(world, "sub1") == {
        "": (1, 1, "5.00", "0.00"),
        "zone 1": (1, 1, "40.00", "0.00"),
        "zone 2": (1, 1, "0.00", "20.00"),
        "zone 7": (1, 1, "10.00", "0.00"),
    }
    assert_proved(world)
    later = "click_id,payout,transaction_id\nk1,11.00,t1\n"
    assert world.trueup("upload", "-", "--yes", stdin=later).code == 0
    assert by(world, "sub1")["zone 7"] == (1, 1, "11.00", "0.00")
    assert_proved(world)
    assert world.trueup("undo", "3", "--yes").code == 0  # the postbacks
    assert by(world, "sub1") == {
        "": (1, 1, "5.00", "0.00"),
        "zone 1": (2, 2, "51.00", "0.00"),
        "zone 2": (1, 1, "0.00", "20.00"),
    }
    assert by(world, "sub9") == {"": (4, 4, "56.00", "20.00")}
    assert_proved(world)


@pytest.mark.parametrize("words", [(), ("--from", "2026-03-01T10:00:30Z")])  # from segments, and from the rows
def test_report__of_more_rows_than_anybody_reads_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(segment_cells, "GROUPS_MAX", 3)
    monkeypatch.setattr(report, "ROWS_MAX", 3)
    assert len(by(world, "sub1")) == 3
    ran = world.trueup("report", "--by", "sub1,country", *words, "--top", "1")
    assert ran.code == 2
    assert ran.stdout == ""
    assert "By sub1,country there would be more than 3 rows. Choose a shorter time" in ran.stderr
    assert by(world, "sub1,country", "--where", "country=PL", *words)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE clicks SET country = 'FR' WHERE click_id = 'k1'",
        "UPDATE clicks SET click_number = 99 WHERE click_id = 'k1'",
        "DELETE FROM loose_conversions",
        "DELETE FROM loose_clicks",
    ],
)
def test_audit__finds_segments_that_differ(world: World, ledger: Database, damage: str) -> None:
    with ledger.transaction() as transaction:
        transaction.run(damage)
    laws = json.loads(world.trueup("audit", "--json").stdout)
    broken = {law["law"] for law in laws if not law["held"]}
    assert broken - {"arrivals"} == {"segments"}  # conversions have the number of their click

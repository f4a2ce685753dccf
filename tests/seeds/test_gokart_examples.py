"""GoKart's status files: all events of a click, one event by its id, and the changes that people make."""

from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, grown

pytestmark = pytest.mark.front

SETUP = """
[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "install"

[[conversion_types]]
name = "level_5"

[[offers]]
name = "Game"
network = "Northwind"
"""
HEADER = "gk_click_id,EventId,status\n"


def _grow(world: World) -> None:
    world.set_up(SETUP)
    world.add_clicks("g1", "g2", offer="Game")
    world.upload(
        "ClickId,EventID,UserCompletedAt,Revenue,Reward\n"
        "g1,install,2026-02-03 10:00:00,1.50,0.5\n"
        "g1,level_5,2026-02-04 10:00:00,4,2\n"
        "g2,install,2026-02-03 11:00:00,1.50,0.5\n",
        "--dialect",
        "gokart",
    )


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


def test_gokart__a_click_alone_means_all_its_events(world: World) -> None:
    updated = world.upload("gk_click_id,status\ng1,Rejected\n", command="update-status")
    assert (updated.code, updated.outcomes) == (0, ["updated"])
    assert "2 conversions" in updated.rows[0]["message"]
    assert (updated.change("conversions"), updated.change("revenue")) == (-2, -5.5)
    assert world.seen("click_id", "status") == [("g1", "declined"), ("g1", "declined"), ("g2", "approved")]


def test_gokart__an_event_id_means_that_event(world: World) -> None:
    """The event's id is the one in the exported log."""
    event = world.seen("conversion_id", "conversion_type")[1]
    assert event == ("g1-2", "level_5")
    updated = world.upload(f"{HEADER}g1,{event[0]},Rejected\n", command="update-status")
    assert updated.outcomes == ["updated"]
    assert (updated.change("conversions"), updated.change("revenue")) == (-1, -4)
    assert world.seen("conversion_id", "status") == [
        ("g1-1", "approved"),
        ("g1-2", "declined"),
        ("g2-1", "approved"),
    ]


@pytest.mark.parametrize(
    ("first", "then", "status", "change"),
    [
        ("Rejected", "Success", "approved", 1),
        ("Success", "Rejected", "declined", -1),
        ("Pending", "Success", "approved", 0),
        ("Pending", "Rejected", "declined", -1),
    ],
)
def test_gokart__changes_of_status(world: World, first: str, then: str, status: str, change: int) -> None:
    world.upload(f"{HEADER}g2,,{first}\n", command="update-status")
    updated = world.upload(f"{HEADER}g2,,{then}\n", command="update-status")
    assert updated.outcomes == ["updated"]
    assert updated.change("conversions") == change
    assert world.seen("conversion_id", "status")[2] == ("g2-1", status)


def test_gokart__a_persons_status_overrides_what_was_tracked(world: World) -> None:
    """And it stays: a later row of the network does not move it, unless statuses are forced."""
    world.upload(f"{HEADER}g2,,Rejected\n", command="update-status")
    row = "click_id,conversion_type,status\ng2,install,approved\n"
    assert world.upload(row, "--duplicates", "update").outcomes == ["refused_manual_status"]
    assert world.upload(row, "--duplicates", "update", "--force-status").outcomes == ["updated"]
    assert world.seen("status")[2] == ("approved",)


def test_gokart__an_event_of_another_click(world: World) -> None:
    wrong = world.upload(f"{HEADER}g1,g2-1,Rejected\n", command="update-status")
    assert (wrong.code, wrong.outcomes) == (1, ["refused_unknown_conversion"])

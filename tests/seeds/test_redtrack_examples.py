"""RedTrack's files and settings: times in UTC seen in the account's zone, duplicate modes, default statuses."""

from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World

pytestmark = pytest.mark.front

SETUP = """
[workspace]
name = "Acme"
time_zone = "{zone}"

[[affiliate_networks]]
name = "Northwind"
duplicate_mode = "{mode}"
default_status = "{default}"

[[conversion_types]]
name = "Upsell"
{type_mode}

[[offers]]
name = "Shoes"
network = "Northwind"
"""


def made(
    trueup: CommandLine,
    folder: Path,
    *,
    mode: str = "ignore",
    type_mode: str = "",
    default: str = "approved",
    zone: str = "UTC",
) -> World:
    world = World(trueup, folder)
    own = f'duplicate_mode = "{type_mode}"' if type_mode else ""
    world.set_up(SETUP.format(mode=mode, type_mode=own, default=default, zone=zone))
    world.add_clicks("r1", "r2", offer="Shoes")
    return world


@pytest.mark.parametrize(
    ("zone", "in_file"),
    [("America/New_York", "2026-07-01 18:00:00"), ("Asia/Dubai", "2026-07-01 10:00:00")],
)
def test_redtrack__a_file_in_utc_is_seen_in_the_accounts_zone(
    trueup: CommandLine, tmp_path: Path, zone: str, in_file: str
) -> None:
    world = made(trueup, tmp_path, zone=zone)
    world.upload(f"clickid,payout,type,status,time\nr1,5,,,{in_file}\n", "--dialect", "redtrack")
    assert "T14:00:00" in world.conversions("--time-zone", zone)[0]["converted_at"]
    assert "T14:00:00" in world.conversions()[0]["converted_at"]  # the workspace's own zone


ROWS = "clickid,payout,rdtk_event_id\nr1,5,e1\nr1,7,e2\nr1,7,e2\n"


@pytest.mark.parametrize(
    ("mode", "outcomes", "payouts", "labels"),
    [
        ("create", ["created"] * 3, ["5.00", "7.00", "7.00"], ["unknown"] * 3),
        ("create_new_or_repeated", ["created"] * 3, ["5.00", "7.00", "7.00"], ["new", "repeated", "repeated"]),
        ("ignore", ["created", "ignored_duplicate", "ignored_duplicate"], ["5.00"], ["unknown"]),
        ("update", ["created", "updated", "unchanged"], ["7.00"], ["unknown"]),
        ("add_payout", ["created", "added_to_payout", "added_to_payout"], ["19.00"], ["unknown"]),
        ("ignore_same_event_id", ["created", "created", "ignored_duplicate"], ["5.00", "7.00"], ["unknown"] * 2),
    ],
)
@pytest.mark.parametrize("level", ["network", "type"])
def test_redtrack__duplicate_modes(
    trueup: CommandLine,
    tmp_path: Path,
    level: str,
    mode: str,
    outcomes: list[str],
    payouts: list[str],
    labels: list[str],
) -> None:
    """The mode of a type prevails over its network's, which here would do something else."""
    other = "create" if mode == "ignore" else "ignore"
    levels = {"mode": mode} if level == "network" else {"mode": other, "type_mode": mode}
    world = made(trueup, tmp_path, **levels)
    type_ = "Upsell" if level == "type" else ""
    rows = ROWS.replace("\nr1,", f"\nr1,{type_},").replace("clickid,", "clickid,type,")
    assert world.upload(rows, "--dialect", "redtrack").outcomes == outcomes
    assert world.seen("payout", "label") == list(zip(payouts, labels, strict=True))


def test_redtrack__type_names_are_case_sensitive(trueup: CommandLine, tmp_path: Path) -> None:
    wrong = made(trueup, tmp_path).upload("clickid,payout,type\nr1,1,upsell\n", "--dialect", "redtrack")
    assert wrong.outcomes == ["refused_unknown_type"]
    assert "Upsell" in wrong.rows[0]["message"]


@pytest.mark.parametrize("default", ["approved", "pending", "declined", "other"])
def test_redtrack__without_a_status_the_network_says(trueup: CommandLine, tmp_path: Path, default: str) -> None:
    world = made(trueup, tmp_path, default=default)
    world.upload("clickid,payout,status\nr1,1,\nr2,1,other\n", "--dialect", "redtrack")
    assert world.seen("status") == [(default,), ("other",)]


def test_redtrack__every_status_has_its_own_numbers(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path, mode="create")
    world.upload("clickid,payout,status\nr1,1,approved\nr1,2,pending\nr1,4,declined\nr1,8,other\n")
    report = world.totals()
    numbers = [report["conversions"], report["revenue"], report["pending_revenue"], report["declined_revenue"]]
    assert numbers == [3, "9.00", "2.00", "4.00"]


def test_redtrack__updating_needs_another_mode(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path)
    world.upload("clickid,payout\nr1,1\n")
    assert world.upload("clickid,payout\nr1,2\n").outcomes == ["ignored_duplicate"]
    assert world.upload("clickid,payout\nr1,2\n", "--duplicates", "update").outcomes == ["updated"]
    assert world.upload("clickid,payout\nr1,2\n", "--duplicates", "create").outcomes == ["created"]


def test_redtrack__updating_a_status_by_click_id(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path)
    world.upload("clickid,payout\nr1,1\n")
    assert world.upload("click_id,status\nr1,declined\n", command="update-status").outcomes == ["updated"]
    assert world.seen("status") == [("declined",)]

"""Lines as people of Keitaro paste them: values left out between commas, spaces, statuses, edited payouts."""

from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World

SETUP = """
[[affiliate_networks]]
name = "Northwind"

[[offers]]
name = "Messenger sale"
network = "Northwind"
payout_mode = "manual"
payout = "7.50"
"""
SUBID = "3f9k2u7c1a5"
KEITARO = ("--dialect", "keitaro", "--duplicates", "update")


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    made.add_clicks(SUBID, "offline1", "offline2", offer="Messenger sale")
    return made


@pytest.mark.front
def test_keitaro__a_lead_then_its_rejection(world: World) -> None:
    added = world.upload(f"{SUBID},,,lead", *KEITARO)
    assert (added.code, added.outcomes) == (0, ["created"])
    assert (added.change("conversions"), added.change("revenue"), added.change("pending_revenue")) == (1, 0, 7.5)
    removed = world.upload(f"{SUBID},,, rejected", *KEITARO)
    assert (removed.code, removed.outcomes) == (0, ["updated"])
    assert (removed.change("conversions"), removed.change("pending_revenue")) == (-1, -7.5)
    assert removed.told["conversions"]["after"] == 0
    assert removed.told["revenue"]["after"] == "0.00"
    assert world.seen("conversion_id", "status", "original_status") == [(f"{SUBID}-1", "declined", "rejected")]


@pytest.mark.front
def test_keitaro__both_lines_in_one_file(world: World) -> None:
    both = world.upload(f"{SUBID},,,lead\n{SUBID},,, rejected\n", *KEITARO)
    assert both.outcomes == ["created", "updated"]
    assert (both.change("conversions"), both.change("revenue"), both.change("pending_revenue")) == (0, 0, 0)


@pytest.mark.front
def test_keitaro__a_braced_template_is_not_a_click(world: World) -> None:
    """Somebody pasted the example without putting the real id in its place."""
    pasted = world.upload("{subid},,,lead", *KEITARO)
    assert (pasted.code, pasted.outcomes) == (1, ["refused_bad_click_id"])


@pytest.mark.front
def test_keitaro__removing_test_conversions(world: World) -> None:
    world.upload(f"{SUBID},3,test-1,sale\n{SUBID},4,real-1,sale\n", *KEITARO)
    removed = world.upload(f"{SUBID},,test-1,rejected", *KEITARO)
    assert removed.outcomes == ["updated"]
    assert (removed.change("conversions"), removed.change("revenue")) == (-1, -3)
    assert world.seen("transaction_id", "status", "payout") == [
        ("test-1", "declined", "3.00"),
        ("real-1", "approved", "4.00"),
    ]
    assert int(world.totals()["conversions"]) == 1


@pytest.mark.front
def test_keitaro__offline_sales_from_a_list(world: World) -> None:
    offline = world.upload("offline1,120.5,,sale\noffline2,,,lead\n", *KEITARO)
    assert offline.outcomes == ["created", "created"]
    assert (offline.change("conversions"), offline.change("revenue")) == (2, 120.5)


@pytest.mark.front
def test_keitaro__editing_payouts_of_several_transactions(world: World) -> None:
    world.upload(f"{SUBID},10,t1\n{SUBID},20,t2\n{SUBID},30,t3\n", *KEITARO)
    edited = world.upload(f"{SUBID},11.25,t1\n{SUBID},20,t2\n{SUBID},0,t3\n", *KEITARO)
    assert edited.outcomes == ["updated", "unchanged", "updated"]
    assert (edited.change("conversions"), edited.change("revenue")) == (0, -28.75)
    assert world.seen("payout", "status") == [("11.25", "approved"), ("20.00", "approved"), ("0.00", "approved")]


@pytest.mark.front
def test_keitaro__its_own_way_with_duplicates_is_update(world: World) -> None:
    world.upload(f"{SUBID},5", "--dialect", "keitaro")
    again = world.upload(f"{SUBID},6", "--dialect", "keitaro", "--preview")
    assert again.outcomes == ["updated"]
    assert again.told["duplicate_modes"] == [{"mode": "update", "mode_from": "dialect", "rows": 1}]
    assert "keitaro's own way with duplicates is update" in again.stderr


@pytest.mark.front
def test_keitaro__what_is_set_up_outranks_its_own_way(world: World) -> None:
    world.set_up(SETUP.replace('"Northwind"\n\n', '"Northwind"\nduplicate_mode = "ignore"\n\n'))
    world.upload(f"{SUBID},33.5,T1,sale", "--dialect", "keitaro")
    again = world.upload(f"{SUBID},35,T1,rejected", "--dialect", "keitaro")
    assert again.outcomes == ["ignored_duplicate"]
    assert [(row["mode"], row["mode_from"]) for row in again.rows] == [("ignore", "network")]
    assert "says declined, 35.00; the conversion is approved, 33.50; mode ignore" in again.rows[0]["message"]

"""`trueup decide-again`: rows of the past under today's settings, previewed, applied once, and undone exactly."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from worlds import World, grown, succeeded

SETUP = """
[[affiliate_networks]]
name = "Northwind"
{network}

[[affiliate_networks]]
name = "Other"

[[offers]]
name = "VPN"
network = "Northwind"

[[offers]]
name = "Game"
network = "Other"

[[conversion_types]]
name = "upsell"
"""
MENDED = 'status_map = { fraud = "declined", checked = "approved" }'
ROWS = "click_id,payout,transaction_id,status,time\n" + "".join(
    f"k{number},{number}.50,T{number},{status},2026-03-0{number}T10:00:00Z\n"
    for number, status in enumerate(["checked", "checked", "fraud", "approved"], start=1)
)
SEEN = ("conversion_id", "status", "original_status", "payout", "converted_at", "batch_id")


def _grow(world: World) -> None:
    """Northwind sent words that nobody knew; the clicks of another network are there, too."""
    world.set_up(SETUP.format(network=""))
    world.add_clicks(*(f"k{number}" for number in range(1, 5)), offer="VPN")
    world.add_clicks("o1", offer="Game")
    assert world.upload(ROWS).outcomes == [*["refused_unknown_status"] * 3, "created"]
    world.upload("click_id,status\no1,checked\n")


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


def again(world: World, *words: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(succeeded(world.trueup("decide-again", *words, "--json")))
    return told


@pytest.mark.front
def test_decide_again__cures_a_status_word_that_nobody_knew(world: World) -> None:
    before = world.seen(*SEEN)
    world.set_up(SETUP.format(network=MENDED))
    asked = ("--network", "Northwind", "--outcome", "refused_unknown_status", "--from", "2026-01-01")
    foreseen = again(world, *asked, "--preview")
    assert (foreseen["batch_id"], foreseen["revenue"]) == (None, {"before": "4.50", "after": "8.50"})
    assert [(turn["was"], turn["outcome"], turn["rows"]) for turn in foreseen["other_rows"]] == [
        ("refused_unknown_status", "created", 3)
    ]
    assert world.seen(*SEEN) == before
    told = again(world, *asked, "--yes")
    assert told["revenue"] == foreseen["revenue"]
    assert world.seen(*SEEN) == [  # dated as they say, of the batch that brought them
        ("k1-1", "approved", "checked", "1.50", "2026-03-01T10:00:00+00:00", "1"),
        ("k2-1", "approved", "checked", "2.50", "2026-03-02T10:00:00+00:00", "1"),
        ("k3-1", "declined", "fraud", "3.50", "2026-03-03T10:00:00+00:00", "1"),
        *before,
    ]
    succeeded(world.trueup("audit"))
    after = world.seen(*SEEN)
    again(world, *asked, "--yes")
    assert world.seen(*SEEN) == after
    for batch in (told["batch_id"] + 1, told["batch_id"]):
        succeeded(world.trueup("undo", batch, "--yes"))
    assert world.seen(*SEEN) == before
    succeeded(world.trueup("undo", told["batch_id"] + 3, "--yes"))  # the undo of the first
    assert world.seen(*SEEN) == after
    succeeded(world.trueup("audit"))


def test_decide_again__shows_the_money_first(world: World) -> None:
    world.set_up(SETUP.format(network=MENDED))
    shown = succeeded(world.trueup("decide-again", "--batch", 1, "--preview")).splitlines()
    assert shown[0] == "4 rows of 4 clicks, under the settings of today:"
    assert shown[3].split() == ["conversions", "1", "3", "+2"]
    assert shown[-1].split()[:3] == ["3", "refused_unknown_status", "created"]


def test_decide_again__takes_a_duplicate_mode_that_was_wrong(world: World) -> None:
    world.upload("click_id,payout,transaction_id\nk4,10,T4\n")  # update, the default
    assert world.totals()["revenue"] == "10.00"
    world.set_up(SETUP.format(network='duplicate_mode = "create"'))
    again(world, "--network", "Northwind", "--type", "conversion", "--yes")
    assert (world.totals()["revenue"], world.totals()["conversions"]) == ("14.50", 2)
    told = [event["what"] for event in json.loads(succeeded(world.trueup("history", "k4-2", "--json")))]
    assert told == ["came to life"]


@pytest.mark.front
def test_decide_again__brings_rows_of_clicks_that_came_after_them(world: World) -> None:
    assert world.upload("click_id,payout\nlate,7\n").outcomes == ["refused_unknown_click"]
    asked = ("decide-again", "--outcome", "refused_unknown_click")
    ran = world.trueup(*asked, "--preview")
    assert (ran.code, ran.stdout) == (0, "")
    assert "No row fits" in ran.stderr
    world.add_clicks("late", offer="VPN")
    succeeded(world.trueup(*asked, "--yes"))
    assert world.seen("conversion_id", "payout") == [("k4-1", "4.50"), ("late-1", "7.00")]
    succeeded(world.trueup("audit"))


def test_decide_again__is_for_rows_that_wait_for_their_click_too(world: World) -> None:
    world.set_up(SETUP.format(network="") + '\n[workspace]\nunknown_click = "park"\n')
    assert world.upload("click_id,payout,status\nlate,7,checked\n").outcomes == ["parked_unknown_click"]
    world.set_up(SETUP.format(network=MENDED))
    told = again(world, "--outcome", "parked_unknown_click", "--yes")
    assert (told["rows"], told["other_rows"]) == (1, [])
    clicks = world.file("click_id,campaign,offer,clicked_at\nlate,push,VPN,2026-02-01T00:00:00Z\n")
    succeeded(world.trueup("clicks", "import", clicks, "--yes", "--create-missing"))
    assert ("late-1", "approved") in world.seen("conversion_id", "status")
    succeeded(world.trueup("audit"))


@pytest.mark.front
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Say which rows: by their batch"),
        (["--batch", 99], "There is no batch 99"),
        (["--outcome", "refused_unknown_statu"], "Did you mean refused_unknown_status"),
        (["--network", "Northwnd"], "Did you mean Northwind?"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "Nothing lies between --from"),
    ],
)
def test_decide_again__says_what_is_wrong_with_a_choice(world: World, words: list[object], said: str) -> None:
    ran = world.trueup("decide-again", *words, "--preview")
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr


@pytest.mark.front
def test_decide_again__asks_before_it_changes_anything(world: World) -> None:
    ran = world.trueup("decide-again", "--batch", 1)
    assert ran.code == 2
    assert "add --yes to decide the rows again" in ran.stderr

"""`trueup batch`, `trueup click` and `trueup search` find any sale again."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from worlds import World, grown, succeeded

SETUP = """
[workspace]
time_zone = "Europe/Warsaw"
unknown_click = "park"

[[affiliate_networks]]
name = "net"

[[offers]]
name = "VPN"
network = "net"
"""
ROWS = """click_id,payout,transaction_id,status,time
k1,35.00,T-1,pending,2026-03-05T10:00:00Z
k2,1.x,T-2,sale,2026-03-05T10:00:00Z
k1,33.50,T-1,checked,2026-03-05T10:00:00Z
late,7,T-3,sale,2026-03-05T10:00:00Z
"""


def _grow(world: World) -> None:
    world.set_up(SETUP)
    world.add_clicks("k1", "k2", offer="VPN")
    outcomes = ["created", "refused_bad_payout", "refused_unknown_status", "parked_unknown_click"]
    assert world.upload(ROWS).outcomes == outcomes


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


def told(world: World, *words: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    return json.loads(succeeded(world.trueup(*words, "--json")))


def test_batch__shows_what_its_rows_came_to_and_come_to_now(world: World) -> None:
    shown = succeeded(world.trueup("batch", 1))
    for said in ("Batch 1: upload of file", "4 of 4 rows done", "1 row was parked", "line 3: ", "Warsaw"):
        assert said in shown, said
    world.upload("click_id\nk2\n")
    world.set_up(SETUP.replace('name = "net"', 'name = "net"\nstatus_map = { checked = "approved" }'))
    succeeded(world.trueup("decide-again", "--batch", 1, "--yes"))
    found = told(world, "batch", 1)
    assert {(each["outcome"], each["outcome_now"]) for each in found["outcomes_now"]} == {
        ("created", ""),
        ("refused_bad_payout", ""),
        ("refused_unknown_status", "updated"),
        ("parked_unknown_click", ""),
    }
    assert [row["line"] for row in told(world, "batch", 1, "--outcome", "created")["first_rows"]] == [2]
    again = told(world, "batch", 3)
    assert (again["kind"], [row["line"] for row in again["first_rows"]]) == ("decide_again", [2, 4, 5])
    succeeded(world.trueup("undo", 1, "--yes"))
    assert {each["outcome_now"] for each in told(world, "batch", 1)["outcomes_now"]} == {"undone"}
    assert "undone by batch 4" in succeeded(world.trueup("batch", 1))


@pytest.mark.front
def test_batch__writes_its_refused_rows_so_that_nothing_is_guessed(world: World, tmp_path: Path) -> None:
    refused = tmp_path / "refused.csv"
    succeeded(world.trueup("batch", 1, "--refused", refused))
    rows = list(csv.DictReader(refused.read_text().splitlines()))
    assert [(row["click_id"], row["payout"], row["transaction_id"], row["outcome"]) for row in rows] == [
        ("k2", "?", "T-2", "refused_bad_payout"),
        ("k1", "33.50", "T-1", "refused_unknown_status"),
    ]
    assert rows[0]["record"] == "k2,1.x,T-2,sale,2026-03-05T10:00:00Z"
    mended = refused.read_text().replace("?", "1.20").replace("checked", "sale")
    assert world.upload(mended).outcomes == ["created", "updated"]


@pytest.mark.front
def test_click__shows_all_that_is_known_of_it(world: World) -> None:
    shown = succeeded(world.trueup("click", "k1"))
    for said in ("clicked at", "2026-02-01 01:00", "VPN", "k1-1", "pending", "created", "refused_unknown_status"):
        assert said in shown, said
    assert "2026-03-05 11:00" in shown  # in the workspace's zone
    assert succeeded(world.trueup("history", "k1")) == shown
    found = told(world, "click", "k1")
    assert (found["click"]["offer"], len(found["rows"]), found["conversions"][0]["payout"]) == ("VPN", 2, "35.00")
    assert "click late is not known; rows came for it" in succeeded(world.trueup("click", "late"))
    ran = world.trueup("click", "nobody")
    assert (ran.code, "There is no click nobody" in ran.stderr) == (2, True)


@pytest.mark.front
def test_click__shows_how_it_came(world: World) -> None:
    rows = "".join(f"{click_id},camp,VPN,2026-02-01T00:00:00Z\n" for click_id in ("k1", "k9"))
    file = world.file("click_id,campaign,offer,clicked_at\n" + rows, "more.csv")
    assert "How it came\n  1  2026-02-01 01:00  a visit\n\n" in succeeded(world.trueup("click", "k1"))
    succeeded(world.trueup("clicks", "import", file, "--create-missing", "--yes"))
    first, second = told(world, "click", "k1")["arrivals"]
    assert first | {"batch_id": None, "came_at": "2026-02-01T00:00:00Z", "was_known": False, "counts": True} == first
    assert second | {"batch_id": 2, "file_name": "more.csv", "was_known": True, "undone": False} == second
    (only,) = told(world, "click", "k9")["arrivals"]
    assert only | {"batch_id": 2, "was_known": False, "undone": False, "counts": True} == only
    succeeded(world.trueup("undo", 2, "--yes"))
    lines = succeeded(world.trueup("click", "k1")).splitlines()
    ways = lines[lines.index("How it came") + 1 :][:2]
    assert ways[0].endswith("a visit; this one counts")
    assert ways[1].endswith("; it was known already; undone")
    assert "batch 2, import of more.csv by " in ways[1]
    shown = succeeded(world.trueup("click", "k9"))
    assert shown.startswith("click k9 is not known; it was imported, and that is undone\n")
    assert told(world, "click", "k9")["click"] is None


@pytest.mark.front
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("k1", [("click", "k1", True)]),
        ("k1-1", [("conversion", "k1", True)]),
        ("T-1", [("conversion", "k1", True)]),
        ("lat", [("click", "late", False)]),
        ("T-", []),  # too short
        ("T-2", []),
        ("100%_'", []),
    ],
)
def test_search__finds_what_a_text_names(world: World, text: str, found: list[tuple[str, str, bool]]) -> None:
    seen = told(world, "search", text)
    assert [(each["what"], each["click_id"], each["exactly"]) for each in seen] == found


def test_search__looks_in_the_journal_where_it_is_asked_to(world: World) -> None:
    (found,) = told(world, "search", "T-2", "--rows")
    assert (found["what"], found["batch_id"], found["line"], found["outcome"]) == ("row", 1, 3, "refused_bad_payout")
    ran = world.trueup("search", "T-2")
    assert "Nothing is called that." in ran.stdout
    assert "--rows looks in the journal too" in ran.stderr
    assert "batch 1, line 3" in succeeded(world.trueup("search", "T-2", "--rows"))

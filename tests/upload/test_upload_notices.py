"""What a preview says at its top: what a person must know before a file counts."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded

pytestmark = pytest.mark.front


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2", "k3")
    return made


def noticed(world: World, text: str, *options: str) -> dict[str, str]:
    """What a preview says, by code; the JSON and the terminal say the same."""
    ran = world.trueup("upload", world.file(text), "--preview", "--json", *options)
    told = {notice["code"]: notice["text"] for notice in json.loads(ran.stdout)["notices"]}
    shown = world.trueup("upload", world.file(text), "--preview", *options).stderr
    assert all(text in " ".join(shown.split()) for text in told.values())
    return told


def test_no_time__all_are_dated_now_and_the_unused_column_is_named(world: World) -> None:
    text = (
        "Sub ID,Revenue,Postback timestamp,Visit timestamp\nk1,1,2026-03-05,2026-03-05\nk2,2,2026-03-05,\nnobody,3,,\n"
    )
    assert noticed(world, text)["dated_now"] == (
        "All 2 conversions will be dated now: no column gives the time (not used: Postback timestamp, Visit "
        'timestamp). Say which it is with --map "Postback timestamp=converted_at".'
    )
    assert "dated_now" not in noticed(world, text, "--map", "Postback timestamp=converted_at")
    assert noticed(world, "k1,1\n")["dated_now"] == "The one conversion will be dated now: no row gives its time."
    empty = noticed(world, "click_id,payout,time\nk1,1,\nk2,1,\n")["dated_now"]
    assert empty == "All 2 conversions will be dated now: no row gives its time."
    assert "dated_now" not in noticed(world, "click_id,payout,time\nk1,1,\nk2,1,2026-03-05T10:00Z\n")
    assert "dated_now" not in noticed(world, "click_id,payout\nk1,x\n")


def test_no_payout__is_said_and_the_unused_column_with_amounts_is_named(world: World) -> None:
    text = "Sub ID,Betrag,Nr,Status\nk1,12.50,17,sale\nk2,7,18,sale\nnobody,3,19,sale\n"
    assert noticed(world, text)["no_payout"] == (
        "All 2 new conversions will get the offer's payout, or none: no column gives the payout (not used: Betrag). "
        'If it is Betrag, say so with --map "Betrag=payout".'
    )
    assert "no_payout" not in noticed(world, text, "--map", "Betrag=payout")
    assert noticed(world, "click_id,Nr\nk1,17\n")["no_payout"] == (
        "The one new conversion will get the offer's payout, or none: no column gives the payout. "
        'Say which one does with --map "COLUMN=payout".'
    )
    assert noticed(world, "click_id\nk1\n")["no_payout"].endswith(": no column gives the payout.")
    assert "no_payout" not in noticed(world, "click_id,payout\nk1,\n")
    assert "no_payout" not in noticed(world, "click_id,Betrag\nnobody,1.50\n")


def test_no_payout__of_conversions_that_exist_is_said_where_a_column_has_amounts(world: World) -> None:
    world.upload("click_id,payout\nk1,1\n")
    assert noticed(world, "click_id;Betrag\nk1;1.250,50 €\n")["no_payout"] == (
        "No payout will change: no column gives the payout (not used: Betrag). "
        'If it is Betrag, say so with --map "Betrag=payout".'
    )
    assert "no_payout" not in noticed(world, "click_id,Nr\nk1,17\n")


def test_refusals__of_half_the_rows_have_their_main_cause_named(world: World) -> None:
    rows = "click_id,payout,time\nk1,1,2026-03-05T10:00Z\nx1,1,\nx2,1,\nk2,y,\n"
    assert noticed(world, rows)["mostly_refused"].startswith(
        "3 of 4 rows are refused; most of them are refused_unknown_click (2). Line 3: "
    )
    assert noticed(world, "click_id,payout\nx1,1\n")["mostly_refused"].startswith("1 of 1 rows are refused; they are")
    assert "mostly_refused" not in noticed(world, rows + "k2,1,\nk3,1,\nk3,2,\n")


def test_ids__of_another_column_are_pointed_out(world: World) -> None:
    rows = "click_id,Sub 3,payout\ne5a1,k1,5\ne5a2,k2,6\ne5a3,nobody,7\n"
    assert noticed(world, rows)["ids_of_another_column"] == (
        'None of the ids in "click_id" is a click here, but those in "Sub 3" are. '
        'Take them with --map "Sub 3=click_id".'
    )
    assert "ids_of_another_column" not in noticed(world, rows + "k3,k3,1\n")
    mapped = world.trueup("upload", world.file(rows), "--map", "Sub 3=click_id", "--preview", "--json")
    assert json.loads(mapped.stdout)["outcomes"] == {"created": 2, "refused_unknown_click": 1}


def test_modes__are_said_with_their_reason(world: World) -> None:
    said = noticed(world, "click_id,payout\nk1,1\nk2,2\n")["duplicate_modes"]
    assert said == "2 rows act by update, because nobody said one. Another mode is chosen with --duplicates."


def test_same_file__is_said_with_its_undo(world: World) -> None:
    rows = "click_id,payout\nk1,1\n"
    assert "same_file" not in noticed(world, rows)
    world.upload(rows)
    assert noticed(world, rows)["same_file"].startswith("This very file was uploaded before: batch 1, ")
    succeeded(world.trueup("undo", 1, "--yes"))
    assert noticed(world, rows)["same_file"].endswith(" That upload was undone, by batch 2.")
    succeeded(world.trueup("undo", 2, "--yes"))
    assert "undone" not in noticed(world, rows)["same_file"]


def test_conversion_ids__of_another_ledger_are_offered_to_be_left_out(world: World) -> None:
    said = noticed(world, "conversion_id,payout\nk1-7,1\nk2-9,2\n")["conversion_ids_unknown"]
    assert said.startswith("None of the file's conversion ids is known here.")
    assert "--without-conversion-ids" in said
    assert "conversion_ids_unknown" not in noticed(world, "click_id,payout\nk1,1\n")


def test_status_update__is_dated_by_nothing(world: World) -> None:
    world.upload("click_id,payout\nk1,1\n")
    ran = world.trueup("update-status", world.file("click_id,status\nk1,declined\n"), "--preview", "--json")
    assert json.loads(ran.stdout)["notices"] == []

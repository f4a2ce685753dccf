"""The preview of an undo says which rows of other batches come to life by it, or come to something else."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks(*(f"k{number}" for number in range(5)))
    return made


FIRST = "click_id,payout,status\n" + "".join(f"k{number},1,\n" for number in range(5))
SECOND = "click_id,payout,status\n" + "".join(f"k{number},3,declined\n" for number in range(1, 5))


def previewed(world: World, batch: int) -> list[dict[str, object]]:
    told = json.loads(succeeded(world.trueup("undo", batch, "--preview", "--json")))
    rows: list[dict[str, object]] = told["other_rows"]
    return rows


@pytest.mark.front
def test_undo_of_one_of_two_uploads__says_which_rows_come_to_life(world: World) -> None:
    world.upload(FIRST, "--duplicates", "ignore")
    world.upload(SECOND, "--duplicates", "ignore")
    turned = previewed(world, 1)
    assert [(turn["batch_id"], turn["was"], turn["outcome"], turn["rows"]) for turn in turned] == [
        (2, "ignored_duplicate", "created", 4)
    ]
    assert turned[0]["first"] == [
        {"line": line, "click_id": f"k{line - 1}", "message": f"Conversion k{line - 1}-2 is created."}
        for line in (2, 3, 4)
    ]
    shown = succeeded(world.trueup("undo", 1, "--preview"))
    assert "Rows of other batches come to life" in shown
    assert "line 2: Conversion k1-2 is created." in shown
    assert world.totals()["revenue"] == "5.00"  # a preview changes nothing
    succeeded(world.trueup("undo", 1, "--yes"))
    assert (world.totals()["declined_revenue"], world.totals()["conversions"]) == ("12.00", 0)
    # Undoing that undo takes their life again.
    assert [(turn["was"], turn["outcome"], turn["rows"]) for turn in previewed(world, 3)] == [
        ("created", "ignored_duplicate", 4)
    ]


@pytest.mark.front
def test_undo__says_what_updates_become(world: World) -> None:
    world.upload(FIRST)
    world.upload(SECOND, "--duplicates", "update")
    assert [(turn["batch_id"], turn["was"], turn["outcome"], turn["rows"]) for turn in previewed(world, 1)] == [
        (2, "updated", "created", 4)
    ]


@pytest.mark.front
def test_undo__that_bears_on_no_other_rows_says_nothing_of_them(world: World) -> None:
    world.upload(FIRST)
    assert previewed(world, 1) == []
    world.upload(SECOND, "--duplicates", "update")
    assert previewed(world, 2) == []
    assert "other batches" not in succeeded(world.trueup("undo", 2, "--preview"))

"""What a preview holds besides its counts: the biggest changes, money by type and status, refusals by cause."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from command_line import CommandLine
from worlds import World

from trueup.api.resources import wording as in_api
from trueup.cli import wording as in_commands
from trueup.model.frames import JOURNAL, JournalRows, completed
from trueup.model.remedies import RemedyKind
from trueup.pages.upload import words as on_pages
from trueup.recording.causes import MOST, NO_CAUSES, with_causes

ROWS = (
    "click_id,payout,transaction_id,status\n"
    "k1,35.00,T1,approved\n"
    "k2,100.00,T2,pending\n"
    "k3,12.00,T3,paid_out\n"
    "k1,9.00,T9,paid_out\n"
    "nobody,1.00,T4,approved\n"
    'k2,"12,50",T5,approved\n'
)


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2", "k3")
    return made


def previewed(world: World, text: str, *options: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(world.trueup("upload", world.file(text), "--preview", "--json", *options).stdout)
    return told


@pytest.mark.front
def test_preview__money_by_type_and_status_and_the_biggest_changes(world: World) -> None:
    world.upload("click_id,payout,status\nk1,10.00,approved\nk2,20.00,pending\n")
    told = previewed(world, "click_id,payout,status\nk1,45.00,approved\nk2,,declined\nk3,1.00,approved\n")
    assert told["by_type_and_status"] == [
        {
            "conversion_type": "conversion",
            "status": status,
            "conversions": {"before": before[0], "after": after[0]},
            "money": {"before": before[1], "after": after[1]},
        }
        for status, before, after in (
            ("approved", (1, "10.00"), (2, "46.00")),
            ("declined", (0, "0.00"), (1, "20.00")),
            ("pending", (1, "20.00"), (0, "0.00")),
        )
    ]
    state = {"currency": "USD"}
    assert told["biggest_changes"] == [
        {
            "conversion_id": "k1-1",
            "conversion_type": "conversion",
            "line": 2,
            "before": {"status": "approved", "payout": "10.00", **state},
            "after": {"status": "approved", "payout": "45.00", **state},
            "revenue_change": "35.00",
        },
        {
            "conversion_id": "k3-1",
            "conversion_type": "conversion",
            "line": 4,
            "before": None,
            "after": {"status": "approved", "payout": "1.00", **state},
            "revenue_change": "1.00",
        },
        {  # no revenue counts of it, before or after; what it moves between the statuses does
            "conversion_id": "k2-1",
            "conversion_type": "conversion",
            "line": 3,
            "before": {"status": "pending", "payout": "20.00", **state},
            "after": {"status": "declined", "payout": "20.00", **state},
            "revenue_change": "0.00",
        },
    ]


@pytest.mark.front
def test_preview__ten_changes_at_most_and_each_conversion_once(world: World) -> None:
    rows = "".join(f"k1,{number}.00,T{number},\n" for number in range(1, 15)) + "k1,100.00,T1,\n"
    changes = previewed(world, "click_id,payout,transaction_id,status\n" + rows)["biggest_changes"]
    assert [(change["line"], change["revenue_change"]) for change in changes] == [
        (16, "100.00"),
        *((number + 1, f"{number}.00") for number in range(14, 5, -1)),
    ]


@pytest.mark.front
def test_preview__refusals_by_cause_with_an_example_and_what_mends_them(world: World) -> None:
    causes = previewed(world, ROWS)["causes"]
    shown = [
        (each["outcome"], each["what"], each["rows"], each["line"], each["column"], each["seen"], each["remedy"])
        for each in causes
    ]
    assert shown == [
        (
            "refused_unknown_status", "paid_out", 2, 4, "status", "paid_out",
            {"kind": "map_status", "values": {"word": "paid_out"}},
        ),
        ("refused_unknown_click", "", 1, 6, "click_id", "nobody", {"kind": "import_clicks", "values": {}}),
        ("refused_bad_payout", "", 1, 7, "payout", "12,50", {"kind": "choose", "values": {"choice": "decimal_comma"}}),
    ]  # fmt: skip
    assert all(each["expected"] and each["message"] for each in causes)
    printed = " ".join(world.trueup("upload", world.file(ROWS), "--preview").stdout.split())
    assert "refused_unknown_status 'paid_out' 2 say what the word means" in printed
    assert "refused_bad_payout 1 add --decimal-comma" in printed


@pytest.mark.front
def test_undo__its_preview_shows_the_biggest_changes_too(world: World) -> None:
    world.upload("click_id,payout\nk1,35.00\n")
    told = json.loads(world.trueup("undo", 1, "--preview", "--json").stdout)
    assert [
        (change["before"]["status"], change["after"], change["revenue_change"]) for change in told["biggest_changes"]
    ] == [("approved", None, "-35.00")]


def test_causes__are_bounded_and_none_is_lost() -> None:
    words = [f"word{number}" for number in range(5 * MOST)] + ["often"] * 50
    rows = completed(
        pl.DataFrame({"line": range(2, len(words) + 2), "status": words}),
        JOURNAL,
        {"outcome": "refused_unknown_status"},
    )
    causes = NO_CAUSES
    for start in range(0, rows.height, 90):
        causes = with_causes(causes, JournalRows(rows[start : start + 90]))
    assert causes.height <= 2 * MOST
    assert causes["rows"].sum() == len(words)
    assert causes.filter(what="often")["rows"].item() == 50


def test_remedies__are_documented_and_each_surface_words_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text(encoding="utf-8")
    table = page.partition("## What mends refused rows")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [kind.value for kind in RemedyKind]
    for words in (in_api.REMEDIES, in_commands.REMEDIES, on_pages.REMEDIES):
        assert set(words) == set(RemedyKind)

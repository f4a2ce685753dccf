"""Rows of a click import that are refused: which, why, and how they come back to be mended."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click_files import TITLES, stored_clicks
from command_line import CommandLine

from trueup.ledger.database import Database
from trueup.model.words import ClickOutcome

# What is the same whatever the database.
ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"])

WIDE = f"{TITLES},cost,external_id"
GOOD = "c1,PL push,VPN trial,2025-05-01T10:00:00Z,0.10,x"

# One row each; what its message says of it.
REFUSED = {
    "c1,PL push,VPN trial": ("refused_malformed_row", "3 fields found, 6 expected"),
    'c1,"PL push,VPN trial,2025-05-01T10:00:00Z,1,x': ("refused_malformed_row", "the quote that opens on line "),
    ",PL push,VPN trial,2025-05-01T10:00:00Z,0.10,x": ("refused_missing_click_id", "no click id"),
    "c 1,PL push,VPN trial,2025-05-01T10:00:00Z,0.10,x": ("refused_bad_click_id", "'c 1' is not 1 to 64"),
    f"{'c' * 65},PL push,VPN trial,2025-05-01T10:00:00Z,1,x": ("refused_bad_click_id", "is not 1 to 64"),
    "c1,PL posh,VPN trial,2025-05-01T10:00:00Z,0.10,x": (
        "refused_unknown_campaign",
        "There is no campaign 'PL posh'. Did you mean PL push?",
    ),
    "c1,PL Push,VPN trial,2025-05-01T10:00:00Z,0.10,x": ("refused_unknown_campaign", "Did you mean PL push?"),
    "c1,zzzz,VPN trial,2025-05-01T10:00:00Z,0.10,x": ("refused_unknown_campaign", "Known: PL push, UK search"),
    "c1,,VPN trial,2025-05-01T10:00:00Z,0.10,x": ("refused_unknown_campaign", "The campaign is not given."),
    "c1,PL push,VPN trail,2025-05-01T10:00:00Z,0.10,x": ("refused_unknown_offer", "Did you mean VPN trial?"),
    "c1,PL push,,2025-05-01T10:00:00Z,0.10,x": ("refused_unknown_offer", "The offer is not given."),
    "c1,PL push,VPN trial,,0.10,x": ("refused_bad_time", "it is not given"),
    "c1,PL push,VPN trial,2025-05-01,0.10,x": ("refused_bad_time", "'2025-05-01' has no time of day"),
    "c1,PL push,VPN trial,2025-03-30 02:30:00,0.10,x": ("refused_bad_time", "a clock change skipped it"),
    "c1,PL push,VPN trial,1999-12-31T23:59:59Z,0.10,x": ("refused_bad_time", "before the year 2000"),
    "c1,PL push,VPN trial,2025-05-01T10:00:00Z,-0.10,x": ("refused_bad_cost", "'-0.10' is below 0"),
    "c1,PL push,VPN trial,2025-05-01T10:00:00Z,a lot,x": ("refused_bad_cost", "'a lot' is not a number such as 1.20"),
    "c1,PL push,VPN trial,2025-05-01T10:00:00Z,0.1234567,x": ("refused_bad_cost", "more than 6 decimals"),
    f"c1,PL push,VPN trial,2025-05-01T10:00:00Z,1,{'x' * 513}": ("refused_bad_text", "external_id has 513 characters"),
    "c1,PL push,VPN trial,2025-05-01T10:00:00Z,1,a\0b": ("refused_bad_text", "external_id has a zero byte"),
    "c1,PL push,VPN trial,2999-01-01T00:00:00Z,1,x": ("refused_in_future", "at 2999-01-01T00:00:00Z"),
}

# Rows with two faults each: the one that is told comes first.
TWO_FAULTS = {
    ",nowhere,VPN trial,2025-05-01T10:00:00Z,1,x": "refused_missing_click_id",
    "c 1,nowhere,VPN trial,2025-05-01T10:00:00Z,1,x": "refused_bad_click_id",
    "c1,nowhere,nothing,2025-05-01T10:00:00Z,1,x": "refused_unknown_campaign",
    "c1,PL push,nothing,never,1,x": "refused_unknown_offer",
    "c1,PL push,VPN trial,never,-1,x": "refused_bad_time",
    f"c1,PL push,VPN trial,2025-05-01T10:00:00Z,-1,{'x' * 513}": "refused_bad_cost",
    f"c1,PL push,VPN trial,2999-01-01T00:00:00Z,1,{'x' * 513}": "refused_bad_text",
}


@pytest.fixture(autouse=True)
def workspace(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme).code == 0


def refused(trueup: CommandLine, folder: Path, rows: list[str]) -> list[dict[str, str]]:
    """Import rows, and read the file of refused ones."""
    path = folder / "refused.csv"
    ran = trueup("clicks", "import", "-", "--yes", "--refused", path, stdin="\n".join([WIDE, *rows]))
    with path.open(newline="") as file:
        told = list(csv.DictReader(file))
    assert ran.code == (1 if told else 0)
    return told


def test_refusals__say_why(trueup: CommandLine, ledger: Database, tmp_path: Path) -> None:
    told = refused(trueup, tmp_path, [*REFUSED, GOOD])
    assert [row["outcome"] for row in told] == [outcome for outcome, _ in REFUSED.values()]
    for row, (_, words) in zip(told, REFUSED.values(), strict=True):
        assert words in row["message"]
    assert stored_clicks(ledger)["click_id"].to_list() == ["c1"]


@pytest.mark.front
def test_refusals__of_every_kind_are_shown_here() -> None:
    shown = {outcome for outcome, _ in REFUSED.values()}
    assert shown == {outcome for outcome in ClickOutcome if outcome.startswith("refused_")}


@ON_ONE
def test_refusals__come_in_their_precedence(trueup: CommandLine, tmp_path: Path) -> None:
    assert [row["outcome"] for row in refused(trueup, tmp_path, list(TWO_FAULTS))] == list(TWO_FAULTS.values())


@pytest.mark.front
def test_borders__are_accepted(trueup: CommandLine, tmp_path: Path) -> None:
    rows = [
        f"{'c' * 64},PL push,VPN trial,2000-01-01T00:00:00Z,9000000000,{'x' * 512}",
        "~,pl-push,VPN trial,2025-05-01T10:00+01,,",
    ]
    assert refused(trueup, tmp_path, rows) == []


@pytest.mark.front
def test_refused_file__mended_is_imported(trueup: CommandLine, ledger: Database, tmp_path: Path) -> None:
    rows = [GOOD, "c2,PL posh,VPN trial,2025-05-01T10:00:00Z,-1,=1+1", "c3,PL push,VPN trial,2025-05-01T10:00:00Z,1,y"]
    refused(trueup, tmp_path, rows)
    path = tmp_path / "refused.csv"
    assert "'=1+1" in path.read_text()
    path.write_text(path.read_text().replace("PL posh", "PL push").replace("'-1", "1"))
    ran = trueup("clicks", "import", path, "--yes", "--json")
    assert (ran.code, json.loads(ran.stdout)["outcomes"]) == (0, {"imported": 1})
    assert stored_clicks(ledger)["external_id"].to_list() == ["x", "=1+1", "y"]


@pytest.mark.front
def test_refused_file__is_the_same_for_a_preview(trueup: CommandLine) -> None:
    content = "\n".join([WIDE, *REFUSED, GOOD])
    previewed = trueup("clicks", "import", "-", "--preview", "--refused", "-", "--json", stdin=content).stdout
    applied = trueup("clicks", "import", "-", "--yes", "--refused", "-", "--json", stdin=content).stdout
    assert (
        list(csv.reader(io.StringIO(previewed)))[: len(REFUSED)]
        == (list(csv.reader(io.StringIO(applied)))[: len(REFUSED)])
    )


@ON_ONE
def test_refused_file__that_cannot_be_written_stops_before_anything(trueup: CommandLine, tmp_path: Path) -> None:
    ran = trueup("clicks", "import", "-", "--yes", "--refused", tmp_path / "no" / "out.csv", stdin=f"{WIDE}\n{GOOD}\n")
    assert ran.code == 2
    assert trueup("batches", "--json").stdout.strip() == "[]"


@ON_ONE
def test_setup__without_campaigns_is_said(new_url: Callable[[], str]) -> None:
    ran = CommandLine(new_url())("clicks", "import", "-", "--yes", "--refused", "-", stdin=f"{WIDE}\n{GOOD}\n")
    assert "There is no campaign 'PL push'. None is set up yet." in ran.stdout

"""Workbooks through the command line: uploaded, refused rows back, mended, uploaded again; and what exports hold."""

import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from command_line import CommandLine
from made import workbook
from python_calamine import load_workbook
from worlds import World, succeeded

SETUP = """
[workspace]
name = "Acme"
time_zone = "Europe/Warsaw"

[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "sale"

[[offers]]
name = "Shoes"
network = "Northwind"
"""
pytestmark = pytest.mark.front


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    made.add_clicks("k1", "k2", "k3", offer="Shoes")
    return made


def cells(path: Path) -> list[list[Any]]:
    return cast("list[list[Any]]", load_workbook(io.BytesIO(path.read_bytes())).get_sheet_by_index(0).to_python())


def test_workbook__uploaded_mended_and_uploaded_again(world: World, tmp_path: Path) -> None:
    sent, refused, results = tmp_path / "sales.csv", tmp_path / "refused.xlsx", tmp_path / "results.xlsx"
    sent.write_bytes(workbook({"Sales": [["click_id", "payout", "txid"], ["k1", 35.1, 7], ["k2", "#N/A", "007"]]}))
    done = world.trueup("upload", str(sent), "--yes", "--json", "--refused", str(refused), "--results", str(results))
    assert done.code == 1
    assert json.loads(done.stdout)["outcomes"] == {"created": 1, "refused_bad_payout": 1}
    assert cells(results)[1][:3] == [2, "k1", "created"]
    titles, row = cells(refused)
    assert titles == ["click_id", "payout", "txid", "outcome", "message"]
    assert row[:4] == ["k2", "#N/A", "007", "refused_bad_payout"]
    succeeded(world.trueup("batch", 1, "--refused", str(refused), "--force"))
    assert cells(refused)[1][:1] == ["k2"]
    sent.write_bytes(workbook({"Mended": [titles, [*row[:1], 2, *row[2:]]]}))
    succeeded(world.trueup("upload", str(sent), "--yes"))
    exported = json.loads(succeeded(world.trueup("conversions", "--json")))
    assert [(each["payout"], each["transaction_id"]) for each in exported] == [("35.10", "7"), ("2.00", "007")]


def test_workbook__of_clicks(world: World, tmp_path: Path) -> None:
    sent = tmp_path / "clicks.xlsx"
    titles = ["click_id", "campaign", "offer", "clicked_at", "cost"]
    at = datetime(2026, 3, 5, 9)  # noqa: DTZ001 - a workbook knows no zones
    sent.write_bytes(workbook({"Clicks": [["Clicks of March"], [], titles, ["n1", "nowhere", "Shoes", at, 0.25]]}))
    pattern = ("--time-format", "%d.%m.%Y %H:%M")  # of texts, and this is a date
    done = world.trueup("clicks", "import", str(sent), "--preview", "--json", *pattern)
    assert json.loads(done.stdout)["outcomes"] == {"refused_unknown_campaign": 1}
    results, refused = tmp_path / "results.xlsx", tmp_path / "refused.xlsx"
    done = world.trueup(
        "clicks", "import", str(sent), "--yes", "--create-missing", "--results", str(results), "--refused", str(refused)
    )
    assert cells(results)[1][:3] == [4, "n1", "imported"], done.stderr
    assert cells(refused) == [[*titles, "outcome", "message"]]


def test_export__has_numbers_and_dates_and_changes_nothing_when_it_is_uploaded(world: World, tmp_path: Path) -> None:
    rows = "click_id,payout,transaction_id,converted_at\nk1,35.10,007,2026-03-05T09:15:30.123456Z\nk2,-1,=1+1,\n"
    succeeded(world.trueup("upload", world.file(rows), "--yes"))
    file = tmp_path / "out.xlsx"
    succeeded(world.trueup("conversions", "--output", str(file)))
    titles, first, second = cells(file)
    row = dict(zip(titles, first, strict=True))
    assert (row["payout"], row["transaction_id"]) == (35.1, "007")
    assert row["local time (Europe/Warsaw)"] == datetime(2026, 3, 5, 10, 15, 30)  # noqa: DTZ001 - the same
    assert second[titles.index("transaction_id")] == "'=1+1"
    assert b"<f>" not in file.read_bytes()
    done = world.trueup("upload", str(file), "--yes", "--json")
    assert json.loads(succeeded(done))["outcomes"] == {"unchanged": 2}


def test_export__of_a_report_has_days(world: World, tmp_path: Path) -> None:
    succeeded(
        world.trueup("upload", world.file("click_id,payout,converted_at\nk1,35.10,2026-03-05T09:15:30Z\n"), "--yes")
    )
    file = tmp_path / "report.xlsx"
    succeeded(
        world.trueup("report", "--by", "day", "--from", "2026-03-05", "--to", "2026-03-05", "--output", str(file))
    )
    titles, day, _ = cells(file)
    row = dict(zip(titles, day, strict=True))
    assert (row["day"], row["revenue"]) == (date(2026, 3, 5), 35.1)

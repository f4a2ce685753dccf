"""Every number of a report, against tables counted by hand."""

import csv
import io
import json
from typing import Any

import pytest
from command_line import CommandLine
from databases import by_hand, execute
from stored import MONEY, at, click, conversion, set_up, store

from trueup.ledger.database import Database
from trueup.ledger.schema import conversion_types

NOON = at("2026-03-10T12:00")


def report(trueup: CommandLine, *words: object) -> dict[str, Any]:
    ran = trueup("report", "--json", *words)
    assert (ran.code, ran.stderr) == (0, "")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def totals(trueup: CommandLine, *words: object) -> dict[str, Any]:
    found: dict[str, Any] = report(trueup, *words)["totals"]
    return found


@pytest.fixture
def week(ledger: Database) -> Database:
    """Eight clicks, one conversion of each status, a type of its own, and a correction."""
    set_up(ledger)
    store(
        ledger,
        [
            conversion("c1", status="approved", payout=10 * MONEY, converted_at=NOON, campaign_id=1),
            conversion("c2", status="pending", payout=20 * MONEY, converted_at=NOON, campaign_id=1),
            conversion("c3", status="declined", payout=40 * MONEY, converted_at=NOON, campaign_id=1),
            conversion("c4", status="other", payout=80 * MONEY, converted_at=NOON, campaign_id=1),
            conversion("c5", conversion_type="app_install", payout=MONEY // 2, converted_at=NOON, campaign_id=2),
            conversion("c5", n=2, conversion_type="correction", payout=-5 * MONEY, converted_at=NOON, campaign_id=2),
            conversion("c6", payout=999 * MONEY, converted_at=NOON, campaign_id=1, removed=1),
        ],
        [click(f"c{i}", NOON - 1, campaign_id=1 if i < 7 else 2, cost=MONEY) for i in range(1, 9)],
    )
    return ledger


@pytest.mark.front
@pytest.mark.usefixtures("week")
def test_totals__are_those_counted_by_hand(trueup: CommandLine) -> None:
    assert report(trueup) == {
        "by": [],
        "time_zone": "UTC",
        "rows": [],
        "totals": {
            "clicks": 8,
            "conversions": 4,  # approved, pending, other, app_install; the declined one and the correction do not count
            "revenue": "85.50",  # 10 + 80 + 0.50 - 5
            "pending_revenue": "20.00",
            "declined_revenue": "40.00",
            "approved": 3,
            "approved_revenue": "5.50",
            "pending": 1,
            "declined": 1,
            "other": 1,
            "other_revenue": "80.00",
            "conversions:conversion": 3,
            "revenue:conversion": "90.00",
            "conversions:app_install": 1,
            "revenue:app_install": "0.50",
            "conversions:correction": 1,
            "revenue:correction": "-5.00",
            "cr": "50.00",
            "epc": "10.687500",
            "cost": "8.00",
            "profit": "77.50",
            "roi": "968.75",
        },
    }


@pytest.mark.front
def test_worked_example__of_the_documentation(ledger: Database, trueup: CommandLine) -> None:
    set_up(ledger)
    told = [
        ("conversion", "approved", 30),
        ("conversion", "pending", 30),
        ("conversion", "declined", 30),
        ("app_install", "other", 1.5),
        ("correction", "approved", -5),
    ]
    rows = [
        conversion(f"c{n}", conversion_type=kind, status=status, payout=int(payout * MONEY))
        for n, (kind, status, payout) in enumerate(told)
    ]
    store(ledger, rows, [click(f"c{n}", 0, cost=MONEY // 5) for n in range(100)])
    found = totals(trueup)
    shown = ("conversions", "revenue", "cr", "epc", "profit", "roi")
    assert [found[name] for name in shown] == [3, "26.50", "3.00", "0.265000", "6.50", "32.50"]


@pytest.mark.front
@pytest.mark.usefixtures("week")
def test_groups__add_up_to_the_totals(trueup: CommandLine) -> None:
    found = report(trueup, "--by", "campaign")
    shown = [
        [row[name] for name in ("campaign", "clicks", "conversions", "revenue", "cost", "cr")] for row in found["rows"]
    ]
    assert shown == [["PL push", 6, 3, "90.00", "6.00", "50.00"], ["UK search", 2, 1, "-4.50", "2.00", "50.00"]]
    assert found["totals"] == totals(trueup)


@pytest.mark.front
@pytest.mark.parametrize("by", ["type", "status", "campaign,type", "day,status"])
@pytest.mark.usefixtures("week")
def test_groups_without_clicks__have_no_metric_of_clicks(trueup: CommandLine, by: str) -> None:
    found = report(trueup, "--by", by)
    need_clicks = ("clicks", "cr", "epc", "cost", "profit", "roi")
    assert found["rows"]
    assert all(row[name] is None for row in found["rows"] for name in need_clicks)
    assert found["totals"] == totals(trueup)


@pytest.mark.front
@pytest.mark.usefixtures("week")
def test_status_groups__hold_their_status_alone(trueup: CommandLine) -> None:
    rows = report(trueup, "--by", "status")["rows"]
    shown = [[row[name] for name in ("status", "conversions", "revenue", "pending_revenue")] for row in rows]
    assert shown == [
        ["approved", 2, "5.50", "0.00"],
        ["declined", 0, "0.00", "0.00"],
        ["other", 1, "80.00", "0.00"],
        ["pending", 1, "0.00", "20.00"],
    ]


@pytest.mark.front
def test_ratios_over_nothing__are_left_empty(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion("c1", payout=MONEY, converted_at=NOON)])
    found = totals(trueup)
    assert [found[name] for name in ("cr", "epc", "profit", "roi")] == [None, None, "1.00", None]
    header, row = csv.reader(io.StringIO(trueup("report").stdout))
    assert dict(zip(header, row, strict=True))["roi"] == ""


@pytest.mark.front
def test_ratios__are_rounded_to_the_nearest_and_halves_to_the_even(ledger: Database, trueup: CommandLine) -> None:
    rounded = {3: "33.33", 6: "16.67", 800: "0.12", 160: "0.62", 32: "3.12", 10_001: "0.01", 20_001: "0.00"}
    for clicks, cr in rounded.items():
        store(ledger, [conversion("c1", converted_at=NOON)], [click(f"c{i}", NOON) for i in range(clicks)])
        assert totals(trueup)["cr"] == cr


@pytest.mark.front
def test_losses__are_rounded_as_gains_are(ledger: Database, trueup: CommandLine) -> None:
    """ROI of -0.125 % and EPC of -1 / 3."""
    store(ledger, [conversion("c1", payout=799 * MONEY)], [click("c1", 0, cost=800 * MONEY)])
    assert [totals(trueup)[name] for name in ("profit", "roi")] == ["-1.00", "-0.12"]
    store(ledger, [conversion("c1", payout=-MONEY)], [click(f"c{i}", 0) for i in range(3)])
    assert totals(trueup)["epc"] == "-0.333333"


def test_money__is_exact_beyond_64_bits(ledger: Database, trueup: CommandLine) -> None:
    """1,100 of the largest payouts come to more micros than a 64-bit number holds."""
    largest = 9_000_000_000 * MONEY
    rows = [conversion(f"c{i}", payout=largest, converted_at=at("2026-03-01") + i * 900 * MONEY) for i in range(1_100)]
    store(ledger, [*rows, conversion("d", payout=1, converted_at=NOON)])
    assert totals(trueup)["revenue"] == "9900000000000.000001"
    assert totals(trueup, "--batch", 1)["revenue"] == "9900000000000.000001"


@pytest.mark.front
def test_type_that_is_not_set_up__counts_and_has_columns(week: Database, trueup: CommandLine) -> None:
    execute(week, conversion_types.delete())
    found = totals(trueup)
    assert [found[name] for name in ("conversions", "conversions:app_install", "revenue:correction")] == [5, 1, "-5.00"]


@pytest.mark.front
@pytest.mark.usefixtures("week")
def test_type_filter__leaves_the_columns_of_that_type(trueup: CommandLine) -> None:
    found = totals(trueup, "--type", "app_install")
    assert [name for name in found if ":" in name] == ["conversions:app_install", "revenue:app_install"]
    assert [found[name] for name in ("clicks", "conversions", "cr")] == [8, 1, "12.50"]


def test_empty_ledger__has_totals_of_nothing(trueup: CommandLine) -> None:
    found = report(trueup, "--by", "day,campaign")
    assert found["rows"] == []
    assert [found["totals"][name] for name in ("clicks", "conversions", "revenue", "cr")] == [0, 0, "0.00", None]


@pytest.mark.front
@pytest.mark.usefixtures("week")
def test_csv__has_the_rows_then_the_totals(trueup: CommandLine) -> None:
    header, *rows = csv.reader(io.StringIO(trueup("report", "--by", "day,campaign").stdout))
    assert header[:5] == ["day", "campaign", "clicks", "conversions", "revenue"]
    assert header[-5:] == ["cr", "epc", "cost", "profit", "roi"]
    assert [row[:5] for row in rows] == [
        ["2026-03-10", "PL push", "6", "3", "90.00"],
        ["2026-03-10", "UK search", "2", "1", "-4.50"],
        ["total", "", "8", "4", "85.50"],
    ]


def test_csv__defuses_names_and_leaves_numbers(week: Database, trueup: CommandLine) -> None:
    by_hand(week, "UPDATE campaigns SET name = '=1+1' WHERE campaign_id = 2")
    _, first, *_ = csv.reader(io.StringIO(trueup("report", "--by", "campaign").stdout))
    assert first[:4] == ["'=1+1", "2", "1", "-4.50"]


@pytest.mark.front
@pytest.mark.usefixtures("week")
def test_no_dimensions__one_row(trueup: CommandLine) -> None:
    header, row = csv.reader(io.StringIO(trueup("report").stdout))
    assert (header[0], row[0]) == ("clicks", "8")


def test_things_without_a_name__are_told_apart(ledger: Database, trueup: CommandLine) -> None:
    set_up(ledger)
    store(ledger, [conversion(f"c{number}", offer_id=number) for number in (0, 1, 8, 9)])
    assert [row["offer"] for row in report(trueup, "--by", "offer")["rows"]] == ["", "#8", "#9", "VPN trial"]

"""The log lists every conversion once, in the order of time, as people and other programs can read it."""

import csv
import io
import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from command_line import CommandLine
from stored import MONEY, at, conversion, set_up, store

from trueup.dialects.choices import Choices
from trueup.dialects.read import read_file
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.ledger.queries import Selection, read_conversions
from trueup.ledger.schema import conversions
from trueup.model.frames import EXPORT_COLUMNS

NOON = at("2026-03-10T12:00")
AWKWARD = [
    "=1+1",
    "-5",
    "+5",
    "@x",
    "'=1",
    "''",
    "plain",
    'say "hi", you',
    "\uff1d1",
    "ünïcode 名前",
    "a;b|c",
    "'",
    "-",
]


def listed(trueup: CommandLine, *words: object) -> list[dict[str, Any]]:
    ran = trueup("conversions", "--json", *words)
    assert (ran.code, ran.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(ran.stdout)
    return rows


def ids(trueup: CommandLine, *words: object) -> list[str]:
    return [row["conversion_id"] for row in listed(trueup, *words)]


@pytest.mark.front
def test_conversion__is_shown_in_full(ledger: Database, trueup: CommandLine) -> None:
    set_up(ledger, "Europe/Warsaw")
    row = conversion(
        "abc",
        n=7,
        conversion_type="app_install",
        transaction_id="T-1",
        event_id="E-1",
        status="pending",
        original_status="lead",
        payout=-1_234_500,
        currency="EUR",
        revenue=-1_333_260,
        converted_at=NOON,
        label="new",
        campaign_id=1,
        offer_id=2,
        network_id=1,
        traffic_source_id=2,
        batch_id=12,
    )
    store(ledger, [row, conversion("abd", converted_at=NOON + 1_500)])
    first, second = listed(trueup)
    assert tuple(first) == EXPORT_COLUMNS
    assert list(first.values()) == [
        *("abc-7", "abc", "app_install", "T-1", "E-1", "pending", "lead", "-1.2345", "EUR"),
        *("2026-03-10T13:00:00+01:00", "new", "PL push", "Loan form", "Northwind", "SearchCo", 12),
    ]
    assert second["converted_at"] == "2026-03-10T13:00:00.001500+01:00"
    assert [second[name] for name in ("payout", "campaign", "traffic_source")] == ["0.00", "", ""]
    assert listed(trueup, "--time-zone", "Asia/Kolkata")[0]["converted_at"] == "2026-03-10T17:30:00+05:30"


@pytest.mark.front
def test_payout__is_exact(ledger: Database, trueup: CommandLine) -> None:
    shown = {
        0: "0.00",
        1: "0.000001",
        -1: "-0.000001",
        1_500_000: "1.50",
        -50 * MONEY: "-50.00",
        9 * 10**15: "9000000000.00",
        -(9 * 10**15): "-9000000000.00",
    }
    store(ledger, [conversion("c", n=n, payout=micros) for n, micros in enumerate(shown)])
    assert [row["payout"] for row in listed(trueup)] == list(shown.values())


@pytest.mark.front
def test_order__is_time_then_click_then_n(ledger: Database, trueup: CommandLine) -> None:
    rows = [("b", 1, 5), ("a", 10, 5), ("a", 9, 5), ("B", 1, 5), ("z", 1, 4), ("_", 1, 6)]
    store(ledger, [conversion(click_id, n=n, converted_at=NOON + time) for click_id, n, time in rows])
    in_order = ["z-1", "B-1", "a-9", "a-10", "b-1", "_-1"]
    assert ids(trueup) == in_order
    for limit in range(1, 8):
        assert ids(trueup, "--limit", limit) == in_order[-limit:]


def test_pages__lose_nothing_and_repeat_nothing(ledger: Database) -> None:
    """Many conversions of the same moment, so that page borders fall among them."""
    rows = [conversion(f"c{n % 11}", n=n, converted_at=NOON + n % 3) for n in range(1, 62)]
    store(ledger, rows)
    expected = sorted((row["converted_at"], row["click_id"], row["n"]) for row in rows)
    for page_rows, newest in product((1, 2, 3, 7, 50, 1_000), (None, 1, 30, 100)):
        with ledger.read_transaction() as transaction:
            pages = list(read_conversions(transaction, Selection(from_at=NOON, to_at=NOON + 3), newest, page_rows))
        assert pl.concat(pages).select("converted_at", "click_id", "n").rows() == expected[-(newest or len(rows)) :]
        assert all(page.height <= page_rows for page in pages)


def test_reading__sees_one_moment_though_others_write(url: str, ledger: Database) -> None:
    store(ledger, [conversion(f"c{n}", converted_at=NOON + n) for n in range(6)])
    with open_ledger(url) as reader, reader.read_transaction() as transaction:
        pages = read_conversions(transaction, Selection(), page_rows=2)
        seen = next(pages)["click_id"].to_list()
        with ledger.transaction() as writing:
            for click_id, moment in (("c0", NOON + 9), ("c5", NOON)):
                of_click = conversions.c.click_id == click_id
                writing.execute(conversions.update().where(of_click).values(converted_at=moment))
        for page in pages:
            seen += page["click_id"].to_list()
    assert seen == [f"c{n}" for n in range(6)]


@pytest.mark.front
def test_removed__are_not_listed_unless_asked_for(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion("kept"), conversion("gone", removed=1)])
    assert ids(trueup) == ["kept-1"]
    assert ids(trueup, "--removed") == ["gone-1"]


@pytest.mark.front
def test_nothing__is_a_header_or_an_empty_array(trueup: CommandLine) -> None:
    assert trueup("conversions").stdout == ",".join(EXPORT_COLUMNS) + "\n"
    assert listed(trueup) == []
    assert trueup("conversions", "--table").stdout == "No conversions.\n"


@pytest.mark.front
def test_json_of_several_pages__is_one_array(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion(f"c{n:05}", original_status='line\n"two"') for n in range(20_001)])
    rows = listed(trueup)
    assert [row["click_id"] for row in rows] == [f"c{n:05}" for n in range(20_001)]
    assert rows[0]["original_status"] == 'line\n"two"'


@pytest.mark.front
def test_csv_of_several_pages__has_one_header(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion(f"c{n:05}", original_status='line\n"two"') for n in range(20_001)])
    header, *rows = csv.reader(io.StringIO(trueup("conversions", "--csv").stdout, newline=""))
    assert header == list(EXPORT_COLUMNS)
    assert [row[1] for row in rows] == [f"c{n:05}" for n in range(20_001)]
    assert {row[6] for row in rows} == {'line\n"two"'}


@pytest.mark.front
def test_csv__runs_no_formula(ledger: Database, trueup: CommandLine) -> None:
    store(ledger, [conversion(f"-c{n}", transaction_id=text, payout=-MONEY) for n, text in enumerate(AWKWARD)])
    rows = list(csv.DictReader(io.StringIO(trueup("conversions").stdout)))
    assert len(rows) == len(AWKWARD)
    for row in rows:
        assert row.pop("payout") == "-1.00"
        assert not any(text.startswith(("=", "+", "-", "@", "\uff1d")) for text in row.values())


@pytest.mark.front
def test_csv__reads_back_as_it_was(ledger: Database, trueup: CommandLine) -> None:
    """What an export wrote, the reader of uploads takes for the very same rows."""
    stored = [
        conversion(
            f"-c{n}",
            n=n + 1,
            transaction_id=text,
            event_id=text,
            conversion_type=text,
            status="other",
            payout=(-1) ** n * (n * MONEY + n),
            currency="EUR",
            converted_at=NOON + n,
        )
        for n, text in enumerate(AWKWARD)
    ]
    store(ledger, stored)
    exported = trueup("conversions", "--time-zone", "America/New_York").stdout
    reading = read_file(exported.encode(), Choices())
    assert reading.dialect == "trueup"
    assert reading.notes.is_empty()
    same = ("click_id", "transaction_id", "event_id", "conversion_type", "status", "payout", "currency", "converted_at")
    expected = [{name: row[name] for name in same} | {"target_n": row["n"]} for row in stored]
    assert reading.rows.select(*same, "target_n").to_dicts() == expected


@pytest.mark.front
def test_output__is_a_file_and_a_word_about_it(ledger: Database, trueup: CommandLine, tmp_path: Path) -> None:
    store(ledger, [conversion("c1"), conversion("c2")])
    for form, words in (("csv", ()), ("json", ("--json",))):
        ran = trueup("conversions", *words, "--output", tmp_path / form)
        assert (ran.code, ran.stdout) == (0, "")
        assert ran.stderr == f"Wrote 2 conversions to {tmp_path / form}.\n"
        assert (tmp_path / form).read_text() == trueup("conversions", f"--{form}").stdout


def test_output_that_cannot_be_written__ends_with_2(trueup: CommandLine, tmp_path: Path) -> None:
    ran = trueup("conversions", "--output", tmp_path / "nowhere" / "out.csv")
    assert (ran.code, ran.stdout) == (2, "")
    assert (
        ran.stderr == f"{tmp_path / 'nowhere' / 'out.csv'} cannot be written: there is no folder {tmp_path}/nowhere.\n"
    )


def test_wrong_filter__leaves_an_earlier_file_alone(trueup: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("precious")
    assert trueup("conversions", "--status", "nope", "--output", tmp_path / "out.csv").code == 2
    assert (tmp_path / "out.csv").read_text() == "precious"


def test_forms__exclude_each_other(trueup: CommandLine) -> None:
    ran = trueup("conversions", "--csv", "--json")
    assert (ran.code, ran.stderr) == (2, "Choose one of --csv and --json.\n")
    ran = trueup("report", "--table", "--output", "out.csv")
    assert (ran.code, ran.stderr) == (2, "A file holds CSV, JSON or a workbook; leave out --table, or --output.\n")


def test_pages_of_filtered_conversions__lose_nothing(ledger: Database) -> None:
    store(ledger, [conversion(f"c{n}", converted_at=NOON + n, batch_id=n % 2, transaction_id="t") for n in range(9)])
    chosen = Selection(from_at=NOON + 1, any_of={"batch_id": [1], "transaction_id": ["t"]})
    for selection in (chosen, replace(chosen, any_of={"batch_id": [1]})):
        with ledger.read_transaction() as transaction:
            pages = list(read_conversions(transaction, selection, page_rows=3))
        assert pl.concat(pages)["click_id"].to_list() == ["c1", "c3", "c5", "c7"]

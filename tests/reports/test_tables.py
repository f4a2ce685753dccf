"""Tables fit the terminal, leave no number of a report out, and print nothing that a terminal would obey."""

import pytest
from command_line import CommandLine
from rich.cells import cell_len
from stored import MONEY, at, click, conversion, set_up, store

from trueup.cli.terminal import output
from trueup.ledger.database import Database
from trueup.model.frames import EXPORT_COLUMNS

NOON = at("2026-03-10T12:00")


@pytest.fixture
def filled(ledger: Database) -> Database:
    set_up(ledger)
    rows = [conversion(f"c{n:023}", converted_at=NOON + n, payout=n * MONEY, campaign_id=n % 3) for n in range(60)]
    store(ledger, rows, [click("c1", NOON, cost=MONEY)])
    return ledger


@pytest.mark.parametrize("width", [60, 80, 120, 250])
@pytest.mark.usefixtures("filled")
def test_report__shows_every_metric_within_the_width(
    trueup: CommandLine, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(output, "width", width)
    shown = trueup("report", "--by", "day,campaign", "--table").stdout
    assert max(map(cell_len, shown.splitlines())) <= width
    header = trueup("report", "--by", "day,campaign", "--csv").stdout.splitlines()[0]
    assert set(header.split(",")) <= set(shown.split())
    assert "(none)" in shown
    assert "Money in USD, times in UTC." in shown


@pytest.mark.parametrize("width", [60, 100, 180, 400])
@pytest.mark.usefixtures("filled")
def test_log__names_the_columns_that_did_not_fit(
    trueup: CommandLine, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(output, "width", width)
    table, *below = trueup("conversions", "--table").stdout.split("\n\n")
    assert max(map(cell_len, table.splitlines())) <= width
    shown, left_out = set(table.splitlines()[0].split()), below[0].partition("Not shown for lack of room: ")[2]
    named = set(left_out.partition(".")[0].split(", ")) - {""}
    assert shown | named == set(EXPORT_COLUMNS) - {"click_id"}
    assert not shown & named


@pytest.mark.usefixtures("filled")
def test_log__shows_the_newest_and_says_how_many_there_are(trueup: CommandLine) -> None:
    shown = trueup("conversions", "--table").stdout.splitlines()
    assert len([line for line in shown if line.startswith("c0")]) == 50
    assert shown[50].startswith("c00000000000000000000059-1 ")
    assert "The newest 50 of 60 conversions, newest last, times in UTC." in shown
    few = trueup("conversions", "--table", "--limit", "3", "--campaign", "PL push").stdout
    assert "The newest 3 of 20 conversions" in few
    assert "\n20 conversions, newest last" in trueup("conversions", "--table", "--campaign", "PL push").stdout


def test_words_of_a_network__are_harmless_to_a_terminal(ledger: Database, trueup: CommandLine) -> None:
    store(
        ledger,
        [conversion("c1", original_status="\x1b[31mred\x07", transaction_id="[bold]T[/bold]", converted_at=NOON)],
    )
    shown = trueup("conversions", "--table").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]T[/bold]" in shown


@pytest.mark.usefixtures("filled")
def test_report_without_dimensions__is_one_row(trueup: CommandLine) -> None:
    header, row, *_ = trueup("report", "--table").stdout.splitlines()
    assert header.split()[:3] == ["clicks", "conversions", "revenue"]
    assert row.split()[:3] == ["1", "60", "1770.00"]

"""Tables fit the terminal, leave no number of a report out, and print nothing that a terminal would obey."""

import pytest
from command_line import CommandLine
from rich.cells import cell_len
from stored import MONEY, at, click, conversion, set_up, store

from trueup.cli.terminal import output
from trueup.ledger.database import Database

NOON = at("2026-03-10T12:00")


@pytest.fixture
def filled(ledger: Database) -> Database:
    set_up(ledger)
    rows = [conversion(f"c{n:011}", converted_at=NOON + n, payout=n * MONEY, campaign_id=n % 3) for n in range(60)]
    store(ledger, rows, [click("c1", NOON, cost=MONEY)])
    return ledger


@pytest.mark.front
@pytest.mark.parametrize("width", [60, 80, 120, 250])
@pytest.mark.usefixtures("filled")
def test_report__shows_every_metric_within_the_width(
    trueup: CommandLine, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(output, "width", width)
    shown = trueup("report", "--by", "day,campaign", "--table", "--all").stdout
    assert max(map(cell_len, shown.splitlines())) <= width
    header = trueup("report", "--by", "day,campaign", "--csv").stdout.splitlines()[0]
    assert set(header.split(",")) <= set(shown.split())
    assert "(none)" in shown
    assert "Money in USD, times in UTC." in shown


@pytest.mark.usefixtures("filled")
def test_report__is_one_block_to_cents(trueup: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "width", 90)
    lines = trueup("report", "--by", "campaign", "--table", "--sort", "revenue", "--top", "1").stdout.splitlines()
    titles = ["campaign", "clicks", "conv", "cr", "revenue", "pending", "cost", "profit", "roi", "epc"]
    assert lines[0].split() == titles
    assert lines[1].split() == ["UK", "search", "0", "20", "610.00", "0.00", "0.00", "610.00"]
    assert lines[2].split()[:2] == ["total", "1"]
    assert lines[2].split()[-1] == "1770.0000"
    assert lines[-1] == "The first 1 of 3 rows; the totals are of all."
    assert max(map(cell_len, lines)) <= 90


@pytest.mark.front
@pytest.mark.usefixtures("filled")
def test_report__has_the_numbers_that_are_chosen(trueup: CommandLine) -> None:
    shown = trueup("report", "--by", "campaign", "--csv", "--columns", "revenue,clicks", "--sort", "revenue").stdout
    assert shown.splitlines()[:2] == ["campaign,revenue,clicks", "UK search,610.00,0"]
    ran = trueup("report", "--columns", "revenu")
    assert (ran.code, "Did you mean revenue" in ran.stderr) == (2, True)
    ran = trueup("report", "--columns", "revenue,clicks,revenue")
    assert (ran.code, ran.stderr) == (2, "The number revenue is named twice.\n")


@pytest.mark.front
@pytest.mark.parametrize("words", [("report", "--top"), ("batch",), ("undo", "--yes"), ("decide-again", "--batch")])
@pytest.mark.usefixtures("filled")
def test_numbers_beyond_all__are_wrong_words(trueup: CommandLine, words: tuple[str, ...]) -> None:
    ran = trueup(*words, 2**63)
    assert (ran.code, "less than or equal to" in ran.stderr) == (2, True)


@pytest.mark.front
@pytest.mark.parametrize("width", [60, 80, 100, 180, 400])
@pytest.mark.usefixtures("filled")
def test_log__names_the_columns_that_did_not_fit(
    trueup: CommandLine, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(output, "width", width)
    table, *below = trueup("conversions", "--table").stdout.split("\n\n")
    assert max(map(cell_len, table.splitlines())) <= width
    shown, left_out = set(table.splitlines()[0].split()), below[0].partition("Not shown for lack of room: ")[2]
    named = set(left_out.partition(".")[0].split(", ")) - {""}
    first = {"time", "id", "type", "status", "payout", "campaign", "txid"}
    others = {"event_id", "original_status", "offer", "affiliate_network", "traffic_source", "batch_id"}
    assert shown | named == first | others
    assert not shown & named
    if width >= 80:
        assert first <= shown


@pytest.mark.front
def test_log__says_the_label_where_there_is_one_and_what_reports_count(ledger: Database, trueup: CommandLine) -> None:
    set_up(ledger)
    store(
        ledger,
        [
            conversion("c1", converted_at=NOON, label="repeated", payout=MONEY, currency="EUR"),
            conversion("c2", converted_at=NOON + 1, status="declined"),
            conversion("c3", converted_at=NOON + 2, conversion_type="correction"),
        ],
    )
    header, first, *rest = trueup("conversions", "--table").stdout.splitlines()
    assert "label" in header
    assert first.startswith("2026-03-10 12:00  c1-1")
    assert "1.00 EUR" in first
    assert "Reports count 1 of them: 1 are declined and 1 are of types that are not included" in " ".join(rest)


@pytest.mark.usefixtures("filled")
def test_log__shows_the_newest_and_says_how_many_there_are(trueup: CommandLine) -> None:
    shown = trueup("conversions", "--table").stdout.splitlines()
    assert len([line for line in shown if line.startswith("2026-")]) == 50
    assert shown[50].split()[2] == "c00000000059-1"
    assert "The newest 50 of 60 conversions, newest last, times in UTC." in shown
    few = trueup("conversions", "--table", "--limit", "3", "--campaign", "PL push").stdout
    assert "The newest 3 of 20 conversions" in few
    assert "\n20 conversions, newest last" in trueup("conversions", "--table", "--campaign", "PL push").stdout


@pytest.mark.front
def test_words_of_a_network__are_harmless_to_a_terminal(ledger: Database, trueup: CommandLine) -> None:
    store(
        ledger,
        [conversion("c1", original_status="\x1b[31mred\x07", transaction_id="[bold]T[/bold]", converted_at=NOON)],
    )
    shown = trueup("conversions", "--table").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]T[/bold]" in shown


@pytest.mark.front
@pytest.mark.usefixtures("filled")
def test_report_without_dimensions__is_one_row(trueup: CommandLine) -> None:
    header, row, *_ = trueup("report", "--table").stdout.splitlines()
    assert header.split()[:3] == ["clicks", "conv", "cr"]
    assert row.split()[:3] == ["1", "60", "6000.00"]

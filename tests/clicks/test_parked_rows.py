"""Rows that wait for an unknown click come to life when it is imported."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click_files import TITLES, Importer, click_rows, contents, parking
from command_line import CommandLine
from sqlalchemy import select
from worlds import filled

from trueup.ledger.database import Database
from trueup.ledger.schema import journal
from trueup.ledger.snapshot import read_journal
from trueup.model.frames import JOURNAL
from trueup.reports.now import with_now

# Of three clicks; c2 has two rows of one key, and c1 a row with a time before its click.
CONVERSIONS = """click_id,payout,conversion_type,transaction_id,converted_at
c1,5,conversion,t1,2025-05-02T10:00:00Z
c2,7,app_install,t1,2025-05-02T10:00:00Z
c1,1,conversion,t0,2025-04-01T10:00:00Z
c2,9,app_install,t1,2025-05-03T10:00:00Z
c3,11,conversion,t1,2025-05-02T10:00:00Z
"""
CLICKS = click_rows(["c1", "c2", "c4"])
SHOWN = ["conversion_id", "payout", "status", "affiliate_network", "campaign", "batch_id"]


@pytest.fixture(autouse=True)
def workspace(trueup: CommandLine, acme: Path) -> None:
    filled(trueup.url, "parking", lambda: parking(trueup, acme))


def told(trueup: CommandLine, *words: str, stdin: str = "") -> dict[str, Any]:
    ran = trueup(*words, "--json", stdin=stdin)
    assert ran.code in (0, 1), ran.stderr
    return dict(json.loads(ran.stdout))


def upload(trueup: CommandLine, content: str = CONVERSIONS) -> dict[str, Any]:
    return told(trueup, "upload", "-", "--yes", stdin=content)


def import_clicks(trueup: CommandLine, content: str = CLICKS) -> dict[str, Any]:
    return told(trueup, "clicks", "import", "-", "--yes", stdin=content)


def listed(trueup: CommandLine, columns: Sequence[str] = SHOWN) -> list[tuple[Any, ...]]:
    """The conversions, by id."""
    log = json.loads(trueup("conversions", "--json").stdout)
    return sorted(tuple(row[column] for column in columns) for row in log)


def outcomes(ledger: Database) -> list[str]:
    rows = ledger.read(select(*(journal.c[name] for name in JOURNAL)), JOURNAL)
    return [str(outcome) for outcome in rows.sort("line")["outcome"]]


def assert_audit_holds(trueup: CommandLine) -> None:
    ran = trueup("audit")
    assert ran.code == 0, ran.stdout


@pytest.mark.front
def test_parked_rows__come_to_life(trueup: CommandLine, ledger: Database) -> None:
    assert upload(trueup)["outcomes"] == {"parked_unknown_click": 5}
    summary = import_clicks(trueup)
    assert summary["outcomes"] == {"imported": 3}
    assert summary["conversions"] == {"before": 0, "after": 2}
    assert summary["revenue"] == {"before": "0.00", "after": "14.00"}
    # The batch and number of the row that made each: the fourth row has edited the second one's conversion.
    assert listed(trueup) == [
        ("c1-1", "5.00", "approved", "Northwind", "PL push", 1),
        ("c2-1", "9.00", "approved", "Northwind", "PL push", 1),
    ]
    assert outcomes(ledger) == ["parked_unknown_click"] * 5
    assert_audit_holds(trueup)


@pytest.mark.front
def test_parked_rows__are_not_too_many_later(trueup: CommandLine, acme: Path) -> None:
    """How many rows a click takes is asked when a row comes, and these were let in."""
    parking(trueup, acme)
    setup = trueup("setup", "show").stdout.replace("rows_per_click = 1000", "rows_per_click = 1")
    assert trueup("setup", "apply", "-", stdin=setup).code == 0
    assert upload(trueup)["outcomes"] == {"parked_unknown_click": 5}
    assert import_clicks(trueup)["conversions"] == {"before": 0, "after": 2}
    more = upload(trueup, "click_id,payout,transaction_id\nc1,3,t9\n")
    assert more["outcomes"] == {"refused_too_many_rows": 1}
    assert trueup("undo", "1", "--yes").code == 0
    assert listed(trueup) == []
    assert_audit_holds(trueup)


@pytest.mark.front
def test_parked_rows__say_so_in_their_history(trueup: CommandLine) -> None:
    upload(trueup)
    import_clicks(trueup)
    ran = trueup("history", "c2-1")
    assert (ran.code, "came to life" in ran.stdout) == (0, True)


@pytest.mark.front
def test_parked_rows__are_foretold_by_a_preview(trueup: CommandLine, ledger: Database) -> None:
    upload(trueup)
    before = contents(ledger)
    foretold = told(trueup, "clicks", "import", "-", "--preview", stdin=CLICKS)
    assert contents(ledger) == before
    applied = import_clicks(trueup)
    same = ["rows", "outcomes", "conversions", "revenue", "pending_revenue", "declined_revenue"]
    assert [foretold[name] for name in same] == [applied[name] for name in same]


@pytest.mark.front
def test_parked_rows__count_as_if_the_clicks_had_come_first(
    trueup: CommandLine, new_url: Callable[[], str], acme: Path
) -> None:
    other = CommandLine(new_url())
    parking(other, acme)
    upload(trueup)
    import_clicks(trueup)
    import_clicks(other)
    upload(other)
    assert listed(trueup, SHOWN[:-1]) == listed(other, SHOWN[:-1]) != []
    assert trueup("report", "--by", "day,campaign").stdout == other("report", "--by", "day,campaign").stdout


@pytest.mark.front
def test_parked_rows__go_on_from_where_they_are(trueup: CommandLine) -> None:
    upload(trueup)
    import_clicks(trueup)
    again = upload(trueup, CONVERSIONS.replace("9,app", "20,app"))
    assert again["outcomes"] == {
        "updated": 2,
        "ignored_duplicate": 1,
        "refused_before_click": 1,
        "parked_unknown_click": 1,
    }
    assert_audit_holds(trueup)


@pytest.mark.front
def test_parked_rows__of_a_click_that_stays_away_keep_waiting(trueup: CommandLine) -> None:
    upload(trueup)
    import_clicks(trueup)
    later = import_clicks(trueup, click_rows(["c2", "c3"]))
    assert later["outcomes"] == {"imported": 1, "known": 1}
    assert later["revenue"] == {"before": "14.00", "after": "25.00"}
    assert_audit_holds(trueup)


@pytest.mark.front
def test_parked_rows__of_an_undone_upload_stay_away(trueup: CommandLine) -> None:
    upload(trueup)
    told(trueup, "undo", "1", "--yes")
    assert import_clicks(trueup)["conversions"] == {"before": 0, "after": 0}
    assert told(trueup, "undo", "2", "--yes")["conversions"] == {"before": 0, "after": 2}
    assert_audit_holds(trueup)


@pytest.mark.front
def test_parked_rows__go_and_come_with_their_upload(trueup: CommandLine, ledger: Database) -> None:
    upload(trueup)
    import_clicks(trueup)
    before = listed(trueup)
    assert told(trueup, "undo", "1", "--yes")["revenue"] == {"before": "14.00", "after": "0.00"}
    assert listed(trueup) == []
    assert_audit_holds(trueup)
    told(trueup, "undo", "3", "--yes")
    assert listed(trueup) == before
    assert outcomes(ledger) == ["parked_unknown_click"] * 5
    assert_audit_holds(trueup)


@pytest.mark.front
def test_refused_rows__stay_refused(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme).code == 0
    assert trueup("upload", "-", "--yes", stdin=CONVERSIONS).code == 1
    assert import_clicks(trueup)["conversions"] == {"before": 0, "after": 0}
    assert_audit_holds(trueup)


@pytest.mark.front
@pytest.mark.parametrize("chunk_rows", [1, 2, 3])
def test_parked_rows__come_to_life_in_any_chunks(trueup: CommandLine, ledger: Database, chunk_rows: int) -> None:
    upload(trueup)
    rows = "c2,PL push,VPN trial,2025-05-01T10:00Z\nc9,PL push,VPN trial,2025-05-01T10:00Z\n"
    summary = Importer(ledger, chunk_rows)(f"{TITLES}\n{rows}c1,PL push,VPN trial,2025-05-01T10:00Z\n{rows}")
    assert summary.outcomes == {"imported": 3, "repeated": 2}
    assert [row[:2] for row in listed(trueup)] == [("c1-1", "5.00"), ("c2-1", "9.00")]
    assert_audit_holds(trueup)


@pytest.mark.front
def test_parked_local_time__waits_for_the_zone_of_its_clicks_network(trueup: CommandLine, ledger: Database) -> None:
    # Northwind, the network of c1, is in UTC; the workspace is in Warsaw, where a clock change
    # skipped the second time.
    upload(trueup, "click_id,converted_at\nc1,2025-05-02 10:00\nc1,2026-03-29 02:30\n")
    assert outcomes(ledger) == ["parked_unknown_click"] * 2
    import_clicks(trueup)
    assert listed(trueup, ["conversion_id", "converted_at"]) == [("c1-1", "2025-05-02T12:00:00+02:00")]
    assert outcomes(ledger) == ["parked_unknown_click"] * 2  # as they were told
    assert with_now(ledger, read_journal(ledger, ["c1"]))["outcome_now"].to_list() == ["created", "ignored_duplicate"]
    assert_audit_holds(trueup)

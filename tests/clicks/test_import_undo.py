"""An import of clicks is undone like any batch: its clicks go, and their rows wait, or are refused."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click_files import RECEIVED_AT, TITLES, click_rows, contents, parking, stored_clicks
from command_line import CommandLine
from sqlalchemy import delete, update
from worlds import filled

from trueup.ledger.database import Database
from trueup.ledger.schema import click_arrivals, clicks, conversions, row_sub_parameters
from trueup.model.traffic import IncomingConversion
from trueup.model.words import Origin
from trueup.recording.incoming import LiveLedger

CONVERSIONS = """click_id,payout,conversion_type,transaction_id,converted_at
c1,5,conversion,t1,2025-05-02T10:00:00Z
c2,7,app_install,t1,2025-05-02T10:00:00Z
c2,9,app_install,t2,2025-05-03T10:00:00Z
"""


@pytest.fixture(autouse=True)
def workspace(trueup: CommandLine, acme: Path) -> None:
    filled(trueup.url, "parking", lambda: parking(trueup, acme))


def told(trueup: CommandLine, *words: str, stdin: str = "") -> dict[str, Any]:
    ran = trueup(*words, "--json", stdin=stdin)
    assert ran.code in (0, 1), ran.stderr
    return dict(json.loads(ran.stdout))


def import_clicks(trueup: CommandLine, content: str, *words: str) -> dict[str, Any]:
    return told(trueup, "clicks", "import", "-", "--yes", *words, stdin=content)


def upload(trueup: CommandLine, content: str = CONVERSIONS) -> dict[str, Any]:
    return told(trueup, "upload", "-", "--yes", stdin=content)


def report(trueup: CommandLine) -> dict[str, dict[str, str]]:
    ran = trueup("report", "--by", "campaign")
    return {row["campaign"]: row for row in csv.DictReader(io.StringIO(ran.stdout))}


@pytest.mark.front
def test_undo__previews_money_and_clicks(trueup: CommandLine) -> None:
    import_clicks(trueup, click_rows(["c1", "c2", "c3"]))
    upload(trueup)
    ran = trueup("undo", "1", "--preview")
    assert ran.code == 0
    said = ran.stdout.splitlines()
    revenue, going = (next(n for n, line in enumerate(said) if what in line) for what in ("revenue, USD", "go  "))
    assert said[revenue].split()[-3:] == ["21.00", "0.00", "-21.00"]
    assert revenue < going
    assert said[going].split() == ["go", "3"]
    assert "parked_unknown_click" in ran.stdout
    assert report(trueup)["PL push"]["clicks"] == "3"


def test_undo__and_back_is_exact(trueup: CommandLine, ledger: Database) -> None:
    import_clicks(trueup, click_rows(["c1", "c2", "c3"]))
    upload(trueup)
    before = contents(ledger, "version")
    undone = told(trueup, "undo", "1", "--yes")
    assert undone["conversions"] == {"before": 3, "after": 0}
    assert stored_clicks(ledger).height == 0
    assert "PL push" not in report(trueup)
    assert trueup("audit").code == 0
    seen = told(trueup, "undo", str(undone["batch_id"]), "--preview")
    assert seen["clicks"] == {"gone": 0, "back": 3, "other": 0, "same": 0}
    back = told(trueup, "undo", str(undone["batch_id"]), "--yes")
    assert back["conversions"] == seen["conversions"] == {"before": 0, "after": 3}
    assert contents(ledger, "version") == before
    assert trueup("audit").code == 0


@pytest.mark.front
def test_undo__leaves_rows_refused_where_the_workspace_refuses(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme, "--yes").code == 0  # unknown_click = "refuse"
    import_clicks(trueup, click_rows(["c1", "c2"]))
    upload(trueup)
    told(trueup, "undo", "1", "--yes")
    (row,) = told(trueup, "undo", "3", "--preview")["other_rows"][:1]
    assert (row["was"], row["outcome"]) == ("refused_unknown_click", "created")
    # A row that comes while the click is gone is refused, and accepted once the click turns out to have been there.
    assert upload(trueup, "click_id,payout,transaction_id\nc1,2,t9\n")["outcomes"] == {"refused_unknown_click": 1}
    told(trueup, "undo", "3", "--yes")
    assert told(trueup, "undo", "4", "--preview")["conversions"] == {"before": 4, "after": 3}
    assert trueup("audit").code == 0


@pytest.mark.front
def test_undo__importing_again_brings_everything_back(trueup: CommandLine, ledger: Database) -> None:
    import_clicks(trueup, click_rows(["c1", "c2"]))
    upload(trueup)
    before = contents(ledger, "version")
    told(trueup, "undo", "1", "--yes")
    again = import_clicks(trueup, click_rows(["c1", "c2"]), "--again")
    assert again["outcomes"] == {"imported": 2}
    assert again["conversions"] == {"before": 0, "after": 3}
    assert contents(ledger, "version") == before
    # The first import comes before the second wherever both count.
    told(trueup, "undo", "3", "--yes")
    assert contents(ledger, "version") == before
    assert told(trueup, "undo", "4", "--preview")["clicks"] == {"gone": 0, "back": 0, "other": 0, "same": 2}
    assert trueup("audit").code == 0


@pytest.mark.front
@pytest.mark.parametrize(
    ("parks", "again", "zone"), [(True, False, "7"), (True, True, "7"), (False, False, "7"), (False, True, "")]
)
def test_undo__a_click_that_comes_back_has_what_a_postback_set_meanwhile(
    trueup: CommandLine, acme: Path, tmp_path: Path, ledger: Database, *, parks: bool, again: bool, zone: str
) -> None:
    """Where the workspace refuses, the postback stays refused unless the click turns out to have been there."""
    setup = tmp_path / "open.toml"
    text = re.sub(r"(?m)^(only_with_key|allowed_addresses) = .*", "", acme.read_text())
    setup.write_text(text.replace('unknown_click = "refuse"', 'unknown_click = "park"') if parks else text)
    assert trueup("setup", "apply", setup, "--yes").code == 0
    import_clicks(trueup, click_rows(["c1", "c2"]))
    told(trueup, "undo", "1", "--yes")
    live = LiveLedger(ledger, lambda: RECEIVED_AT, "tests")
    live.record([IncomingConversion({"click_id": "c1"}, Origin.POSTBACK, sub_parameters={"sub3": "7"})])
    live.finish()
    if again:
        import_clicks(trueup, click_rows(["c1", "c2"]), "--again")
    else:
        told(trueup, "undo", "2", "--yes")
    assert dict(stored_clicks(ledger).select("click_id", "sub3").iter_rows()) == {"c1": zone, "c2": ""}
    found = json.loads(trueup("report", "--by", "sub3", "--json").stdout)["rows"]
    assert {row["sub3"]: (row["clicks"], row["conversions"]) for row in found} == (
        {"": (1, 0), "7": (1, 1)} if zone else {"": (2, 0)}
    )
    assert trueup("audit").code == 0


def test_undo__mends_a_wrong_time_zone(trueup: CommandLine, ledger: Database) -> None:
    file = f"{TITLES}\nc1,PL push,VPN trial,2025-05-02 10:00\nc2,PL push,VPN trial,2025-05-02 23:00\n"
    rows = "click_id,payout,transaction_id,converted_at\nc1,5,t1,2025-05-02T10:30:00Z\nc2,7,t1,2025-05-02T22:00:00Z\n"
    import_clicks(trueup, file, "--time-zone", "UTC")
    assert upload(trueup, rows)["outcomes"] == {"refused_before_click": 1, "created": 1}
    told(trueup, "undo", "1", "--yes")
    mended = import_clicks(trueup, file, "--time-zone", "Europe/Warsaw", "--again")
    assert mended["conversions"] == {"before": 0, "after": 2}
    assert (stored_clicks(ledger)["clicked_at"] // 3_600_000_000 % 24).to_list() == [8, 21]
    assert trueup("audit").code == 0
    by_click = trueup("report", "--by", "hour", "--date", "click", "--time-zone", "UTC").stdout
    assert "08:00" in by_click
    assert "10:00" not in by_click


@pytest.mark.front
def test_undo__keeps_what_came_another_way(trueup: CommandLine, ledger: Database) -> None:
    import_clicks(trueup, click_rows(["c1", "c2"]))
    other = click_rows(["c2", "c3"]).replace("PL push", "DE mixed").replace("0.10", "0.40")
    assert import_clicks(trueup, other)["outcomes"] == {"known": 1, "imported": 1}
    upload(trueup)
    assert told(trueup, "undo", "1", "--preview")["clicks"] == {"gone": 1, "back": 0, "other": 1, "same": 0}
    assert told(trueup, "undo", "1", "--yes")["conversions"] == {"before": 3, "after": 2}
    found = report(trueup)
    assert (found["DE mixed"]["clicks"], found["DE mixed"]["cost"], found["DE mixed"]["revenue"]) == (
        "2",
        "0.80",
        "16.00",
    )
    assert "PL push" not in found
    assert trueup("audit").code == 0
    # Then the other one: its click goes, and there is nothing left of the first to bring c2 back.
    assert told(trueup, "undo", "2", "--yes")["conversions"] == {"before": 2, "after": 0}
    assert stored_clicks(ledger).height == 0
    told(trueup, "undo", "4", "--yes")
    assert report(trueup)["PL push"]["revenue"] == "21.00"
    assert trueup("audit").code == 0


TAMPERED = {
    "a click changed": update(clicks).where(clicks.c.click_id == "c1").values(cost=1),
    "a click lost": delete(clicks).where(clicks.c.click_id == "c1"),
    "a click that arrived once lost": delete(clicks).where(clicks.c.click_id == "c3"),
    "an arrival lost": delete(click_arrivals).where(click_arrivals.c.place == 2),
    "an arrival put down to another import": update(click_arrivals)
    .where(click_arrivals.c.place == 2, click_arrivals.c.click_id == "c1")
    .values(batch_id=1),
    "a conversion counted for another campaign": update(conversions).values(campaign_id=3),
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_audit__proves_clicks(trueup: CommandLine, ledger: Database, what: str) -> None:
    import_clicks(trueup, click_rows(["c1", "c2", "c3"]))
    import_clicks(trueup, click_rows(["c2", "c1"]))
    upload(trueup)
    assert trueup("audit").code == 0
    with ledger.transaction() as transaction:
        transaction.execute(TAMPERED[what])
    ran = trueup("audit", "--json")
    broken = {law["law"] for law in json.loads(ran.stdout) if not law["held"]}
    assert "arrivals" in broken, ran.stdout


SET_FALSELY = {
    "a click that arrived once, and no row set anything of it": update(clicks)
    .where(clicks.c.click_id == "c1")
    .values(sub1="x"),
    "a click that a row set it of": update(clicks).where(clicks.c.click_id == "c2").values(sub1="x"),
    "what a row gave": update(row_sub_parameters).values(sub1="x"),
    "a row that gave it lost": delete(row_sub_parameters),
    "what the click came with": delete(click_arrivals),
}


@pytest.mark.parametrize("what", SET_FALSELY)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_audit__proves_sub_parameters(trueup: CommandLine, ledger: Database, what: str) -> None:
    import_clicks(trueup, click_rows(["c1", "c2"]))
    live = LiveLedger(ledger, lambda: RECEIVED_AT, "tests")
    live.record([IncomingConversion({"click_id": "c2"}, Origin.POSTBACK, sub_parameters={"sub1": "7"})])
    live.finish()
    assert trueup("audit").code == 0
    with ledger.transaction() as transaction:
        transaction.execute(SET_FALSELY[what])
    ran = trueup("audit", "--json")
    broken = {law["law"] for law in json.loads(ran.stdout) if not law["held"]}
    assert broken & {"arrivals", "segments"}, ran.stdout

"""`trueup clicks import` as a person meets it: what is stored, what is told, what a file may look like."""

import csv
import io
import json
from pathlib import Path

import pytest
from click_files import TITLES, contents, stored_clicks
from command_line import CommandLine

from trueup.ledger.database import Database

# What is the same whatever the database.
ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"])

FILE = """click_id,campaign,offer,clicked_at,cost,external_id,country,sub1,sub10
c1,PL push,VPN trial,2025-05-01T10:00:00Z,0.25,ext-1,PL,zone 7,last
c2,uk-search,Casino signup,2025-05-01 10:00:00,,,,,
c3,DE mixed,Newsletter,2025-05-01T10:00:00+02:00,1,,DE,,
"""


@pytest.fixture(autouse=True)
def workspace(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme).code == 0


def outcomes(trueup: CommandLine, content: str | bytes, *words: str) -> dict[str, int]:
    ran = trueup("clicks", "import", "-", "--yes", "--json", *words, stdin=content)
    told = json.loads(ran.stdout)
    assert ran.code == int(any(outcome.startswith("refused_") for outcome in told["outcomes"]))
    return dict(told["outcomes"])


@pytest.mark.front
def test_import__stores_what_the_file_says(trueup: CommandLine, ledger: Database) -> None:
    assert outcomes(trueup, FILE) == {"imported": 3}
    first, second, third = stored_clicks(ledger).iter_rows(named=True)
    assert (first["cost"], first["external_id"], first["country"]) == (250_000, "ext-1", "PL")
    assert (first["sub1"], first["sub2"], first["sub10"]) == ("zone 7", "", "last")
    # A time without an offset is in the workspace's zone, Warsaw: two hours ahead in May.
    assert first["clicked_at"] - second["clicked_at"] == 2 * 3_600_000_000
    assert second["clicked_at"] == third["clicked_at"]
    assert second["cost"] == 0


@pytest.mark.front
def test_import__links_network_and_source(trueup: CommandLine, ledger: Database) -> None:
    outcomes(trueup, FILE)
    linked = ["campaign_id", "offer_id", "network_id", "traffic_source_id"]
    assert stored_clicks(ledger).select(linked).rows() == [(1, 1, 1, 1), (2, 3, 3, 2), (3, 4, 0, 2)]


@pytest.mark.front
def test_import__shows_in_the_report(trueup: CommandLine) -> None:
    outcomes(trueup, FILE)
    rows = {row["campaign"]: row for row in csv.DictReader(io.StringIO(trueup("report", "--by", "campaign").stdout))}
    assert (rows["PL push"]["clicks"], rows["PL push"]["cost"]) == ("1", "0.25")
    assert (rows["total"]["clicks"], rows["total"]["cost"]) == ("3", "1.25")


@pytest.mark.front
def test_import__tells_in_words_what_happened(trueup: CommandLine) -> None:
    ran = trueup("clicks", "import", "-", "--yes", stdin=f"{TITLES},note\nc1,PL push,VPN trial,2025-05-01 10:00,x\n")
    assert ran.code == 0
    assert "imported" in ran.stdout
    assert "Not used: note." in ran.stderr
    assert "Times without an offset are in Europe/Warsaw." in ran.stderr
    assert "Batch 1 is imported." in ran.stderr


@pytest.mark.front
def test_import__leaves_known_clicks_as_they_are(trueup: CommandLine, ledger: Database) -> None:
    outcomes(trueup, FILE)
    before = contents(ledger)
    assert outcomes(trueup, FILE.replace("0.25", "9").replace("PL push", "DE mixed")) == {"known": 3}
    assert contents(ledger) == before


@pytest.mark.front
def test_import__takes_the_first_of_a_click_that_stands_twice(trueup: CommandLine, ledger: Database) -> None:
    rows = ["c9,nowhere,Newsletter,2025-05-01T10:00Z,5", "c9,PL push,VPN trial,2025-05-01T10:00Z,7"]
    rows += ["c9,DE mixed,Newsletter,2025-05-01T10:00Z,8", "c1,DE mixed,Newsletter,2025-05-01T10:00Z,1"]
    told = outcomes(trueup, f"{TITLES},cost\n" + "\n".join(rows))
    assert told == {"imported": 2, "repeated": 1, "refused_unknown_campaign": 1}
    assert stored_clicks(ledger)["cost"].to_list() == [1_000_000, 7_000_000]


@pytest.mark.front
def test_import__prefers_a_name_to_another_campaigns_slug(trueup: CommandLine, ledger: Database) -> None:
    trueup("setup", "apply", "-", stdin='[[campaigns]]\nname = "pl-push"\nslug = "other"\n')
    outcomes(trueup, f"{TITLES}\nc1,pl-push,VPN trial,2025-05-01T10:00Z\nc2,other,VPN trial,2025-05-01T10:00Z\n")
    assert stored_clicks(ledger)["campaign_id"].to_list() == [4, 4]


@pytest.mark.front
def test_import__previews_without_a_change(trueup: CommandLine, ledger: Database) -> None:
    before = contents(ledger)
    ran = trueup("clicks", "import", "-", "--preview", "--json", stdin=FILE)
    told = json.loads(ran.stdout)
    assert (told["preview"], told["batch_id"], told["rows"]) == (True, None, 3)
    assert told["outcomes"] == {"imported": 3}
    assert contents(ledger) == before
    assert json.loads(trueup("batches", "--json").stdout) == []


@pytest.mark.front
def test_import__is_a_batch(trueup: CommandLine) -> None:
    outcomes(trueup, FILE)
    (batch,) = json.loads(trueup("batches", "--json").stdout)
    assert (batch["kind"], batch["state"], batch["outcomes"]) == ("clicks", "done", {"imported": 3})
    assert trueup("audit").code == 0


FORMS = {
    "semicolons and decimal comma": (FILE.replace(",", ";").replace("0.25", "0,25").encode(), ["--decimal-comma"]),
    "tabs and UTF-16": (FILE.replace(",", "\t").encode("utf-16"), []),
    "separator named": (("sep=|\n" + FILE.replace(",", "|")).encode("utf-8-sig"), []),
    "other titles": (
        FILE.replace("click_id", "Click ID").replace("clicked_at", "CLICKED-AT").replace("sub10", "Sub10").encode(),
        [],
    ),
    "line ends of Windows": (FILE.replace("\n", "\r\n").encode(), []),
    "quotes": (FILE.replace("PL push", '"PL push"').encode(), []),
    "blank lines": (("\n" + FILE.replace("\n", "\n\n")).encode(), []),
    "encoding chosen": (FILE.replace("zone 7", "zone 7").encode("cp1250"), ["--encoding", "windows-1250"]),
    "columns turned round": (
        "\n".join(",".join(reversed(line.split(","))) for line in FILE.splitlines()).encode(),
        [],
    ),
}


@ON_ONE
@pytest.mark.parametrize("form", FORMS)
def test_import__reads_the_same_in_every_form(trueup: CommandLine, ledger: Database, form: str) -> None:
    content, words = FORMS[form]
    assert outcomes(trueup, content, *words) == {"imported": 3}
    said = stored_clicks(ledger)
    assert said["cost"].to_list() == [250_000, 0, 1_000_000]
    assert said["country"].to_list() == ["PL", "", "DE"]
    assert said["sub1"].to_list() == ["zone 7", "", ""]


@pytest.mark.front
def test_import__reads_times_in_the_zone_that_is_chosen(trueup: CommandLine, ledger: Database) -> None:
    outcomes(trueup, FILE, "--time-zone", "UTC")
    first, second, _ = stored_clicks(ledger)["clicked_at"]
    assert first == second


UNREADABLE = {
    "": "The file is empty.",
    "\n\n": "its lines are blank",
    "click_id,offer\nc1,x\n": "No column is titled campaign or clicked_at.",
    "c1,PL push,VPN trial,2025-05-01T10:00Z\n": "No column is titled click_id or campaign",
    f"{TITLES},Offer\nc1\n": 'The columns "offer" and "Offer" would both be offer.',
    f"{TITLES},offer\nc1\n": 'Two columns are titled "offer".',
    "PK\x03\x04": "The archive is damaged or cut off",
}


@pytest.mark.parametrize("content", UNREADABLE)
@ON_ONE
def test_import__says_why_a_file_cannot_be_read(trueup: CommandLine, content: str) -> None:
    ran = trueup("clicks", "import", "-", "--yes", stdin=content)
    assert ran.code == 2
    assert UNREADABLE[content] in ran.stderr
    assert trueup("batches", "--json").stdout.strip() == "[]"


@ON_ONE
def test_import__names_a_zone_that_does_not_exist(trueup: CommandLine) -> None:
    ran = trueup("clicks", "import", "-", "--yes", "--time-zone", "Mars/Olympus", stdin=FILE)
    assert (ran.code, "Mars/Olympus" in ran.stderr) == (2, True)


@pytest.mark.front
def test_import__takes_a_file_without_rows(trueup: CommandLine) -> None:
    assert outcomes(trueup, TITLES) == {}

"""An import of clicks as a person meets it: the question, the same file, mappings, files of results, the setup."""

import csv
import json
import tomllib
from pathlib import Path

import pytest
from click_files import TITLES, Importer, Killed, click_rows, stored_clicks
from command_line import CommandLine

from trueup.ledger.database import Database

FRONT = pytest.mark.parametrize("database_kind", ["sqlite"])
FOREIGN = """Click ID,Campaign name,Offer name,Click time,Traffic source,Affiliate network,Spent
c1,Summer sale!,Shoes,2025-05-01T10:00:00Z,PushAds,Tailspin,0.25
c2,Summer sale!,Bags 'new',2025-05-01T10:01:00Z,PushAds,,0.25
c3,Summer-Sale,VPN trial,1746093600,OtherAds,,0.25
c4,PL push,VPN trial,1746093600000,,,0.5
"""


@pytest.fixture(autouse=True)
def workspace(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme).code == 0


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as read:
        return list(csv.DictReader(read))


@FRONT
def test_import__asks_where_nobody_answers(trueup: CommandLine) -> None:
    ran = trueup("clicks", "import", "-", stdin=click_rows(["c1"]))
    assert (ran.code, "add --yes" in ran.stderr) == (2, True)
    assert trueup("batches", "--json").stdout.strip() == "[]"


@FRONT
def test_import__minds_the_same_file(trueup: CommandLine) -> None:
    assert trueup("clicks", "import", "-", "--yes", stdin=click_rows(["c1"])).code == 0
    ran = trueup("clicks", "import", "-", "--yes", stdin=click_rows(["c1"]))
    assert ran.code == 2
    assert "This very file was imported before: batch 1," in ran.stderr
    assert "Add --again" in ran.stderr
    assert trueup("undo", "1", "--yes").code == 0
    ran = trueup("clicks", "import", "-", "--yes", "--again", stdin=click_rows(["c1"]))
    assert "it is undone since." in ran.stderr
    assert "`trueup undo 3` takes it back." in ran.stderr
    assert trueup("report").code == 0


@FRONT
def test_import__minds_an_unfinished_one_with_other_options(trueup: CommandLine, ledger: Database) -> None:
    with pytest.raises(Killed):
        Importer(ledger, chunk_rows=1)(click_rows(["c1", "c2"]), 1)
    ran = trueup("clicks", "import", "-", "--yes", "--time-zone", "Asia/Tokyo", stdin=click_rows(["c1", "c2"]))
    assert (ran.code, "is not finished, and had other options" in ran.stderr) == (2, True)


@FRONT
def test_import__takes_mappings(trueup: CommandLine, ledger: Database) -> None:
    file = "Visit,Campaign,Landing,When,Paid,Sub ID\nc1,PL push,VPN trial,2025-05-01T10:00Z,0.5,x\n"
    asked = trueup("clicks", "import", "-", "--preview", stdin=file)
    assert (asked.code, '--map "COLUMN=offer"' in asked.stderr) == (2, True)
    said = ("Visit=click_id", "Landing=offer", "When=clicked_at", "Paid=cost", "Sub ID=sub1")
    words = [word for mapping in said for word in ("--map", mapping)]
    assert trueup("clicks", "import", "-", "--yes", *words, stdin=file).code == 0
    (click,) = stored_clicks(ledger).iter_rows(named=True)
    assert (click["click_id"], click["cost"], click["sub1"], click["offer_id"]) == ("c1", 500_000, "x", 1)


WRONG_MAPPINGS = {
    "Nowhere=cost": 'the file has no column "Nowhere"',
    "cost=price": 'no field of a click is called "price"',
}


@FRONT
@pytest.mark.parametrize("mapping", WRONG_MAPPINGS)
def test_import__says_what_is_wrong_with_a_mapping(trueup: CommandLine, mapping: str) -> None:
    ran = trueup("clicks", "import", "-", "--preview", "--map", mapping, stdin=click_rows(["c1"]))
    assert (ran.code, WRONG_MAPPINGS[mapping] in ran.stderr) == (2, True)


@FRONT
def test_import__writes_what_every_row_came_to(trueup: CommandLine, tmp_path: Path, ledger: Database) -> None:
    assert trueup("clicks", "import", "-", "--yes", stdin=click_rows(["c0"])).code == 0
    at = "2025-05-01T10:00Z"
    file = f"{TITLES}\nc2,PL push,VPN trial,{at}\nc1,no,VPN trial,{at}\nc1,PL push,VPN trial,{at}\n"
    file += f"c1,PL push,VPN trial,{at}\nc0,PL push,VPN trial,{at}\n,PL push,VPN trial,{at}\n"
    seen, done, refused = (tmp_path / name for name in ("seen.csv", "done.csv", "refused.csv"))
    assert trueup("clicks", "import", "-", "--preview", "--results", seen, stdin=file).code == 1
    with pytest.raises(Killed):
        Importer(ledger, chunk_rows=2)(file, 2)
    words = ("--time-zone", "UTC", "--results", done, "--refused", refused)
    assert trueup("clicks", "import", "-", "--yes", *words, stdin=file).code == 1
    assert rows_of(done) == rows_of(seen)
    assert [row["outcome"] for row in rows_of(done)] == [
        "imported", "refused_unknown_campaign", "imported", "repeated", "known", "refused_missing_click_id",
    ]  # fmt: skip
    assert [row["click_id"] for row in rows_of(refused)] == ["c1", ""]


@FRONT
def test_import__lists_all_that_is_not_set_up(trueup: CommandLine, tmp_path: Path) -> None:
    words = ("--map", "Spent=cost")
    ran = trueup("clicks", "import", "-", "--preview", *words, stdin=FOREIGN)
    said = ran.stderr
    assert "3 rows name 2 campaigns, 2 offers, 1 traffic source and 1 affiliate network that are not set up." in said
    lines = said[said.index("[[affiliate_networks]]") : said.index("This was a preview")]
    setup = tomllib.loads(lines)
    assert [campaign["slug"] for campaign in setup["campaigns"]] == ["summer-sale", "summer-sale-2"]
    assert setup["offers"] == [{"name": "Bags 'new'"}, {"name": "Shoes", "network": "Tailspin"}]
    (tmp_path / "more.toml").write_text(lines)
    assert trueup("setup", "apply", tmp_path / "more.toml").code == 0
    assert trueup("clicks", "import", "-", "--yes", *words, stdin=FOREIGN).code == 0


@FRONT
def test_import__sets_up_what_is_missing(trueup: CommandLine, ledger: Database) -> None:
    words = ("--map", "Spent=cost", "--create-missing")
    before = trueup("setup", "show").stdout
    seen = trueup("clicks", "import", "-", "--preview", *words, "--json", stdin=FOREIGN)
    assert (seen.code, json.loads(seen.stdout)["outcomes"]) == (0, {"imported": 4})
    assert '+ campaign "Summer sale!"' in seen.stderr
    assert trueup("setup", "show").stdout == before
    done = trueup("clicks", "import", "-", "--yes", *words, "--json", stdin=FOREIGN)
    assert json.loads(done.stdout)["outcomes"] == {"imported": 4}
    setup = tomllib.loads(trueup("setup", "show").stdout)
    assert {"name": "Summer sale!", "slug": "summer-sale", "traffic_source": "PushAds"}.items() <= next(
        campaign for campaign in setup["campaigns"] if campaign["name"] == "Summer sale!"
    ).items()
    assert stored_clicks(ledger)["network_id"].to_list() == [4, 0, 1, 1]
    assert stored_clicks(ledger)["traffic_source_id"].n_unique() == 2
    assert trueup("audit").code == 0


@FRONT
def test_import__doubts_a_column_that_names_too_much(trueup: CommandLine) -> None:
    rows = "".join(f"c{n},campaign {n},VPN trial,2025-05-01T10:00Z\n" for n in range(1_001))
    ran = trueup("clicks", "import", "-", "--yes", "--create-missing", stdin=f"{TITLES}\n{rows}")
    assert ran.code == 2
    assert "1,001 campaigns" in ran.stderr
    assert "--map says which is which" in ran.stderr
    assert "campaign 999" not in trueup("setup", "show").stdout

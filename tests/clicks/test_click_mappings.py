"""Files of clicks with titles of their own: mappings under a name, and where the titles are."""

import json
from pathlib import Path

import pytest
from click_files import stored_clicks
from command_line import CommandLine

from trueup.ledger.database import Database

FRONT = pytest.mark.parametrize("database_kind", ["sqlite"])
LOG = 'Northwind\n\nVisitor,Campaign,Offer,Seen,Spent\nc1,Summer sale,Shoes,2025-05-01 10:00,"0,25"\n'
MAPPED = ("--map", "Visitor=click_id", "--map", "Seen=clicked_at", "--map", "Spent=cost", "--decimal-comma")


@pytest.fixture(autouse=True)
def workspace(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme).code == 0


def saved(trueup: CommandLine) -> None:
    ran = trueup(
        "clicks", "import", "-", *MAPPED, "--save-mapping", "northwind", "--yes", "--create-missing", stdin=LOG
    )
    assert (ran.code, 'add --mapping "northwind"' in ran.stderr) == (0, True), ran.stderr


@pytest.mark.front
def test_mapping__of_clicks_is_saved_and_reads_the_next_file(trueup: CommandLine, ledger: Database) -> None:
    saved(trueup)
    (listed,) = json.loads(trueup("mappings", "list", "--json").stdout)
    assert (listed["kind"], listed["decimal_comma"]) == ("clicks", True)
    assert listed["columns"] == {"Visitor": "click_id", "Seen": "clicked_at", "Spent": "cost"}
    ran = trueup("clicks", "import", "-", "--mapping", "northwind", "--yes", stdin=LOG.replace("c1", "c2"))
    assert ran.code == 0, ran.stderr
    assert "Lines 1 to 2 stand above the column titles, and are not read: 'Northwind'." in " ".join(ran.stderr.split())
    assert stored_clicks(ledger)["cost"].to_list() == [250_000, 250_000]


@FRONT
def test_mapping__of_clicks_is_offered_and_never_used_in_silence(trueup: CommandLine) -> None:
    saved(trueup)
    ran = trueup("clicks", "import", "-", "--preview", stdin=LOG.replace("c1", "c2"))
    assert ran.code == 2
    assert "A mapping was saved for files with these titles: --mapping northwind." in ran.stderr


@pytest.mark.front
def test_mapping__of_clicks_is_kept_apart_from_those_of_conversions(trueup: CommandLine, tmp_path: Path) -> None:
    saved(trueup)
    sales = tmp_path / "sales.csv"
    sales.write_text("Visitor,Commission\nc1,5\n")
    ran = trueup("upload", sales, "--mapping", "northwind", "--preview")
    assert (ran.code, 'No mapping is called "northwind"' in ran.stderr) == (2, True)
    maps = ("--map", "Visitor=click_id", "--map", "Commission=payout", "--save-mapping", "northwind")
    assert trueup("upload", sales, *maps, "--yes").code == 0
    kinds = [each["kind"] for each in json.loads(trueup("mappings", "list", "--json").stdout)]
    assert kinds == ["clicks", "conversions"]
    assert trueup("mappings", "remove", "northwind", "--clicks").code == 0
    (left,) = json.loads(trueup("mappings", "list", "--json").stdout)
    assert left["kind"] == "conversions"
    assert trueup("mappings", "remove", "northwind", "--clicks").code == 2


@FRONT
def test_titles__of_clicks_are_where_the_person_says(trueup: CommandLine) -> None:
    text = "click_id,campaign,offer,clicked_at\nid,name,title,moment\nc1,Summer sale,Shoes,2025-05-01T10:00Z\n"
    maps = [word for each in ("id=click_id", "name=campaign", "title=offer") for word in ("--map", each)]
    chosen = ("--titles-line", 2, *maps, "--map", "moment=clicked_at", "--preview", "--json")
    ran = trueup("clicks", "import", "-", *chosen, stdin=text)
    assert json.loads(ran.stdout)["rows"] == 1
    assert "The column titles are on line 2." in ran.stderr
    assert trueup("clicks", "import", "-", "--titles-line", 0, "--preview", stdin=text).code == 2
    ran = trueup("clicks", "import", "-", "--titles-line", 9, "--preview", stdin=text)
    assert "--titles-line 9: the line is blank" in ran.stderr


@FRONT
def test_titles__below_what_reads_like_a_row_are_asked_about(trueup: CommandLine) -> None:
    text = "c1,Summer sale,Shoes,2025-05-01T10:00Z\nclick_id,campaign,offer,clicked_at\nc2,PL,Shoes,2025-05-01T10:00Z\n"
    ran = trueup("clicks", "import", "-", "--preview", stdin=text)
    assert ran.code == 2
    assert "Line 1 reads like a row, and stands above the column titles on line 2." in ran.stderr
    assert "--titles-line 2" in ran.stderr
    ran = trueup("clicks", "import", "-", "--preview", "--titles-line", 2, "--json", stdin=text)
    assert json.loads(ran.stdout)["rows"] == 1
    keitaro = text.replace("click_id", "sub_id").replace("clicked_at", "datetime")
    assert "Line 1 reads like a row" in trueup("clicks", "import", "-", "--preview", stdin=keitaro).stderr

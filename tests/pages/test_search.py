"""Search: exact ids open at once; other words find pages, files, and what is set up."""

from urllib.parse import quote

import pytest
from asking import Asker, text_of
from command_line import CommandLine
from served import Served

from trueup.ledger.open import open_ledger
from trueup.ledger.queries import Selection, read_conversions_page
from trueup.model.ids import conversion_id
from trueup.model.words import Role


@pytest.fixture
def asker(sample_site: Served) -> Asker:
    return Asker(sample_site)


def test_exact_id__opens_at_once(asker: Asker, sample_site: Served) -> None:
    with open_ledger(sample_site.database_url) as database:
        page = read_conversions_page(database, Selection(), None, 200, newest_first=True)
    row = next(row for row in page.iter_rows(named=True) if row["transaction_id"])
    named = conversion_id(row["click_id"], row["n"])
    opens = {
        row["click_id"]: f"/clicks/{row['click_id']}",
        named: f"/conversions/{named}",
        f" {named} ": f"/conversions/{named}",
        "2": "/uploads/2",
        "#2": "/uploads/2",
    }
    for text, path in opens.items():
        answer = asker.get(f"/search?q={quote(text)}")
        assert (answer.status, answer.headers["location"]) == (303, path)
    answer = asker.get(f"/search?q={row['transaction_id']}")
    assert answer.status == 303
    assert row["click_id"] in answer.headers["location"] or row["transaction_id"] in answer.headers["location"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import conversions", "Upload"),
        ("conversion upload", "Upload"),
        ("update status", "Update status"),
        ("click log", "Clicks"),
        ("redtrack.csv", "batch 4"),
        ("keit", "keitaro.txt"),
        ("contoso", "network"),
        ("nothing like this", "Nothing is called"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_words__find_pages_files_and_names(asker: Asker, text: str, says: str) -> None:
    answer = asker.get(f"/search?q={quote(text)}")
    assert answer.status == 200
    main = answer.text.partition("<main")[2]
    assert says in text_of(type(answer)(200, {}, main.encode()))
    assert "<b>bold" not in answer.text


def test_words__find_no_page_that_one_may_not_see(sample_site: Served) -> None:
    answer = Asker(sample_site, Role.VIEWER).get("/search?q=invite")
    assert "Nothing is called" in text_of(answer)


def test_click_id__of_a_few_characters_may_also_be_a_transaction_id(own_site: Served) -> None:
    world = CommandLine(own_site.database_url)
    folder = own_site.folder
    long, short = "click-of-another-tracker", "77"
    rows = "".join(f"{click},1,{txid}\n" for click, txid in ((long, "a"), (short, "b"), (short, long), (long, short)))
    (folder / "clicks.csv").write_text(
        "click_id,campaign,offer,clicked_at\n"
        + "".join(f"{click},pl-push,VPN trial,2026-03-01T10:00:00Z\n" for click in (long, short))
    )
    (folder / "rows.csv").write_text("click_id,payout,transaction_id\n" + rows)
    for words in (["clicks", "import", folder / "clicks.csv"], ["upload", folder / "rows.csv"]):
        assert world(*words, "--yes").code == 0
    asker = Asker(own_site)
    assert asker.get(f"/search?q={long}").headers["location"] == f"/clicks/{long}"
    assert asker.get(f"/search?q={short}").status == 200
    assert asker.get(f"/search?q={long}&rows=1").status == 200

"""The list of conversions: its pages lose nothing, its files hold what is shown, its totals are those of a report."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from asking import Asker, text_of
from command_line import CommandLine
from served import Served

ROW = re.compile(r'<tr id="row-([^"]+)"')
NEXT = re.compile(r'id="page-after" href="([^"]+)"')
BEFORE = re.compile(r'id="page-before" href="([^"]+)"')
EVERYTHING = "/conversions?from=&to="


@pytest.fixture
def asker(sample_site: Served) -> Asker:
    return Asker(sample_site)


def walked(asker: Asker, path: str, link: re.Pattern[str] = NEXT) -> Iterator[list[str]]:
    """The ids on each page, from one page on."""
    while path:
        answer = asker.get(path, hx_request_type="partial")
        assert answer.status == 200, answer.text
        yield ROW.findall(answer.text)
        found = link.search(answer.text)
        path = found[1].replace("&amp;", "&") if found else ""


@pytest.mark.parametrize("order", ["", "time", "-payout", "payout", "-revenue", "status", "-type"])
def test_pages__hold_every_conversion_once_in_order_both_ways(asker: Asker, order: str) -> None:
    path = f"{EVERYTHING}&sort={order}"
    pages = list(walked(asker, path))
    shown = [each for page in pages for each in page]
    written = list(csv.DictReader(io.StringIO(asker.get(path.replace("conversions?", "conversions.csv?")).text)))
    assert shown == [row["conversion_id"] for row in written]
    assert len(set(shown)) == len(shown) > 100
    last = asker.get(path, hx_request_type="partial")
    while found := NEXT.search(last.text):
        last = asker.get(found[1].replace("&amp;", "&"), hx_request_type="partial")
    back = list(walked(asker, BEFORE.search(last.text)[1].replace("&amp;", "&"), BEFORE))  # type: ignore[index]
    assert back == pages[-2::-1]


def test_file__has_the_columns_that_are_shown(own_site: Served) -> None:
    asker = Asker(own_site)
    chosen = ["status", "click_id", "payout"]
    asker.post("/preferences/columns", {"list": "conversions", "column": chosen, "next": "/conversions"})
    assert asker.get("/conversions.csv").text.splitlines()[0] == ",".join(chosen)
    heads = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]*)', asker.get("/conversions").text)
    assert heads == ["Status", "Click id", "Payout"]
    asker.post("/preferences/columns", {"list": "conversions", "usual": "1", "next": "/conversions"})
    assert asker.get("/conversions.csv").text.startswith("converted_at,click_id,")
    assert asker.get("/conversions.xlsx?status=pending").body[:2] == b"PK"


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ("", ""),
        ("&network=Contoso&status=approved", "--network Contoso --status approved"),
        ("&type=lead", "--type lead"),
        ("&label=new", "--where label=new"),
    ],
)
def test_totals__are_those_of_a_report(asker: Asker, sample_site: Served, filters: str, words: str) -> None:
    report = CommandLine(sample_site.database_url)("report", *words.split(), "--json").stdout
    counts = {name: re.search(rf'"{name}": "?([0-9.-]+)', report)[1] for name in ("conversions", "revenue")}  # type: ignore[index]
    said = f"Conversions {int(counts['conversions']):,} Revenue {float(counts['revenue']):,.2f}"
    assert said.replace("-", "\u2212") in text_of(asker.get(EVERYTHING + filters))


def test_filters__are_chips_that_can_be_taken_off(asker: Asker) -> None:
    page = asker.get(f"{EVERYTHING}&status=pending&status=approved&click_id=%3Cb%3Ex").text
    assert 'aria-label="Remove the filter Status Pending"' in page
    assert "<b>x" not in page
    assert "Nothing matches these filters" in page
    without = re.search(r'href="([^"]+)" aria-label="Remove the filter Click id', page)
    assert without
    assert without[1].replace("&amp;", "&") == "/conversions?status=pending&status=approved&from=&to="

"""The list of clicks: in the order of their arrival, newest first, with what became of each."""

from random import Random

import polars as pl
import pytest
from stored import at, click, conversion, set_up, store

from trueup.ledger import newest_clicks
from trueup.ledger.catalog import read_catalog
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.newest_clicks import WantedClicks
from trueup.ledger.sorting import Asked
from trueup.model.frames import CLICKS
from trueup.reports.click_list import ClickFilters, ClickList, count_new_clicks, read_click_list
from trueup.reports.spans import WrongWordError

NOON = at("2026-03-10T12:00:00")
MINUTE = 60 * 1_000_000
EVERY = WantedClicks()


@pytest.fixture
def stocked(ledger: Database) -> Database:
    """A hundred clicks, a minute apart, whose ids are in no order; each fifth converted."""
    set_up(ledger)
    ids = [f"k{number:03}" for number in range(100)]
    Random(1).shuffle(ids)  # noqa: S311 - made-up traffic
    clicks = [
        click(
            name, NOON + place * MINUTE, country=("PL", "DE")[place % 2], campaign_id=place % 3, is_bot=place % 10 == 0
        )
        for place, name in enumerate(ids)
    ]
    made = [conversion(name, payout=2_000_000, clicked_at=NOON) for name in ids[::5]]
    made += [conversion(ids[0], n=2, payout=500_000, status="declined", clicked_at=NOON)]
    made += [conversion(ids[5], n=2, payout=500_000, status="pending", clicked_at=NOON)]
    store(ledger, made, clicks)
    return ledger


def page(ledger: Database, wanted: WantedClicks = EVERY, cut: int | None = None, most: int = 500) -> ClickList:
    return read_click_list(ledger, read_catalog(ledger), wanted, [], Asked(most, None if cut is None else (cut,)))


def all_of(ledger: Database, wanted: WantedClicks, most: int) -> list[int]:
    found, before = [], None
    while True:
        shown = page(ledger, wanted, before, most)
        assert shown.rows.height <= most
        found += shown.rows["click_number"].to_list()
        if shown.next is None:
            return found
        before = shown.next


def test_list__is_newest_first_and_has_each_once(stocked: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest_clicks, "_LEAST_WINDOW", 3)
    monkeypatch.setattr(newest_clicks, "LOOKED_AT_MOST", 20)
    for most in (1, 7, 100, 500):
        assert all_of(stocked, EVERY, most) == list(range(100, 0, -1))
    assert all_of(stocked, WantedClicks(any_of={"country": ["DE"]}), 9) == list(range(100, 0, -2))
    assert len(all_of(stocked, WantedClicks(converted=True), 9)) == 20
    assert len(all_of(stocked, WantedClicks(converted=False), 9)) == 80
    hour = WantedClicks(from_at=NOON + 10 * MINUTE, to_at=NOON + 70 * MINUTE)
    assert all_of(stocked, hour, 9) == list(range(70, 10, -1))


def test_clicks__say_what_became_of_them(stocked: Database) -> None:
    rows = page(stocked).rows.sort("click_number")
    assert rows.select("conversions", "revenue", "pending_revenue", "arrivals").row(0) == (1, 2_000_000, 0, 1)
    assert rows.select("conversions", "revenue", "pending_revenue").row(5) == (2, 2_000_000, 500_000)
    assert rows.select("conversions", "revenue").row(1) == (0, 0)
    assert rows["campaign"].to_list()[:3] == ["", "PL push", "UK search"]


def test_filters__are_words(stocked: Database) -> None:
    catalog = read_catalog(stocked)

    def rows(**words: object) -> pl.DataFrame:
        return page(stocked, ClickFilters(**words).understood(catalog, "UTC", NOON)).rows  # type: ignore[arg-type]

    assert rows(campaign=["PL push"]).height == 33
    assert rows(where=["country=PL"], bot="yes").height == 10
    assert rows(converted="yes", bot="no").height == 10
    for wrong in ({"campaign": ["nope"]}, {"where": ["label=new"]}, {"bot": "maybe"}):
        with pytest.raises(WrongWordError):
            rows(**wrong)


def test_new_clicks__are_counted(stocked: Database) -> None:
    newest = page(stocked, most=5).newest
    more = [click(f"m{number}", NOON, country="PL") for number in range(12)]
    with stocked.transaction() as transaction:
        if not stocked.is_sqlite:
            transaction.read_sql("SELECT setval('click_numbers', 100)", {"number": pl.Int64})
        commit_clicks(transaction, pl.DataFrame(more, schema=dict(CLICKS)))
    assert count_new_clicks(stocked, EVERY, newest) == 12
    assert count_new_clicks(stocked, WantedClicks(any_of={"country": ["DE"]}), newest) == 0
    assert page(stocked, most=3).rows["click_id"].str.starts_with("m").all()


@pytest.mark.front
def test_named_clicks__are_shown_whatever_else_is_asked(stocked: Database) -> None:
    shown = read_click_list(stocked, read_catalog(stocked), EVERY, ["k007", "k003", "no id!", "nobody"], Asked(5))
    assert sorted(shown.rows["click_id"]) == ["k003", "k007"]

"""Every list in every sort: its pages have each row once, in its order, both ways, while rows come in."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import polars as pl
import pytest
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from stored import at, click, conversion, set_up, store

from trueup.ledger import newest_clicks, sorted_clicks
from trueup.ledger.catalog import read_catalog
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.newest_clicks import WantedClicks
from trueup.ledger.queries import Selection
from trueup.ledger.schema import conversions
from trueup.ledger.sorting import Asked, Place, Sort, SortedPage, page_of_few
from trueup.model.frames import CLICKS, CONVERSIONS
from trueup.reports import conversion_list
from trueup.reports.click_list import SORTS as CLICK_SORTS
from trueup.reports.click_list import ClickList, read_click_list
from trueup.reports.conversion_list import SORTS, read_all_conversions, read_conversion_page, sort_for
from trueup.reports.sorts import NEWEST_FIRST, sort_named
from trueup.reports.spans import WrongWordError

NOON = at("2026-03-10T12:00:00")
STATUSES = ["approved", "pending", "declined", "other"]
TYPES = ["conversion", "Lead", "lead", "łead"]
BOTH = (True, False)
Read = Callable[[Asked], SortedPage]


def forward(read: Read, most: int, between: Callable[[], None] = lambda: None) -> list[SortedPage]:
    """All pages from the beginning on."""
    found = [read(Asked(most))]
    while found[-1].has_more:
        between()
        found.append(read(Asked(most, found[-1].places[-1])))
    return found


def back(read: Read, most: int, place: Place) -> list[SortedPage]:
    """All pages before a place, the farthest first."""
    found = [read(Asked(most, place, is_before=True))]
    while found[0].has_more:
        found.insert(0, read(Asked(most, found[0].places[0], is_before=True)))
    return found


def places(pages: Sequence[SortedPage]) -> list[Place]:
    return [place for page in pages for place in page.places]


def made(chance: Random, count: int, name: str = "c") -> list[dict[str, Any]]:
    """Conversions of which many share each value."""
    return [
        conversion(
            f"{name}{chance.randrange(9)}",
            n=n,
            converted_at=NOON + chance.randrange(3),
            payout=chance.choice([-1, 0, 2, 2, 5]),
            status=chance.choice(STATUSES),
            conversion_type=chance.choice(TYPES),
        )
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("by", SORTS)
def test_conversions__are_each_on_one_page_in_order_both_ways(ledger: Database, by: str) -> None:
    rows = made(Random(4), 60)  # noqa: S311 - made-up conversions
    store(ledger, rows)
    for goes_down in BOTH:
        sort = Sort(by, goes_down)

        def read(asked: Asked, sort: Sort = sort) -> SortedPage:
            return read_conversion_page(ledger, Selection(), sort, asked)

        for most in (7, 60, 100):
            pages = forward(read, most)
            found = places(pages)
            assert found == sorted(found, key=_bytes, reverse=goes_down)
            assert len(set(found)) == len(found) == len(rows)
            assert places(back(read, most, found[-1])) == found[:-1]
        with ledger.read_transaction() as transaction:
            whole = pl.concat(read_all_conversions(transaction, Selection(), sort))
            some = pl.concat(read_all_conversions(transaction, Selection(), sort, 11))
        assert whole.equals(pl.concat(page.rows for page in pages))
        assert some.equals(whole.head(11))


def _bytes(place: Place) -> tuple[int | bytes, ...]:
    return tuple(value.encode() if isinstance(value, str) else value for value in place)


@pytest.mark.parametrize("by", SORTS)
def test_conversions_that_come_meanwhile__part_no_others(ledger: Database, by: str) -> None:
    chance = Random(5)  # noqa: S311 - made-up conversions
    rows = made(chance, 40)
    store(ledger, rows)
    count = 0

    def more() -> None:
        nonlocal count
        count += 1
        with ledger.transaction() as transaction:
            transaction.append(conversions, pl.DataFrame(made(chance, 5, f"m{count}-"), dict(CONVERSIONS)))

    def read(asked: Asked) -> SortedPage:
        return read_conversion_page(ledger, Selection(), Sort(by, goes_down=True), asked)

    before = places([read(Asked(100))])
    found = places(forward(read, 6, more))
    assert len(found) == len(set(found))
    assert [place for place in found if place in set(before)] == before


def test_too_many_conversions__keep_the_order_by_time(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store(ledger, made(Random(6), 30))  # noqa: S311 - made-up conversions
    by_payout, some = Sort("payout", goes_down=True), Selection(any_of={"status": ["approved"]})
    assert sort_for(ledger, Selection(), by_payout) == by_payout
    monkeypatch.setattr(conversion_list, "SORTED_MOST", 29)
    assert sort_for(ledger, Selection(), by_payout) == NEWEST_FIRST
    assert sort_for(ledger, some, by_payout) == by_payout
    place = read_conversion_page(ledger, some, by_payout, Asked(2)).places[0]
    assert (
        read_conversion_page(ledger, some, NEWEST_FIRST, Asked(9, place)).places
        == read_conversion_page(ledger, some, NEWEST_FIRST, Asked(9)).places
    )
    assert sort_for(ledger, Selection(removed=True), by_payout) == by_payout


def test_sort__is_a_word() -> None:
    assert sort_named("-payout", SORTS, NEWEST_FIRST) == Sort("payout", goes_down=True)
    assert sort_named("", SORTS, NEWEST_FIRST) == NEWEST_FIRST
    for wrong in ("pay", "--payout", "x", "-"):
        with pytest.raises(WrongWordError, match="sorted by"):
            sort_named(wrong, SORTS, NEWEST_FIRST)


@pytest.fixture
def stocked(ledger: Database) -> Database:
    """Clicks in no order of their ids, of some of which conversions came."""
    set_up(ledger)
    chance = Random(7)  # noqa: S311 - made-up traffic
    ids = [f"k{number:02}" for number in range(60)]
    chance.shuffle(ids)
    clicks = [
        click(name, NOON + place, country=chance.choice(["PL", "DE"]), cost=chance.randrange(4), is_bot=place % 2)
        for place, name in enumerate(ids)
    ]
    rows = [{**row, "click_id": chance.choice(ids)} for row in made(chance, 80)]
    rows = [{**row, "conversion_type": chance.choice(["conversion", "correction"])} for row in rows]
    store(ledger, rows, clicks)
    return ledger


WANTED = (
    WantedClicks(),
    WantedClicks(any_of={"country": ["PL"]}),
    WantedClicks(from_at=NOON + 5, to_at=NOON + 41),
    WantedClicks(any_of={"is_bot": [1]}, converted=True),
)


@pytest.mark.front
@pytest.mark.parametrize("by", CLICK_SORTS[1:])
def test_clicks__are_sorted_by_what_is_shown_of_them(stocked: Database, by: str) -> None:
    catalog = read_catalog(stocked)
    for wanted in WANTED:
        by_time = read_click_list(stocked, catalog, wanted, [], Asked(500)).rows
        for goes_down in BOTH:
            sort = Sort(by, goes_down)

            def read(asked: Asked, wanted: WantedClicks = wanted, sort: Sort = sort) -> SortedPage:
                found = read_click_list(stocked, catalog, wanted, [], asked, sort)
                assert found.page is not None
                assert found.rows["click_number"].to_list() == [place[-1] for place in found.page.places]
                return found.page

            expected = by_time.sort(by, "click_number", descending=goes_down).select(by, "click_number").rows()
            found = places(forward(read, 9))
            assert found == expected
            assert places(back(read, 9, found[-1])) == expected[:-1]


def walked(stocked: Database, wanted: WantedClicks, most: int, sort: Sort) -> list[int]:
    """The numbers of all pages by time; each page is what the one after it has before it."""
    catalog = read_catalog(stocked)
    numbers: list[int] = []
    cut: Place | None = None
    while True:
        page = read_click_list(stocked, catalog, wanted, [], Asked(most, cut), sort)
        shown = page.rows["click_number"].to_list()
        numbers += shown
        if page.next is None:
            return numbers
        cut = (page.next,)
        assert _above(stocked, wanted, cut, most, sort) == numbers


def _above(stocked: Database, wanted: WantedClicks, cut: Place, most: int, sort: Sort) -> list[int]:
    found: list[int] = []
    while True:
        page: ClickList = read_click_list(
            stocked, read_catalog(stocked), wanted, [], Asked(most, cut, is_before=True), sort
        )
        found = page.rows["click_number"].to_list() + found
        if page.next is None:
            return found
        cut = (page.next,)


@pytest.mark.front
def test_clicks_by_time__are_each_on_one_page_both_ways(stocked: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest_clicks, "_LEAST_WINDOW", 3)
    monkeypatch.setattr(newest_clicks, "LOOKED_AT_MOST", 20)
    more = [click(f"m{number}", NOON + number, country="PL", is_bot=0) for number in range(12)]
    with stocked.transaction() as transaction:  # segments, and loose rows beside them
        if not stocked.is_sqlite:
            transaction.read_sql("SELECT setval('click_numbers', 60)", {"number": pl.Int64})
        commit_clicks(transaction, pl.DataFrame(more, schema=dict(CLICKS)))
    for wanted in WANTED:
        newest = walked(stocked, wanted, 7, NEWEST_FIRST)
        assert newest == sorted(set(newest), reverse=True)
        assert walked(stocked, wanted, 7, Sort("time", goes_down=False)) == newest[::-1]
    assert len(walked(stocked, WantedClicks(), 11, NEWEST_FIRST)) == 72


def test_too_many_clicks__keep_the_order_by_time(stocked: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_clicks, "CLICKS_SORTED_MOST", 40)
    catalog, by_cost = read_catalog(stocked), Sort("cost", goes_down=True)
    assert read_click_list(stocked, catalog, WantedClicks(), [], Asked(5), by_cost).sort == NEWEST_FIRST
    assert read_click_list(stocked, catalog, WANTED[1], [], Asked(5), by_cost).sort == by_cost


_IDS = st.sampled_from(["a", "B", "\u0142", "ab"])
_ROW = st.tuples(_IDS, st.integers(-2, 2), st.sampled_from(STATUSES), st.integers(0, 2))


@law
@given(
    rows=st.lists(_ROW, min_size=1, max_size=20),
    later=st.lists(_ROW, max_size=8),
    sort=st.builds(Sort, st.sampled_from(SORTS), st.booleans()),
    most=st.integers(1, 7),
)
def test_pages__have_all_that_was_there_once_whatever_comes(
    ledger: Database, rows: list[tuple[Any, ...]], later: list[tuple[Any, ...]], sort: Sort, most: int
) -> None:
    every = [
        conversion(name, n=n, payout=payout, status=status, converted_at=NOON + moment)
        for n, (name, payout, status, moment) in enumerate(rows + later, 1)
    ]
    store(ledger, every[: len(rows)])
    waiting = every[len(rows) :]

    def come() -> None:
        with ledger.transaction() as transaction:
            transaction.append(conversions, pl.DataFrame([waiting.pop()] if waiting else [], dict(CONVERSIONS)))

    def read(asked: Asked) -> SortedPage:
        return read_conversion_page(ledger, Selection(), sort, asked)

    before = places([read(Asked(100))])
    found = places(forward(read, most, come))
    assert len(set(found)) == len(found)
    assert [place for place in found if place in set(before)] == before
    known = set(places(back(read, most, found[-1]))) | {found[-1]}
    assert set(found) <= known


@law
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "B", "\u0142"])), max_size=25),
    st.integers(1, 6),
    st.booleans(),
)
def test_pages_of_few__are_the_whole_in_order(rows: list[tuple[int, str]], most: int, goes_down: bool) -> None:
    keys = {"value": pl.Int64, "text": pl.String, "id": pl.Int64}
    frame = pl.DataFrame([(*row, place) for place, row in enumerate(rows)], keys, orient="row")

    def read(asked: Asked) -> SortedPage:
        return page_of_few(frame, list(keys), Sort("value", goes_down), asked)

    expected = sorted(frame.rows(), key=_bytes, reverse=goes_down)
    assert places(forward(read, most)) == expected
    if expected:
        assert places(back(read, most, expected[-1])) == expected[:-1]

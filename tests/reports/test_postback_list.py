"""The list of postbacks: every one of them once, newest first, whatever comes meanwhile."""

from itertools import pairwise
from random import Random
from time import time_ns

import polars as pl
import pytest
from stored import at, click, set_up, store

from trueup.dialects.postback import read_postback as read_postback_parameters
from trueup.ledger import newest_postbacks, postback_parts, sorted_postbacks
from trueup.ledger.catalog import read_catalog
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.newest_postbacks import Place
from trueup.ledger.postback_parts import Wanted
from trueup.ledger.sorting import Asked, Sort
from trueup.model.frames import CLICKS
from trueup.model.traffic import IncomingConversion
from trueup.model.words import Origin
from trueup.recording.incoming import LiveLedger
from trueup.reports.postback_list import (
    PostbackFilters,
    PostbackList,
    count_new_postbacks,
    read_postback,
    read_postbacks,
)
from trueup.reports.sorts import NEWEST_FIRST, OLDEST_FIRST
from trueup.reports.spans import WrongWordError

NOON = at("2026-03-10T12:00:00")
SECOND = 1_000_000
CLICK_IDS = [f"c{number}" for number in range(8)]
EVERY = Wanted()


class Servers:
    """Two processes that take postbacks, on a clock of their own."""

    def __init__(self, ledger: Database) -> None:
        set_up(ledger)
        rows = [click(name, NOON - 10**9, network_id=1 + place % 2) for place, name in enumerate(CLICK_IDS)]
        with ledger.transaction() as transaction:
            commit_clicks(transaction, pl.DataFrame(rows, schema=dict(CLICKS)))
        self.ledger, self.now, self.sent = ledger, NOON, 0
        self.both = [LiveLedger(ledger, lambda: self.now, f"server {number}") for number in (1, 2)]

    def take(self, chance: Random, messages: int) -> None:
        """Take some messages at once, of either origin."""
        origin = chance.choice([Origin.POSTBACK, Origin.PIXEL])
        ids = [chance.choice([*CLICK_IDS, "nobody", "no id!"]) for _ in range(messages)]
        given = [[("cid", name), ("txid", f"t{self.sent + place}")] for place, name in enumerate(ids)]
        said = [IncomingConversion(read_postback_parameters(each, "GET /postback").row, origin) for each in given]
        chance.choice(self.both).record(said)
        self.sent += messages

    def page(
        self,
        wanted: Wanted,
        cut: str,
        most: int,
        click_id: str = "",
        *,
        is_before: bool = False,
        sort: Sort = NEWEST_FIRST,
    ) -> PostbackList:
        catalog = read_catalog(self.ledger)
        asked = Asked(most, (cut,) if cut else None, is_before)
        return read_postbacks(self.ledger, catalog, wanted, click_id, asked, self.now, sort)


@pytest.fixture
def servers(ledger: Database) -> Servers:
    return Servers(ledger)


def keys(rows: pl.DataFrame) -> list[tuple[int, int]]:
    return rows.select("batch_id", "line").rows()


def all_of(servers: Servers, wanted: Wanted, most: int) -> list[tuple[int, int]]:
    """The keys of all pages, one after another."""
    found: list[tuple[int, int]] = []
    after = ""
    for _ in range(1_000):
        page = servers.page(wanted, after, most)
        assert page.rows.height <= most
        found += keys(page.rows)
        after = page.next
        if not after:
            return found
    raise AssertionError("the pages have no end")


def walked(servers: Servers, wanted: Wanted, most: int, sort: Sort, click_id: str = "") -> list[tuple[int, int]]:
    """The keys of all pages; the pages before each are those that it came after."""
    found: list[tuple[int, int]] = []
    cut = ""
    while True:
        page = servers.page(wanted, cut, most, click_id, sort=sort)
        found += keys(page.rows)
        cut = page.next
        if not cut:
            return found
        before: list[tuple[int, int]] = []
        at = cut
        while at:
            page = servers.page(wanted, at, most, click_id, is_before=True, sort=sort)
            assert page.rows.height <= most
            before, at = keys(page.rows) + before, page.next
        assert set(before) == set(found)
        assert len(before) == len(found)


@pytest.mark.front
def test_pages__lead_back_to_those_before(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = time_ns()
    print(f"Random({seed})")  # a failure shows it: with it the same traffic comes again
    chance = Random(seed)  # noqa: S311 - made-up traffic
    for _ in range(7):
        servers.take(chance, chance.choice([1, 2, 7]))
        servers.now += chance.choice([0, SECOND, 600 * SECOND, -5 * SECOND, 5_000 * SECOND])
    every = servers.ledger.read_sql("SELECT batch_id, line FROM journal", _KEY).rows()
    monkeypatch.setattr(postback_parts, "_LEAST_WINDOW", 3)
    monkeypatch.setattr(postback_parts, "STORED_TOGETHER", 7)
    monkeypatch.setattr(postback_parts, "_READ_WHOLE", chance.choice([0, 6_000]))
    for sort in (NEWEST_FIRST, OLDEST_FIRST):
        found = walked(servers, EVERY, 4, sort)
        assert sorted(found) == sorted(every)
        assert sorted(walked(servers, EVERY, 3, sort, "c1")) == sorted(keys(servers.page(EVERY, "", 500, "c1").rows))
    since = Wanted(from_at=NOON + 3 * SECOND, to_at=servers.now, outcomes=("created", "parked_unknown_click"))
    monkeypatch.setattr(newest_postbacks, "LOOKED_AT_MOST", 4)
    assert sorted(walked(servers, since, 3, NEWEST_FIRST)) == sorted(walked(servers, since, 3, OLDEST_FIRST))


@pytest.mark.parametrize("by", ["payout", "decision"])
def test_postbacks__are_sorted(servers: Servers, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(8)  # noqa: S311 - made-up traffic
    for _ in range(6):
        servers.take(chance, 5)
        servers.now += 2_000 * SECOND
    catalog, sort = read_catalog(servers.ledger), Sort(by, goes_down=True)
    for wanted, click_id in ((EVERY, ""), (Wanted(network_ids=(2,)), ""), (EVERY, "c1")):
        whole = read_postbacks(servers.ledger, catalog, wanted, click_id, Asked(500), servers.now, sort)
        assert sorted(keys(whole.rows)) == sorted(all_of_click(servers, wanted, click_id))
        assert whole.page is not None
        assert whole.page.places == sorted(whole.page.places, reverse=True)
        last: PostbackList | None = None
        found: list[tuple[int, int]] = []
        while last is None or (last.page and last.page.has_more):
            asked = Asked(4, last.page.places[-1] if last and last.page else None)
            last = read_postbacks(servers.ledger, catalog, wanted, click_id, asked, servers.now, sort)
            found += keys(last.rows)
        assert found == keys(whole.rows)
    monkeypatch.setattr(sorted_postbacks, "SORTED_MOST", 29)
    many = read_postbacks(servers.ledger, catalog, EVERY, "", Asked(5), servers.now, sort)
    assert (many.sort, many.page) == (NEWEST_FIRST, None)


def all_of_click(servers: Servers, wanted: Wanted, click_id: str) -> list[tuple[int, int]]:
    return keys(servers.page(wanted, "", 500, click_id).rows)


@pytest.mark.front
@pytest.mark.parametrize("times", [12, pytest.param(80, marks=pytest.mark.long)])
def test_list__has_every_postback_once_however_they_came(
    servers: Servers, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = time_ns()
    print(f"Random({seed})")  # a failure shows it: with it the same traffic comes again
    chance = Random(seed)  # noqa: S311 - made-up traffic
    for _ in range(times):
        servers.take(chance, chance.choice([1, 2, 7]))
        servers.now += chance.choice([0, SECOND, 600 * SECOND, -5 * SECOND, 5_000 * SECOND])
    monkeypatch.setattr(postback_parts, "_LEAST_WINDOW", 3)
    monkeypatch.setattr(postback_parts, "STORED_TOGETHER", 7)
    for whole in (0, 6_000):
        monkeypatch.setattr(postback_parts, "_READ_WHOLE", whole)
        for most in (3, 10, 500):
            found = all_of(servers, EVERY, most)
            assert len(found) == len(set(found)) == servers.sent
        moments = servers.page(EVERY, "", 500).rows["received_at"].to_list()
        late = sum(older > newer + 100 * SECOND for newer, older in pairwise(moments))
        assert late == 0  # in their order, but for a clock that stepped back
    monkeypatch.setattr(newest_postbacks, "LOOKED_AT_MOST", 4)
    created = set(all_of(servers, Wanted(outcomes=("created",)), 3))
    told = servers.ledger.read_sql("SELECT batch_id, line FROM journal WHERE outcome = 'created'", _KEY)
    assert created == set(told.rows())


_KEY = {"batch_id": pl.Int64, "line": pl.Int64}


@pytest.mark.front
def test_pages__are_the_same_while_more_come(servers: Servers) -> None:
    chance = Random(7)  # noqa: S311 - made-up traffic
    for _ in range(6):
        servers.take(chance, 5)
        servers.now += SECOND
    before = all_of(servers, EVERY, 50)
    page = servers.page(EVERY, "", 8)
    newest, found = page.newest, keys(page.rows)
    came = 0
    while page.next:
        servers.take(chance, 4)
        servers.now += 1_000 * SECOND
        came += 4
        assert count_new_postbacks(servers.ledger, EVERY, newest) == came
        page = servers.page(EVERY, page.next, 8)
        found += keys(page.rows)
    assert found == before
    refused = Wanted(outcomes=("refused_unknown_click", "refused_bad_click_id"))
    count = len(all_of(servers, refused, 50)) - sum(key in set(before) for key in all_of(servers, refused, 50))
    assert count_new_postbacks(servers.ledger, refused, newest) == count


def test_filters__are_words_and_leave_only_what_fits(servers: Servers) -> None:
    chance = Random(3)  # noqa: S311 - made-up traffic
    for _ in range(20):
        servers.take(chance, 3)
        servers.now += 700 * SECOND
    catalog = read_catalog(servers.ledger)

    def rows(**words: object) -> pl.DataFrame:
        wanted = PostbackFilters(**words).understood(catalog, "UTC", servers.now)  # type: ignore[arg-type]
        return servers.page(wanted, "", 500).rows

    assert set(rows(network=["Contoso"])["click_id"]) <= set(CLICK_IDS[1::2])
    assert set(rows(network=["Contoso"])["network"]) == {"Contoso"}
    assert set(rows(origin=["pixel"])["origin"]) == {"pixel"}
    assert set(rows(outcome=["refused_bad_click_id"])["click_id"]) == {"no id!"}
    times = rows(from_="2026-03-10T12:30:00", to="2026-03-10T13:00:00")["received_at"].to_list()
    assert times
    assert all(NOON + 1_800 * SECOND <= each < NOON + 3_600 * SECOND for each in times)
    with pytest.raises(WrongWordError, match="Contoso"):
        rows(network=["Contosso"])


@pytest.mark.front
def test_one_click__and_one_row(servers: Servers) -> None:
    chance = Random(5)  # noqa: S311 - made-up traffic
    for _ in range(8):
        servers.take(chance, 9)
        servers.now += SECOND
    first = servers.page(EVERY, "", 3, "c1")
    rest = servers.page(EVERY, first.next, 500, "c1")
    every = pl.concat([first.rows, rest.rows])
    assert every["n"].to_list() == list(range(every.height, 0, -1))
    assert set(every["click_id"]) == {"c1"}
    assert servers.page(EVERY, "", 5, "no id!").rows.height == 0
    catalog, (batch_id, line) = read_catalog(servers.ledger), keys(every)[2]
    assert read_postback(servers.ledger, catalog, batch_id, line)["message"].item()
    assert read_postback(servers.ledger, catalog, batch_id, 9_999).height == 0
    assert read_postback(servers.ledger, catalog, 9_999, 1).height == 0


def test_empty_ledger__has_no_page(ledger: Database) -> None:
    store(ledger, [])
    page = read_postbacks(ledger, read_catalog(ledger), EVERY, "", Asked(10), NOON)
    assert (page.rows.height, page.next) == (0, "")
    assert count_new_postbacks(ledger, EVERY, page.newest) == 0


@pytest.mark.parametrize("given", ["x", "1_2", "1_2.x", "1_-2.3", "9" * 30, "1_2.3.4", "¹_1.1"])
@pytest.mark.front
def test_place__that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Place.from_text(given)

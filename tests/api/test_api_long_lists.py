"""Pages of long lists: the rows of a large batch by their lines, and the log where filters let few through."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from calling import Api, NewApi
from command_line import CommandLine
from databases import by_hand
from worlds import World, grown

from trueup.ledger.database import Database
from trueup.ledger.lines import Lines

SETUP = '[[conversion_types]]\nname = "lead"\n'
ROWS = 12_000
LEADS = (5, 6_000, 11_999)  # lines
REFUSED = range(100, ROWS, 997)


def _grow(world: World) -> None:
    """A workspace with one batch of 12,000 rows, in no order of their clicks: later lines are later conversions."""
    world.set_up(SETUP)
    ids = [f"k{line * 7_919 % ROWS:05}" for line in range(ROWS)]
    world.add_clicks(*ids)
    rows = [
        f"{click_id},{'x' if line in REFUSED else 1},{'lead' if line in LEADS else 'conversion'},{_time(line)}"
        for line, click_id in enumerate(ids, start=2)
    ]
    world.upload("\n".join(["click_id,payout,conversion_type,converted_at", *rows]) + "\n", "--time-zone", "UTC")


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the rows are there
    return new_api()


def _time(line: int) -> str:
    return (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=20 * line)).strftime("%Y-%m-%dT%H:%M:%S")


def pages(api: Api, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"{path}{'&' if '?' in path else '?'}limit={limit}&cursor={cursor}").json()
        found, cursor = found + page["items"], page["next_cursor"]
    return found


@pytest.mark.front
def test_rows_of_a_large_batch__come_by_their_lines(api: Api) -> None:
    (batch,) = api.get("/batches").json()["items"]
    path = f"/batches/{batch['batch_id']}/rows"
    assert batch["rows_done"] == ROWS
    assert [row["line"] for row in pages(api, path, 1_000)] == list(range(2, ROWS + 2))
    refused = pages(api, f"{path}?outcome=refused_bad_payout", 5)
    assert [row["line"] for row in refused] == list(REFUSED)
    assert {row["outcome"] for row in refused} == {"refused_bad_payout"}
    assert pages(api, f"{path}?outcome=refused_bad_time", 5) == []
    of_journal = api.get(f"/journal?batch_id={batch['batch_id']}&limit=3").json()["items"]
    assert of_journal == api.get(f"{path}?limit=3").json()["items"]


@pytest.mark.front
def test_log__is_the_same_in_pages_of_any_size_and_both_ways(api: Api) -> None:
    newest = pages(api, "/conversions", 1_000)
    assert len(newest) == ROWS - len(REFUSED)
    assert [each["converted_at"] for each in newest] == sorted((e["converted_at"] for e in newest), reverse=True)
    assert pages(api, "/conversions?order=oldest", 777) == newest[::-1]


@pytest.mark.front
def test_log__has_the_few_that_a_filter_lets_through_however_far_they_are(api: Api) -> None:
    for order, expected in (("oldest", LEADS), ("newest", LEADS[::-1])):
        for limit in (1, 2, 100):
            leads = pages(api, f"/conversions?type=lead&order={order}", limit)
            assert [lead["converted_at"][:19] for lead in leads] == [_time(line) for line in expected]
        assert pages(api, f"/conversions?status=declined&order={order}", 10) == []


def test_log__is_sorted(api: Api) -> None:
    path = "/conversions?from=2026-03-02T00:00:00&to=2026-03-02T02:00:00&time_zone=UTC"
    everything = pages(api, path, 1_000)
    for sort, key in (("payout", "payout"), ("type", "conversion_type")):
        up = pages(api, f"{path}&sort={sort}", 1_000)
        assert pages(api, f"{path}&sort=-{sort}", 70) == up[::-1]
        values = [float(each[key]) if sort == "payout" else each[key] for each in up]
        assert values == sorted(values)
        assert {each["conversion_id"] for each in up} == {each["conversion_id"] for each in everything} != set()
    assert pages(api, f"{path}&sort=-time&order=oldest", 1_000) == everything
    wrong = api.get("/conversions?sort=paid")
    assert (wrong.status_code, "not sorted by 'paid'" in wrong.text) == (422, True)


@pytest.mark.front
def test_log__of_a_time_is_what_is_in_it(api: Api) -> None:
    times = ("2026-03-01T10:00:00", "2026-03-01T10:07:00"), ("2026-03-02T00:00:00", "2026-03-02T02:00:00")
    everything = pages(api, "/conversions?order=oldest", 1_000)
    for first, end in times:
        inside = [each for each in everything if first <= each["converted_at"][:19] < end]
        of_type = [each for each in inside if each["conversion_type"] == "lead"]
        assert inside
        for order, step in (("oldest", 1), ("newest", -1)):
            path = f"/conversions?from={first}&to={end}&time_zone=UTC&order={order}"
            assert pages(api, path, 100) == inside[::step]
            assert pages(api, f"{path}&type=lead", 100) == of_type[::step]


def moved(ledger: Database) -> None:
    """Have every row of the journal stand elsewhere, as when a database writes the table anew."""
    by_hand(ledger, "UPDATE journal SET rowid = rowid + 50000" if ledger.is_sqlite else "UPDATE journal SET raw = raw")


def lines_of(rows: pl.DataFrame | None) -> list[int]:
    assert rows is not None
    return rows["line"].to_list()


def test_lines__are_found_again_when_the_table_was_written_anew(world: World, ledger: Database) -> None:
    assert world.conversions("--limit", 1)
    lines = Lines()
    assert lines_of(lines.page(ledger, 1, ROWS, [], 10, 3)) == [11, 12, 13]
    assert lines_of(lines.page(ledger, 1, ROWS, [], 12, 3, goes_back=True)) == [12, 11, 10]
    moved(ledger)
    assert lines_of(lines.page(ledger, 1, ROWS, [], 10, 3)) == [11, 12, 13]
    assert lines_of(lines.page(ledger, 1, ROWS, [], 2**63 - 1, 3)) == []


def test_lines__that_came_later_are_there(world: World, ledger: Database) -> None:
    assert world.conversions("--limit", 1)
    lines, other = Lines(), Lines()
    assert lines_of(lines.page(ledger, 1, ROWS, [], ROWS, 3)) == [ROWS + 1]
    by_hand(ledger, "UPDATE journal SET line = 12002 WHERE line = 7 AND batch_id = 1")
    assert lines_of(lines.page(ledger, 1, ROWS + 1, [], ROWS, 3)) == [ROWS + 1, ROWS + 2]
    assert lines_of(other.page(ledger, 1, ROWS, [], 5, 2)) == [6, 8]


@pytest.mark.front
def test_lines__of_more_batches_than_are_remembered_are_right(world: World, ledger: Database) -> None:
    world.upload("click_id,payout\nk00001,1\nnobody,2\n")
    lines = Lines(most=5)
    for _ in range(2):
        assert lines_of(lines.page(ledger, 1, ROWS, [], 0, 2)) == [2, 3]
        assert lines_of(lines.page(ledger, 2, 2, ["refused_unknown_click"], 0, 2)) == [3]

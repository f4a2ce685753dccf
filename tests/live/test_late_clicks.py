"""A visit that is recorded later than its conversion: whatever waited for it comes to life, whoever brought what."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, Thread
from time import sleep

import polars as pl
import pytest
from command_line import CommandLine
from effort import IN_LONG_RUN
from worlds import World, succeeded
from writers import new_click, now, sale, told_all, writing

from trueup.decide.pipeline import Decisions
from trueup.ledger.batches import read_batches
from trueup.ledger.database import Database, Transaction
from trueup.ledger.open import open_ledger
from trueup.model.words import BatchKind, Outcome
from trueup.recording import incoming as live_module
from trueup.recording.incoming import LiveLedger

PARKING = '[workspace]\nunknown_click = "park"\n'


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(PARKING)
    return made


@pytest.mark.front
def test_late_click__wakes_the_postbacks_that_waited_for_it(world: World, tmp_path: Path) -> None:
    click = new_click()
    with writing(world.trueup.url, tmp_path) as (writer, _):
        (told,) = asyncio.run(told_all(writer, [sale(click[0])]))
        assert told.outcome == Outcome.PARKED_UNKNOWN_CLICK
        assert world.totals()["conversions"] == 0
        asyncio.run(writer.click(click))
        asyncio.run(told_all(writer, [sale(click[0], transaction_id="2")]))
    assert world.totals()["conversions"] == 2
    assert "came to life" in succeeded(world.trueup("history", f"{click[0]}-1"))
    batches = json.loads(world.trueup("batches", "--json").stdout)
    assert sorted(batch["kind"] for batch in batches) == ["late_clicks", "postbacks"]
    succeeded(world.trueup("audit"))


def test_late_click__wakes_what_a_program_left_that_was_killed(world: World, tmp_path: Path) -> None:
    click = new_click()
    with writing(world.trueup.url, tmp_path) as (writer, _):
        asyncio.run(told_all(writer, [sale(click[0])]))
    with writing(world.trueup.url, tmp_path) as (writer, _):
        asyncio.run(writer.click(click))
    assert world.totals()["conversions"] == 1
    succeeded(world.trueup("audit"))


@pytest.mark.front
def test_late_click__is_no_batch_to_undo_and_its_rows_are(world: World) -> None:
    click = new_click()
    with open_ledger(world.trueup.url) as ledger:
        live = LiveLedger(ledger, now, "tests")
        live.record([sale(click[0])])
        assert live.record_clicks([click, click]) == 1
        assert live.record_clicks([click]) == 0
        live.finish()
        rows, late = read_batches(ledger)
    assert (rows.kind, late.kind, late.rows_done) == (BatchKind.POSTBACKS, BatchKind.LATE_CLICKS, 1)
    assert late.totals_delta["conversions"].to_list() == [1]
    assert "undo their batch" in world.trueup("undo", late.batch_id, "--yes").stderr
    succeeded(world.trueup("undo", rows.batch_id, "--yes"))
    assert world.totals()["conversions"] == 0
    succeeded(world.trueup("audit"))


@pytest.mark.law
def test_late_click__and_its_rows_meet_however_they_come_at_once(world: World) -> None:
    clicks = [new_click() for _ in range(120 if IN_LONG_RUN else 48)]
    beginning = Barrier(2)

    def visits() -> None:
        with open_ledger(world.trueup.url) as ledger:
            live = LiveLedger(ledger, now, "visits")
            beginning.wait()
            for some in _parted(clicks[::-1], 3):
                live.record_clicks(some)

    def sales() -> None:
        with open_ledger(world.trueup.url) as ledger:
            live = LiveLedger(ledger, now, "sales")
            beginning.wait()
            for some in _parted(clicks, 3):
                live.record([sale(click[0]) for click in some])

    both = [Thread(target=visits), Thread(target=sales)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert world.totals()["conversions"] == len(clicks)
    succeeded(world.trueup("audit"))


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_late_click__that_comes_while_its_row_is_parked_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    click = new_click()
    with ExitStack() as open_ones:
        first, second, admin = (open_ones.enter_context(open_ledger(world.trueup.url)) for _ in range(3))
        sales, visits = LiveLedger(first, now, "sales"), LiveLedger(second, now, "visits")
        visitor = Thread(target=visits.record_clicks, args=[[click]])

        def beside(_: Transaction, decisions: Decisions, *_more: object) -> None:
            assert decisions.journal["outcome"].to_list() == [Outcome.PARKED_UNKNOWN_CLICK]
            visitor.start()
            _wait_for_one_who_waits(admin)

        monkeypatch.setattr(live_module, "_set_sub_parameters", beside)
        sales.record([sale(click[0])])
        visitor.join()
    assert world.totals()["conversions"] == 1
    succeeded(world.trueup("audit"))


def _wait_for_one_who_waits(admin: Database) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    while not admin.read_sql(waiting, {"waiting": pl.Int64}).item():
        sleep(0.01)


def _parted(clicks: Sequence[tuple[object, ...]], size: int) -> Iterator[Sequence[tuple[object, ...]]]:
    return (clicks[start : start + size] for start in range(0, len(clicks), size))

"""The totals of the whole ledger are kept, not summed: exact, proven by the audit, and no reason to wait."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from command_line import CommandLine
from databases import by_hand
from worlds import World, succeeded

from trueup.ledger.batch_moves import (
    add_to_totals,
    advance_batch,
    create_batch,
    finish_batch,
    finish_open_ended,
    stop_batch,
)
from trueup.ledger.batches import read_batches
from trueup.ledger.database import Database, Transaction, Waits
from trueup.ledger.open import open_ledger
from trueup.ledger.rollups import read_rollups
from trueup.ledger.totals import read_totals
from trueup.model.batches import Receipt
from trueup.model.frames import TOTALS
from trueup.model.words import BatchKind, BatchState, Origin, ReportClock

BRIEF = Waits(connect=2, lock=0.5, statement=5, silence=6)
ROWS = "click_id,payout,transaction_id,status\na,1.5,1,sale\na,-2.000001,2,sale\nb,7,3,lead\nc,0.000003,4,rejected\n"


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("a", "b", "c")
    return made


def _recounted(ledger: Database) -> list[tuple[object, ...]]:
    cells = read_rollups(ledger).filter(pl.col("clock") == ReportClock.CONVERSION.value)
    sums = cells.group_by("conversion_type", "status").agg(
        pl.col("conversions").sum(), pl.col("revenue").cast(pl.Int128).sum()
    )
    return sorted(sums.filter(pl.col("conversions") != 0).rows())


@pytest.mark.front
def test_totals__are_what_a_recount_gives_after_whatever_happens(world: World) -> None:
    world.upload(ROWS)
    world.upload(ROWS.replace("sale", "rejected"), command="update-status")
    world.upload(ROWS.replace(",1,", ",9,"))
    for undone in ("1", "4"):
        succeeded(world.trueup("undo", undone, "--yes"))
        with open_ledger(world.trueup.url) as ledger:
            assert read_totals(ledger).rows() == _recounted(ledger) != []
            before, last = (read_batches(ledger)[-1].totals_before, read_batches(ledger)[-1].totals_delta)
            assert pl.concat([before, last])["revenue"].sum() == read_totals(ledger)["revenue"].sum()
        succeeded(world.trueup("audit"))


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE totals SET micros = micros + 1 WHERE conversions > 0",
        "UPDATE batches SET totals_delta = '[]' WHERE batch_id = 1",
    ],
)
def test_totals__that_differ_from_a_recount_are_found_by_the_audit(world: World, spoil: str) -> None:
    world.upload(ROWS)
    succeeded(world.trueup("audit"))
    with Database(world.trueup.url) as ledger:
        by_hand(ledger, spoil)
    ran = world.trueup("audit")
    assert ran.code != 0
    assert "recounted" in ran.stdout


def test_totals__hold_sums_that_leave_64_bits(ledger: Database) -> None:
    delta = pl.DataFrame([("sale", "approved", 1, (1 << 63) - 1)], schema=dict(TOTALS), orient="row")
    with ledger.transaction() as transaction:
        for _ in range(6):
            add_to_totals(transaction, delta)
    assert read_totals(ledger)["revenue"].to_list() == [6 * ((1 << 63) - 1)]


def test_totals__have_what_a_running_batch_has_added_and_once_only_when_it_ends(ledger: Database) -> None:
    delta = pl.DataFrame([("sale", "approved", 1, 5)], schema=dict(TOTALS), orient="row")
    with ledger.transaction() as transaction:
        opened = [
            create_batch(transaction, Receipt(BatchKind.POSTBACKS, Origin.POSTBACK, 1, "me", 0), 0, read_totals(ledger))
            for _ in range(3)
        ]
        for record in opened:
            advance_batch(transaction, record, rows=1, outcomes={}, delta=delta, now=1)
    assert read_totals(ledger).rows() == [("sale", "approved", 3, 15)]
    ends: list[Callable[[Transaction], None]] = [
        lambda transaction: stop_batch(transaction, opened[0].batch_id),
        lambda transaction: finish_batch(transaction, opened[1].batch_id, 2),
        lambda transaction: finish_open_ended(transaction, 2, 2),
    ]
    for end in ends * 2:
        with ledger.transaction() as transaction:
            end(transaction)
        assert read_totals(ledger).rows() == [("sale", "approved", 3, 15)]
    assert {batch.state for batch in read_batches(ledger)} == {BatchState.DONE, BatchState.STOPPED}


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_totals__let_no_batch_that_runs_wait_for_another(url: str) -> None:
    delta = pl.DataFrame([("sale", "approved", 1, 5)], schema=dict(TOTALS), orient="row")
    receipt = Receipt(BatchKind.POSTBACKS, Origin.POSTBACK, 1, "me", 0)
    with open_ledger(url) as first, open_ledger(url, BRIEF) as second:
        with first.transaction() as one:
            advance_batch(one, create_batch(one, receipt, 0, delta), rows=1, outcomes={}, delta=delta, now=1)
            with second.transaction() as two:
                advance_batch(two, create_batch(two, receipt, 0, delta), rows=1, outcomes={}, delta=delta, now=1)
        assert read_totals(second)["conversions"].to_list() == [2]

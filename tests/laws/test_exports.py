"""An export that is uploaded where it came from changes nothing, whatever was set up since."""

import io

import pytest
from effort import law, on_sqlite
from hypothesis import given
from hypothesis import strategies as st
from model import Row, Upload
from playing import Stage
from stories import HOUR, NOON, policies, stories

from trueup.dialects.choices import Choices
from trueup.dialects.read import Reading, read_file
from trueup.ledger.database import Database
from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.policy import Policy
from trueup.reports.export import write_csv
from trueup.reports.log import NUMBERS, read_log

LATER = NOON + 12 * HOUR


def _exported(ledger: Database, time_zone: str) -> Reading:
    with ledger.read_transaction() as transaction:
        pages = list(read_log(transaction, Catalog(), Selection(), time_zone))
    out = io.BytesIO()
    write_csv(pages, NUMBERS, out)
    return read_file(out.getvalue(), Choices())


@law
@given(
    story=stories(),
    policy=policies(),
    time_zone=st.sampled_from(["UTC", "Europe/Warsaw", "Asia/Kathmandu"]),
    data=st.data(),
)
def test_export__uploaded_again_changes_nothing(
    ledger: Database, story: list[Upload], policy: Policy, time_zone: str, data: st.DataObject
) -> None:
    stage = Stage(ledger)
    stage.play(story)
    for place in range(len(story)):
        if data.draw(st.sampled_from([False, False, True])):
            stage.undo(stage.batches[place])
    before = (stage.conversions(), stage.changes(), stage.left().rollups)
    reading = _exported(ledger, time_zone)
    assert reading.dialect == "trueup"
    assert reading.rows.height == len(before[0])
    told = stage.add_reading(reading, policy, LATER)
    assert (stage.conversions(), stage.changes(), stage.left().rollups) == before
    # How many rows a click takes is asked of every row.
    assert sorted(set(told) - {"unchanged", "refused_too_many_rows"}) == []
    assert ("refused_too_many_rows" in told) <= (policy.rows_per_click < 1_000)
    assert stage.broken_laws() == []


@on_sqlite
@pytest.mark.parametrize(("rows_per_click", "outcome"), [(1_000, "unchanged"), (1, "refused_too_many_rows")])
def test_export__of_a_currency_that_lost_its_rate(ledger: Database, rows_per_click: int, outcome: str) -> None:
    stage = Stage(ledger)
    row = Row(1, "a", payout=-500_000, currency="EUR", status="sale")
    stage.play([Upload((row,), Policy(rates={"EUR": 1_080_000_000}), NOON)])
    reading = _exported(ledger, "UTC")
    assert stage.add_reading(reading, Policy(rows_per_click=rows_per_click), LATER) == [outcome]

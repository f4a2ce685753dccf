"""The same rows once more change nothing, where the mode says that a repeat is no news."""

from dataclasses import replace

import pytest
from effort import law
from hypothesis import given
from hypothesis import strategies as st
from model import Row, Upload
from playing import Stage
from stories import HOUR, NOON, rows, uploads

from trueup.ledger.database import Database
from trueup.model.policy import Policy
from trueup.model.words import DuplicateMode, RowKind

NO_NEWS = {"ignored_duplicate", "unchanged", "parked_unknown_click"}


def _last_word(given: tuple[Row, ...]) -> tuple[Row, ...]:
    """One row for each thing that rows are compared by: rows that contradict each other are news each time."""
    kept = {
        (row.click_id, row.conversion_type or "conversion", row.transaction_id): row
        for row in given
        if row.target_n is None
    }
    return tuple(kept.values())


def _repeat_changes_nothing(ledger: Database, upload: Upload) -> None:
    stage = Stage(ledger)
    stage.play([upload])
    before = stage.left()
    stage.add(replace(upload, received_at=upload.received_at + HOUR))
    after = stage.left()
    assert (after.conversions, after.rollups) == (before.conversions, before.rollups)
    answers = {line: told[0] for (place, line), told in after.told.items() if place == 1}
    accepted = {line for line, outcome in answers.items() if not outcome.startswith("refused_")}
    assert {answers[line] for line in accepted} <= NO_NEWS


@pytest.mark.parametrize("mode", [DuplicateMode.IGNORE, DuplicateMode.UPDATE])
@law
@given(upload=uploads())
def test_repeat__of_ignored_or_updated_rows(ledger: Database, mode: DuplicateMode, upload: Upload) -> None:
    settled = replace(upload, kind=RowKind.CONVERSION, mode=mode, rows=_last_word(upload.rows))
    _repeat_changes_nothing(ledger, settled)


@law
@given(upload=uploads(), ids=st.lists(st.sampled_from(["e1", "e2", "e3"]), min_size=14, max_size=14))
def test_repeat__of_rows_with_event_ids(ledger: Database, upload: Upload, ids: list[str]) -> None:
    named = tuple(
        replace(row, event_id=event_id, target_n=None) for row, event_id in zip(upload.rows, ids, strict=False)
    )
    mode = DuplicateMode.IGNORE_SAME_EVENT_ID
    _repeat_changes_nothing(ledger, replace(upload, kind=RowKind.CONVERSION, mode=mode, rows=named))


@law
@given(row=rows())
def test_repeat__is_news_where_every_row_is_a_conversion(ledger: Database, row: Row) -> None:
    """The laws above could not fail if repeats never did anything."""
    upload = _one_good_row(row)
    stage = Stage(ledger)
    stage.play([upload, upload])
    assert len(stage.conversions()) == 2


def _one_good_row(row: Row) -> Upload:
    good = Row(1, "a", transaction_id=row.transaction_id, event_id=row.event_id, payout=row.payout)
    return Upload((good,), Policy(), NOON, mode=DuplicateMode.CREATE)

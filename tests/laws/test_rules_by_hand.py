"""The program agrees with the rules carried out by hand: every outcome, number and field, whatever the rows."""

import pytest
from effort import LAW, on_sqlite_at_least
from hypothesis import given, settings
from model import Upload
from playing import Stage, book_of, conversions_of, told_by
from stories import stories

from trueup.ledger.database import Database


@on_sqlite_at_least
@pytest.mark.law
@settings(LAW, max_examples=5 * LAW.max_examples)
@given(story=stories())
def test_rules_by_hand__give_the_same(ledger: Database, story: list[Upload]) -> None:
    stage, book = Stage(ledger), book_of(story)
    stage.play(story)
    left = stage.left()
    assert left.answers == told_by(book)
    assert left.conversions == conversions_of(book)

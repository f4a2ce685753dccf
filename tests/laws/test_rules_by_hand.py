"""The program agrees with the rules carried out by hand: every outcome, number and field, whatever the rows."""

import pytest
from effort import LITTLE, MUCH, on_sqlite
from hypothesis import given, settings
from model import Upload
from playing import Stage, book_of, conversions_of, told_by
from stories import stories

from trueup.ledger.database import Database


def _agrees(ledger: Database, story: list[Upload]) -> None:
    stage, book = Stage(ledger), book_of(story)
    stage.play(story)
    left = stage.left()
    assert left.answers == told_by(book)
    assert left.conversions == conversions_of(book)


@on_sqlite
@settings(LITTLE, max_examples=60)
@given(story=stories())
def test_rules_by_hand__give_the_same(ledger: Database, story: list[Upload]) -> None:
    _agrees(ledger, story)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@settings(MUCH)
@given(story=stories())
def test_rules_by_hand__give_the_same_for_long(ledger: Database, story: list[Upload]) -> None:
    _agrees(ledger, story)

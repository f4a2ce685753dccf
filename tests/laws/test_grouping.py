"""How rows are grouped changes nothing: at once, split, one by one, or with unrelated clicks in any order."""

from dataclasses import replace

from effort import law, on_sqlite_at_least
from hypothesis import given
from hypothesis import strategies as st
from model import Upload
from playing import Grouping, Left, Stage, book_of, chunks_of, conversions_of, reordered, told_by, whole
from stories import policies, stories, uploads

from trueup.ledger.database import Database
from trueup.model.policy import Policy


def _left(stage: Stage, story: list[Upload], grouping: Grouping) -> tuple[Left, object]:
    stage.play(story, grouping)
    return stage.left(), stage.changes()


@law
@given(story=stories(most=3), size=st.integers(2, 9), order=st.data())
def test_grouping__changes_nothing(ledger: Database, story: list[Upload], size: int, order: st.DataObject) -> None:
    stage = Stage(ledger)
    at_once = _left(stage, story, whole)
    assert _left(stage, story, chunks_of(1)) == at_once
    assert _left(stage, story, chunks_of(size)) == at_once
    mixed = [reordered(upload, order.draw(st.permutations(range(len(upload.rows))))) for upload in story]
    assert _left(stage, mixed, chunks_of(size)) == at_once
    assert stage.broken_laws() == []


@on_sqlite_at_least
@law
@given(upload=uploads(least=6, most=9))
def test_grouping__any_chunk_size(ledger: Database, upload: Upload) -> None:
    stage = Stage(ledger)
    at_once = _left(stage, [upload], whole)
    for size in range(1, len(upload.rows)):
        assert _left(stage, [upload], chunks_of(size)) == at_once


@law
@given(upload=uploads(least=2), policy=policies(), place=st.integers(1, 13))
def test_grouping__two_batches_are_as_one(ledger: Database, upload: Upload, policy: Policy, place: int) -> None:
    upload = replace(upload, policy=policy)
    first, second = (replace(upload, rows=part) for part in (upload.rows[:place], upload.rows[place:]))
    story = [part for part in (first, second) if part.rows]
    stage, book = Stage(ledger), book_of(story)
    stage.play([upload])
    at_once = stage.left()
    stage.play(story)
    split = stage.left()
    assert {line: told for (_, line), told in split.told.items()} == {
        line: told for (_, line), told in at_once.told.items()
    }
    assert [row[:-2] for row in split.conversions] == [row[:-2] for row in at_once.conversions]
    assert split.rollups == at_once.rollups
    assert (split.answers, split.conversions) == (told_by(book), conversions_of(book))

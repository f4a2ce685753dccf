"""Undo leaves the ledger as if batches had never come, in whatever order they go; undoing the undo restores it."""

from effort import law, on_sqlite_at_least
from hypothesis import given
from hypothesis import strategies as st
from model import Upload
from playing import Stage, book_of, conversions_of
from stories import stories

from trueup.ledger.database import Database


@law
@given(story=stories(), data=st.data())
def test_undo__is_as_if_never_come(ledger: Database, story: list[Upload], data: st.DataObject) -> None:
    stage, book = Stage(ledger), book_of(story)
    stage.play(story)
    before = stage.left()
    order = data.draw(st.permutations(range(len(story))))
    undone = order[: data.draw(st.integers(1, len(story)))]
    undos = []
    for count, place in enumerate(undone):
        undos.append(stage.undo(stage.batches[place]))
        assert stage.conversions() == conversions_of(book.without(undone[: count + 1]))
    assert stage.broken_laws() == []
    for undo in data.draw(st.permutations(undos)):
        stage.undo(undo)
    assert stage.left() == before
    assert stage.broken_laws() == []


@on_sqlite_at_least
@law
@given(story=stories(), data=st.data())
def test_undo__between_uploads(ledger: Database, story: list[Upload], data: st.DataObject) -> None:
    """An undo may come while uploads go on; what comes later is decided against what the undo left."""
    stage, book = Stage(ledger), book_of([])
    stage.clear()
    undone: set[int] = set()
    for place, upload in enumerate(story):
        stage.add(upload)
        for row in upload.rows:
            book.take(place, upload, row)
        standing = sorted(set(range(place + 1)) - undone)
        if standing and data.draw(st.booleans()):
            chosen = data.draw(st.sampled_from(standing))
            undone.add(chosen)
            stage.undo(stage.batches[chosen])
            book = book.without({chosen})
        assert stage.conversions() == conversions_of(book)
    assert stage.broken_laws() == []

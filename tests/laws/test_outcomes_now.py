"""What rows come to now is what they would have been told without the batches that are undone; what was told stays."""

from dataclasses import replace

from effort import law, on_sqlite_at_least
from hypothesis import given
from hypothesis import strategies as st
from model import Upload
from playing import Stage, book_of
from sqlalchemy import select
from stories import stories

from trueup.ledger import schema
from trueup.ledger.database import Database
from trueup.model.frames import JOURNAL
from trueup.reports.now import with_now


def _outcomes(stage: Stage) -> dict[tuple[int, int], tuple[str, str]]:
    """(upload, line) -> the outcome as it was told, and as it is now."""
    rows = stage.ledger.read(select(*(schema.journal.c[name] for name in JOURNAL)), JOURNAL)
    shown = with_now(stage.ledger, rows).select("batch_id", "line", "outcome", "outcome_now")
    return {(stage.batches.index(batch), line): (told, now or told) for batch, line, told, now in shown.iter_rows()}


@law
@given(story=stories(), data=st.data())
def test_outcomes_now__are_those_without_the_undone(ledger: Database, story: list[Upload], data: st.DataObject) -> None:
    stage, book = Stage(ledger), book_of(story)
    stage.play(story)
    told = {key: answer.outcome for key, answer in book.told.items()}
    assert _outcomes(stage) == {key: (outcome, outcome) for key, outcome in told.items()}
    undone = data.draw(st.permutations(range(len(story))))[: data.draw(st.integers(1, len(story)))]
    undos = [stage.undo(stage.batches[place]) for place in undone]
    standing = {key: answer.outcome for key, answer in book.without(undone).told.items()}
    assert _outcomes(stage) == {key: (outcome, standing.get(key, "undone")) for key, outcome in told.items()}
    for undo in reversed(undos):
        stage.undo(undo)
    assert _outcomes(stage) == {key: (outcome, outcome) for key, outcome in told.items()}


def _unlimited(story: list[Upload]) -> list[Upload]:
    """A story whose clicks take all rows: the guard at the door is decided on receipt, and no undo lifts it."""
    return [replace(upload, policy=replace(upload.policy, rows_per_click=1_000)) for upload in story]


@on_sqlite_at_least
@law
@given(first=stories(most=2).map(_unlimited), second=stories(most=2).map(_unlimited))
def test_outcomes_now__of_rows_told_while_a_batch_was_undone(
    ledger: Database, first: list[Upload], second: list[Upload]
) -> None:
    """What was told without a batch is told as it is with it, once it is back."""
    stage, book = Stage(ledger), book_of([*first, *second])
    stage.play(first)
    undo = stage.undo(stage.batches[0])
    for upload in second:
        stage.add(upload)
    stage.undo(undo)
    assert {key: now for key, (_, now) in _outcomes(stage).items()} == {
        key: answer.outcome for key, answer in book.told.items()
    }

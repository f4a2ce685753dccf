"""Rows of the past decided again are as if they had come under the later settings, and undoing that is exact."""

from effort import law, on_sqlite_at_least
from hypothesis import given
from hypothesis import strategies as st
from model import Book, Case, Upload
from playing import Stage, book_of, conversions_of
from stories import CLICKS, HOUR, NOON, policies, stories

from trueup.ledger.database import Database
from trueup.model.past import PastRows
from trueup.model.policy import Policy

Later = dict[tuple[int, int], Policy]


@st.composite
def ranges(draw: st.DrawFn, batches: list[int]) -> PastRows:
    """Any choice of rows."""
    outcomes = ["created", "updated", "refused_unknown_status", "refused_unknown_type", "ignored_duplicate"]
    return PastRows(
        batch_id=draw(st.sampled_from([None, None, *batches])),
        from_at=draw(st.sampled_from([None, None, NOON + 1, NOON + HOUR])),
        to_at=draw(st.sampled_from([None, None, NOON + 1, NOON + 2 * HOUR])),
        network_ids=tuple(draw(st.lists(st.sampled_from([1, 2]), unique=True, max_size=1))),
        conversion_types=tuple(draw(st.lists(st.sampled_from(["sale", "conversion"]), unique=True, max_size=1))),
        outcomes=tuple(draw(st.lists(st.sampled_from(outcomes), unique=True, max_size=2))),
    )


def _place(case: Case) -> tuple[int, int]:
    return case.place, case.row.line


def _is_meant(case: Case, told: Book, chosen: PastRows, batches: list[int]) -> bool:
    row, outcome = case.row, told.told[case.place, case.row.line].outcome
    click, received_at = CLICKS.get(row.click_id), case.upload.received_at
    return (
        click is not None
        and not row.refusal
        and outcome != "refused_too_many_rows"
        and chosen.batch_id in (None, batches[case.place])
        and (chosen.from_at is None or received_at >= chosen.from_at)
        and (chosen.to_at is None or received_at < chosen.to_at)
        and (not chosen.network_ids or click.network_id in chosen.network_ids)
        and (not chosen.conversion_types or (row.conversion_type or "conversion") in chosen.conversion_types)
        and (not chosen.outcomes or outcome in chosen.outcomes)
    )


@on_sqlite_at_least
@law
@given(story=stories(most=2), data=st.data())
def test_decide_again__is_as_if_the_later_policy_had_been_in_force(
    ledger: Database, story: list[Upload], data: st.DataObject
) -> None:
    stage, book = Stage(ledger), book_of(story)
    stage.play(story)
    before = stage.left()
    policy, chosen = data.draw(policies()), data.draw(ranges(stage.batches))
    stage.decide_again(chosen, policy, chunks=data.draw(st.integers(1, 4)))
    meant = [case for case in book.cases if _is_meant(case, book, chosen, stage.batches)]
    assert stage.conversions() == conversions_of(book.under(dict.fromkeys(map(_place, meant), policy)))
    left = stage.left()
    stage.decide_again(chosen, policy, chunks=1)  # the same once more
    assert stage.left() == left
    assert stage.broken_laws() == []
    for again in data.draw(st.permutations(stage.again)):
        stage.undo(again)
    assert stage.left() == before


@on_sqlite_at_least
@law
@given(story=stories(most=3), data=st.data())
def test_decide_again__holds_beside_undos_in_any_order(
    ledger: Database, story: list[Upload], data: st.DataObject
) -> None:
    stage, book = Stage(ledger), book_of(story)
    stage.play(story)
    later: dict[int, Later] = {}
    for policy in data.draw(st.lists(policies(), min_size=1, max_size=2)):
        chosen = data.draw(ranges(stage.batches))
        meant = [case for case in book.cases if _is_meant(case, book, chosen, stage.batches)]
        again = stage.decide_again(chosen, policy, chunks=0)
        assert (again is None) == (not meant)
        if again is not None:
            later[again] = dict.fromkeys(map(_place, meant), policy)
    order = data.draw(st.permutations([*later, *stage.batches]))
    for undos, batch in enumerate(order[: data.draw(st.integers(1, len(order)))], start=1):
        stage.undo(batch)
        later.pop(batch, None)
        gone = {place for place, number in enumerate(stage.batches) if number in order[:undos]}
        assert stage.conversions() == conversions_of(book.under(_holding(later)).without(gone))
    assert stage.broken_laws() == []


def _holding(later: dict[int, Later]) -> Later:
    """Of several later policies of one row, the last one."""
    return {place: policy for _, of_batch in sorted(later.items()) for place, policy in of_batch.items()}

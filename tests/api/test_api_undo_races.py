"""Two who undo the same batch at the same time: one does, the other is told what happened; nothing is undone twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from calling import NewApi, told
from command_line import CommandLine
from worlds import World, grown

from trueup.api.http.problems import ProblemKind
from trueup.ledger.batches import BatchMovedError, read_batches
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.live.context import now
from trueup.model.words import BatchKind, Origin
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.undo import apply_undo, undoable

BATCHES = 4


def _grow(made: World) -> None:
    """A workspace with some batches of one conversion each."""
    made.add_clicks("a", "b")
    for number in range(BATCHES):
        made.upload(f"click_id,payout,transaction_id\na,1.20,T{number}\n")


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


@pytest.fixture
def other(world: World) -> Iterator[Database]:
    """Another program's connection."""
    with open_ledger(world.trueup.url) as database:
        yield database


def uploaded(database: Database) -> list[int]:
    return [batch.batch_id for batch in read_batches(database) if batch.kind is BatchKind.UPLOAD]


def undone(database: Database) -> list[int]:
    return sorted(batch.undoes for batch in read_batches(database) if batch.undoes)


def test_undo__that_another_program_began_in_between_is_not_done_twice(other: Database, ledger: Database) -> None:
    batch_id = uploaded(ledger)[0]
    (batch, resumed), (same, also) = undoable(ledger, batch_id), undoable(other, batch_id)
    apply_undo(RecordingContext(other, now, "other", Origin.CLI), same, also, RunOptions())
    with pytest.raises(BatchMovedError):
        apply_undo(RecordingContext(ledger, now, "late", Origin.CLI), batch, resumed, RunOptions())
    assert undone(ledger) == [batch_id]


@pytest.mark.front
def test_undo__asked_of_two_servers_at_once_is_done_by_one(world: World, new_api: NewApi, ledger: Database) -> None:
    apis = (new_api(), new_api())
    for api in apis:
        api.get("/batches")  # the first request makes the routes, which threads of one process cannot do at once
    batches = uploaded(ledger)
    with ThreadPoolExecutor(2) as pool:
        for batch_id in batches:
            answers = list(pool.map(lambda api, path=f"/batches/{batch_id}/undo?wait=60": api.post(path), apis))
            late = [answer for answer in answers if answer.status_code != 200]
            assert len(late) <= 1, [answer.text for answer in answers]
            for answer in late:
                assert str(batch_id) in told(answer, ProblemKind.WRONG_STATE)["detail"]
    assert undone(ledger) == batches
    assert world.totals()["conversions"] == 0
    assert not any("database trouble" in api.log or "failed" in api.log for api in apis)

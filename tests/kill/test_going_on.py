"""Going on with an upload that stopped midway, and the guard against uploading a file twice."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded

from trueup.dialects.choices import Choices
from trueup.ledger.batches import BatchMovedError
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.words import DuplicateMode, Origin
from trueup.recording.batch_loop import apply_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.uploads.conversions import read_upload, upload_work
from trueup.uploads.same_file import earlier_batches

ROWS = "click_id,payout\n" + "".join(f"k{number},1\n" for number in range(10)) * 2
NOW = 1_770_000_000_000_000
ADDING = ("--yes", "--json", "--duplicates", "add_payout")


class BreakError(Exception):
    """The power went out."""


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks(*(f"k{number}" for number in range(10)))
    return made


def _context(ledger: Database) -> RecordingContext:
    return RecordingContext(ledger, lambda: NOW, "tests", Origin.CLI)


def _break(world: World) -> Path:
    """Apply the first seven rows, and stop. Returns: the file."""
    path = world.file(ROWS, "rows.csv")

    def seen(_rows: object) -> None:
        raise BreakError

    upload = read_upload(ROWS.encode(), path.name, Choices(), duplicates=DuplicateMode.ADD_PAYOUT)
    with open_ledger(world.trueup.url) as ledger, pytest.raises(BreakError):
        apply_batch(upload_work(_context(ledger), upload, None), RunOptions(seen=seen, chunk_rows=7))
    return path


@pytest.mark.front
def test_going_on__does_the_rest(world: World) -> None:
    path = _break(world)
    ran = world.trueup("upload", path, *ADDING)
    assert "Going on with batch 1: 7 of 20 rows are done." in ran.stderr
    told = json.loads(ran.stdout)
    assert (ran.code, told["batch_id"], told["rows"]) == (0, 1, 20)
    assert told["outcomes"] == {"created": 10, "added_to_payout": 10}
    assert told["revenue"] == {"before": "0.00", "after": "20.00"}
    assert world.trueup("audit").code == 0


@pytest.mark.front
def test_going_on__a_preview_says_what_is_left(world: World) -> None:
    path = _break(world)
    told = json.loads(succeeded(world.trueup("upload", path, "--preview", "--json", "--duplicates", "add_payout")))
    assert sum(told["outcomes"].values()) == 13
    assert told["revenue"] == {"before": "7.00", "after": "20.00"}
    assert world.totals()["revenue"] == "7.00"


@pytest.mark.front
def test_going_on__with_other_choices_is_refused(world: World) -> None:
    path = _break(world)
    ran = world.trueup("upload", path, "--yes", "--duplicates", "update", "--again")
    assert ran.code == 2
    assert "not finished, and had other options" in ran.stderr
    assert world.totals()["revenue"] == "7.00"


@pytest.mark.front
def test_going_on__not_after_it_was_undone(world: World) -> None:
    path = _break(world)
    succeeded(world.trueup("undo", 1, "--yes"))
    assert world.totals()["conversions"] == 0
    refused = world.trueup("upload", path, *ADDING)
    assert refused.code == 2
    assert "--again" in refused.stderr
    assert json.loads(world.trueup("upload", path, *ADDING, "--again").stdout)["batch_id"] == 3
    assert world.totals()["revenue"] == "20.00"
    assert world.trueup("audit").code == 0


@pytest.mark.front
def test_same_file__is_asked_for(world: World) -> None:
    path = world.file(ROWS)
    succeeded(world.trueup("upload", path, *ADDING))
    refused = world.trueup("upload", world.file(ROWS, "another name.csv"), *ADDING)
    assert refused.code == 2
    assert "This very file was uploaded before: batch 1, " in refused.stderr
    assert world.totals()["revenue"] == "20.00"
    succeeded(world.trueup("upload", path, *ADDING, "--again"))
    assert world.totals()["revenue"] == "40.00"


def test_same_file__a_status_file_is_another_thing(world: World) -> None:
    text = "click_id,status\nk1,declined\n"
    succeeded(world.trueup("upload", world.file(text), *ADDING))
    succeeded(world.trueup("update-status", world.file(text), "--yes"))


def test_two_programs__the_slower_one_stops(world: World) -> None:
    """Both go on with the same batch; one finishes it while the other is amid it."""
    _break(world)

    def go_on(ledger: Database, watch: RunOptions) -> None:
        upload = read_upload(ROWS.encode(), "rows.csv", Choices(), duplicates=DuplicateMode.ADD_PAYOUT)
        resumed = earlier_batches(ledger, upload.kind, upload.sha256).unfinished(upload.choices)
        assert resumed is not None
        apply_batch(upload_work(_context(ledger), upload, resumed), watch)

    with open_ledger(world.trueup.url) as first, open_ledger(world.trueup.url) as second:
        overtaken = RunOptions(seen=lambda _rows: go_on(second, RunOptions()), chunk_rows=7)
        with pytest.raises(BatchMovedError):
            go_on(first, overtaken)
    assert world.totals()["revenue"] == "20.00"
    assert world.trueup("audit").code == 0

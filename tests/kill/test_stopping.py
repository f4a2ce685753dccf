"""Ctrl-C and its like: a command ends at once, says what is to be said, and leaves nothing half done."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from command_line import CommandLine
from killing import PROGRAM, ROWS, made_world, many_rows, outcomes_of
from terminal import CTRL_C, AtTerminal, started, stopped
from worlds import World, succeeded

from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger

AT_ONCE_SECONDS = 5.0  # on a busy machine; a lock is waited for longer than that


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return made_world(trueup.url, tmp_path)


@pytest.fixture
def held(url: str) -> Iterator[Database]:
    """The ledger, with a transaction that every writer has to wait for."""
    with open_ledger(url) as ledger, ledger.transaction() as transaction:
        if not ledger.is_sqlite:
            transaction.run("LOCK TABLE batches, journal IN ACCESS EXCLUSIVE MODE")
        yield ledger


def amid(world: World, words: list[object]) -> "subprocess.Popen[str]":
    """Start an upload, and wait until some of its rows are done, and not all."""
    with open_ledger(world.trueup.url) as ledger:
        program = started(world.trueup.url, words)
        while not any(0 < done < ROWS for done in done_in(ledger)):
            assert program.poll() is None
            time.sleep(0.01)
    return program


def rows_done(world: World) -> list[int]:
    with open_ledger(world.trueup.url) as ledger:
        return done_in(ledger)


def done_in(ledger: Database) -> list[int]:
    return ledger.read_sql("SELECT rows_done FROM batches", {"rows_done": pl.Int64})["rows_done"].to_list()


@pytest.mark.front
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)]
)
def test_upload__that_is_stopped_goes_on_with_the_same_command(world: World, number: signal.Signals, code: int) -> None:
    words = ["upload", world.file(many_rows()), "--yes", "--results", world.folder / "out.csv"]
    ended, said, seconds = stopped(amid(world, words), number)
    assert (ended, said.splitlines()[-1]) == (
        code,
        "Stopped. What was applied is safe; run the same command again to go on from there.",
    )
    assert "Traceback" not in said
    assert seconds < AT_ONCE_SECONDS
    assert not (world.folder / "out.csv").exists()
    again = world.trueup(*words)
    assert "Going on with batch 1" in again.stderr
    assert (outcomes_of(world)[0]["rows"], outcomes_of(world)[0]["state"]) == (ROWS, "done")
    assert len((world.folder / "out.csv").read_text().splitlines()) == ROWS + 1


@pytest.mark.front
def test_command__that_waits_for_the_database_ends_at_once(world: World, held: Database) -> None:
    assert held
    program = started(world.trueup.url, ["upload", world.file("click_id,payout\nk00001,1\n"), "--yes"])
    assert program.stderr
    while "Decimal mark" not in program.stderr.readline():
        assert program.poll() is None
    time.sleep(0.5)  # it has read the file, and comes to the lock
    assert program.poll() is None
    ended, said, seconds = stopped(program, signal.SIGINT)
    assert ended == 130
    assert "Traceback" not in said
    assert seconds < AT_ONCE_SECONDS


@pytest.mark.front
def test_preview__that_is_stopped_just_ends(world: World) -> None:
    program = started(
        world.trueup.url, ["upload", world.file(many_rows()), "--preview", "--refused", world.folder / "r.csv"]
    )
    time.sleep(0.6)
    ended, said, _ = stopped(program, signal.SIGINT)
    assert ended == 130
    assert said.splitlines()[-1:] in ([], ["Stopped."])
    assert "Traceback" not in said
    assert list(world.folder.glob("*r.csv")) == list(world.folder.glob(".trueup-*")) == []
    assert rows_done(world) == []


@pytest.mark.front
@pytest.mark.parametrize(
    "words",
    [["upload"], *(pytest.param(words, marks=pytest.mark.long) for words in (["setup", "apply"], ["undo", "1"]))],
)
def test_question__is_answered_by_ctrl_c_with_130_and_by_no_with_1(world: World, words: list[str]) -> None:
    files = {
        "upload": world.file("click_id,payout\nk00001,1\n"),
        "setup": world.file('[[offers]]\nname = "Shoes"\n', "less.toml"),
    }
    if words == ["undo", "1"]:
        succeeded(world.trueup("upload", files["upload"], "--yes"))
    before = [world.totals(), succeeded(world.trueup("setup", "show"))]
    for keys, code, saying in ((CTRL_C, 130, "Stopped."), (b"n\n", 1, "Nothing was changed.")):
        terminal = AtTerminal(world.trueup.url, *words, *filter(None, [files.get(words[0])]))
        terminal.until("[y/N]: ")
        terminal.types(keys)
        assert terminal.ends() == code
        assert saying in terminal.shown.decode()
        assert "Traceback" not in terminal.shown.decode()
        assert [world.totals(), succeeded(world.trueup("setup", "show"))] == before


@pytest.mark.long
@pytest.mark.front
def test_file_that_exists__is_asked_about_at_a_terminal(world: World) -> None:
    out = world.folder / "out.csv"
    for keys, code, is_there in ((b"n\n", 1, True), (b"y\n", 0, False)):
        out.write_text("precious")
        terminal = AtTerminal(world.trueup.url, "conversions", "--csv", "--output", out)
        terminal.until("exists already. Replace it? [y/N]: ")
        terminal.types(keys)
        assert terminal.ends() == code
        assert (out.read_text() == "precious") == is_there


@pytest.mark.long
@pytest.mark.front
def test_progress_bar__is_cleared_away(world: World) -> None:
    terminal = AtTerminal(world.trueup.url, "upload", world.file(many_rows()), "--yes")
    terminal.until("Applying")
    terminal.types(CTRL_C)
    assert terminal.ends() == 130
    shown = terminal.shown.decode()
    assert "Traceback" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is there again
    assert "run the same command again" in shown


@pytest.mark.front
def test_pipe__that_nobody_reads_ends_a_command_quietly(world: World) -> None:
    world.trueup("upload", world.file(many_rows()), "--yes")
    listing = f"{PROGRAM} --db '{world.trueup.url}' conversions --csv | head -1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", listing], capture_output=True, text=True, check=True, timeout=60)
    assert (len(ran.stdout.splitlines()), ran.stdout.splitlines()[-1], ran.stderr) == (2, "141", "")


@pytest.mark.front
def test_file_that_is_being_written__is_not_left_behind(world: World) -> None:
    world.trueup("upload", world.file(many_rows()), "--yes")
    out = world.folder / "out.csv"
    program = started(world.trueup.url, ["conversions", "--csv", "--output", out])
    while program.poll() is None and not list(world.folder.glob(".trueup-*.part")):
        time.sleep(0.001)
    ended, said, _ = stopped(program, signal.SIGTERM)
    assert ended in (143, 0)  # it may have been quicker
    assert "Traceback" not in said
    assert list(world.folder.glob(".trueup-*")) == []
    assert out.exists() or ended

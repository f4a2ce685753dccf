"""A file that can be read in several ways: the person at the terminal is asked, and may leave it."""

from pathlib import Path

import pytest
from command_line import CommandLine
from killing import made_world
from terminal import CTRL_C, AtTerminal
from worlds import World

FILE = "click_id,payout,time\nk00001,1,03/04/2026 10:00\n"


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return made_world(trueup.url, tmp_path)


@pytest.mark.front
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_times__of_two_readings_are_asked_about_at_a_terminal(world: World) -> None:
    for keys, code, left in ((CTRL_C, 130, []), (b"3\n2\ny\n", 0, [("2026-03-04T10:00:00+00:00",)])):
        terminal = AtTerminal(world.trueup.url, "upload", world.file(FILE))
        terminal.until("Which is it? [1/2]: ")
        assert "1  day-month-year: 2026-04-03T10:00:00" in terminal.shown.decode()
        assert "2  month-day-year: 2026-03-04T10:00:00" in terminal.shown.decode()
        terminal.types(keys)
        assert terminal.ends() == code, terminal.shown.decode()
        assert "Traceback" not in terminal.shown.decode()
        assert world.seen("converted_at") == left


@pytest.mark.long
@pytest.mark.front
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_titles__in_doubt_are_asked_about_at_a_terminal(world: World) -> None:
    text = "click_id,payout,time\npayout,click_id,time\nk00001,1,2026-03-04T10:00Z\n"
    terminal = AtTerminal(world.trueup.url, "upload", world.file(text))
    terminal.until("Which is it? [1/2/3]: ")
    shown = terminal.shown.decode()
    assert "1  line 1: click_id, payout, time" in shown
    assert "2  line 2: payout, click_id, time" in shown
    assert "3  none: there are no column titles" in shown
    terminal.types(b"line 2\n")
    terminal.until("Apply it?")
    assert "The column titles are on line 2." in terminal.shown.decode()
    terminal.types(CTRL_C)
    assert terminal.ends() == 130, terminal.shown.decode()

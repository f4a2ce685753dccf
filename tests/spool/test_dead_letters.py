"""Dead letters: a click that the database refuses is kept with the reason, until the ledger has it."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from trueup.live.spool.dead_letters import DeadLetter, DeadLetters
from trueup.model.frames import CLICKS
from trueup.model.traffic import Click


def letter(number: int, reason: str = "too large", text: str = "") -> DeadLetter:
    values = [f"c{number}{text}" if dtype == pl.String else number for dtype in CLICKS.values()]
    click: Click = tuple(values)
    return DeadLetter(click, reason, 1_000 + number)


def test_dead_letters__are_kept_and_taken_back(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "files")
    assert (letters.read(), letters.count(), letters.unreadable()) == ([], 0, 0)
    letters.add([letter(1), letter(2, text="half a pair: \ud800\n")])
    letters.add([letter(3)])
    letters.add([letter(1, "still too large")])
    assert letters.path.stat().st_mode & 0o777 == 0o600
    read = DeadLetters(tmp_path / "files").read()
    assert {each.click for each in read} == {
        letter(1).click,
        letter(2, text="half a pair: \ud800\n").click,
        letter(3).click,
    }
    assert [each.reason for each in read if each.click == letter(1).click] == ["still too large"]
    letters.take_back([letter(1).click, letter(3).click])
    assert letters.count() == 1
    assert letters.read() == [letter(2, text="half a pair: \ud800\n")]


def test_dead_letters__a_line_that_was_cut_short_harms_no_other(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path)
    letters.add([letter(1), letter(2)])
    content = letters.path.read_bytes()
    letters.path.write_bytes(content[:-20])
    assert (letters.count(), letters.unreadable()) == (1, 1)
    letters.add([letter(3)])
    assert letters.read() == [letter(1), letter(3)]
    letters.take_back([letter(1).click])
    assert (letters.count(), letters.unreadable()) == (1, 1)  # it stays for a person to look at


def test_dead_letters__without_room_none_is_kept(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path)
    letters.add([letter(1), letter(9)])
    before = letters.path.read_bytes()
    real, written = os.write, 0

    def write(file: int, content: bytes) -> int:
        nonlocal written
        written += 1
        if written > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, content[: len(content) // 2])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(OSError, match="No space"):
            letters.add([letter(2)])
        with pytest.raises(OSError, match="No space"):
            letters.take_back([letter(1).click])
    assert letters.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dead-letters.jsonl", "dead-letters.lock"]


def test_dead_letters__several_programs_lose_none(tmp_path: Path) -> None:
    def work(number: int) -> None:
        letters = DeadLetters(tmp_path)
        for more in range(10):
            letters.add([letter(number * 100 + more)])
            if more % 2:
                letters.take_back([letter(number * 100 + more).click])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    left = {letter(number * 100 + more).click for number in range(4) for more in range(0, 10, 2)}
    assert {each.click for each in DeadLetters(tmp_path).read()} == left

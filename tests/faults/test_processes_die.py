"""Processes are killed under load: the others go on, what was killed comes back, and nothing is left lying about."""

import re
import time
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import pytest
from load import Round
from trials import NewTrials, Record, Trials, within

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

several_processes = pytest.mark.parametrize("database_kind", ["postgresql"])  # one SQLite file has one process

KILLS: Final = 20
_SILENCE_SECONDS: Final = 2.5  # the longest that nobody at all may be answered while others live
_REPLACED_SECONDS: Final = 90.0
_SAYS_SO: Final = re.compile(r"process|worker", re.IGNORECASE)


def _serve(trials: Trials, number: int) -> bool:
    """Whether so many processes serve: each says so in the log."""
    said = {int(pid) for pid in re.findall(r"\bstarted\b.*?\bpid\W+(\d+)", trials.server.log)}
    return len(set(trials.server.pids) & said) == number


def _silence_is_trouble(turn: Round) -> None:
    if turn.silence > _SILENCE_SECONDS:
        turn.trouble(f"nobody was answered for {turn.silence:.1f} seconds")


@several_processes
def test_process__its_death_ends_no_other(database_kind: str, url: str, new_trials: NewTrials, record: Record) -> None:
    assert database_kind == "postgresql"
    trials = new_trials(url, TRUEUP_WORKERS=3)
    with trials.load.running(12):
        trials.load.wait_for_more(20)
        assert within(_REPLACED_SECONDS, partial(_serve, trials, 3))
        for number in range(4):
            with trials.round("one of several processes is killed") as turn:
                others, said = set(trials.server.pids), len(trials.server.log)
                others.discard(trials.kill_one(turn, number))
                time.sleep(1)
                if not others <= set(trials.server.pids):
                    turn.trouble("another process ended with it")
                # The next is killed only when this one works again: there are two others to answer, and never fewer.
                if not within(_REPLACED_SECONDS, partial(_serve, trials, len(others) + 1)):
                    turn.trouble("it was not started again")
            if not _SAYS_SO.search(trials.server.log[said:]):
                turn.trouble("the log does not say that a process ended")
            _silence_is_trouble(turn)
    record(trials.stop_and_count())


@several_processes
def test_process__that_keeps_dying_is_waited_for_longer_each_time(
    database_kind: str, url: str, new_trials: NewTrials, record: Record
) -> None:
    assert database_kind == "postgresql"
    trials = new_trials(url, TRUEUP_WORKERS=3)
    with trials.load.running(12):
        trials.load.wait_for_more(20)
        with trials.round("one of several processes keeps dying", well_seconds=_REPLACED_SECONDS) as turn:
            waits = [_killed_and_replaced(trials, turn) for _ in range(6)]
        if waits[-1] < 2 * waits[0]:
            turn.trouble(f"it was started again after {', '.join(f'{wait:.1f}' for wait in waits)} seconds: as fast")
        _silence_is_trouble(turn)
    record(trials.stop_and_count())


def _killed_and_replaced(trials: Trials, turn: Round) -> float:
    """Kill the newest process. Returns: how many seconds it took until there was another in its place."""
    before = set(trials.server.pids)
    if not before:
        turn.trouble("no process is left to be killed")
        return 0
    newest = max(before, key=lambda pid: psutil.Process(pid).create_time())
    began = time.monotonic()
    psutil.Process(newest).kill()
    if not within(_REPLACED_SECONDS, lambda: set(trials.server.pids) - before):
        turn.trouble("it was not started again")
    if not before - {newest} <= set(trials.server.pids):
        turn.trouble("another process ended with it")
    return time.monotonic() - began


def test_processes__all_killed_leave_nothing(
    database_kind: str, url: str, temporary: Path, new_trials: NewTrials, record: Record
) -> None:
    trials = new_trials(url, TRUEUP_WORKERS=2 if database_kind == "postgresql" else 1)
    with trials.load.running():
        for _ in range(KILLS):
            trials.load.wait_for_more(20)
            with trials.round("all processes are killed at once") as turn:
                trials.server.kill()
                left = sorted(path.name for path in temporary.iterdir())
                if left:
                    turn.trouble(f"{len(left)} things are left in the folder of temporary files, such as {left[0]}")
                trials.server.start()
    record(trials.stop_and_count())


def test_processes__end_with_the_program_that_started_them(
    url: str, database_kind: str, new_trials: NewTrials, record: Record
) -> None:
    trials = new_trials(url, TRUEUP_WORKERS=3 if database_kind == "postgresql" else 1)
    with trials.load.running():
        trials.load.wait_for_more(20)
        with trials.round("the program that started the processes is killed") as turn:
            processes = [psutil.Process(pid) for pid in trials.server.pids]
            trials.server.kill_starter()
            _, alive = psutil.wait_procs(processes, timeout=40)
            if alive:
                turn.trouble(f"{len(alive)} processes went on without it for 40 seconds")
            trials.server.restart()
    record(trials.stop_and_count())

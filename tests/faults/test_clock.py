"""The system's clock steps forward and back while Trueup serves: nothing is lost, refused for it, or locked out."""

import json
import time
from typing import Final

import pytest
from command_line import CommandLine
from ledger_seen import rows
from load import Round
from putting_in import Faults
from trials import NewTrials, Record, Trials

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

HOUR: Final = 3_600
DAY: Final = 24 * HOUR
_BATCHES_OF_A_ROUND: Final = 4  # each origin may begin one where the clock steps, and one where it steps back


def _key(url: str) -> str:
    ran = CommandLine(url)("keys", "create", "clock", "--scope", "read", "--json")
    assert ran.code == 0, ran.stderr
    return str(json.loads(ran.stdout)["key"])


def _stepped(trials: Trials, faults: Faults, key: str, seconds: int, fault: str) -> Round:
    with trials.round(fault, f"{seconds:+,} seconds") as turn:
        faults.shift_clock(seconds)
        for _ in range(2):
            if not trials.load.wait_for_more(5):
                turn.trouble("nothing more was acknowledged for 5 seconds")
            if (status := trials.server.get("/api/v1/batches", authorization=f"Bearer {key}").status) != 200:
                turn.trouble(f"a key of the API was answered {status}")
            time.sleep(0.5)
    return turn


def _steps(trials: Trials, faults: Faults, record: Record, steps: list[int]) -> None:
    url, at = trials.world.trueup.url, 0
    key = _key(url)
    with trials.load.running():
        trials.load.wait_for_more(10)
        turns = []
        for step in steps:
            turns.append(_stepped(trials, faults, key, step, f"the clock steps {'forward' if step > at else 'back'}"))
            at = step
    tried = trials.stop_and_count()
    (batches,) = rows(url, "SELECT count(*) FROM batches WHERE kind = 'postbacks'")[0]
    if batches > _BATCHES_OF_A_ROUND * (len(steps) + 1):
        turns[-1].trouble(f"{batches} batches for {len(steps)} steps of the clock")
    record(tried)


# The most that strangers may send stays as it is by default: nobody is to be locked out by a clock.
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_clock__steps_an_hour(
    database_kind: str, url: str, new_trials: NewTrials, faults: Faults, record: Record
) -> None:
    assert database_kind == "sqlite"
    trials = new_trials(url, parks=True, TRUEUP_REFUSED_PER_MINUTE=300)
    _steps(trials, faults, record, [HOUR, 0, -HOUR, 0])


def test_clock__steps_again_and_again(url: str, new_trials: NewTrials, faults: Faults, record: Record) -> None:
    trials = new_trials(url, parks=True, TRUEUP_REFUSED_PER_MINUTE=300)
    _steps(trials, faults, record, [1, -1, 240, -240, HOUR, -HOUR, DAY, -DAY, 40 * DAY, 0])

"""The server killed and stopped under load: whatever it acknowledged is there, once, and the ledger proves itself."""

import json
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from command_line import CommandLine
from serving import NewServer, Server, wait_until
from traffic import SETUP, Acknowledged, lost, not_there, traffic
from worlds import World, succeeded

LONG_ROUNDS, ROUNDS = 25, 1


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    return made


def _killed_under_load(world: World, server: Server, rounds: int) -> None:
    """Kill it in the midst of traffic, so often; then ask it to stop in the midst of traffic."""
    acknowledged, chance = Acknowledged(), Random(rounds)  # noqa: S311 - when to kill
    for number in range(rounds):
        with traffic(server, acknowledged, visitors=12, seed=number) as enough:
            wait_until(partial(_has_many, acknowledged, number + 1))
            time.sleep(chance.uniform(0, 0.5))
            server.kill()
            enough.set()
        server.start()
        assert lost(world.trueup.url, acknowledged) == []
    last, before = Acknowledged(), {batch["batch_id"] for batch in _batches(world)}
    with traffic(server, last, visitors=12, seed=rounds) as enough:
        wait_until(partial(_has_many, last, 1))
        stopped = server.stop()
        enough.set()
    assert stopped == 0
    assert "stopped" in server.log
    assert "Traceback" not in server.log
    assert not_there(world.trueup.url, acknowledged) + not_there(world.trueup.url, last) == []
    # Its batch is finished: nothing takes rows for it any more.
    its = [batch["state"] for batch in _batches(world) if batch["batch_id"] not in before]
    assert its
    assert "running" not in its
    succeeded(world.trueup("audit"))


def _batches(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(succeeded(world.trueup("batches", "--json")))
    return found


def _has_many(acknowledged: Acknowledged, rounds: int) -> bool:
    return len(acknowledged.clicks) > 20 * rounds and len(acknowledged.conversions) > 5 * rounds


@pytest.mark.front
def test_kill_and_stop__under_load_nothing_acknowledged_is_lost(world: World, server: Server) -> None:
    _killed_under_load(world, server, ROUNDS)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_kill__under_load_again_and_again(world: World, server: Server) -> None:
    _killed_under_load(world, server, LONG_ROUNDS)


@pytest.mark.long
@pytest.mark.front
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_several_processes__are_correct_together(world: World, new_server: NewServer) -> None:
    server = new_server(TRUEUP_WORKERS=2)
    acknowledged = Acknowledged()
    with traffic(server, acknowledged, visitors=16, seed=9):
        time.sleep(2)
    server.kill()
    server.start()  # what did not come through in time waits in a spool
    assert lost(world.trueup.url, acknowledged) == []
    assert server.stop() == 0
    assert set(acknowledged.refused) <= {503}
    succeeded(world.trueup("audit"))

"""What docs/running.md and the compose files tell a supervisor to do holds through a long outage of PostgreSQL."""

import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from command_line import CommandLine
from load import REFUSES, Load
from postgres_server import PostgreSQL
from serving import HOST
from supervised import Compose, Policy, Supervised, Systemd, seconds
from trials import ENVIRONMENT, Record, Trials
from worlds import World

ROOT: Final = Path(__file__).parents[2]
OUTAGE_SECONDS: Final = float(os.environ.get("FAULTS_OUTAGE_SECONDS", "20"))  # 600 for the whole ten minutes
_RECOVERY_SECONDS: Final = 600.0  # a database that was not shut down may take as long until it answers
_BACK_SECONDS: Final = 75.0  # a container engine waits for up to a minute


def _unit() -> Systemd:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^```ini\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return Systemd.of(found)


def _services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.postgresql.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    return services


def _container() -> Compose:
    return Compose.of(_services()["trueup"])


def test_unit__starts_the_server_and_gives_it_time_to_stop() -> None:
    unit = _unit()
    assert [Path(unit.command[0]).name, *unit.command[1:]] == ["trueup", "serve"]
    assert set(unit.environment) == {"TRUEUP_SETTINGS"}
    assert unit.stop_seconds > 30


@pytest.mark.parametrize("make", [_unit, _container], ids=["unit", "container"])
def test_supervisor__never_gives_up_however_often_and_fast_it_ends(make: Callable[[], Policy]) -> None:
    policy = make()
    waits = [policy.wait(3, 0.5) for _ in range(100)]
    assert None not in waits


def test_compose__starts_trueup_though_the_database_takes_ten_minutes() -> None:
    services = _services()
    depends, check = services["trueup"].get("depends_on", []), services["database"].get("healthcheck", {})
    waits = isinstance(depends, dict) and depends["database"].get("condition") == "service_healthy"
    checks = int(check.get("retries", 3)) * seconds(check.get("interval", "30s"))
    patience = seconds(check.get("start_period", "0s")) + checks
    # "up" ends with an error where what it waits for is not healthy in time, and never starts what waits for it.
    assert not waits or patience >= _RECOVERY_SECONDS


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


@pytest.mark.long
@pytest.mark.timeout(300 + 4 * OUTAGE_SECONDS)
@pytest.mark.parametrize("make", [_unit, _container], ids=["unit", "container"])
def test_supervised__serves_again_after_an_outage(
    make: Callable[[], Policy], postgresql: PostgreSQL, temporary: Path, tmp_path: Path, record: Record
) -> None:
    url = postgresql.url(postgresql.new_database())
    world = World(CommandLine(url), tmp_path)
    world.set_up(REFUSES)
    server = Supervised(url, tmp_path / "server", {**ENVIRONMENT, "TMPDIR": temporary, "TRUEUP_WORKERS": 2}, make())
    server.port = _free_port()
    trials = Trials(world, server, Load(server))
    name = "as a systemd service" if make is _unit else "in a container"
    try:
        server.start()
        with trials.load.running():
            trials.load.wait_for_more(20)
            with trials.round(f"PostgreSQL is away for long, Trueup runs {name}", well_seconds=_BACK_SECONDS) as turn:
                postgresql.stop()
                trials.outage(turn, OUTAGE_SECONDS)
                postgresql.start()
            fault = f"PostgreSQL is away for long, and Trueup {name} is killed meanwhile"
            with trials.round(fault, well_seconds=_BACK_SECONDS) as turn:
                postgresql.stop()
                server.kill_main()
                time.sleep(OUTAGE_SECONDS)
                if not server.lives():
                    turn.trouble("started while the database is away, it does not serve")
                if server.state == "failed":
                    turn.trouble(f"its supervisor gave it up after {server.starts} starts")
                postgresql.start()
        record(trials.stop_and_count())
    finally:
        server.kill()

"""A disk that fills up under a server: clicks are kept, messages are put off, and all of it recovers."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from serving import Server
from traffic import SETUP, Acknowledged, not_there, traffic
from worlds import World, succeeded

DISK = 24 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only the system's administrator can mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_disk_full__nothing_is_lost_and_it_recovers(small_disk: Path, database_kind: str) -> None:
    assert database_kind == "sqlite"  # PostgreSQL has a disk of its own
    world = World(CommandLine(f"sqlite:///{small_disk / 'trueup.db'}"), small_disk)
    world.set_up(SETUP)
    server = Server(world.trueup.url, small_disk / "server", {"TRUEUP_SPOOL_BYTES": 4 << 20})
    acknowledged = Acknowledged()
    try:
        server.start()
        with traffic(server, acknowledged, visitors=8, seed=1):
            time.sleep(1)
            ballast = _fill(small_disk)
            _wait_until(lambda: server.get("/readyz").status == 503)
            clicks_before, put_off = len(acknowledged.clicks), len(acknowledged.refused)
            time.sleep(1.5)
            assert len(acknowledged.clicks) > clicks_before  # visitors are sent on
            assert 503 in acknowledged.refused[put_off:]
            ballast.unlink()
            _wait_until(lambda: server.get("/readyz").status == 200)
            clicks_before = len(acknowledged.conversions)
            _wait_until(lambda: len(acknowledged.conversions) > clicks_before)
        assert set(acknowledged.refused) <= {503}
        assert server.stop() == 0
        assert not_there(world.trueup.url, acknowledged) == []
        succeeded(world.trueup("audit"))
    finally:
        server.kill()


def _fill(folder: Path) -> Path:
    """Take all the room there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(1 << 16))
        except OSError:
            pass
    return ballast


def _wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)

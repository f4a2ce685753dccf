"""A disk that fills up under a server: clicks are kept, messages are put off, and all of it recovers."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from served import Served
from serving import wait_until
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
    served = Served(world.trueup.url, small_disk / "served", spool_bytes=4 << 20)
    acknowledged = Acknowledged()
    try:
        served.start()
        with traffic(served, acknowledged, visitors=8, seed=1):
            wait_until(lambda: len(acknowledged.conversions) > 20)
            ballast = _fill(small_disk)
            wait_until(lambda: served.get("/readyz").status == 503)
            clicks_before, put_off = len(acknowledged.clicks), len(acknowledged.refused)
            wait_until(lambda: len(acknowledged.clicks) > clicks_before)  # visitors are sent on
            wait_until(lambda: 503 in acknowledged.refused[put_off:])
            ballast.unlink()
            wait_until(lambda: served.get("/readyz").status == 200)
            clicks_before = len(acknowledged.conversions)
            wait_until(lambda: len(acknowledged.conversions) > clicks_before)
        assert set(acknowledged.refused) <= {503}
        served.stop()
        assert not_there(world.trueup.url, acknowledged) == []
        succeeded(world.trueup("audit"))
    finally:
        served.stop()


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

"""A server to which files are sent that are made to do harm: it answers meanwhile, and takes little memory."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from command_line import CommandLine
from serving import Server

pytestmark = [pytest.mark.long, pytest.mark.front]

BOMBS = Path(__file__).parents[1] / "workbooks" / "bombs.py"
MOST_BYTES = 256 << 20
SLOWEST_SECONDS = 2.0  # on a busy machine


def memory(server: Server) -> int:
    """What the server's processes and those they started have in memory of their own, in bytes."""
    total = 0
    for pid in server.pids:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.Error):  # it has just ended
                total += process.memory_full_info().uss
    return total


@contextmanager
def watched(server: Server, seen: list[tuple[float, int]]) -> Iterator[None]:
    """Ask for /healthz all the time: how long each answer takes, and how much memory there is in use."""
    ends = Event()

    def ask() -> None:
        while not ends.wait(0.02):
            began = time.monotonic()
            assert server.get("/healthz").status == 200
            seen.append((time.monotonic() - began, memory(server)))

    watcher = Thread(target=ask)
    watcher.start()
    try:
        yield
    finally:
        ends.set()
        watcher.join()


def test_server__answers_while_bombs_are_opened(server: Server, trueup: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bombs").mkdir()
    subprocess.run([sys.executable, str(BOMBS), str(tmp_path / "bombs")], check=True)
    key = "Bearer " + trueup("keys", "create", "files", "--scope", "upload").stdout.strip()
    resting, seen = memory(server), list[tuple[float, int]]()
    with watched(server, seen):
        for file in sorted((tmp_path / "bombs").iterdir()):
            sent = server.post(
                "/api/v1/uploads", file.read_bytes(), authorization=key, content_type="application/octet-stream"
            )
            assert sent.status == 201, sent.text
            path = f"/api/v1/uploads/{sent.json['upload_id']}/preview?wait=30"
            answer = server.post(path, authorization=key)
            assert answer.status in (200, 422), (file.name, answer.text)
            assert "server failed" not in answer.text
    assert len(seen) > 20
    assert max(took for took, _ in seen) < SLOWEST_SECONDS
    assert max(used for _, used in seen) - resting < MOST_BYTES

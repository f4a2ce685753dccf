"""`trueup serve` as a process of its own: started, asked over a socket, stopped, killed, started again."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import psutil

PROGRAM: Final = str(Path(sys.executable).with_name("trueup"))
HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 60.0


def wait_until(happened: Callable[[], object], seconds: float = 30, every: float = 0.05) -> None:
    """Wait for something to be so, and look whether it is every so many seconds."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends
        time.sleep(every)


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body as what its JSON holds."""
        return json.loads(self.body)


class Asked:
    """Something that listens at a port here."""

    port = 0

    @property
    def url(self) -> str:
        """Where it is, such as http://127.0.0.1:40001."""
        return f"http://{HOST}:{self.port}"

    def lives(self) -> bool:
        """Whether it answers."""
        try:
            return self.get("/healthz").status == 200
        except (OSError, HTTPException):
            return False

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask it something on a connection of its own."""
        with self.connection() as connection:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())

    def get(self, target: str, **headers: str) -> Answer:
        """GET; headers as `user_agent="..."`."""
        return self.ask("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, target: str, body: bytes = b"", **headers: str) -> Answer:
        """POST; headers as `content_type="..."`."""
        return self.ask("POST", target, body, {name.replace("_", "-"): value for name, value in headers.items()})

    @contextmanager
    def connection(self) -> Iterator[HTTPConnection]:
        """A connection for several requests."""
        connection = HTTPConnection(HOST, self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()


class Server(Asked):
    """One server, and whatever processes it has."""

    def __init__(
        self, database_url: str, folder: Path, environment: Mapping[str, object], program: Sequence[str] = (PROGRAM,)
    ) -> None:
        """Prepare a server.

        Args:
            database_url: Its database.
            folder: A folder for its files and its log.
            environment: More variables of its environment.
            program: What `trueup` is run by.
        """
        self.database_url, self.folder, self._program = database_url, folder, program
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"TRUEUP_FOLDER": folder / "files", "TRUEUP_FREE_BYTES": 0, "TRUEUP_SPOOL_BYTES": 1 << 20}
        self._environment = {**os.environ, **{name: str(value) for name, value in {**settings, **environment}.items()}}
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def pids(self) -> list[int]:
        """Its processes that serve."""
        assert self._process
        children = psutil.Process(self._process.pid).children()
        alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
        return [child.pid for child in alive if "resource_tracker" not in " ".join(child.cmdline())]

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it answers."""
        words = [*self._program, "serve", "--db", self.database_url, "--host", HOST, "--port", str(self.port)]
        said_before = len(self.log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                words, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        ends = time.monotonic() + _START_SECONDS
        while not self._answers(said_before):
            assert self._process.poll() is None, f"it ended with {self._process.returncode}: {self.log}"
            assert time.monotonic() < ends, self.log
            time.sleep(0.02)

    def _answers(self, said_before: int) -> bool:
        found = re.search(rf"http://{re.escape(HOST)}:(\d+)", self.log[said_before:])
        if not found:
            return False
        self.port = int(found[1])
        assert self.lives(), "it says that it listens before it does"
        return True

    def kill(self) -> None:
        """Kill all its processes at once, as a loss of power does to programs."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def kill_starter(self) -> None:
        """Kill the program that started the processes that serve, and only that."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop, and wait. Returns: its exit code."""
        assert self._process
        self._process.terminate()
        return self._process.wait(_STOP_SECONDS)

    def restart(self) -> None:
        """Kill it if it runs, and start it again, on the same database, folder and port."""
        self.kill()
        self.start()


NewServer = Callable[..., Server]  # takes what is to be in its environment

"""A server under what supervises it in earnest: systemd's rules from a unit file, a container engine's from compose.

Neither is there where tests run. What they do when a service ends is little, and written down in their manuals
(systemd.service(5), systemd.unit(5); "Start containers automatically" of Docker), so it is done here the same way.
"""

import configparser
import os
import re
import shlex
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Protocol

from serving import PROGRAM, Server

_UNITS: Final = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "": 1}
_NEVER: Final = float("inf")


def seconds(text: str) -> float:
    """A span of time as both write it: `5`, `100ms`, `1min 30s`, `infinity`."""
    if text == "infinity":
        return _NEVER
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
    assert parts, text
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class Policy(Protocol):
    """What is done when a service ends by itself."""

    stop_seconds: float

    def wait(self, code: int, ran_seconds: float) -> float | None:
        """How long until it is started again; None: it is not, and a person has to come."""


@dataclass
class Systemd:
    """systemd's, from a unit file."""

    restart: str
    restart_seconds: float
    interval: float
    burst: int
    stop_seconds: float
    command: list[str]
    environment: dict[str, str]
    _starts: deque[float] = field(default_factory=deque)

    @classmethod
    def of(cls, text: str) -> "Systemd":
        """Read a unit file."""
        unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        unit.optionxform = str  # type: ignore[assignment,method-assign]  # as the module's own documents show
        unit.read_string(text)
        service, about = unit["Service"], unit["Unit"]
        assert service.get("Type", "simple") in ("simple", "exec")
        return cls(
            restart=service.get("Restart", "no"),
            restart_seconds=seconds(service.get("RestartSec", "100ms")),
            interval=seconds(about.get("StartLimitIntervalSec", "10s")),
            burst=int(about.get("StartLimitBurst", "5")),
            stop_seconds=seconds(service.get("TimeoutStopSec", "90s")),
            command=shlex.split(service["ExecStart"]),
            environment=dict(word.split("=", 1) for word in shlex.split(service.get("Environment", ""))),
        )

    def wait(self, code: int, ran_seconds: float) -> float | None:
        """As systemd.service(5) says of Restart=, and systemd.unit(5) of the limit on starts."""
        now = time.monotonic()
        self._starts.append(now - ran_seconds)
        is_clean = code in (0, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGPIPE)
        again = {"always": True, "no": False, "on-success": is_clean, "on-failure": not is_clean}[self.restart]
        while self._starts and self._starts[0] < now + self.restart_seconds - self.interval:
            self._starts.popleft()
        is_over_limit = self.interval > 0 and len(self._starts) >= self.burst
        return self.restart_seconds if again and not is_over_limit else None


@dataclass
class Compose:
    """A container engine's, from a service of a compose file."""

    restart: str
    stop_seconds: float
    _delay: float = 0.1

    @classmethod
    def of(cls, service: Mapping[str, Any]) -> "Compose":
        """Read a service."""
        return cls(str(service.get("restart", "no")), seconds(str(service.get("stop_grace_period", "10s"))))

    def wait(self, code: int, ran_seconds: float) -> float | None:
        """Twice as long each time, up to a minute; from the beginning after ten seconds of running."""
        if self.restart == "no" or (self.restart.startswith("on-failure") and code == 0):
            return None
        self._delay = 0.1 if ran_seconds > 10 else min(60.0, self._delay * 2)
        return self._delay


class Supervised(Server):
    """A server that is started again, or not, as its supervisor would."""

    def __init__(self, url: str, folder: Path, environment: Mapping[str, object], policy: Policy) -> None:
        super().__init__(url, folder, environment)
        self.policy, self.state = policy, "inactive"
        self.starts = 0
        self._told_to_stop = Event()
        self._keeper: Thread | None = None

    def start(self) -> None:
        """Have it started and kept running, and wait until it serves."""
        self._told_to_stop.clear()
        self._keeper = Thread(target=self._keep)
        self._keeper.start()
        ends = time.monotonic() + 60
        while not self.lives():
            assert time.monotonic() < ends, self.log
            time.sleep(0.05)

    def _keep(self) -> None:
        while not self._told_to_stop.is_set():
            began = time.monotonic()
            self.starts += 1
            self.state = "active"
            code = self._run()
            if self._told_to_stop.is_set():
                break
            self._end_the_rest()
            wait = self.policy.wait(code, time.monotonic() - began)
            if wait is None:
                self.state = "failed"
                return
            self.state = "waiting"
            self._told_to_stop.wait(wait)
        self.state = "inactive"

    def _run(self) -> int:
        words = [PROGRAM, "serve", "--db", self.database_url, "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                words, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self._process.wait()

    def _end_the_rest(self) -> None:
        """Of a service whose first process has ended, the others are ended too."""
        assert self._process
        for number in (signal.SIGTERM, signal.SIGKILL):
            ends = time.monotonic() + self.policy.stop_seconds
            with suppress(ProcessLookupError):
                while time.monotonic() < ends:
                    os.killpg(self._process.pid, number)
                    time.sleep(0.1)

    def kill_main(self) -> None:
        """Kill the program that the supervisor has started."""
        assert self._process
        self._process.kill()

    def stop(self) -> int:
        """Have it stopped. Returns: its exit code; it is killed where it takes longer than it may."""
        self._told_to_stop.set()
        assert self._process
        assert self._keeper
        self._process.terminate()
        try:
            code = self._process.wait(self.policy.stop_seconds)
        except subprocess.TimeoutExpired:
            super().kill()
            code = self._process.wait()
        self._keeper.join()
        return code

    def kill(self) -> None:
        """Kill it, and have it stay so."""
        self._told_to_stop.set()
        super().kill()
        if self._keeper:
            self._keeper.join()

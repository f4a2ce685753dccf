"""The application of `trueup serve` in this process, on a socket of its own: at once, where a server takes seconds.

It is what a server's process serves, behind the same HTTP server. What is not here is the program around it: signals,
processes, the look at the settings and the folder before it begins.
"""

import asyncio
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any, Final

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server as HttpServer
from serving import HOST, Asked, wait_until

from trueup.app import App
from trueup.cli.wording import error_in_words
from trueup.live.logs import open_log
from trueup.live.processes import HEAD_BYTES, IDLE_MILLISECONDS, free_address
from trueup.settings import Settings

_STOP_SECONDS: Final = 30.0


class Served(Asked):
    """The application on a ledger."""

    def __init__(self, database_url: str, folder: Path, **settings: Any) -> None:  # noqa: ANN401 - whatever a setting holds
        self.database_url, self.folder = database_url, folder
        room = {"free_bytes": 0, "spool_bytes": 1 << 20}
        self._settings = Settings(**{"database_url": database_url, "folder": folder / "files", **room, **settings})
        self._said = StringIO()
        self._thread = Thread(target=self._live)

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._said.getvalue()

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it answers."""
        _, self.port = free_address(HOST, self.port)
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._thread = Thread(target=self._live)
        self._thread.start()
        wait_until(lambda: not self._thread.is_alive() or self.lives(), every=0.005)
        assert self._thread.is_alive(), self.log

    def _live(self) -> None:
        with self._runner as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        log = open_log(self._settings.log_form, self._settings.log_level, self._said)
        app = App(self._settings, error_in_words, log)
        app.begin()
        self._http = HttpServer(
            app,
            HOST,
            self.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=IDLE_MILLISECONDS, max_buffer_size=HEAD_BYTES),
            log_enabled=False,
        )
        await self._http.serve()
        await app.end()

    def stop(self) -> None:
        """Ask it to stop, and wait: it has recorded what it accepted."""
        if self._thread.is_alive():
            self._runner.get_loop().call_soon_threadsafe(self._http.stop)
            self._thread.join(_STOP_SECONDS)
            assert not self._thread.is_alive()


NewServed = Callable[..., Served]  # takes settings, by name

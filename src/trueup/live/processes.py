"""The server's processes: granian, as Trueup runs it. One program starts those that serve, and starts them again."""

import multiprocessing
import os
import resource
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from trueup.live.asgi import Endpoint
from trueup.live.logs import others_config
from trueup.live.metrics import FOLDER_VARIABLE
from trueup.live.process import Processes, Told
from trueup.loading import Later
from trueup.settings import Settings

STOP_SECONDS: Final = 30  # then a process that has not stopped is killed; what it acknowledged is on disk
HEAD_BYTES: Final = 64 << 10  # of a request's line and headers
# Longer than proxies keep an idle connection: of the two, the one that sends requests has to close it.
IDLE_MILLISECONDS: Final = 75_000
_BACKLOG: Final = 4_096
_CONNECTIONS_MOST: Final = 16_384
_OTHER_FILES: Final = 256  # that a process has open beside its connections
_NUMBERS: Final = "metrics"  # in the server's folder: where several processes keep their numbers
_LOOK_SECONDS: Final = 0.05
_ASK_SECONDS: Final = 5.0
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask oneself


class AddressError(Exception):
    """The address cannot be listened on. The message says why."""


def free_address(host: str, port: int) -> tuple[str, int]:
    """Check that an address is free. Processes that serve share theirs, and would share it with a stranger's.

    Args:
        host: A name or an address of this machine.
        port: The port; 0 for any that is free.

    Returns:
        The address and the port.

    Raises:
        AddressError: Nothing can listen there, or another program does.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            found = probe.getsockname()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "that is no name of a machine"
        raise AddressError(f"{host}:{port} cannot be listened on: {reason}") from None
    return str(found[0]), int(found[1])


def serve(
    make_application: Callable[[], Endpoint],
    settings: Settings,
    address: str,
    port: int,
    told: Told,
    listening: Callable[[], None],
) -> None:
    """Serve until a signal says to stop, then answer what was accepted, and return.

    Args:
        make_application: Makes the application in each process; it is pickled.
        settings: The settings.
        address: Where to listen.
        port: The port there.
        told: Is told of each process that ends though nobody asked it to.
        listening: Called once connections are answered, by another thread.
    """
    # A forked process would have the threads of libraries only as locks that are never let go.
    multiprocessing.set_start_method("spawn", force=True)
    if settings.workers > 1:
        os.environ[FOLDER_VARIABLE] = str(_fresh_folder(settings.folder / _NUMBERS))
    ended = Event()
    Thread(target=_tell_when_answered, args=(address, port, listening, ended), daemon=True).start()
    try:
        with suppress(SystemExit):  # of a stop while a process is waited for
            Processes(told, "trueup", address, port, **_options(settings)).serve(
                target_loader=Later(make_application), wrap_loader=False
            )
    finally:
        ended.set()


def _fresh_folder(folder: Path) -> Path:
    """An empty folder: what an earlier server left in it is gone, however that ended."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _tell_when_answered(address: str, port: int, listening: Callable[[], None], ended: Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        connection = HTTPConnection(_EVERYWHERE.get(address, address), port, timeout=_ASK_SECONDS)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()
        except (OSError, HTTPException):
            continue
        finally:
            connection.close()
        listening()
        return


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "interface": Interfaces.ASGI,
        "workers": settings.workers,
        "loop": Loops.uvloop,
        "runtime_mode": RuntimeModes.st,  # in the other one a process that is told to stop may wait for ever
        "http": HTTPModes.http1,
        "websockets": False,
        "backlog": _BACKLOG,
        "backpressure": _connections(),
        "http1_settings": HTTP1Settings(header_read_timeout=IDLE_MILLISECONDS, max_buffer_size=HEAD_BYTES),
        "respawn_failed_workers": True,
        "workers_kill_timeout": STOP_SECONDS,
        # Its own log of requests would have whole queries.
        "log_access": False,
        "log_level": LogLevels.warning,
        "log_dictconfig": others_config(settings.log_form),
    }


def _connections() -> int:
    """How many connections a process takes at once: as many as it may have files open for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS_MOST + _OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(most - _OTHER_FILES, 128)

"""One SQLite file, one server: a second one would decide about clicks that the first still has in its spool."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from trueup.model.remarks import RemarkError, Way

# Beside the database: to close the database's own file would let go of the locks that SQLite has on it.
_SERVER: Final = "-server"
_PROCESSES: Final = "-server-processes"
_LOOK_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 5.0  # for the processes of a server that was killed just now


class ServedAlreadyError(RemarkError):
    """Another server is there."""


@contextmanager
def only_server(database: Path) -> Iterator[None]:
    """Be the only server of a SQLite file for as long as the block lasts.

    Args:
        database: The file.

    Raises:
        ServedAlreadyError: There is another.
        OSError: The lock cannot be made.
    """
    with _locked(database, _SERVER, fcntl.LOCK_EX, 0.0):
        with _locked(database, _PROCESSES, fcntl.LOCK_EX, _PATIENCE_SECONDS):
            pass  # no process of an earlier server is left
        yield


@contextmanager
def serving_process(database: Path) -> Iterator[None]:
    """Have a later server wait for the end of this process, which may outlive the program that started it.

    Args:
        database: The SQLite file.

    Raises:
        ServedAlreadyError: Another server is about to start.
        OSError: The lock cannot be made.
    """
    with _locked(database, _PROCESSES, fcntl.LOCK_SH, _PATIENCE_SECONDS):
        yield


@contextmanager
def _locked(database: Path, suffix: str, kind: int, seconds: float) -> Iterator[None]:
    path = database.resolve()
    file = os.open(path.with_name(path.name + suffix), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        ends = monotonic() + seconds
        while not _try_lock(file, kind):
            if monotonic() >= ends:
                raise ServedAlreadyError("another ", Way.SERVE.of(), f" is at work on {database}")
            sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(file)


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

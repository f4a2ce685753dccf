"""Connections to PostgreSQL, and what the connections of one program to one database share.

The driver asks a database for its types before it connects, which takes 40 ms. So that is done once, and again when the
server was restarted or the database made anew, as after a restore.
"""

import threading
from dataclasses import dataclass
from typing import Final

import adbc_driver_postgresql
from adbc_driver_manager import AdbcConnection, AdbcDatabase
from adbc_driver_manager.dbapi import Connection

_WHICH: Final = """
    SELECT pg_postmaster_start_time()::text || ' ' || oid::text FROM pg_database WHERE datname = current_database()
"""


class _LeftOpen:
    """Stands in for what connections share, so that closing one of them does not close it for the others."""

    def close(self) -> None:
        """Leave it open."""


_LEFT_OPEN: Final = _LeftOpen()


@dataclass
class _Shared:
    types: AdbcDatabase  # never closed, since others may be using it; 0.8 MB for each restart of the server
    which: str = ""  # the server with its start, and the database; '' before they are known
    lost: bool = False  # whether a connection was lost since


_SHARED: Final[dict[str, _Shared]] = {}
_LOCK: Final = threading.Lock()


def connect(url: str) -> Connection:
    """Connect to a database. Statements are committed one by one until there is a BEGIN.

    Args:
        url: A `postgresql://` URL.

    Returns:
        The driver's connection.

    Raises:
        adbc_driver_manager.Error: The driver cannot connect.
    """
    shared = _shared(url)
    connection = _connection(shared)
    if shared.which and not shared.lost:
        return connection
    try:
        which = _ask(connection)
        if shared.which in {"", which}:
            shared.which, shared.lost = which, False
            return connection
        with _LOCK:
            if _SHARED.get(url) is shared:
                del _SHARED[url]
    except BaseException:
        connection.close()
        raise
    connection.close()
    return connect(url)


def lose(url: str) -> None:
    """Note that a connection to a database was lost."""
    with _LOCK:
        if url in _SHARED:
            _SHARED[url].lost = True


def _shared(url: str) -> _Shared:
    with _LOCK:
        known = _SHARED.get(url)
    if known is not None:
        return known
    made = _Shared(adbc_driver_postgresql.connect(url))  # not under the lock: it may wait for the server
    with _LOCK:
        return _SHARED.setdefault(url, made)


def _connection(shared: _Shared) -> Connection:
    return Connection(_LEFT_OPEN, AdbcConnection(shared.types), autocommit=True)  # type: ignore[arg-type]  # it is closed, and nothing else


def _ask(connection: Connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_WHICH)
        return str(cursor.fetch_arrow_table().column(0)[0].as_py())

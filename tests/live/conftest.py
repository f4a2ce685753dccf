"""A server for each test that asks for one: the program itself, in a process of its own, on a socket."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import NewServed, Served
from serving import NewServer, Server


@pytest.fixture
def new_server(url: str, tmp_path: Path) -> Iterator[NewServer]:
    """Make servers on the ledger of `url`, with what is to be in their environment: `new_server(TRUEUP_WORKERS=2)`."""
    made: list[Server] = []

    def make(**environment: object) -> Server:
        made.append(Server(url, tmp_path / f"server{len(made)}", environment))
        made[-1].start()
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def server(new_server: NewServer) -> Server:
    """A server on the ledger of `url`: its `url`, `get`, `post`, `kill`, `restart`, `stop`, `log`, `pids`."""
    return new_server()


@pytest.fixture
def new_served(url: str, tmp_path: Path) -> Iterator[NewServed]:
    """Serve the application on the ledger of `url` from this process, with settings: `new_served(free_bytes=1)`."""
    made: list[Served] = []

    def make(**settings: Any) -> Served:  # noqa: ANN401 - whatever a setting holds
        made.append(Served(url, tmp_path / f"served{len(made)}", **settings))
        made[-1].start()
        return made[-1]

    yield make
    for served in made:
        served.stop()


@pytest.fixture
def served(new_served: NewServed) -> Served:
    """The application on the ledger of `url`: as `server`, but for what is about processes."""
    return new_served()


@pytest.fixture(scope="session")
def standing(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on a SQLite file for all tests that leave it as it is: to start one takes seconds."""
    folder = tmp_path_factory.mktemp("standing")
    (folder / "tmp").mkdir()
    environment = {"TMPDIR": folder / "tmp", "TRUEUP_PROT": 1}
    made = Server(f"sqlite:///{shutil.copy(sqlite_template, folder / 'trueup.db')}", folder / "server", environment)
    made.start()
    yield made
    made.kill()

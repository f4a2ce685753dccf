"""Servers to be harmed, and the table of what came of it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from command_line import CommandLine
from fault_table import FaultTable, Tried
from load import PARKS, REFUSES, Load
from postgres_server import PostgreSQL
from putting_in import Faults
from serving import PROGRAM, Server
from trials import ENVIRONMENT, NewTrials, Record, Trials
from worlds import World

_SHOWN_MOST: Final = 40
_TABLE: Final = pytest.StashKey[FaultTable]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-table", type=Path, help="a page whose table is written anew from this run")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TABLE] = FaultTable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    page: Path | None = session.config.getoption("--fault-table", None)
    if page is not None:
        session.config.stash[_TABLE].write(page)


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Have what was tried go into the table, and the test fail for anything that must not be."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    database = parameters.get("database_kind", "postgresql" if "postgresql" in request.node.path.name else "sqlite")

    def recorded(tried: list[Tried]) -> None:
        request.config.stash[_TABLE].add(tried, database, request.node.nodeid)
        troubles = [text for each in tried for text in each.troubles]
        if troubles:
            more = [f"and {len(troubles) - _SHOWN_MOST} more"] if len(troubles) > _SHOWN_MOST else []
            pytest.fail("\n".join([*troubles[:_SHOWN_MOST], *more]), pytrace=False)

    return recorded


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """What is to fail in the servers of the test."""
    return Faults(tmp_path / "faults")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """What the servers of the test take for the machine's folder of temporary files."""
    with tempfile.TemporaryDirectory(prefix="faults-tmp-") as folder:
        yield Path(folder)


@pytest.fixture
def new_trials(tmp_path: Path, faults: Faults, temporary: Path) -> Iterator[NewTrials]:
    """Make servers that are ready to be harmed: `new_trials(url, parks=True, TRUEUP_WORKERS=3)`."""
    made: list[Server] = []

    def make(
        url: str,
        *,
        parks: bool = False,
        program: tuple[str, ...] = (PROGRAM,),
        start: bool = True,
        **environment: object,
    ) -> Trials:
        folder = tmp_path / f"server{len(made)}"
        world = World(CommandLine(url), tmp_path)
        world.set_up(PARKS if parks else REFUSES)
        database = [Path(url.removeprefix("sqlite:///"))] if url.startswith("sqlite:") else []
        put_in = faults.environment(folder / "files", *database)
        server = Server(url, folder, {**ENVIRONMENT, **put_in, "TMPDIR": temporary, **environment}, program)
        made.append(server)
        if start:
            server.start()
        return Trials(world, server, Load(server, parks=parks))

    yield make
    faults.heal()
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def own_postgresql(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[PostgreSQL]:
    """A PostgreSQL server that may be harmed: no other test uses it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.getbasetemp()))  # the package warns where there is none
        # Not below pytest's own folder: the server runs as another user when the tests run as root.
        server = PostgreSQL(Path(tempfile.gettempdir()) / f"trueup-faults-{testrun_uid[:8]}-{worker_id}")
    yield server
    server.close()


@pytest.fixture
def postgresql(own_postgresql: PostgreSQL) -> Iterator[PostgreSQL]:
    """The same, well again after each test."""
    yield own_postgresql
    own_postgresql.thaw()
    if not own_postgresql.is_running:
        own_postgresql.start()

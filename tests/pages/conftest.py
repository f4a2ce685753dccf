"""A browser and the sample workspace, once for each worker; pages of them for each test that asks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Browse, Chromium, NoChromiumError
from command_line import CommandLine
from served import Served
from uploading import UploadSite
from worlds import World

from trueup.cli.terminal import ExitCode
from trueup.live.context import now
from trueup.sample.files import sample

_CLICKS = 2_000
_MADE_BY = (
    "setup apply setup.toml",
    "clicks import clicks.csv --yes",
    "upload postbacks.csv --yes",
    "upload keitaro.txt --duplicates update --yes",
    "upload redtrack.csv --yes",
    "undo 4 --yes",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser of this worker."""
    try:
        browser = Chromium()
    except NoChromiumError:
        pytest.skip("there is no Chromium: scripts/chromium.sh installs it")
    yield browser
    browser.stop()


@pytest.fixture
def browse(chromium: Chromium) -> Iterator[Browse]:
    """Open pages: `browse(site, "/conversions", size=PHONE)`. At the end, no page may have complained of anything."""
    chromium.wake()
    opened = Browse(chromium)
    try:
        yield opened
        assert opened.complaints == []
    finally:
        opened.close()
        chromium.rest()


@pytest.fixture(scope="session")
def sample_ledger(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """The file of a small sample workspace: clicks, postbacks, two files, of which one was undone."""
    folder = tmp_path_factory.mktemp("sample")
    file = Path(shutil.copy(sqlite_template, folder / "trueup.db"))
    for name, text in sample(now(), _CLICKS).files.items():
        (folder / name).write_text(text, encoding="utf-8")
    run = CommandLine(f"sqlite:///{file}")
    for words in _MADE_BY:
        ran = run(*(str(folder / word) if "." in word else word for word in words.split()))
        assert ran.code in (ExitCode.ACCEPTED, ExitCode.SOME_REFUSED), ran
    return file


@pytest.fixture(scope="session")
def sample_site(sample_ledger: Path) -> Iterator[Served]:
    """The sample workspace, served. Tests only look at it."""
    site = Served(f"sqlite:///{sample_ledger}", sample_ledger.parent)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def own_site(sample_ledger: Path, tmp_path: Path) -> Iterator[Served]:
    """The sample workspace, served to this test alone, which may change it."""
    file = shutil.copy(sample_ledger, tmp_path / "trueup.db")
    site = Served(f"sqlite:///{file}", tmp_path)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    """A workspace without a setup, on each database."""
    return World(trueup, tmp_path)


@pytest.fixture
def pages(world: World, tmp_path: Path) -> Iterator[UploadSite]:
    """The pages on `world`, in this process, with the work on sent files."""
    site = UploadSite(world.trueup.url, tmp_path / "files")
    yield site
    site.end()

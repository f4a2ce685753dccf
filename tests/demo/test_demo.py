"""The demo is the first thing that people run: it works from end to end, and leaves a ledger that holds."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from command_line import CommandLine
from served import Served

from trueup.cli.demo import DATABASE
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.presets import PRESETS
from trueup.sample.clicks import DAY, SETUP
from trueup.sample.files import sample

FEW = 2_000
CLICK_ID = r"c01[0-9a-v]{28}"
DECIMAL_COMMA = '"35,00"'
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NOW = 1_795_000_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "try it"


@pytest.fixture(scope="module")
def transcript(folder: Path) -> str:
    ran = CommandLine("sqlite:////nowhere/else.db")("demo", "--folder", folder, "--clicks", FEW)
    assert ran.code == 0, ran.stderr
    return ran.stdout + ran.stderr


def _on(folder: Path) -> CommandLine:
    return CommandLine(f"sqlite:///{folder / DATABASE}")


def test_demo__reads_a_file_in_every_dialect_with_conversions(transcript: str) -> None:
    typed_by_hand = {"click-status"}
    own = DIALECTS.keys() - PRESETS.keys()
    assert {name for name in DIALECTS if f"Read as {name}:" in transcript} == own - typed_by_hand


def test_demo__shows_undo_the_same_file_guard_and_a_clean_audit(transcript: str) -> None:
    assert "Batch 7 is undone. `trueup undo 9` brings it back." in transcript
    assert "This very file was uploaded before: batch 4" in transcript
    assert "BROKEN" not in transcript


def test_demo__leaves_a_ledger_that_holds(transcript: str, folder: Path) -> None:
    assert transcript
    trueup = _on(folder)
    assert trueup("audit").code == 0
    batches = json.loads(trueup("batches", "--json").stdout)
    assert [batch["undone"] for batch in batches].index(True) == 6
    assert batches[0]["rows"] == FEW
    assert json.loads(trueup("report", "--json").stdout)["totals"]["clicks"] == FEW


def test_demo__what_it_says_to_try_next_works(transcript: str, folder: Path) -> None:
    assert transcript
    trueup = _on(folder)
    assert trueup("undo", "9", "--yes").code == 0
    assert trueup("audit").code == 0
    assert (folder / "refused.csv").read_text().count(DECIMAL_COMMA) == 1
    mended = (folder / "refused.csv").read_text().replace(DECIMAL_COMMA, "35")
    assert trueup("upload", "-", "--duplicates", "update", "--yes", stdin=mended).code == 1


def test_readme__shows_what_the_demo_prints(transcript: str, folder: Path) -> None:
    printed = _shape(transcript.replace(shlex.quote(str(folder)), "demo").replace(f"{folder}/", "demo/"))
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    shown = [text for language, text in blocks if not language and "curl" not in text]
    assert len(shown) == 2
    for line in "".join(shown).splitlines():
        assert line == "..." or _shape(line) in printed, line


def test_readme__shows_what_the_demo_serves(transcript: str, folder: Path, tmp_path: Path) -> None:
    assert transcript
    (shown,) = re.findall(r"^```\n(\$ curl.*?)^```$", README, re.MULTILINE | re.DOTALL)
    asked = re.findall(r"^\$ curl [^']*'http://127.0.0.1:8080([^']+)'.*\n((?:[^$].*\n)+)", shown, re.MULTILINE)
    assert len(asked) == 3
    served = Served(f"sqlite:///{folder / DATABASE}", tmp_path)
    served.start()
    try:
        (path, said), *postbacks = asked
        (named,) = re.findall(CLICK_ID, said)
        leads_to = said.split("location: ")[1].partition(named)[0]
        visits = (served.get(path) for _ in range(200))  # the campaign has several offers
        visited = next(visit for visit in visits if visit.headers["location"].startswith(leads_to))
        assert said.startswith(f"HTTP/1.1 {visited.status} Found\n")
        click_id = visited.headers["location"].removeprefix(leads_to)
        for target, answer in postbacks:
            assert served.get(target.replace(named, click_id)).text == answer.replace(named, click_id)
    finally:
        served.stop()


def _shape(text: str) -> str:
    """A text without what depends on the day, on how many clicks there are, and on the width of the terminal."""
    without_ids = re.sub(CLICK_ID, "ID", text)
    return " ".join(re.sub(r"[+-]?\d[\d.,:-]*", "N", re.sub(r" by \w+ \(", " by X (", without_ids)).split())


def test_demo__leaves_what_is_there_alone_unless_told(transcript: str, folder: Path) -> None:
    assert transcript
    before = (folder / DATABASE).read_bytes()
    ran = _on(folder)("demo", "--folder", folder)
    assert ran.code == 2
    assert "--fresh" in ran.stderr
    assert (folder / DATABASE).read_bytes() == before


@pytest.mark.parametrize("later", range(0, 8 * DAY, 31 * DAY // 24))
def test_sample__is_the_same_each_time_and_never_ahead_of_the_clock(later: int) -> None:
    now = NOW + later
    made = sample(now, FEW)
    assert made == sample(now, FEW)
    assert made.followed.converted_at < now
    assert made.followed.conversion_id in made.files["gokart-status.csv"]


def test_sample__is_of_the_size_that_is_told() -> None:
    setup = tomllib.loads(SETUP)
    sizes = {name: len(things) for name, things in setup.items() if isinstance(things, list)}
    expected = {"affiliate_networks": 3, "conversion_types": 5, "traffic_sources": 3, "offers": 8, "campaigns": 6}
    assert sizes == expected
    assert sample(NOW, FEW).files["clicks.csv"].count("\n") == FEW + 1


def test_module__is_the_program() -> None:
    ran = subprocess.run([sys.executable, "-m", "trueup", "--version"], check=True, capture_output=True, text=True)
    assert ran.stdout.startswith("trueup ")

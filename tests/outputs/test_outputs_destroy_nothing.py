"""What commands write: nothing that is there is lost, and nothing is left behind that is not whole."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded

ROWS = "click_id,payout\nk1,1\nk2,x\n"
Lead = Callable[[Path, Path], Path]  # makes another name of a file


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2")
    return made


@pytest.fixture
def sqlite_world(sqlite_template: Path, tmp_path: Path) -> World:
    """A workspace in SQLite: what is about files."""
    (tmp_path / "trueup.db").write_bytes(sqlite_template.read_bytes())
    made = World(CommandLine(f"sqlite:///{tmp_path}/trueup.db"), tmp_path)
    made.add_clicks("k1", "k2")
    return made


def _link(name: Path, file: Path) -> Path:
    name.symlink_to(file)
    return name


def _hard_link(name: Path, file: Path) -> Path:
    name.hardlink_to(file)
    return name


LEADS: dict[str, Lead] = {
    "itself": lambda _name, file: file,
    "a link": _link,
    "a hard link": _hard_link,
    "a detour": lambda _name, file: file.parent / "." / ".." / file.parent.name / file.name,
}


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("words", [["--results"], ["--refused"], ["--refused", "--force"]], ids=" ".join)
def test_upload__does_not_write_over_what_it_reads(sqlite_world: World, lead: str, words: list[str]) -> None:
    rows = sqlite_world.file(ROWS, "rows.csv")
    target = LEADS[lead](sqlite_world.folder / "other.csv", rows)
    ran = sqlite_world.trueup("upload", rows, "--yes", words[0], target, *words[1:])
    assert (ran.code, ran.stdout) == (2, "")
    assert "is the file that is read" in ran.stderr
    assert rows.read_text() == ROWS
    assert sqlite_world.totals()["conversions"] == 0


COMMANDS = {
    "conversions": ["conversions", "--csv", "-o"],
    "report": ["report", "--json", "--output"],
    "backup": ["backup"],
    "upload": ["upload", "rows.csv", "--yes", "--results"],
    "update-status": ["update-status", "rows.csv", "--yes", "--refused"],
    "clicks": ["clicks", "import", "rows.csv", "--yes", "--refused"],
}


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command__writes_over_the_database(
    sqlite_world: World, command: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sqlite_world.folder)
    sqlite_world.file(ROWS, "rows.csv")
    before = everything(sqlite_world.folder)
    for target in (f"trueup.db{ending}", f"./TRUEUP.db{ending}", sqlite_world.folder / f"trueup.db{ending}"):
        if ending or "TRUEUP" not in str(target):  # such a name is another's, unless the disk says otherwise
            ran = sqlite_world.trueup(*COMMANDS[command], target, "--force")
            assert (ran.code, ran.stdout) == (2, ""), target
            assert "belongs to the database" in ran.stderr
    assert everything(sqlite_world.folder) == before


def test_link_to_the_database__is_the_database(sqlite_world: World) -> None:
    link = _link(sqlite_world.folder / "out.csv", sqlite_world.folder / "trueup.db")
    assert sqlite_world.trueup("conversions", "-o", link, "--force").code == 2
    linked = CommandLine(f"sqlite:///{link}")
    assert linked("conversions", "-o", sqlite_world.folder / "trueup.db-wal").code == 2
    assert linked("conversions", "-o", sqlite_world.folder / "out.csv-wal").code == 2
    assert sqlite_world.trueup("audit").code == 0


def test_two_outputs__are_two_files(sqlite_world: World) -> None:
    rows = sqlite_world.file(ROWS)
    for first, second in (("out.csv", "out.csv"), ("out.csv", "./out.csv"), ("out.csv", "OUT.csv")):
        words = ["--results", sqlite_world.folder / first, "--refused", f"{sqlite_world.folder}/{second}"]
        ran = sqlite_world.trueup("upload", rows, "--yes", *words)
        assert (ran.code, ran.stdout) == (2, "")
        assert "two outputs" in ran.stderr
    ran = sqlite_world.trueup("upload", rows, "--yes", "--results", "-", "--refused", "-")
    assert (ran.code, ran.stdout) == (2, "")
    assert sqlite_world.totals()["conversions"] == 0
    assert not (sqlite_world.folder / "out.csv").exists()


def test_folder_of_a_server__is_left_alone(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = sqlite_world.folder / "files"
    folder.mkdir()
    monkeypatch.setenv("TRUEUP_FOLDER", str(folder))
    for name in ("clicks-0.spool", "new.csv"):
        assert "in the folder of a server" in sqlite_world.trueup("conversions", "-o", folder / name).stderr
    monkeypatch.delenv("TRUEUP_FOLDER")
    (folder / "clicks-0.spool").touch()  # as a server left it that was told otherwise
    (folder / "below").mkdir()
    assert sqlite_world.trueup("conversions", "-o", folder / "below" / "new.csv").code == 2
    assert sqlite_world.trueup("conversions", "-o", tmp_path_factory.mktemp("else") / "new.csv").code == 0


@pytest.mark.parametrize("place", ["folder", "nowhere/out.csv", "out.csv/", f"{'n' * 300}.csv", "loop", "file/out.csv"])
def test_place_that_cannot_be_written__is_told_before_anything_is_done(world: World, place: str) -> None:
    (world.folder / "folder").mkdir()
    (world.folder / "file").touch()
    _link(world.folder / "loop", world.folder / "loop")
    rows = world.file(ROWS)
    ran = world.trueup("upload", rows, "--yes", "--results", f"{world.folder}/{place}")
    assert (ran.code, ran.stdout) == (2, "")
    assert "cannot be written" in ran.stderr
    assert world.totals()["conversions"] == 0
    assert list(world.folder.glob(".trueup-*")) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_file_that_exists__is_replaced_only_when_told(
    sqlite_world: World, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sqlite_world.folder)
    sqlite_world.file("click_id,status,campaign,offer,clicked_at\nk1,x,,,y\n", "rows.csv")
    out = sqlite_world.file("precious", "out")
    out.chmod(0o640)
    refused = sqlite_world.trueup(*COMMANDS[command], out)
    assert (refused.code, out.read_text()) == (2, "precious")
    assert refused.stderr.endswith("out exists already. Add --force to replace it.\n")
    again = sqlite_world.trueup(*COMMANDS[command], out, "--force")
    assert again.code in (0, 1), again.stderr
    assert out.read_bytes() != b"precious"
    assert stat.S_IMODE(out.stat().st_mode) == (0o600 if command == "backup" else 0o640)
    assert list(sqlite_world.folder.glob(".trueup-*")) == []


def test_new_file__is_as_private_as_new_files_are(sqlite_world: World) -> None:
    before = os.umask(0o027)
    try:
        succeeded(sqlite_world.trueup("conversions", "-o", sqlite_world.folder / "out.csv"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((sqlite_world.folder / "out.csv").stat().st_mode) == 0o640


def test_link__is_followed_and_stays(sqlite_world: World) -> None:
    real = sqlite_world.folder / "real"
    real.mkdir()
    link = _link(sqlite_world.folder / "out.csv", real / "out.csv")
    succeeded(sqlite_world.trueup("conversions", "-o", link))
    assert link.is_symlink()
    assert [path.name for path in real.iterdir()] == ["out.csv"]
    assert (real / "out.csv").read_text().startswith("conversion_id,")


def test_devices_and_pipes__are_written_to(sqlite_world: World) -> None:
    succeeded(sqlite_world.trueup("conversions", "-o", os.devnull))
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    pipe, read = sqlite_world.folder / "pipe", []
    os.mkfifo(pipe)
    reading = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reading.start()
    succeeded(sqlite_world.trueup("conversions", "-o", pipe))
    reading.join(30)
    assert read[0].startswith("conversion_id,")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_by_any_name__is_standard_output(sqlite_world: World) -> None:
    with (sqlite_world.folder / "all.txt").open("wb") as out:
        out.write(b"before\n")
        out.flush()
        words = [sys.executable, "-m", "trueup", "--db", sqlite_world.trueup.url, "conversions", "-o", "/dev/stdout"]
        subprocess.run(words, stdout=out, check=True, timeout=60)
    lines = (sqlite_world.folder / "all.txt").read_text().splitlines()
    assert (lines[0], lines[1][:14]) == ("before", "conversion_id,")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
def test_upload__is_told_of_also_where_its_file_cannot_be_written(world: World) -> None:
    ran = world.trueup("upload", world.file(ROWS), "--yes", "--json", "--results", "/dev/full")
    assert ran.code == 3
    assert "/dev/full cannot be written: No space left on device" in ran.stderr
    assert '"batch_id": 1' in ran.stdout


def test_name_that_another_program_took_meanwhile__stays_its(sqlite_world: World) -> None:
    """The file is made while the command reads its input from a pipe."""
    out = sqlite_world.folder / "out.csv"
    os.mkfifo(sqlite_world.folder / "rows.csv")

    def writing() -> None:
        with (sqlite_world.folder / "rows.csv").open("w") as rows:
            out.write_text("another's")
            rows.write(ROWS)

    writer = threading.Thread(target=writing)
    writer.start()
    ran = sqlite_world.trueup("upload", sqlite_world.folder / "rows.csv", "--yes", "--results", out)
    writer.join(30)
    assert ran.code == 1
    assert out.read_text() == "another's"
    assert (sqlite_world.folder / "out-2.csv").read_text().startswith("line,click_id,")
    assert f"This is in {sqlite_world.folder / 'out-2.csv'}" in ran.stderr


def test_demo__touches_nothing_that_no_demo_made(tmp_path: Path) -> None:
    (tmp_path / "trueup.db").write_text("precious")
    ran = CommandLine("sqlite:///x.db")("demo", "--folder", tmp_path, "--fresh", "--no-serve")
    assert ran.code == 2
    assert "no demo made it" in ran.stderr
    assert (tmp_path / "trueup.db").read_text() == "precious"

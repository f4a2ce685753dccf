"""`trueup spool`: what the server's folder holds that the ledger does not have, and how it comes into it."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, Ran
from spool_files import SIZE, new_click, only_file
from worlds import World, succeeded

from trueup.ledger.open import open_ledger
from trueup.live.spool.dead_letters import DeadLetter, DeadLetters
from trueup.live.spool.file import SpoolFile
from trueup.live.spool.folder import SpoolFolder


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return World(trueup, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def spool(world: World, folder: Path, *words: object) -> Ran:
    return world.trueup("spool", *words, "--folder", folder)


def shown(world: World, folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(succeeded(spool(world, folder, "show", "--json")))
    return told


@pytest.mark.front
def test_spool_show__tells_what_waits_and_what_is_damaged_while_a_server_holds_it(world: World, folder: Path) -> None:
    assert "The ledger has everything" in succeeded(spool(world, folder, "show"))
    succeeded(spool(world, folder, "claim"))
    clicks = [new_click() for _ in range(3)]
    with closing(SpoolFile.claim(folder, SIZE)) as file:
        for click in clicks:
            file.keep([click])
        told = shown(world, folder)
        assert told["waiting"] == [{"file": "clicks-0.spool", "clicks": 3, "damaged_bytes": 0}]
        assert told["belongs_to"]
    path = only_file(folder)
    content = bytearray(path.read_bytes())
    content[content.index(clicks[1][0].encode())] ^= 1
    path.write_bytes(content)
    (waiting,) = shown(world, folder)["waiting"]
    assert waiting["clicks"] == 2
    (adopted,) = SpoolFolder(folder, SIZE).adopt()
    with closing(adopted):
        adopted.read()
        adopted.empty()
    told = shown(world, folder)
    assert told["waiting"] == []
    assert told["damaged"][0]["bytes"] == waiting["damaged_bytes"] > 0
    assert told["damaged"][0]["file"] in spool(world, folder, "show").stdout


@pytest.mark.front
def test_spool_show__has_the_clock_of_the_workspace(world: World, folder: Path) -> None:
    world.set_up('[workspace]\ntime_zone = "Europe/Warsaw"\n')
    succeeded(spool(world, folder, "claim"))
    DeadLetters(folder).add([DeadLetter(new_click(), "no room", 1_772_704_830_000_000)])
    assert shown(world, folder)["dead_letters"][0]["refused_at"] == "2026-03-05T10:00:30Z"
    lines = succeeded(spool(world, folder, "show")).splitlines()
    assert (" 2026-03-05 11:00 " in lines[-3], lines[-1]) == (True, "Times in Europe/Warsaw.")
    nowhere = CommandLine(f"sqlite:///{folder / 'nothing.db'}")("spool", "show", "--folder", folder).stdout
    assert (" 2026-03-05 10:00 " in nowhere, nowhere.splitlines()[-1]) == (True, "Times in UTC.")


@pytest.mark.front
def test_spool_retry__records_each_dead_letter_once_and_keeps_the_bad_ones(world: World, folder: Path) -> None:
    succeeded(spool(world, folder, "claim"))
    good, known, bad = new_click(), new_click(), new_click(cost=1 << 70)
    DeadLetters(folder).add([DeadLetter(click, "no room", 1) for click in (good, known, bad)])
    told = shown(world, folder)["dead_letters"]
    assert [(each["click_id"], each["reason"]) for each in told] == [(c[0], "no room") for c in (good, known, bad)]
    world.add_clicks(known[0])
    ran = spool(world, folder, "retry", "--json")
    assert ran.code == 1
    outcomes = {each["click_id"]: each["outcome"].partition(":")[0] for each in json.loads(ran.stdout)}
    assert outcomes == {good[0]: "recorded", known[0]: "was recorded before", bad[0]: "refused"}
    assert [letter.click for letter in DeadLetters(folder).read()] == [bad]
    assert f"{bad[0]}: refused" in spool(world, folder, "retry").stdout
    assert world.totals()["clicks"] == 2
    succeeded(world.trueup("audit"))


def test_spool_retry__never_records_into_another_ledger(world: World, folder: Path, tmp_path: Path) -> None:
    other = World(CommandLine(f"sqlite:///{tmp_path / 'other.db'}"), tmp_path)
    open_ledger(other.trueup.url, create=True).close()
    succeeded(spool(other, folder, "claim"))
    DeadLetters(folder).add([DeadLetter(new_click(), "no room", 1)])
    ran = spool(world, folder, "retry")
    assert ran.code == 3
    assert str(tmp_path / "other.db") in ran.stderr
    assert world.totals()["clicks"] == 0
    assert DeadLetters(folder).count() == 1
    succeeded(spool(world, folder, "claim"))
    succeeded(spool(world, folder, "retry"))
    assert world.totals()["clicks"] == 1


def test_spool__the_folder_stands_beside_the_database(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_SETTINGS", "")  # the command leaves it in the environment for a server's processes
    told = json.loads(succeeded(world.trueup("spool", "show", "--json")))
    url = world.trueup.url
    expected = f"{url.removeprefix('sqlite:///')}-files" if url.startswith("sqlite") else "trueup-files"
    assert told["folder"] == expected
    given = tmp_path / "settings.toml"
    given.write_text(f'folder = "{tmp_path / "other"}"\n')
    told = json.loads(succeeded(world.trueup("spool", "show", "--json", "--settings", given)))
    assert told["folder"] == str(tmp_path / "other")

"""Mappings under a name: saved when a file is applied, offered for the same titles, used when their name is said."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded

STATEMENT = "Northwind\n\nVisitor;Sale amount;Commission\nk1;100,00;35,00\nk2;80,00;28,00\n"
MAPPED = ("--map", "Visitor=click_id", "--map", "Commission=payout", "--map", "Sale amount=", "--decimal-comma")


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2", "k3")
    return made


def saved(world: World, *options: str) -> None:
    succeeded(world.trueup("upload", world.file(STATEMENT), *MAPPED, "--save-mapping", "northwind", *options))


@pytest.mark.front
def test_mapping__is_saved_and_reads_the_next_file(world: World) -> None:
    saved(world, "--yes")
    (listed,) = json.loads(succeeded(world.trueup("mappings", "list", "--json")))
    assert listed["columns"] == {"Visitor": "click_id", "Commission": "payout", "Sale amount": ""}
    assert (listed["titles"], listed["decimal_comma"]) == (["commission", "sale_amount", "visitor"], True)
    shown = succeeded(world.trueup("mappings", "list"))
    assert ("northwind" in shown, shown.splitlines()[-1]) == (True, "Times in UTC.")
    april = STATEMENT.replace("k2", "k3").replace("28", "7")
    assert world.upload(april, "--mapping", "northwind").change("revenue") == 7
    assert world.seen("click_id", "payout") == [("k1", "35.00"), ("k2", "28.00"), ("k3", "7.00")]


def test_mapping__is_offered_and_never_used_in_silence(world: World) -> None:
    saved(world, "--yes")
    ran = world.trueup("upload", world.file(STATEMENT.replace("k2", "k3")), "--preview")
    assert ran.code == 2
    assert "A mapping was saved for files with these titles: --mapping northwind." in ran.stderr


@pytest.mark.front
def test_mapping__map_comes_first(world: World) -> None:
    saved(world, "--yes")
    other = world.file(STATEMENT.replace("k2", "k3"))
    ran = world.trueup(
        *("upload", other, "--mapping", "northwind", "--map", "Sale amount=payout", "--map", "Commission="),
        *("--preview", "--json"),
    )
    assert json.loads(succeeded(ran))["revenue"] == {"before": "63.00", "after": "208.00"}


@pytest.mark.front
def test_preview__saves_nothing(world: World) -> None:
    saved(world, "--preview")
    assert json.loads(succeeded(world.trueup("mappings", "list", "--json"))) == []


@pytest.mark.front
def test_mapping__is_replaced_and_removed(world: World) -> None:
    saved(world, "--yes")
    saved(world, "--yes", "--again", "--time-zone", "Europe/Warsaw")
    (listed,) = json.loads(succeeded(world.trueup("mappings", "list", "--json")))
    assert listed["time_zone"] == "Europe/Warsaw"
    assert "removed" in succeeded(world.trueup("mappings", "remove", "northwind"))
    for words in (
        ("mappings", "remove", "northwind"),
        ("upload", world.file(STATEMENT), "--mapping", "x", "--preview"),
    ):
        ran = world.trueup(*words)
        assert ran.code == 2
        assert "No mapping is called" in ran.stderr


@pytest.mark.front
@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--save-mapping", "x"), "--save-mapping saves what --map says"),
        (("--map", "Visitor=click_id", "--save-mapping", " "), "1 to 64 printable characters"),
        (("--map", "Visitor=click_id", "--save-mapping", "x" * 65), "1 to 64 printable characters"),
    ],
)
def test_mapping__that_cannot_be_saved_ends_the_command(world: World, options: tuple[str, ...], why: str) -> None:
    ran = world.trueup("upload", world.file(STATEMENT), *options, "--yes")
    assert ran.code == 2
    assert why in ran.stderr
    assert world.conversions() == []

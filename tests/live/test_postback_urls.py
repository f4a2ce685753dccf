"""`trueup postbacks`: URLs to copy that work as they stand, and keys."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from postback_asking import Reporting, reporting
from worlds import World, succeeded

from trueup.edge.presets import PLAIN, Preset, postback_url, presets

pytestmark = pytest.mark.front

BASE = "https://t.example.com"
# What a network fills its macros with; those of ours that need a certain form.
FILLED = {"payout": "1.50", "currency": "USD", "status": "approved"}


@pytest.fixture
def report(url: str, tmp_path: Path) -> Iterator[Reporting]:
    with reporting(url, tmp_path) as made:
        yield made


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(
        '[[affiliate_networks]]\nname = "CAKE"\nduplicate_mode = "ignore"\n'
        '[[affiliate_networks]]\nname = "Northwind"\nduplicate_mode = "ignore"\nonly_with_key = true'
    )
    return made


def filled(preset: Preset, click_id: str, statuses: dict[str, str]) -> str:
    """The postback as that network would send it."""
    values = {name: statuses.get(name, FILLED.get(name, f"{name}-1")) for name in preset.parameters} | {
        "click_id": click_id
    }
    fixed = {name: text for name, text in preset.parameters.items() if not re.search(r"[{#]|^[A-Z_]+$", text)}
    url = postback_url("", "", Preset(**{**vars(preset), "parameters": values | fixed}))
    return url.partition("?")[2]


def test_presets__are_postbacks_that_are_accepted(report: Reporting) -> None:
    assert len(presets()) > 12
    for number, preset in enumerate(presets().values()):
        report.world.add_clicks(f"p{number}", offer="VPN")
        word = preset.parameters.get("sale_status", "approved").split(",")[0]
        said = report(filled(preset, f"p{number}", {"status": word}))
        assert said.text == f"ok created p{number}-1\n", preset.name
    assert {status for (status,) in report.world.seen("status")} == {"approved"}


@pytest.mark.parametrize(
    "preset", [preset for preset in presets().values() if preset.name != PLAIN], ids=lambda p: p.name
)
def test_presets__have_macros_of_one_kind_and_say_where_they_are_from(preset: Preset) -> None:
    lists = ("sale_status", "lead_status", "rejected_status")
    macros = [text for name, text in preset.parameters.items() if name not in lists]
    assert all(re.fullmatch(r"\{[\w.]+\}|#\w+#", macro) for macro in macros)
    assert "click_id" in preset.parameters
    assert preset.source.startswith("http")
    assert preset.click_id_in or "External ID" in preset.note


def test_urls__stand_ready_to_copy(world: World) -> None:
    shown = world.trueup("postbacks", "urls", "--base-url", f"{BASE}/")
    assert succeeded(shown).splitlines() == [
        "CAKE",
        f"{BASE}/postback?click_id=#s2#&payout=#price#&transaction_id=#leadid#",
        "Northwind",
        f"{BASE}/postback?click_id=CLICK_ID&payout=PAYOUT&currency=CURRENCY&transaction_id=TRANSACTION_ID&status=STATUS",
    ]
    assert "Its offers' URLs must have s2={click_id}." in shown.stderr
    assert 'has none: trueup postbacks rotate-key "Northwind"' in shown.stderr
    assert shown.stderr.count("duplicate_mode update") == 1  # CAKE's tells no status


def test_urls__have_the_newest_key_and_the_chosen_macros(world: World) -> None:
    keys = [succeeded(world.trueup("postbacks", "rotate-key", "Northwind")).split()[0] for _ in range(3)]
    shown = world.trueup(
        "postbacks", "urls", "--network", "Northwind", "--preset", "tune", "--json", "--base-url", BASE
    )
    (told,) = json.loads(succeeded(shown))
    assert told["url"].startswith(f"{BASE}/{keys[2]}/postback?click_id={{aff_sub}}&payout={{payout}}")
    assert (told["link"], told["keys"], told["only_with_key"]) == ("aff_sub={click_id}", 2, True)


def test_urls__know_where_the_server_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "http://127.0.0.1:8080/postback?" in succeeded(world.trueup("postbacks", "urls"))
    monkeypatch.setenv("TRUEUP_PUBLIC_URL", BASE)
    assert f"{BASE}/postback?" in succeeded(world.trueup("postbacks", "urls"))
    monkeypatch.setenv("TRUEUP_PUBLIC_URL", "t.example.com")
    assert world.trueup("postbacks", "urls").code == 2


def test_keys__are_two_at_most_and_are_dropped_one_by_one(world: World) -> None:
    first = succeeded(world.trueup("postbacks", "rotate-key", "CAKE")).split()
    second = succeeded(world.trueup("postbacks", "rotate-key", "CAKE")).split()
    third = succeeded(world.trueup("postbacks", "rotate-key", "CAKE")).split()
    assert [len(first), second[1:], third[1:]] == [1, first, second[:1]]
    assert len({*first, *second, *third}) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", key) for key in third)
    assert succeeded(world.trueup("postbacks", "drop-key", "CAKE")).split() == third[:1]
    assert succeeded(world.trueup("postbacks", "drop-key", "CAKE")).split() == third[:1]
    assert succeeded(world.trueup("postbacks", "drop-key", "CAKE", "--all")).split() == []


def test_keys__are_no_part_of_the_setup(world: World) -> None:
    (key,) = succeeded(world.trueup("postbacks", "rotate-key", "Northwind")).split()
    setup = succeeded(world.trueup("setup", "show"))
    assert key not in setup
    world.set_up(setup)
    world.set_up('[[affiliate_networks]]\nname = "Northwind"\nduplicate_mode = "ignore"\nonly_with_key = false')
    assert key in succeeded(world.trueup("postbacks", "urls", "--network", "Northwind"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("urls", "--network", "Nortwind"), "There is no affiliate network 'Nortwind'. Did you mean Northwind?"),
        (("rotate-key", "cake"), "There is no affiliate network 'cake'. Did you mean CAKE?"),
        (("drop-key", "x"), "There is no affiliate network 'x'. Known: CAKE, Northwind."),
        (("urls", "--preset", "tunes"), "There is no preset 'tunes'. Did you mean tune?"),
    ],
)
def test_names__that_nobody_has_are_told_with_the_nearest(world: World, words: tuple[str, ...], told: str) -> None:
    ran = world.trueup("postbacks", *words)
    assert (ran.code, ran.stderr.strip()) == (2, told)


def test_urls__of_a_workspace_without_networks(trueup: CommandLine) -> None:
    assert trueup("postbacks", "urls").code == 2

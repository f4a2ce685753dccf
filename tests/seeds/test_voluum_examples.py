"""Lines as people of Voluum paste them: a click id alone, payouts, corrections, times in five forms, upsells."""

from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World

pytestmark = pytest.mark.front

SETUP = """
[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "app_install"
include_in_conversions = {app_install}

[[conversion_types]]
name = "correction"
include_in_conversions = false

[[offers]]
name = "manual"
network = "Northwind"
payout_mode = "manual"
payout = "1"

[[offers]]
name = "auto"
network = "Northwind"
payout_mode = "auto"
payout = "1"
"""
CLICK = "c384EFV6JHQODRN70575OK6U"
VOLUUM = ("--dialect", "voluum")


def made(trueup: CommandLine, folder: Path, *, offer: str = "auto", app_install: str = "true") -> World:
    world = World(trueup, folder)
    world.set_up(SETUP.format(app_install=app_install))
    world.add_clicks(CLICK, offer=offer, clicked_at="2011-12-01T00:00:00Z")
    return world


@pytest.mark.parametrize(("offer", "revenue"), [("manual", 1), ("auto", 0)])
def test_voluum__a_click_id_alone(trueup: CommandLine, tmp_path: Path, offer: str, revenue: float) -> None:
    world = made(trueup, tmp_path, offer=offer)
    alone = world.upload(CLICK, *VOLUUM)
    assert (alone.code, alone.outcomes) == (0, ["created"])
    assert (alone.change("conversions"), alone.change("revenue")) == (1, revenue)


@pytest.mark.parametrize("offer", ["manual", "auto"])
def test_voluum__a_click_id_and_a_payout(trueup: CommandLine, tmp_path: Path, offer: str) -> None:
    paid = made(trueup, tmp_path, offer=offer).upload(f"{CLICK},0.75", *VOLUUM)
    assert (paid.change("conversions"), paid.change("revenue")) == (1, 0.75)


@pytest.mark.parametrize(("included", "conversions"), [("true", 1), ("false", 0)])
def test_voluum__taking_money_from_a_type(
    trueup: CommandLine, tmp_path: Path, included: str, conversions: float
) -> None:
    world = made(trueup, tmp_path, app_install=included)
    world.upload(f"{CLICK},80,order-1,app_install", *VOLUUM)
    taken = world.upload(f"{CLICK},-50,,app_install", *VOLUUM)
    assert taken.outcomes == ["created"]
    assert (taken.change("conversions"), taken.change("revenue")) == (conversions, -50)
    assert world.totals("--type", "app_install")["revenue"] == "30.00"


def test_voluum__a_correction_leaves_the_count(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path, offer="manual")
    world.upload(CLICK, *VOLUUM)
    corrected = world.upload(f"{CLICK},-0.4,,correction", *VOLUUM)
    assert corrected.outcomes == ["created"]
    assert corrected.told["conversions"] == {"before": 1, "after": 1}
    assert corrected.told["revenue"] == {"before": "1.00", "after": "0.60"}


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2011-12-03T10:15:30+01:00", "2011-12-03T09:15:30+00:00"),
        ("2011-12-03T10:15:30.000+01:00", "2011-12-03T09:15:30+00:00"),
        ("2011-12-03T10:15Z", "2011-12-03T10:15:00+00:00"),
        ("2011-12-03T10:15:30Z", "2011-12-03T10:15:30+00:00"),
        ("2011-12-03T10:15:30.000Z", "2011-12-03T10:15:30+00:00"),
    ],
)
def test_voluum__forms_of_time(trueup: CommandLine, tmp_path: Path, written: str, at: str) -> None:
    world = made(trueup, tmp_path)
    assert world.upload(f"{CLICK},1.2,abc123,,{written}", *VOLUUM).outcomes == ["created"]
    assert world.conversions("--time-zone", "UTC")[0]["converted_at"] == at


def test_voluum__without_a_time_it_is_now(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path)
    world.upload(f"{CLICK},1", *VOLUUM)
    assert world.conversions("--from", "2026-01-01")[0]["payout"] == "1.00"


def test_voluum__a_click_is_registered_once(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path)
    world.upload(f"{CLICK},2", *VOLUUM)
    second = world.upload(f"{CLICK},3", *VOLUUM)
    assert (second.code, second.outcomes) == (0, ["ignored_duplicate"])
    assert (second.change("conversions"), second.change("revenue")) == (0, 0)


def test_voluum__upsells_have_transaction_ids(trueup: CommandLine, tmp_path: Path) -> None:
    world = made(trueup, tmp_path)
    upsells = world.upload(f"{CLICK},2\n{CLICK},3,up-1\n{CLICK},4,up-2\n{CLICK},4,up-2\n", *VOLUUM)
    assert upsells.outcomes == ["created", "created", "created", "ignored_duplicate"]
    assert (upsells.change("conversions"), upsells.change("revenue")) == (3, 9)


def test_voluum__a_wrong_click_id(trueup: CommandLine, tmp_path: Path) -> None:
    wrong = made(trueup, tmp_path).upload("wUNKNOWN0000000000000000,1", *VOLUUM)
    assert (wrong.code, wrong.outcomes) == (1, ["refused_unknown_click"])

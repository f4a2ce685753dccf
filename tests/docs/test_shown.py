"""What the how-tos show of a preview is what the program prints."""

from pathlib import Path

import pytest
from command_line import CommandLine
from documents import blocks, text_of
from worlds import World, succeeded

SETUP = '[[affiliate_networks]]\nname = "Northwind"\n{}\n[[offers]]\nname = "VPN"\nnetwork = "Northwind"\n'
WORDS = 'status_map = { checked = "approved", gone = "declined" }'
CHECKED = "k1,2.00,T1,checked\nk2,2.00,T2,checked\nk3,3.50,T3,gone\nk4,4.50,T4,approved\n"
FOUR = "click_id,payout,transaction_id\nk1,9,A1\nk1,9,A2\nk2,9,A3\nk3,9,A4\n"


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP.format(""))
    made.add_clicks("k1", "k2", "k3", "k4", offer="VPN")
    return made


def test_decide_again__shows_its_preview(world: World) -> None:
    world.upload(f"click_id,payout,transaction_id,status\n{CHECKED}")
    world.set_up(SETUP.format(WORDS))
    chosen = ("--network", "Northwind", "--outcome", "refused_unknown_status", "--from", "2026-03-01")
    shown_by(text_of("docs/decide-again.md"), succeeded(world.trueup("decide-again", *chosen, "--preview")))


@pytest.mark.front
def test_undo__shows_its_preview(world: World) -> None:
    world.upload(FOUR, "--duplicates", "ignore")
    world.upload(f"{FOUR}\n", "--duplicates", "ignore")
    shown_by(text_of("docs/undo.md"), succeeded(world.trueup("undo", 1, "--preview")))


def shown_by(page: str, printed: str) -> None:
    (shown,) = blocks(page, "")
    lines = [line.rstrip() for line in printed.splitlines()]
    assert [line for line in shown.splitlines() if line not in lines] == []

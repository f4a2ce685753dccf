"""What a setup file leaves out, and things have, is cleared only when somebody wants that."""

import json
import tomllib

import pytest
from command_line import CommandLine
from worlds import succeeded

FULL = """
[workspace]
name = "Acme"
[[affiliate_networks]]
name = "Northwind"
status_map = { "2" = "pending" }
[[offers]]
name = "VPN"
network = "Northwind"
url = "https://example.com/{click_id}"
payout_mode = "manual"
payout = "1.20"
"""
LESS = """
[[affiliate_networks]]
name = "Northwind"
status_map = {}
[[offers]]
name = "VPN"
network = "Northwind"
payout = "2"
payout_mode = "manual"
"""


@pytest.fixture
def trueup(trueup: CommandLine) -> CommandLine:
    succeeded(trueup("setup", "apply", "-", stdin=FULL))
    return trueup


def shown(trueup: CommandLine) -> dict[str, object]:
    return tomllib.loads(trueup("setup", "show").stdout)


@pytest.mark.front
def test_clearing__is_told_and_needs_yes_in_a_pipe(trueup: CommandLine) -> None:
    before = shown(trueup)
    ran = trueup("setup", "apply", "-", stdin=LESS)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[1:] == [
        '  affiliate network "Northwind": status_map { 2 = "pending" }',
        '  offer "VPN": url "https://example.com/{click_id}"',
        "Nothing was changed. Add --yes to clear that, or put it into the file.",
    ]
    assert shown(trueup) == before
    succeeded(trueup("setup", "apply", "-", "--yes", stdin=LESS))
    assert "url" not in shown(trueup)["offers"][0]


@pytest.mark.front
def test_clearing__is_told_in_a_preview(trueup: CommandLine) -> None:
    told = json.loads(succeeded(trueup("setup", "apply", "-", "--preview", "--json", stdin=LESS)))
    assert {change["name"]: change["cleared"] for change in told["changes"]} == {
        "Northwind": ["status_map"],
        "VPN": ["url"],
    }
    assert "Cleared, since the file leaves it out:" in trueup("setup", "apply", "-", "--preview", stdin=LESS).stdout


@pytest.mark.front
def test_change_of_what_the_file_gives__is_not_asked_for(trueup: CommandLine) -> None:
    other = FULL.replace("1.20", "3.00").replace('"2"', '"7"').replace("Acme", "Other")
    ran = trueup("setup", "apply", "-", stdin=other)
    assert (ran.code, ran.stderr) == (0, "")


@pytest.mark.front
def test_key_left_out_that_has_its_default__is_nothing_to_clear(trueup: CommandLine) -> None:
    assert trueup("setup", "apply", "-", stdin='[[conversion_types]]\nname = "conversion"').code == 0


@pytest.mark.front
def test_payout_that_nothing_uses__is_pointed_out(trueup: CommandLine) -> None:
    offer = '[[offers]]\nname = "App"\npayout = "{}"\n{}'
    ran = trueup("setup", "apply", "-", stdin=offer.format("1.50", ""))
    assert ran.code == 0
    assert ran.stderr.startswith('Note: offer "App": its payout 1.50 is not used, since payout_mode is auto')
    for payout, more in (("0", ""), ("1", 'payout_mode = "manual"')):
        assert "Note" not in trueup("setup", "apply", "-", stdin=offer.format(payout, more)).stderr
    told = json.loads(trueup("setup", "apply", "-", "--preview", "--json", stdin=offer.format("1", "")).stdout)
    assert len(told["remarks"]) == 1

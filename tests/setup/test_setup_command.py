"""`trueup setup apply` and `trueup setup show`, as a person meets them."""

import json
import tomllib
from pathlib import Path

import pytest
from command_line import CommandLine
from databases import execute

from trueup.ledger.database import Database
from trueup.ledger.schema import batches, click_rollups, conversions
from trueup.setup import tables as setup_file

FIRST = """
[workspace]
name = "Acme"
[[affiliate_networks]]
name = "Northwind"
[[offers]]
name = "VPN trial"
network = "Northwind"
payout_mode = "manual"
payout = "1.20"
[[campaigns]]
name = "PL push"
slug = "a"
offers = [{ offer = "VPN trial" }]
"""

SHOWN = """\
[workspace]
name = "Acme"
time_zone = "UTC"
currency = "USD"
unknown_click = "refuse"
rows_per_click = 1000

[[affiliate_networks]]
name = "Northwind"
default_status = "approved"
only_with_key = false
always_200 = false

[[conversion_types]]
name = "conversion"
include_in_conversions = true
in_journey = false

[[offers]]
name = "VPN trial"
network = "Northwind"
payout_mode = "manual"
payout = "1.20"
approval = "automatic"

[[campaigns]]
name = "PL push"
slug = "a"
offers = [
    { offer = "VPN trial", weight = 1 },
]
"""


@pytest.mark.front
def test_apply__prints_what_it_makes(trueup: CommandLine) -> None:
    ran = trueup("setup", "apply", "-", stdin=FIRST)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        '~ workspace: name "Trueup" -> "Acme"',
        '+ affiliate network "Northwind"',
        '+ offer "VPN trial"',
        '+ campaign "PL push"',
    ]
    assert trueup("setup", "show").stdout == SHOWN


@pytest.mark.front
def test_apply__a_second_time_changes_nothing(trueup: CommandLine, acme: Path) -> None:
    assert trueup("setup", "apply", acme).code == 0
    ran = trueup("setup", "apply", acme)
    assert (ran.code, ran.stdout) == (0, "Nothing to change.\n")


@pytest.mark.front
def test_apply__sets_what_is_mentioned_and_leaves_the_rest(trueup: CommandLine) -> None:
    trueup("setup", "apply", "-", stdin=FIRST)
    second = """
        [[offers]]
        name = "VPN trial"
        payout_mode = "manual"
        payout = "1.20"
        payouts = { conversion = "2" }
        [[campaigns]]
        name = "PL push"
        slug = "b"
        offers = [{ offer = "VPN trial" }]
    """
    ran = trueup("setup", "apply", "-", "--yes", stdin=second)
    assert ran.stdout.splitlines() == [
        '~ offer "VPN trial": network "Northwind" -> (not set), payouts (not set) -> { conversion = "2.00" }',
        '~ campaign "PL push": slug "a" -> "b"',
        'Left alone, not in the file: affiliate network "Northwind"',
    ]
    shown = tomllib.loads(trueup("setup", "show").stdout)
    assert shown["workspace"]["name"] == "Acme"
    assert [network["name"] for network in shown["affiliate_networks"]] == ["Northwind"]


@pytest.mark.front
def test_apply__with_preview_changes_nothing(trueup: CommandLine) -> None:
    before = trueup("setup", "show").stdout
    ran = trueup("setup", "apply", "-", "--preview", stdin=FIRST)
    assert ran.code == 0
    assert ran.stdout.splitlines()[-2:] == ['+ campaign "PL push"', "This was a preview: nothing is changed."]
    assert trueup("setup", "show").stdout == before


@pytest.mark.front
def test_apply__with_a_mistake_changes_nothing(trueup: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(FIRST + 'network = "x"\n', encoding="utf-8")
    before = trueup("setup", "show").stdout
    ran = trueup("setup", "apply", file)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        f"{file}: 1 mistake, nothing is changed:",
        '[[campaigns]] "PL push", network: unknown key: known: name, offers, slug, traffic_source',
    ]
    assert trueup("setup", "show").stdout == before


def test_apply__of_a_file_that_is_not_there_says_so(trueup: CommandLine, tmp_path: Path) -> None:
    ran = trueup("setup", "apply", tmp_path / "absent.toml")
    assert (ran.code, ran.stdout) == (2, "")
    assert "absent.toml cannot be read: No such file or directory" in ran.stderr


@pytest.mark.front
def test_apply__in_json(trueup: CommandLine) -> None:
    trueup("setup", "apply", "-", stdin=FIRST)
    changed_offer = '[[offers]]\nname = "VPN trial"\nnetwork = "Northwind"\npayout_mode = "manual"\npayout = 2\n'
    second = changed_offer + '[[offers]]\nname = "New"\n'
    ran = trueup("setup", "apply", "-", "--preview", "--json", stdin=second)
    told = json.loads(ran.stdout)
    added, changed = told["changes"][1], told["changes"][0]
    assert (ran.code, told["preview"], told["mistakes"]) == (0, True, [])
    assert changed == {
        "action": "change",
        "kind": "offers",
        "name": "VPN trial",
        "keys": {"payout": {"before": "1.20", "after": "2.00"}},
        "cleared": [],
    }
    assert (added["action"], added["kind"], added["name"]) == ("add", "offers", "New")
    assert told["left_alone"] == [
        {"kind": "affiliate_networks", "name": "Northwind"},
        {"kind": "campaigns", "name": "PL push"},
    ]


def test_apply__with_a_mistake_in_json(trueup: CommandLine) -> None:
    ran = trueup("setup", "apply", "-", "--json", stdin="[offers]")
    assert ran.code == 2
    assert json.loads(ran.stdout)["mistakes"] == ["[[offers]]: must be a list of tables"]


@pytest.mark.front
def test_show__in_json_is_the_same_setup(trueup: CommandLine, acme: Path) -> None:
    trueup("setup", "apply", acme)
    assert json.loads(trueup("setup", "show", "--json").stdout) == tomllib.loads(trueup("setup", "show").stdout)


def test_show__applied_to_another_ledger_shows_the_same(trueup: CommandLine, acme: Path, tmp_path: Path) -> None:
    trueup("setup", "apply", acme)
    shown = trueup("setup", "show").stdout
    other = f"sqlite:///{tmp_path}/other.db"
    assert trueup("setup", "apply", "-", "--db", other, stdin=shown).code == 0
    assert trueup("setup", "show", "--db", other).stdout == shown


@pytest.mark.front
def test_show__prints_names_as_they_are(trueup: CommandLine) -> None:
    name = '[red]:smile: "q" \\ żółw'
    ran = trueup("setup", "apply", "-", stdin=f"[[traffic_sources]]\nname = '{name}'")
    assert ran.stdout == '+ traffic source "[red]:smile: \\"q\\" \\\\ żółw"\n'
    assert tomllib.loads(trueup("setup", "show").stdout)["traffic_sources"] == [{"name": name}]


TABLES = {
    "workspace": setup_file.WorkspaceTable,
    "affiliate_networks": setup_file.AffiliateNetworkTable,
    "conversion_types": setup_file.ConversionTypeTable,
    "traffic_sources": setup_file.TrafficSourceTable,
    "offers": setup_file.OfferTable,
    "campaigns": setup_file.CampaignTable,
}


def test_sample__uses_every_key(acme: Path) -> None:
    used = tomllib.loads(acme.read_text(encoding="utf-8"))
    assert set(used) == set(TABLES) == set(setup_file.SetupFile.model_fields)
    for kind, table in TABLES.items():
        things = used[kind] if isinstance(used[kind], list) else [used[kind]]
        assert {key for thing in things for key in thing} == set(table.model_fields)


@pytest.mark.parametrize("stored", ["conversion", "batch", "cost"])
def test_currency__cannot_change_once_money_is_stored_in_it(trueup: CommandLine, ledger: Database, stored: str) -> None:
    trueup("setup", "apply", "-", stdin='[workspace]\ncurrency = "EUR"')
    rows = {
        "conversion": conversions.insert().values(click_id="c1", n=1, revenue=1),
        "batch": batches.insert().values(kind="upload"),
        "cost": click_rollups.insert().values(bucket=1, clicks=1, cost=5),
    }
    execute(ledger, rows[stored])
    ran = trueup("setup", "apply", "-", "--preview", stdin='[workspace]\nname = "Acme"')
    assert ran.code == 2
    assert "[workspace], currency: cannot become USD any more: revenue and cost are stored in EUR" in ran.stderr
    assert trueup("setup", "apply", "-", stdin='[workspace]\nname = "Acme"\ncurrency = "EUR"').code == 0


def test_currency__can_change_while_there_are_only_clicks_without_cost(trueup: CommandLine, ledger: Database) -> None:
    execute(ledger, batches.insert().values(kind="clicks"))
    execute(ledger, click_rollups.insert().values(bucket=1, clicks=1))
    ran = trueup("setup", "apply", "-", stdin='[workspace]\ncurrency = "EUR"')
    assert (ran.code, ran.stdout) == (0, '~ workspace: currency "USD" -> "EUR"\n')


@pytest.mark.front
def test_slugs__can_be_swapped(trueup: CommandLine) -> None:
    campaigns = '[[campaigns]]\nname = "One"\nslug = "{}"\n[[campaigns]]\nname = "Two"\nslug = "{}"\n'
    trueup("setup", "apply", "-", stdin=campaigns.format("a", "b"))
    ran = trueup("setup", "apply", "-", stdin=campaigns.format("b", "a"))
    assert ran.stdout.splitlines() == ['~ campaign "One": slug "a" -> "b"', '~ campaign "Two": slug "b" -> "a"']
    assert [campaign["slug"] for campaign in tomllib.loads(trueup("setup", "show").stdout)["campaigns"]] == ["b", "a"]


@pytest.mark.front
def test_slug__can_pass_from_one_campaign_to_a_new_one(trueup: CommandLine) -> None:
    trueup("setup", "apply", "-", stdin='[[campaigns]]\nname = "Old"\nslug = "a"')
    both = '[[campaigns]]\nname = "New"\nslug = "a"\n[[campaigns]]\nname = "Old"\nslug = "b"'
    ran = trueup("setup", "apply", "-", stdin=both)
    assert ran.stdout.splitlines() == ['+ campaign "New"', '~ campaign "Old": slug "a" -> "b"']


@pytest.mark.front
def test_conversion_type__that_always_exists_can_be_set(trueup: CommandLine) -> None:
    plain = '[[conversion_types]]\nname = "conversion"\n'
    assert trueup("setup", "apply", "-", stdin=plain).stdout == "Nothing to change.\n"
    ran = trueup("setup", "apply", "-", stdin=plain + 'duplicate_mode = "create"')
    assert ran.stdout == '~ conversion type "conversion": duplicate_mode (not set) -> "create"\n'
    ran = trueup("setup", "apply", "-", "-y", stdin=plain)
    assert ran.stdout == '~ conversion type "conversion": duplicate_mode "create" -> (not set)\n'

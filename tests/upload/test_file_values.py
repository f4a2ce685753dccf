"""Times and amounts in the forms that files have, from the file to what is stored, on the command line."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded

pytestmark = pytest.mark.front

SETUP = """
[workspace]
name = "Acme"
rates = {{ EUR = "{rate}" }}

[[campaigns]]
name = "Push"
slug = "push"

[[offers]]
name = "Shoes"
"""


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP.format(rate="1.5"))
    made.add_clicks("k1", "k2", "k3")
    return made


TWO_READINGS = "click_id,payout,time\nk1,1,03/04/2026 10:00\n"


def test_times__of_two_readings_are_refused_where_nobody_can_be_asked(world: World) -> None:
    for words in (("--yes",), ("--preview",)):
        ran = world.trueup("upload", world.file(TWO_READINGS, "june.csv"), *words)
        assert (ran.code, ran.stdout) == (2, "")
        assert ran.stderr == (
            "june.csv: The times can be read in several ways: '03/04/2026 10:00' on line 2 is 2026-04-03T10:00:00 as "
            "day-month-year and 2026-03-04T10:00:00 as month-day-year. Say how they are written: "
            "--time-format day-month-year or --time-format month-day-year.\n"
        )
    assert world.conversions() == []


@pytest.mark.parametrize(
    ("stated", "time"),
    [
        ("day-month-year", "2026-04-03T10:00:00+00:00"),
        ("month-day-year", "2026-03-04T10:00:00+00:00"),
        ("%m/%d/%Y %H:%M", "2026-03-04T10:00:00+00:00"),
    ],
)
def test_times__are_read_as_a_person_states(world: World, stated: str, time: str) -> None:
    assert world.upload(TWO_READINGS, "--time-format", stated).outcomes == ["created"]
    assert world.seen("converted_at") == [(time,)]


def test_times__of_one_reading_are_said(world: World) -> None:
    ran = world.upload("click_id,payout,time\nk1,1,25/04/2026 10:00:00 PM\nk2,1,03/04/2026 10:00:00 AM\n")
    said = "Times are read as day-month-year: '25/04/2026 10:00:00 PM' on line 2 fits no other order."
    assert said in ran.stderr
    assert world.seen("converted_at") == [("2026-04-25T22:00:00+00:00",), ("2026-04-03T10:00:00+00:00",)]


def test_clicks__have_times_and_costs_of_the_same_forms(world: World) -> None:
    titles = "click_id,campaign,offer,clicked_at,cost\n"
    rows = 'c1,push,Shoes,03/04/2026 10:00,"$1,234.5"\nc2,push,Shoes,1772356500,0.10 usd\nc3,push,Shoes,1772356500,€1\n'
    path, refused = world.file(titles + rows), world.folder / "refused.csv"
    assert "--time-format day-month-year" in world.trueup("clicks", "import", path, "--preview").stderr
    words = ("--time-format", "Day-Month-Year", "--thousands", "--refused", refused)
    assert world.trueup("clicks", "import", path, "--yes", *words).code == 1
    assert "'€1' names EUR, and the row says USD" in refused.read_text()
    assert world.totals("--from", "2026-01-01", "--to", "2026-12-31")["cost"] == "1234.60"


def test_amounts__name_the_choice_that_would_mend_them(world: World) -> None:
    refused = world.folder / "refused.csv"
    text = 'click_id,payout,note\nk1,"1,25",a\nk2,"1,234.50",b\nk3,"1.234,50",c,d\n'
    world.upload(text, "--refused", refused)
    told = refused.read_text().splitlines()
    assert told[1].endswith("'1,25' is not a number such as 1.20; with --decimal-comma it is 1.25.\"")
    assert told[2].endswith("'1,234.50' is not a number such as 1.20; with --thousands it is 1234.50.\"")
    assert told[3].startswith('k3,"1.234,50",c,d,refused_malformed_row,')
    assert world.upload(text, "--thousands").outcomes[1] == "created"
    assert world.seen("conversion_id", "payout") == [("k2-2", "1234.50")]


def test_amounts__name_their_currency(world: World) -> None:
    ran = world.upload("click_id,payout,currency\nk1,€2,\nk2,$2,usd\nk3,2 PLN,\n")
    assert ran.outcomes == ["created", "created", "refused_bad_payout"]
    assert world.seen("payout", "currency") == [("2.00", "EUR"), ("2.00", "USD")]


def test_added_payouts__of_two_rates_multiply_out_in_the_history(world: World) -> None:
    adding = ("--duplicates", "add_payout")
    for rate in ("1.5", "1.5", "2"):
        world.set_up(SETUP.format(rate=rate))
        world.upload("click_id,payout,currency\nk1,1,EUR\n", *adding)
    shown: dict[str, str] = {}
    money = []
    for event in json.loads(succeeded(world.trueup("history", "k1-1", "--json"))):
        shown |= event["after"]
        money.append((shown["payout"], shown["currency"], shown["rate"], shown["revenue"]))
    assert money == [
        ("1.00", "EUR", "1.5", "1.50"),
        ("2.00", "EUR", "1.5", "3.00"),
        ("5.00", "USD", "1", "5.00"),
    ]


def test_added_payouts__beyond_what_is_kept_are_refused(world: World) -> None:
    world.upload("click_id,payout\nk1,8999999999\n")
    ran = world.upload("click_id,payout\nk1,2\nk1,1\n", "--duplicates", "add_payout")
    assert ran.outcomes == ["refused_bad_payout", "added_to_payout"]
    assert ran.rows[0]["message"] == (
        "The payout cannot be used: with it, the conversion's payout would be beyond 9,000,000,000."
    )
    assert world.seen("payout") == [("9000000000.00",)]


def test_encoding__is_named_and_read(world: World) -> None:
    content = "click_id,payout,tid\nk1,1,Zażółć\n".encode("windows-1250")
    ran = world.trueup("upload", world.file(content), "--yes")
    assert ran.code == 2
    assert "'Zażółć' as windows-1250 (central European)" in ran.stderr
    assert world.upload(content, "--encoding", "windows-1250").outcomes == ["created"]
    assert world.seen("transaction_id") == [("Zażółć",)]


def test_zone__is_known_in_any_case(world: World) -> None:
    world.upload("click_id,payout,time\nk1,1,2026-04-03 10:00\n", "--time-zone", "europe/BERLIN")
    world.upload("click_id,payout,time\nk2,1,2026-04-03 10:00\n", "--time-zone", "+01:00")
    assert world.seen("converted_at") == [("2026-04-03T08:00:00+00:00",), ("2026-04-03T09:00:00+00:00",)]
    assert world.trueup("report", "--time-zone", "europe/berlin").code == 0

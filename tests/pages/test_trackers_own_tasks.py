"""What people of the four trackers do by their own tools for conversions, step by step, with the stated results."""

import re

import pytest
from uploading import PageBrowser, UploadSite, plain
from worlds import World

ADD, UPDATE = "/conversions/add", "/conversions/update-status"
CLICK = "c384EFV6JHQODRN70575OK6U"
SETUP = """
[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "app_install"

[[conversion_types]]
name = "correction"
include_in_conversions = false

[[offers]]
name = "manual"
network = "Northwind"
payout_mode = "manual"
payout = "1"
"""


@pytest.fixture
def world(world: World) -> World:
    """Clicks of an offer that pays 1.00 where a row says nothing."""
    world.set_up(SETUP)
    world.add_clicks(CLICK, "g1", "g2", offer="manual", clicked_at="2026-02-01T00:00:00Z")
    return world


@pytest.fixture
def ada(pages: UploadSite) -> PageBrowser:
    """An editor."""
    return pages.browser()


def numbers(world: World) -> tuple[int, str]:
    """Conversions and revenue of the report."""
    totals = world.totals()
    return totals["conversions"], totals["revenue"]


@pytest.mark.front
def test_redtrack__add_conversions_then_update_status_then_a_template(ada: PageBrowser, world: World) -> None:
    page = ada.get("/conversions").text
    assert 'href="/conversions/add"' in page  # Conversions -> Add conversions -> click ids and payouts
    upload = ada.acted(ADD, click_id=["g1", "g2"], payout=["5", "7.25"])
    assert "2 changes, +12.25 USD" in plain(ada.applied(upload)).replace("Applied ", "")
    assert numbers(world) == (2, "12.25")
    assert "g1-1" in ada.get("/conversions").text
    update = ada.acted(UPDATE, lines="g1", ids="", status="declined")  # Update status -> click id -> target status
    ada.applied(update)
    assert numbers(world) == (1, "7.25")
    template = ada.get("/conversions/template.csv?of=redtrack").text  # Upload -> Download template -> fill -> upload
    assert template.startswith("clickid,payout")
    ada.applied(ada.sent(f"{template}{CLICK},3,app_install,approved,2026-02-03 10:00:00,\n"))
    assert numbers(world) == (2, "10.25")


@pytest.mark.front
def test_voluum__a_click_id_from_the_list_gets_conversions_and_corrections(ada: PageBrowser, world: World) -> None:
    ada.applied(ada.acted(ADD, lines=CLICK, order="voluum"))  # a click id alone: the offer's payout
    assert numbers(world) == (1, "1.00")
    found = ada.get("/conversions?from=2026-01-01&to=2027-12-31").text  # a date range, Apply, and the click id's column
    assert f'data-copy="{CLICK}"' in found
    again = plain(ada.rested(ada.acted(ADD, lines=CLICK, order="voluum", all_converted_at="2026-02-03T10:00")))
    assert "Ignored duplicate" in again  # a click id is registered once
    ada.applied(ada.acted(ADD, lines=f"{CLICK},0.75,upsell-1", order="voluum"))
    assert numbers(world) == (2, "1.75")
    ada.applied(ada.acted(ADD, lines=f"{CLICK},-50,,app_install", order="voluum"))
    assert numbers(world) == (3, "-48.25")
    ada.applied(ada.acted(ADD, lines=f"{CLICK},-0.4,,correction", order="voluum"))
    assert numbers(world) == (3, "-48.65")  # the type is not counted, its money is


@pytest.mark.front
def test_keitaro__a_lead_is_added_and_removed_and_a_payment_edited(ada: PageBrowser, world: World) -> None:
    ada.applied(ada.acted(ADD, lines="g1,,,lead", order="keitaro"))
    assert world.seen("conversion_id", "status") == [("g1-1", "pending")]
    ada.applied(ada.acted(ADD, lines="g1,,, rejected", order="keitaro"))
    assert world.seen("conversion_id", "status") == [("g1-1", "declined")]
    assert numbers(world) == (0, "0.00")
    ada.applied(ada.acted(ADD, lines="g2,100,124", order="keitaro"))  # no status: a sale
    ada.applied(ada.acted(ADD, lines="g2,90,124", order="keitaro"))
    assert world.seen("status", "payout")[1:] == [("approved", "90.00")]


@pytest.mark.front
def test_gokart__one_conversion_by_hand_and_all_events_of_a_click(ada: PageBrowser, world: World) -> None:
    ada.applied(ada.acted(ADD, lines="g1,1.5\ng1,4,app_install", order="trueup"))
    story = ada.get("/conversions/g1-2").text
    change = re.search(r'href="(/conversions/set-status\?id=g1-2)"', story)
    assert change
    for status, counts in (("declined", (1, "1.50")), ("approved", (2, "5.50")), ("pending", (2, "1.50"))):
        ada.applied(ada.acted(change[1], status=status))  # a person may move it any way
        assert numbers(world) == counts
    ada.applied(ada.acted(UPDATE, lines="g1", ids="click_id", status="declined"))
    assert world.seen("status") == [("declined",), ("declined",)]
    ada.applied(ada.acted(UPDATE, lines="g1", ids="click_id", conversion_type="app_install", status="approved"))
    assert world.seen("conversion_type", "status") == [("conversion", "declined"), ("app_install", "approved")]

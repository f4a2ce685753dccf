"""The story of a conversion: itself, its click, all that happened to it with who and where, and its neighbours."""

import re

import pytest
from serving import wait_until
from uploading import PageBrowser, UploadSite, plain, value_of
from worlds import World, grown

from trueup.model.words import Role


def _grow(world: World) -> None:
    """A conversion that was made, changed by a postback's repeat, corrected, refused and ignored."""
    world.set_up('[workspace]\nname = "Acme"\ntime_zone = "Europe/Warsaw"\n[workspace.rates]\nEUR = "1.10"\n')
    world.add_clicks("k1", "k2")
    world.upload("click_id,payout,currency,transaction_id,status\nk1,35.00,EUR,T1,pending\nk1,2.00,USD,T2,approved\n")
    world.upload("click_id,payout,currency,transaction_id,status\nk1,33.50,EUR,T1,approved\n")
    world.upload("click_id,transaction_id,status\nk1,T1,pending\n")
    world.upload("click_id,payout,currency,transaction_id\nk1,33.50,EUR,T1\n")


@pytest.fixture
def world(world: World) -> World:
    return grown(world, _grow)


@pytest.fixture
def ada(pages: UploadSite) -> PageBrowser:
    """An editor."""
    return pages.browser()


def events(page: str) -> list[str]:
    """The lines of a story."""
    found: list[str] = re.findall(r'<li class="event.*?</li>\s*(?=<li class="event|</ol>)', page, re.DOTALL)
    return [plain(each) for each in found]


@pytest.mark.front
def test_story__tells_each_event_with_who_when_what_and_where(ada: PageBrowser) -> None:
    page = ada.get("/conversions/k1-1").text
    said = plain(page)
    assert "Approved 33.50 EUR 36.85 USD at 1.1" in said
    made, changed, refused, unchanged = events(page)
    assert "Created Pending 35.00 EUR" in made
    assert "file2.csv , line 2" in made
    assert "Payout 35.00 EUR → 33.50 EUR" in changed
    assert "Status Pending → Approved" in changed
    assert "Refused status regression" in refused
    assert "is decided already and does not go back to pending" in refused
    assert "Unchanged" in unchanged
    assert 'href="/uploads/2"' in page
    assert "Other conversions of the same click k1-2" in said
    assert "Clicked 2026-02-01 01:00:00" in said
    assert 'data-copy="k1-1"' in page
    assert "Change status" in said


@pytest.mark.front
def test_story__of_what_an_undo_took_is_kept(ada: PageBrowser, world: World) -> None:
    assert world.trueup("undo", "2", "--yes").code == 0  # the file that changed it
    page = ada.get("/conversions/k1-1").text
    assert "Undo of batch 2" in plain(page)
    assert "Now Undone Its batch is undone" in plain(page)  # of the row that changed it
    assert world.trueup("undo", "1", "--yes").code == 0
    gone = ada.get("/conversions/k1-1")
    assert "An undo took this conversion away." in plain(gone.text)
    assert "Change status" not in plain(gone.text)
    assert "Removed" in events(gone.text)[-1]


@pytest.mark.front
def test_story__leads_to_a_change_and_tells_it(ada: PageBrowser) -> None:
    asked = ada.get("/conversions/set-status?id=k1-1").text
    assert "Set status of k1-1" in plain(asked)
    sent = ada.ask("POST", "/conversions/set-status?id=k1-1", data={"status": "declined"})
    ada.applied(sent.headers["location"])
    last = events(ada.get("/conversions/k1-1").text)[-1]
    assert "Ada editor · Page" in last or "Ada editor Page" in last
    assert "Set status of k1-1 to declined" in last
    assert "Set by a person no → yes" in last
    page = ada.rested(sent.headers["location"])
    undo = ada.post(f"{sent.headers['location']}/preview-undo")
    ada.post(f"{sent.headers['location']}/undo", batch=value_of(ada.rested(undo.headers["location"]), "batch"))
    assert page
    # The undo goes on after it is answered.
    wait_until(lambda: "Status Declined → Approved" in events(ada.get("/conversions/k1-1").text)[-1])


@pytest.mark.front
@pytest.mark.parametrize("conversion_id", ["k1-9", "k2-1", "nothing", "k1-0", "k1-99999999999", "%3Cb%3E-1"])
def test_story__of_nothing_is_no_page(ada: PageBrowser, conversion_id: str) -> None:
    answer = ada.get(f"/conversions/{conversion_id}")
    assert answer.status_code == 404
    assert "<b>-1" not in answer.text


@pytest.mark.front
def test_story__is_a_drawer_for_a_script_and_shown_to_viewers(pages: UploadSite) -> None:
    eve = pages.browser(Role.VIEWER)
    part = eve.get("/conversions/k1-1", headers={"hx-request": "true", "hx-request-type": "partial"}).text
    assert 'data-layer="drawer"' in part
    assert "<html" not in part
    assert "set-status" not in part

"""What is done with conversions from their list: each act is previewed, applied and undone as a file is."""

import re
from urllib.parse import urlencode

import pytest
from uploading import PageBrowser, UploadSite, plain, value_of
from worlds import World, grown

from trueup.model.words import Role
from trueup.pages.shell.formats import MINUS

ADD, SET, EDIT, UPDATE = (f"/conversions/{name}" for name in ("add", "set-status", "edit-payout", "update-status"))
EVERYTHING = "from=&to="
SETUP = """
[workspace]
name = "Acme"
time_zone = "Europe/Warsaw"
[workspace.rates]
EUR = "1.10"

[[conversion_types]]
name = "lead"
"""
HOSTILE = ("<script>alert(1)</script>", "\"' onload=x", "{{ 7*7 }}", "=cmd|' /C calc'!A0", "\u202etxt", "'=1+1", "-2+3")


def _grow(world: World) -> None:
    """A workspace of three conversions: 35.00 and 12.00 EUR approved, 5.00 pending."""
    world.set_up(SETUP)
    world.add_clicks("k1", "k2", "k3")
    rows = "click_id,payout,currency,transaction_id,status\nk1,35.00,USD,T1,approved\nk2,12.00,EUR,T2,approved\n"
    world.upload(f"{rows}k3,5.00,USD,T3,pending\n")


@pytest.fixture
def world(world: World) -> World:
    return grown(world, _grow)


@pytest.fixture
def ada(pages: UploadSite) -> PageBrowser:
    """An editor."""
    return pages.browser()


def refused(ada: PageBrowser, path: str, **fields: str | list[str]) -> str:
    """Send a form, which must be refused. Returns: the page."""
    answer = ada.ask("POST", path, data=fields or {"": ""})
    assert answer.status_code == 422, answer.status_code
    assert 'id="errors"' in answer.text
    for field in re.findall(r'href="#(field-[^"]+)"', answer.text):
        assert f'id="{field}"' in answer.text, field
    return answer.text


def undo(ada: PageBrowser, path: str) -> None:
    asked = ada.post(f"{path}/preview-undo")
    ada.post(f"{path}/undo", batch=value_of(ada.rested(asked.headers["location"]), "batch"))
    assert "Taken back" in plain(ada.rested(path))


def test_set_status__of_ticked_rows_is_previewed_applied_and_undone(ada: PageBrowser, world: World) -> None:
    before = world.seen("conversion_id", "status", "payout")
    path = f"{SET}?id=k1-1&id=k3-1&{EVERYTHING}"
    asked = plain(ada.get(path).text)
    assert "Set status of 2 conversions" in asked
    assert "2 conversions, 40.00 USD" in asked
    upload = ada.acted(path, status="declined")
    preview = plain(ada.rested(upload))
    assert "Set status of 2 conversions to declined" in preview
    assert f"2 changes, {MINUS}35.00 USD" in preview
    assert world.seen("conversion_id", "status", "payout") == before
    ada.applied(upload)
    assert world.seen("conversion_id", "status") == [("k1-1", "declined"), ("k2-1", "approved"), ("k3-1", "declined")]
    undo(ada, upload)
    assert world.seen("conversion_id", "status", "payout") == before


@pytest.mark.front
def test_set_status__of_all_that_match_sends_the_filter(ada: PageBrowser, world: World) -> None:
    path = f"{SET}?all=1&{EVERYTHING}&status=approved&id=k3-1"  # what is ticked does not count then
    assert "All 2 conversions that match, 48.20 USD" in plain(ada.get(path).text)
    upload = ada.acted(path, status="pending")
    preview = plain(ada.rested(upload))
    assert f"2 changes, {MINUS}48.20 USD" in preview
    ada.applied(upload)
    assert {status for (status,) in world.seen("status")} == {"pending"}
    assert "No conversion matches any more" in refused(ada, path, status="pending")


@pytest.mark.front
@pytest.mark.front
@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 422, "Tick the conversions first."),
        ("id=k1", 422, "Something ticked is no conversion."),
        ("id=k1-1&id=k1-9", 404, "One of the conversions is not there."),
        ("all=1&status=gone", 422, "No status is called"),
    ],
)
def test_chosen__that_cannot_be_is_said(ada: PageBrowser, query: str, status: int, says: str) -> None:
    for path in (SET, EDIT):
        answer = ada.get(f"{path}?{query}")
        assert (answer.status_code, says in plain(answer.text)) == (status, True), plain(answer.text)


@pytest.mark.front
def test_set_status__without_a_status_keeps_what_was_chosen(ada: PageBrowser, world: World) -> None:
    page = refused(ada, f"{SET}?id=k1-1")
    assert "Choose the status that they get." in page
    assert f'action="{SET}?id=k1-1"' in page
    assert "Choose" in refused(ada, f"{SET}?id=k1-1", status="rejected")  # no word of ours
    assert "1" in world.trueup("batches", "--json").stdout


@pytest.mark.front
def test_edit_payout__replaces_by_one_amount_in_the_currency_of_each(ada: PageBrowser, world: World) -> None:
    upload = ada.acted(f"{EDIT}?id=k1-1&id=k2-1", payout="10", how="replace", currency="")
    assert "Edit payout of 2 conversions" in plain(ada.rested(upload))
    ada.applied(upload)
    assert world.seen("payout", "currency") == [("10.00", "USD"), ("10.00", "EUR"), ("5.00", "USD")]
    undo(ada, upload)
    assert world.seen("payout", "currency") == [("35.00", "USD"), ("12.00", "EUR"), ("5.00", "USD")]


@pytest.mark.front
def test_edit_payout__adds_to_each_its_own(ada: PageBrowser, world: World) -> None:
    own = {"payout:k1-1": "-1.5", "payout:k2-1": ""}
    upload = ada.acted(f"{EDIT}?id=k1-1&id=k2-1&id=k3-1", how="add", **{**own, "payout:k3-1": "0.25"})
    assert "Add to payout of 2 conversions" in plain(ada.rested(upload))
    ada.applied(upload)
    assert world.seen("payout", "status") == [("33.50", "approved"), ("12.00", "approved"), ("5.25", "pending")]
    again = ada.acted(f"{EDIT}?id=k1-1&id=k2-1&id=k3-1", how="add", **{**own, "payout:k3-1": "0.25"})
    assert "The same file" in plain(ada.rested(again))  # what is added twice counts twice: a person says so


@pytest.mark.front
def test_edit_payout__of_all_that_match_in_another_currency(ada: PageBrowser, world: World) -> None:
    upload = ada.acted(f"{EDIT}?all=1&{EVERYTHING}&status=approved", payout="20", how="replace", currency="EUR")
    ada.applied(upload)
    assert world.seen("payout", "currency") == [("20.00", "EUR"), ("20.00", "EUR"), ("5.00", "USD")]


@pytest.mark.front
def test_edit_payout__keeps_what_cannot_be_used(ada: PageBrowser) -> None:
    path = f"{EDIT}?id=k1-1&id=k2-1"
    assert "Write an amount" in refused(ada, path, how="replace")
    page = refused(ada, path, payout="1e5", how="add", currency="XXX", **{"payout:k2-1": "<b>"})
    assert 'value="1e5"' in page
    assert 'value="&lt;b&gt;"' in page
    assert "Choose one of the currencies." in page


@pytest.mark.front
def test_add__typed_and_pasted_lines_become_conversions(ada: PageBrowser, world: World) -> None:
    typed = {"click_id": ["k1", "", ""], "payout": ["7.5", "", ""], "conversion_type": ["lead", "", ""]}
    typed |= {
        "status": ["pending", "", ""],
        "converted_at": ["2026-02-03T10:00", "", ""],
        "transaction_id": ["", "", ""],
    }
    pasted = {
        "lines": "k2,3,lead\nk3\t4\tlead\tother\n",
        "order": "trueup",
        "all_status": "approved",
        "all_payout": "1",
    }
    assert "fields; a line has" not in plain(ada.get(ADD).text)
    upload = ada.acted(ADD, **typed, **{**pasted, "lines": "k2,3,lead\n\nk3,,lead,other,2026-02-03 10:00:00+00:00\n"})
    preview = plain(ada.rested(upload))
    assert "Add 3 conversions" in preview
    assert "3 changes, +4.00 USD" in preview
    ada.applied(upload)
    log = world.seen("conversion_id", "conversion_type", "status", "payout", "converted_at")
    added = [row for row in log if row[1] == "lead"]
    assert added[0][:4] == ("k1-2", "lead", "pending", "7.50")
    assert added[0][4].startswith("2026-02-03T10:00:00")  # in the workspace's zone, as the form says
    assert [row[:4] for row in added[1:]] == [("k2-2", "lead", "approved", "3.00"), ("k3-2", "lead", "other", "1.00")]
    assert added[2][4].startswith("2026-02-03T11:00:00")


@pytest.mark.front
def test_add__titles_say_which_fields_and_more_lines_come(ada: PageBrowser) -> None:
    upload = ada.acted(ADD, lines="payout;click_id\n9;k1\n", order="trueup", duplicates="create")
    assert "1 change, +9.00 USD" in plain(ada.rested(upload))
    page = ada.ask("POST", ADD, data={"click_id": ["k1", "k2", "k3"], "more": "1", "lines": "x"})
    assert page.status_code == 200
    assert page.text.count('name="click_id"') == 8
    assert 'value="k2"' in page.text


@pytest.mark.front
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Type or paste a click id."),
        ({"lines": "k1,1,2,3,4,5,6"}, "Line 1 has 7 fields"),
        ({"lines": "click_id,colour\nk1,red"}, "No field is called “colour”"),
        ({"lines": "click_id,cid\nk1,k1"}, "Two columns are titled click_id"),
        ({"click_id": ["", "k2"], "payout": ["5", "1,2"]}, "Line 1 has no click id."),
        ({"click_id": "k1", "all_payout": "much"}, "is not a number"),
    ],
)
def test_add__what_cannot_be_read_is_kept_and_said(ada: PageBrowser, fields: dict[str, str], says: str) -> None:
    page = refused(ada, ADD, **fields)
    assert says in plain(page)
    assert fields.get("lines", "") in page


@pytest.mark.front
def test_update_status__recognises_what_each_id_is(ada: PageBrowser, world: World) -> None:
    upload = ada.acted(UPDATE, lines="k1, T2\nk3-1\nnobody\n", ids="", status="declined")
    preview = plain(ada.rested(upload))
    assert "Update status of 4 ids to declined" in preview
    assert "Refused unknown click" in preview
    ada.applied(upload)
    assert world.seen("conversion_id", "status") == [("k1-1", "declined"), ("k2-1", "declined"), ("k3-1", "declined")]


@pytest.mark.front
def test_update_status__asks_where_an_id_is_two_things(ada: PageBrowser, world: World) -> None:
    world.add_clicks("T1", "k1-1")
    page = refused(ada, UPDATE, lines="T1", ids="", status="declined")
    assert "T1 is a click id and a transaction id. Say what the ids are." in plain(page)
    assert "click id and a conversion id" in plain(refused(ada, UPDATE, lines="k1-1", ids="", status="declined"))
    upload = ada.acted(UPDATE, lines="T1", ids="transaction_id", status="declined")
    ada.applied(upload)
    assert world.seen("conversion_id", "status")[0] == ("k1-1", "declined")
    assert "Paste an id." in refused(ada, UPDATE, status="declined")
    assert "Choose the status" in refused(ada, UPDATE, lines="k1")


def test_update_status__says_which_transaction_ids_no_conversion_has(ada: PageBrowser, world: World) -> None:
    page = plain(refused(ada, UPDATE, lines="T8 T9", ids="transaction_id", status="declined"))
    assert "No conversion has any of these 2 transaction ids: T8, T9. Correct them" in page
    sent = {"lines": "T1 T9", "ids": "transaction_id", "status": "declined"}
    asked = refused(ada, UPDATE, **sent)
    assert "No conversion has the transaction id T9. Correct it, or leave it out." in plain(asked)
    assert 'name="leave_out"' in asked
    upload = ada.acted(UPDATE, **sent, leave_out="on")
    assert "Update status of 1 id to declined" in plain(ada.rested(upload))
    ada.applied(upload)
    assert world.seen("conversion_id", "status")[0] == ("k1-1", "declined")


@pytest.mark.front
def test_file_of_statuses__by_transaction_id_alone_is_refused_for_that(ada: PageBrowser) -> None:
    page = plain(ada.rested(ada.sent("transaction_id,status\nT1,declined\n", kind="status")))
    assert "Transaction ids alone do not say which clicks they are of." in page
    page = plain(ada.rested(ada.sent("click_id,tid,status\n,T1,declined\nk2,T2,declined\n", kind="status")))
    assert "The row has no click id, and a transaction id alone does not say which click it is of." in page


@pytest.mark.front
def test_templates__are_files_that_uploads_know(ada: PageBrowser) -> None:
    page = ada.get("/conversions/template").text
    for link in set(re.findall(r'href="(/conversions/template\.[^"]+)"', page)):
        answer = ada.get(link)
        assert (answer.status_code, "attachment" in answer.headers["content-disposition"]) == (200, True)
    titles = ada.get("/conversions/template.csv").text
    assert titles == "click_id,payout,currency,conversion_type,status,converted_at,transaction_id\n"
    path = ada.sent(f"{titles}k1,9,USD,lead,approved,2026-02-03 10:00,T9\n")
    assert "1 change, +9.00 USD" in plain(ada.rested(path))
    assert ada.get("/conversions/template.csv?of=nothing").status_code == 404


@pytest.mark.front
def test_viewer__sees_and_does_not_act(ada: PageBrowser, pages: UploadSite) -> None:
    eve = pages.browser(Role.VIEWER)
    for path in (f"{SET}?id=k1-1", f"{EDIT}?id=k1-1", ADD, UPDATE):
        assert (eve.get(path).status_code, eve.ask("POST", path, data={"status": "declined"}).status_code) == (403, 403)
    shown = [
        eve.get(path).text for path in (f"/conversions?{EVERYTHING}", "/conversions/k1-1", "/conversions/template")
    ]
    for page in shown:
        assert not re.search(r'name="id"|set-status|edit-payout|conversions/add|update-status|href="/upload"', page)
    assert 'name="id" value="k1-1"' in ada.get(f"/conversions?{EVERYTHING}").text


@pytest.mark.front
def test_part__answers_a_pop_up_and_leads_away(ada: PageBrowser) -> None:
    partial = {"hx-request": "true", "hx-request-type": "partial"}
    part = ada.get(ADD, headers=partial).text
    assert "<html" not in part
    assert 'data-layer="popup"' in part
    done = ada.ask("POST", f"{SET}?id=k1-1", data={"status": "declined"}, headers=partial)
    assert (done.status_code, done.headers["hx-redirect"].startswith("/upload/")) == (204, True)
    wrong = ada.ask("POST", f"{SET}?id=k1-1", data={"": ""}, headers=partial)
    assert (wrong.status_code, "<html" in wrong.text, 'id="errors"' in wrong.text) == (422, False, True)


@pytest.mark.front
def test_hostile_text__is_text_everywhere(ada: PageBrowser, world: World) -> None:
    typed = {"click_id": ["k1"] * len(HOSTILE), "payout": ["1"] * len(HOSTILE), "transaction_id": list(HOSTILE)}
    upload = ada.acted(ADD, **typed, duplicates="create")
    pages = [ada.rested(upload), ada.applied(upload)]
    written = {row["transaction_id"] for row in world.conversions()}
    kept = written | {text.removeprefix("'") for text in written}  # exports defuse what would run
    assert kept >= {text for text in HOSTILE if text.isprintable()}
    story = ada.get("/conversions/k1-2").text
    pages += [story, ada.get("/conversions/k1-3").text, ada.get(f"/conversions?{EVERYTHING}").text]
    for text in HOSTILE:
        said = {"lines": text, "order": text, "ids": text, "status": text, "payout": text, "currency": text}
        pages += [ada.ask("POST", path, data=said).text for path in (f"{ADD}", UPDATE, f"{EDIT}?id=k1-1")]
        assert ada.get(f"{SET}?{urlencode({'id': text})}").status_code == 422
    for page in pages:
        assert "<script>alert" not in page
        assert not re.search(r"<[^<>]*\sonload=", re.sub(r'"[^"]*"', '""', page))

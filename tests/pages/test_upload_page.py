"""The page of an upload, from the file to its undo, as a browser without scripts asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from uploading import UploadSite, plain, value_of
from worlds import World

from trueup.model.words import Role
from trueup.pages.shell.formats import MINUS
from trueup.uploads import conversions

ROWS = "click_id,payout,transaction_id,status\nk1,35.00,T1,approved\nk2,12.00,T2,paid_out\nnobody,1.00,T3,approved\n"
TIMES = "click_id,payout,time\nk1,3,01/02/2026 10:00\nk2,4,02/03/2026 10:00\n"


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2", "k3")
    return made


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[UploadSite]:
    made = UploadSite(world.trueup.url, tmp_path / "files")
    yield made
    made.end()


@pytest.mark.front
def test_upload__from_the_file_to_its_undo_and_back(site: UploadSite, world: World) -> None:
    ada = site.browser()
    path = ada.sent(ROWS)
    preview = plain(ada.rested(path))
    assert "1 change, +35.00 USD" in preview
    assert "Apply 1 change, +35.00 USD" in preview
    assert "line 3, status paid_out" in preview
    assert "Map “paid_out” to a status in its network's status map" in preview
    assert world.conversions() == []

    result = plain(ada.applied(path))
    assert "Applied 1 change, +35.00 USD" in result
    assert "Exactly as previewed." in result
    batch = world.trueup("batches", "--json").stdout
    assert '"made_by": "Ada editor"' in batch
    assert '"origin": "page"' in batch
    assert world.totals()["revenue"] == "35.00"

    asked = ada.post(f"{path}/preview-undo")
    undo = ada.rested(asked.headers["location"])
    assert f"Undo batch 1: {MINUS}35.00 USD" in plain(undo)
    assert world.totals()["revenue"] == "35.00"  # a preview changes nothing
    ada.post(f"{path}/undo", batch=value_of(undo, "batch"))
    undone = ada.rested(path)
    assert "Taken back by batch 2" in plain(undone)
    assert world.totals()["revenue"] == "0.00"

    redo = ada.rested(ada.post(f"{path}/preview-undo").headers["location"])
    assert "Redo batch 1: +35.00 USD" in plain(redo)
    ada.post(f"{path}/undo", batch=value_of(redo, "batch"))
    assert "Applied 1 change, +35.00 USD" in plain(ada.rested(path))
    assert world.totals()["revenue"] == "35.00"


@pytest.mark.front
def test_preview_and_result__speak_words_and_count_one_row_as_one(site: UploadSite) -> None:
    ada = site.browser()
    path = ada.sent("click_id,payout\nk1,5.00\n")
    page = plain(ada.rested(path))
    usual = "Where a conversion is there already: “Edit the conversion with the row's data” for 1 row, as usual."
    assert f"{usual} Another way is chosen under “Duplicates”." in page
    assert "Batch 1 , 1 row, by Ada editor" in plain(ada.applied(path))
    mostly = plain(ada.rested(ada.sent("click_id,payout\nnobody,1\n")))
    assert "1 of 1 rows are refused; they are “Refused unknown click”." in mostly
    assert "refused_" not in mostly


@pytest.mark.front
def test_pasted_lines__are_a_file(site: UploadSite, world: World) -> None:
    ada = site.browser()
    answer = ada.ask(
        "POST", "/upload", files={"file": ("", b"")}, data={"kind": "conversions", "text": "k1,5.00,T1,approved\r\n"}
    )
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    assert "1 change, +5.00 USD" in plain(ada.rested(path))
    ada.applied(path)
    assert world.seen("conversion_id", "payout") == [("k1-1", "5.00")]


@pytest.mark.front
def test_nothing__is_asked_for(site: UploadSite) -> None:
    ada = site.browser()
    answer = ada.ask("POST", "/upload", files={"file": ("", b"")}, data={"kind": "conversions", "text": ""})
    assert answer.status_code == 422
    assert "Choose a file with rows, or paste lines." in plain(answer.text)
    files = {"file": ("june.csv", b"k1,1\n")}
    both = ada.ask("POST", "/upload", files=files, data={"kind": "conversions", "text": "k2,2"})
    assert both.status_code == 422
    assert "k2,2" in both.text  # what was typed is kept


@pytest.mark.front
def test_file__that_is_too_large_is_refused_with_its_reason(url: str, tmp_path: Path) -> None:
    site = UploadSite(url, tmp_path / "small", upload_bytes=2_000)
    try:
        answer = site.browser().send("k1,1\n" * 1_000)
        assert answer.status_code == 413
        assert "The file has more than 2000 bytes." in plain(answer.text)
        assert list((tmp_path / "small" / "uploads").glob("u*")) == []
    finally:
        site.end()


@pytest.mark.front
def test_columns__that_are_one_field_are_chosen_by_hand_and_saved(site: UploadSite, world: World) -> None:
    ada = site.browser()
    path = ada.sent("Visit,Amount,Payout\nk1,1.00,2.00\nk2,3.00,4.00\n")
    page = plain(ada.rested(path))
    assert "The file cannot be read yet." in page
    assert "so would Payout be" in page
    fields = {f"title:{place}": title for place, title in enumerate(("Visit", "Amount", "Payout"))}
    chosen = {"column:0": "click_id", "column:1": "", "column:2": "payout"}
    answer = ada.post(f"{path}/preview", kind="conversions", save_as="contoso", **fields, **chosen)
    assert answer.status_code == 303, plain(answer.text)
    assert "2 changes, +6.00 USD" in plain(ada.rested(path))
    ada.applied(path)
    assert world.totals()["revenue"] == "6.00"
    other = ada.sent("Visit,Amount,Payout\nk3,1.00,9.00\n")
    assert '<option value="contoso"' in ada.rested(other)
    ada.post(f"{other}/preview", kind="conversions", mapping="contoso")
    assert "1 change, +9.00 USD" in plain(ada.rested(other))


@pytest.mark.front
def test_times__that_can_be_read_in_two_ways_are_asked_for(site: UploadSite) -> None:
    ada = site.browser()
    path = ada.sent(TIMES)
    asked = plain(ada.rested(path))
    assert "Which is meant?" in asked
    ada.post(f"{path}/preview", kind="conversions", time_format="day-month-year")
    assert "2 changes, +7.00 USD" in plain(ada.rested(path))
    wrong = ada.post(f"{path}/preview", kind="conversions", time_pattern="%Q")
    assert wrong.status_code == 422
    assert "The time format has %Q." in plain(wrong.text)


@pytest.mark.front
def test_remedy__of_a_cause_is_one_button(site: UploadSite) -> None:
    ada = site.browser()
    path = ada.sent('click_id,payout\nk1,"12,50"\n')
    assert "No row can be applied." in plain(ada.rested(path))
    ada.post(f"{path}/preview", set="decimal_comma")
    assert "1 change, +12.50 USD" in plain(ada.rested(path))


@pytest.mark.front
def test_same_file__is_applied_again_only_where_it_is_meant(site: UploadSite, world: World) -> None:
    ada = site.browser()
    text = "click_id,payout\nk1,5.00\n"
    ada.applied(ada.sent(text))
    again = ada.sent(text, "june again.csv")
    page = ada.rested(again)
    assert "The same file was applied before: batch 1" in plain(page)
    seen = value_of(page, "previewed_at")
    refused = ada.post(f"{again}/apply", previewed_at=seen)
    assert refused.status_code == 409
    assert "Tick the box if it is meant." in plain(refused.text)
    assert len(world.conversions()) == 1
    assert "0 changes, 0.00 USD" in plain(ada.applied(again, again="on"))


@pytest.mark.front
def test_apply__of_what_was_previewed_anew_elsewhere_is_refused(site: UploadSite, world: World) -> None:
    ada, ben = site.browser(), site.browser(Role.ADMIN)
    path = ada.sent("click_id,payout\nk1,5.00\n")
    seen = value_of(ada.rested(path), "previewed_at")
    ben.post(f"{path}/preview", kind="conversions", decimal_comma="on")
    ben.rested(path)
    answer = ada.post(f"{path}/apply", previewed_at=seen)
    assert answer.status_code == 409
    assert "Meanwhile it was changed elsewhere." in plain(answer.text)
    assert world.conversions() == []


@pytest.mark.front
def test_result__says_where_it_differs_from_the_preview_and_why(site: UploadSite, world: World) -> None:
    ada = site.browser()
    path = ada.sent("click_id,payout,transaction_id\nk1,5.00,T\nk2,7.00,T\n")
    ada.rested(path)
    world.upload("click_id,payout,transaction_id\nk1,5.00,T\n")
    page = plain(ada.applied(path))
    assert "Where it differs from the preview" in page
    assert "1 other batch came between the preview and the end of this one" in page
    assert "Created 2 1" in page
    assert "Unchanged 0 1" in page
    assert "Revenue +12.00 +7.00" in page


@pytest.mark.front
def test_statuses_and_clicks__come_the_same_way(site: UploadSite, world: World) -> None:
    ada = site.browser()
    world.upload("click_id,payout\nk1,5.00\n")
    path = ada.sent("click_id,status\nk1,declined\n", kind="status")
    assert f"1 change, {MINUS}5.00 USD" in plain(ada.rested(path))
    ada.applied(path)
    assert world.totals()["declined_revenue"] == "5.00"
    boss = site.browser(Role.ADMIN)
    clicks = boss.sent(
        "click_id,campaign,offer,clicked_at\nk9,Spring,Shoes,2026-03-01T10:00:00Z\n", "clicks.csv", "clicks"
    )
    assert "No row can be applied." in plain(boss.rested(clicks))
    assert ada.post(f"{clicks}/preview", set="create_missing").status_code == 422  # an editor does not set up
    boss.post(f"{clicks}/preview", set="create_missing")
    assert "1 click, 0.00 USD" in plain(boss.rested(clicks))
    assert "Applied 1 click" in plain(boss.applied(clicks))
    undo = boss.rested(boss.post(f"{clicks}/preview-undo").headers["location"])
    assert "1 go, 0 come back" in plain(undo)


@pytest.mark.front
def test_cancel__and_downloads(site: UploadSite) -> None:
    ada = site.browser()
    path = ada.sent(ROWS)
    ada.rested(path)
    results, refused = ada.get(f"{path}/results.csv"), ada.get(f"{path}/refused.csv")
    assert results.text.splitlines()[1].startswith("2,k1,created")
    assert refused.text.splitlines()[0] == "click_id,payout,transaction_id,status,outcome,message"
    assert len(refused.text.splitlines()) == 3
    assert ada.get(f"{path}/refused.xlsx").content.startswith(b"PK")
    ada.post(f"{path}/cancel")
    assert "Cancelled before anything was applied." in plain(ada.rested(path))


@pytest.mark.front
def test_roles__a_viewer_sees_and_does_nothing(site: UploadSite) -> None:
    path = site.browser().sent(ROWS)
    site.browser().rested(path)
    viewer = site.browser(Role.VIEWER)
    page = viewer.rested(path)
    assert "+35.00 USD" in page
    assert (
        "<button" not in page[page.index('id="upload"') :].partition("</main>")[0].replace("copy needs-script", "")[:0]
    )
    assert f"{path}/apply" not in page
    assert viewer.get("/upload").status_code == 403
    for act in ("preview", "apply", "cancel", "preview-undo", "undo", "go-on"):
        assert viewer.post(f"{path}/{act}").status_code == 403


@pytest.mark.front
def test_unknown_upload__is_not_found(site: UploadSite) -> None:
    ada = site.browser()
    assert ada.get("/upload/u0123").status_code == 404
    assert ada.get("/upload/u0123/results.csv").status_code == 404
    assert ada.post("/upload/u0123/apply").status_code == 404


@pytest.mark.front
def test_script__asks_for_the_part_alone(site: UploadSite) -> None:
    ada = site.browser()
    path = ada.sent(ROWS)
    ada.rested(path)
    part = ada.get(path, headers={"hx-request": "true", "hx-request-type": "partial"}).text
    assert part.lstrip().startswith('<div id="upload"')
    assert "<html" not in part


@pytest.mark.front
def test_failure__amid_applying_is_gone_on_with(
    site: UploadSite, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:

    ada = site.browser()
    path = ada.sent("click_id,payout,transaction_id\nk1,5.00,T\nk2,7.00,T\n")
    seen = value_of(ada.rested(path), "previewed_at")
    with monkeypatch.context() as broken:
        broken.setattr(conversions, "record_rows", _fails)
        ada.post(f"{path}/apply", previewed_at=seen)
        stopped = plain(ada.rested(path))
    assert "Stopped after 0 of 2 rows" in stopped
    assert "Again: go on with 2 rows" in stopped
    ada.post(f"{path}/go-on")
    assert "Applied 2 changes, +12.00 USD" in plain(ada.rested(path))
    assert world.totals()["revenue"] == "12.00"


def _fails(*_words: object) -> None:
    raise RuntimeError("a disk that is full")


@pytest.mark.front
def test_outside_text__is_shown_as_text(site: UploadSite) -> None:
    marks = ("<b>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{7*7}}", "\"'><svg onload=alert(1)>")
    hostile = [f"{mark}{number}" for number in range(60) for mark in marks]
    quoted = [word.replace('"', '""') for word in hostile]
    rows = "".join(f'"{word}","{word}","k1","{word}","{word}"\n' for word in quoted)
    ada = site.browser()
    path = ada.sent(f'status,"<i>payout</i>",click_id,"<u>type</u>",event_id\n{rows}', "<b>june.csv")
    chosen = {"title:1": "<i>payout</i>", "column:1": "payout", "title:3": "<u>type</u>", "column:3": "conversion_type"}
    pages = [ada.rested(path)]
    for fields in ({}, chosen, {**chosen, "column:3": "", "dialect": "<b>", "sheet": "<b>", "encoding": "<b>"}):
        ada.post(f"{path}/preview", kind="conversions", **fields)
        pages.append(ada.rested(path))
    pages.append(ada.get("/upload").text)
    for page in pages:
        main = page[page.index("<main") :]
        for element in ("<b>", "<i>", "<u>", "<script>", "<img", "<svg onload"):
            assert element not in main
        assert ">49" not in main
    assert "&lt;b&gt;june.csv" in pages[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[2]

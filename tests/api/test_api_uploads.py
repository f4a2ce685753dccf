"""Files sent over the API: what a terminal can do with a file, and with the same result."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import Api, NewApi, told
from command_line import CommandLine
from upload_calling import CSV, ROWS, done, followed, records, sent
from worlds import World

from trueup.access.keys import KeyScope
from trueup.api.http.problems import ProblemKind
from trueup.live.upload_jobs import resume_uploads, stop_uploads


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    """A workspace with three clicks."""
    made = World(trueup, tmp_path)
    made.add_clicks("c1", "c2", "c3")
    return made


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the workspace is set up
    """An API on that workspace."""
    return new_api()


def without_callbacks(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "callbacks"}


@pytest.mark.front
def test_upload__previewed_and_applied_is_what_a_terminal_does(
    api: Api, world: World, new_url: Callable[[], str], tmp_path: Path
) -> None:
    other = World(CommandLine(new_url()), tmp_path / "other")
    other.folder.mkdir()
    other.add_clicks("c1", "c2", "c3")
    by_hand_first, by_hand = other.upload(ROWS, "--preview"), other.upload(ROWS)
    upload = sent(api, query="?file_name=june.csv")
    assert (upload["state"], upload["file_name"], upload["bytes"]) == ("received", "june.csv", len(ROWS))
    assert upload["sha256"] == hashlib.sha256(ROWS.encode()).hexdigest()

    previewed = done(api.post(f"/uploads/{upload['upload_id']}/preview"))
    assert previewed["state"] == "previewed"
    assert previewed["reading"]["dialect"] == "trueup"
    assert previewed["reading"]["rows"] == 4
    assert {sample["outcome"]: sample["line"] for sample in previewed["preview"]["samples"]}["refused_bad_payout"] == 5
    assert previewed["preview"]["duplicate_modes"] == [{"mode": "update", "mode_from": "default", "rows": 2}]
    worded = ("notices", "causes")  # each surface says them in its own words
    first = {name: value for name, value in by_hand_first.told.items() if name not in worded}
    shown = {name: value for name, value in previewed["preview"].items() if name not in ("samples", *worded)}
    assert shown == without_callbacks(first)
    assert world.conversions() == []

    applied = done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    assert applied["state"] == "done"
    assert applied["summary"] == without_callbacks({**by_hand.told, "batch_id": applied["batch_id"]})
    assert world.seen("conversion_id", "payout") == other.seen("conversion_id", "payout")
    assert records(api.get(f"/uploads/{upload['upload_id']}/results.csv")) == by_hand.rows


@pytest.mark.front
def test_upload__refused_rows_come_back_to_be_mended(api: Api, world: World) -> None:
    upload = sent(api)
    done(api.post(f"/uploads/{upload['upload_id']}/preview"))
    of_preview = api.get(f"/uploads/{upload['upload_id']}/refused.csv")
    done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    answer = api.get(f"/uploads/{upload['upload_id']}/refused.csv")
    assert answer.text == of_preview.text
    assert [(row["click_id"], row["outcome"]) for row in records(answer)] == [
        ("nobody", "refused_unknown_click"),
        ("c3", "refused_bad_payout"),
    ]
    assert answer.headers["content-disposition"].startswith("attachment")
    mended = sent(api, answer.text.replace("much", "7.00").replace("nobody", "c1"))
    assert done(api.post(f"/uploads/{mended['upload_id']}/apply"))["summary"]["outcomes"] == {"created": 2}
    assert len(world.conversions()) == 4


@pytest.mark.front
def test_results__hold_nothing_that_a_spreadsheet_would_run(api: Api) -> None:
    upload = sent(api, "click_id,payout,note\n=1+1,1,@x\n")
    done(api.post(f"/uploads/{upload['upload_id']}/preview"))
    assert records(api.get(f"/uploads/{upload['upload_id']}/results.csv"))[0]["click_id"] == "'=1+1"
    refused = records(api.get(f"/uploads/{upload['upload_id']}/refused.csv"))[0]
    assert (refused["click_id"], refused["note"]) == ("'=1+1", "'@x")


@pytest.mark.front
def test_upload__as_a_form_with_choices_beside_the_file(api: Api) -> None:
    form = {"kind": "status", "columns": ["Klick=click_id", "Was=status"], "decimal_comma": "true"}
    files = {"file": (r"C:\reports\june.csv", b"Klick;Was\nc1;declined\n", "text/csv")}
    answer = api.post("/uploads?force_status=true", data=form, files=files)
    assert answer.status_code == 201, answer.text
    upload = answer.json()
    assert upload["file_name"] == "june.csv"
    assert upload["choices"] | {"kind": "status", "force_status": True, "decimal_comma": True} == upload["choices"]
    assert upload["choices"]["columns"] == {"Klick": "click_id", "Was": "status"}
    applied = done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    assert applied["summary"]["outcomes"] == {"refused_unknown_conversion": 1}


@pytest.mark.front
def test_upload__of_clicks_wakes_what_waited(api: Api, world: World) -> None:
    world.set_up('[workspace]\nunknown_click = "park"\n[[offers]]\nname = "o"\n[[campaigns]]\nname = "c"\nslug = "c"\n')
    waiting = sent(api, "click_id,payout\nnew1,2.00\n")
    done(api.post(f"/uploads/{waiting['upload_id']}/apply"))
    clicks = "click_id,campaign,offer,clicked_at\nnew1,c,o,2026-01-01T00:00:00Z\nnew2,nope,o,2026-01-01T00:00:00Z\n"
    upload = sent(api, clicks, "?kind=clicks")
    preview = done(api.post(f"/uploads/{upload['upload_id']}/preview"))["preview"]
    assert preview["outcomes"] == {"imported": 1, "refused_unknown_campaign": 1}
    applied = done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    assert applied["summary"]["conversions"] == {"before": 0, "after": 1}
    assert [row["click_id"] for row in records(api.get(f"/uploads/{upload['upload_id']}/refused.csv"))] == ["new2"]
    results = records(api.get(f"/uploads/{upload['upload_id']}/results.csv"))
    assert [row["outcome"] for row in results] == ["imported", "refused_unknown_campaign"]
    seen = done(api.post(f"/uploads/{upload['upload_id']}/undo?preview=true"))["preview"]
    assert seen["clicks"] == {"gone": 1, "back": 0, "other": 0, "same": 0}
    assert [(row["was"], row["outcome"]) for row in seen["other_rows"]] == [("created", "parked_unknown_click")]
    undone = done(api.post(f"/uploads/{upload['upload_id']}/undo"))["undo"]
    assert undone["conversions"] == {"before": 1, "after": 0}
    told(api.get("/clicks/new1"), ProblemKind.NOT_FOUND)


@pytest.mark.front
def test_upload__of_clicks_sets_up_what_is_missing(api: Api) -> None:
    clicks = "Visit,Campaign,Offer,clicked_at\nnew1,c,o,2026-01-01T00:00:00Z\nnew2,d,o,2026-01-01T00:00:00Z\n"
    query = "?kind=clicks&columns=Visit=click_id"
    upload = sent(api, clicks, query)
    path = f"/uploads/{upload['upload_id']}"
    seen = done(api.post(f"{path}/preview"))
    assert seen["preview"]["outcomes"] == {"refused_unknown_campaign": 2}
    assert (seen["reading"]["missing"]["rows"], seen["reading"]["missing"]["names"]) == (2, 3)
    assert '[[campaigns]]\nname = "d"\nslug = "d"\n' in seen["reading"]["missing"]["setup"]
    only_uploads = api.key(KeyScope.UPLOAD)
    choice = {"create_missing": True}
    told(api.post(f"{path}/preview", key=only_uploads, json=choice), ProblemKind.WRONG_SCOPE)
    told(api.post("/uploads?create_missing=true", content=b"x", headers=CSV), ProblemKind.INVALID)
    assert done(api.post(f"{path}/preview", json=choice))["preview"]["outcomes"] == {"imported": 2}
    assert [row["outcome"] for row in records(api.get(f"{path}/results.csv"))] == ["imported"] * 2
    assert api.get("/campaigns").json()["items"] == []
    assert done(api.post(f"{path}/apply", key=only_uploads))["summary"]["outcomes"] == {"imported": 2}
    assert {campaign["name"] for campaign in api.get("/campaigns").json()["items"]} == {"c", "d"}
    told(api.post(f"{path}/apply?again=true&wait=0", key=api.key(KeyScope.READ)), ProblemKind.WRONG_SCOPE)


@pytest.mark.front
def test_preview__with_other_choices_needs_no_second_sending(api: Api) -> None:
    upload = sent(api, "click_id;payout\nc1;1,20 zł\n".encode("cp1250"))
    trouble = told(api.post(f"/uploads/{upload['upload_id']}/preview"), ProblemKind.UNREADABLE_FILE)
    assert "Name its encoding with `encoding`." in trouble["detail"]
    failed = api.get(f"/uploads/{upload['upload_id']}").json()
    assert (failed["state"], failed["trouble"]) == ("failed", trouble["detail"])
    other = {"encoding": "windows-1250", "decimal_comma": True}
    previewed = done(api.post(f"/uploads/{upload['upload_id']}/preview", json=other))
    assert previewed["trouble"] is None
    assert previewed["preview"]["outcomes"] == {"refused_bad_payout": 1}
    stored = {"duplicates": "add_payout"}
    done(api.post(f"/uploads/{upload['upload_id']}/preview", json=stored))
    chosen = done(api.post(f"/uploads/{upload['upload_id']}/preview", json={"duplicates": "stored"}))["choices"]
    assert (chosen["encoding"], chosen["duplicates"]) == ("windows-1250", None)


@pytest.mark.front
def test_upload__of_another_ledgers_export(api: Api, world: World) -> None:
    export = "conversion_id,click_id,payout,status\nc1-7,c1,5,approved\nc2-9,c2,6,pending\n"
    upload = sent(api, export)
    preview = done(api.post(f"/uploads/{upload['upload_id']}/preview"))["preview"]
    assert (preview["conversion_ids_unknown"], preview["outcomes"]) == (True, {"refused_unknown_conversion": 2})
    other = {"without_conversion_ids": True}
    preview = done(api.post(f"/uploads/{upload['upload_id']}/preview", json=other))["preview"]
    assert (preview["conversion_ids_unknown"], preview["outcomes"]) == (False, {"created": 2})
    applied = done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    assert applied["summary"]["outcomes"] == {"created": 2}
    rows = api.get(f"/journal?batch_id={applied['batch_id']}").json()["items"]
    assert [(row["mode"], row["mode_from"]) for row in rows] == [("update", "default")] * 2
    assert world.seen("click_id", "payout") == [("c1", "5.00"), ("c2", "6.00")]


@pytest.mark.front
def test_apply__the_same_file_again_needs_a_word(api: Api) -> None:
    first = sent(api)
    done(api.post(f"/uploads/{first['upload_id']}/apply"))
    second = sent(api)
    trouble = told(api.post(f"/uploads/{second['upload_id']}/apply"), ProblemKind.SAME_FILE)
    assert "batch 1, " in trouble["detail"]
    assert " by test" in trouble["detail"]
    assert api.get(f"/uploads/{second['upload_id']}").json()["state"] == "received"
    again = done(api.post(f"/uploads/{second['upload_id']}/apply?again=true"))
    assert again["summary"]["outcomes"]["unchanged"] == 2
    third = sent(api, query="?again=true")
    done(api.post(f"/uploads/{third['upload_id']}/apply"))


@pytest.mark.front
def test_apply__asked_twice_applies_once(api: Api, world: World) -> None:
    upload = sent(api)
    first = done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    assert done(api.post(f"/uploads/{upload['upload_id']}/apply")) == first
    assert len(world.conversions()) == 2


@pytest.mark.front
def test_apply__goes_on_aside_when_nobody_waits(api: Api, world: World) -> None:
    clicks = [f"k{number}" for number in range(3_000)]
    world.add_clicks(*clicks)
    upload = sent(api, "click_id,payout\n" + "".join(f"{click},1.00\n" for click in clicks))
    answer = api.post(f"/uploads/{upload['upload_id']}/apply?wait=0")
    assert answer.status_code == 202
    assert answer.json()["state"] == "applying"
    seen = followed(api, f"/uploads/{upload['upload_id']}")
    assert seen[-1] == {"state": "done", "trouble": None, "batch_id": 1, "progress": None}
    assert done(api.get(f"/uploads/{upload['upload_id']}"))["summary"]["outcomes"] == {"created": 3_000}


@pytest.mark.front
def test_cancel__leaves_what_is_applied_and_can_be_undone(api: Api, world: World) -> None:
    clicks = [f"k{number:05}" for number in range(20_000)]
    world.add_clicks(*clicks)
    upload = sent(api, "click_id,payout\n" + "".join(f"{click},1.00\n" for click in clicks))
    path = f"/uploads/{upload['upload_id']}"
    api.post(f"{path}/apply?wait=0")
    while not (now := api.get(path).json())["summary"] or not now["summary"]["outcomes"]:
        assert now["state"] == "applying"
    cancelled = done(api.post(f"{path}/cancel"))
    assert cancelled["state"] == "cancelled"
    batch = api.get(f"/batches/{cancelled['batch_id']}").json()
    assert batch["state"] == "stopped"
    assert 0 < batch["rows_done"] < 20_000
    assert len(world.conversions()) == batch["rows_done"]
    told(api.post(f"{path}/apply"), ProblemKind.WRONG_STATE)
    told(api.post(f"{path}/resume"), ProblemKind.WRONG_STATE)
    undone = done(api.post(f"{path}/undo?wait=60"))
    assert undone["undo"]["state"] == "done"
    assert world.conversions() == []
    assert world.trueup("audit").code == 0


@pytest.mark.front
def test_cancel__before_anything_is_applied(api: Api) -> None:
    upload = sent(api)
    assert done(api.post(f"/uploads/{upload['upload_id']}/cancel"))["state"] == "cancelled"
    assert done(api.post(f"/uploads/{upload['upload_id']}/cancel"))["state"] == "cancelled"
    told(api.post(f"/uploads/{upload['upload_id']}/preview"), ProblemKind.WRONG_STATE)
    applied = sent(api, ROWS + "c1,2,T9\n")
    done(api.post(f"/uploads/{applied['upload_id']}/apply"))
    told(api.post(f"/uploads/{applied['upload_id']}/cancel"), ProblemKind.WRONG_STATE)


@pytest.mark.front
def test_upload__of_a_server_that_was_stopped_goes_on_with_the_next(new_api: NewApi, world: World) -> None:
    clicks = [f"k{number:05}" for number in range(6_000)]
    world.add_clicks(*clicks)
    first = new_api()
    rows = "".join(f"{click},1.00,T\n{click},0.50,T\n" for click in clicks)
    upload = sent(first, f"click_id,payout,transaction_id\n{rows}", "?duplicates=add_payout")
    path = f"/uploads/{upload['upload_id']}"
    first.post(f"{path}/apply?wait=0")
    while not (now := first.get(path).json())["summary"] or not now["summary"]["outcomes"]:
        assert now["state"] == "applying"
    stop_uploads(first.edge)
    first.writer.stop()
    assert 0 < len(world.conversions()) < len(clicks)
    second = new_api()
    resume_uploads(second.edge)
    assert followed(second, path)[-1]["state"] == "done"
    outcomes = second.get(path).json()["summary"]["outcomes"]
    assert outcomes == {"created": len(clicks), "added_to_payout": len(clicks)}
    assert world.totals()["revenue"] == "9000.00"
    assert world.trueup("audit").code == 0


@pytest.mark.front
def test_undo__of_an_upload_and_of_its_undo(api: Api, world: World) -> None:
    upload = sent(api)
    told(api.post(f"/uploads/{upload['upload_id']}/undo"), ProblemKind.WRONG_STATE)
    done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    before = world.conversions()
    looked = done(api.post(f"/uploads/{upload['upload_id']}/undo?preview=true"))
    assert (looked["undo"], looked["preview"]["conversions"]) == (None, {"before": 2, "after": 0})
    assert world.conversions() == before
    undone = done(api.post(f"/uploads/{upload['upload_id']}/undo"))["undo"]
    assert undone["revenue"] == {"before": "4.60", "after": "0.00"}
    assert world.conversions() == []
    told(api.post(f"/uploads/{upload['upload_id']}/undo"), ProblemKind.WRONG_STATE)
    done(api.post(f"/batches/{undone['batch_id']}/undo"))
    assert world.conversions() == before


@pytest.mark.front
def test_delete__takes_the_file_and_leaves_the_batch(api: Api, world: World) -> None:
    upload = sent(api)
    done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    folder = api.settings.folder / "uploads"
    assert {path.stem for path in folder.iterdir()} == {upload["upload_id"]}
    assert api.delete(f"/uploads/{upload['upload_id']}").status_code == 204
    assert list(folder.iterdir()) == []
    told(api.get(f"/uploads/{upload['upload_id']}"), ProblemKind.NOT_FOUND)
    assert api.get("/batches/1").json()["state"] == "done"
    assert len(world.conversions()) == 2


def test_list__is_newest_first_in_pages(api: Api) -> None:
    ids = [sent(api, f"click_id,payout\nc1,{number}\n")["upload_id"] for number in range(3)]
    page = api.get("/uploads?limit=2").json()
    rest = api.get(f"/uploads?limit=2&cursor={page['next_cursor']}").json()
    assert [upload["upload_id"] for upload in page["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.front
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("POST", "/{}/preview"), ("POST", "/{}/apply"), ("POST", "/{}/cancel"), ("DELETE", "/{}")],
)
def test_scopes__a_key_that_reads_changes_nothing(api: Api, method: str, path: str) -> None:
    upload, reader = sent(api), api.key(KeyScope.READ)
    answer = api.ask(method, f"/uploads{path.format(upload['upload_id'])}", key=reader, headers=CSV)
    told(answer, ProblemKind.WRONG_SCOPE)
    assert api.get(f"/uploads/{upload['upload_id']}", key=reader).json()["state"] == "received"


@pytest.mark.front
def test_unknown_uploads__are_not_found(api: Api) -> None:
    unknown = "u" + "0" * 28
    for path in ("", "/events", "/results.csv", "/refused.csv"):
        told(api.get(f"/uploads/{unknown}{path}"), ProblemKind.NOT_FOUND)
    for path in ("/preview", "/apply", "/resume", "/cancel", "/undo"):
        told(api.post(f"/uploads/{unknown}{path}"), ProblemKind.NOT_FOUND)
    told(api.get("/uploads/u..%2F..%2Fpasswd"), ProblemKind.NOT_FOUND)
    told(api.get("/uploads/passwd"), ProblemKind.INVALID)


@pytest.mark.front
def test_results__before_anything_is_known(api: Api) -> None:
    upload = sent(api)
    told(api.get(f"/uploads/{upload['upload_id']}/results.csv"), ProblemKind.WRONG_STATE)
    told(api.get(f"/uploads/{upload['upload_id']}/refused.csv"), ProblemKind.WRONG_STATE)


@pytest.mark.front
def test_upload__times_and_amounts_are_read_as_chosen(api: Api, world: World) -> None:
    upload = sent(api, 'click_id,payout,time\nc1,"1,234.5",03/04/2026 10:00\n')
    path = f"/uploads/{upload['upload_id']}"
    trouble = told(api.post(f"{path}/preview"), ProblemKind.UNREADABLE_FILE)["detail"]
    assert trouble.endswith("`time_format=day-month-year` or `time_format=month-day-year`.")
    chosen = {"time_format": "month-day-year", "thousands": True}
    previewed = done(api.post(f"{path}/preview", json=chosen))
    assert {name: previewed["choices"][name] for name in chosen} == chosen
    assert any("Times are read as month-day-year: it was chosen." in said for said in previewed["reading"]["statement"])
    done(api.post(f"{path}/apply"))
    assert world.seen("payout", "converted_at") == [("1234.50", "2026-03-04T10:00:00+00:00")]
    problem = told(api.post("/uploads?time_format=dmy", content="a,1\n"), ProblemKind.INVALID)
    assert "day-month-year" in problem["errors"][0]["what"]

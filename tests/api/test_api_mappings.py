"""Saved mappings over the API, and files that are read by them."""

from pathlib import Path

import pytest
from calling import Api, NewApi
from command_line import CommandLine
from upload_calling import done, sent
from worlds import World

STATEMENT = "Northwind\n\nVisitor;Sale amount;Commission\nk1;100.00;35.00\nk2;80.00;28.00\n"
FORM = {"titles": ["Visitor", "Sale amount", "Commission"], "columns": {"Visitor": "click_id", "Commission": "payout"}}


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2")
    return made


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the workspace is set up
    return new_api()


@pytest.mark.front
def test_mapping__is_saved_shown_and_removed(api: Api) -> None:
    saved = done(api.put("/mappings/northwind", json=FORM))
    assert saved["titles"] == ["commission", "sale_amount", "visitor"]
    assert done(api.get("/mappings/northwind")) == saved
    assert done(api.get("/mappings"))["items"] == [saved]
    assert api.delete("/mappings/northwind").status_code == 204
    assert api.delete("/mappings/northwind").status_code == 404
    assert api.get("/mappings/northwind").status_code == 404


@pytest.mark.front
@pytest.mark.parametrize("wrong", [{"columns": {"a": "payuot"}}, {"columns": {}}, {"titles": []}, {"time_zone": "x"}])
def test_mapping__with_a_mistake_is_not_saved(api: Api, wrong: dict[str, object]) -> None:
    assert api.put("/mappings/x", json=FORM | wrong).status_code == 422
    assert done(api.get("/mappings"))["items"] == []


@pytest.mark.front
def test_upload__is_read_by_a_mapping_as_it_was_when_it_was_named(api: Api, world: World) -> None:
    done(api.put("/mappings/northwind", json=FORM))
    upload = sent(api, STATEMENT, "?mapping=northwind")
    assert (upload["choices"]["mapping"], upload["choices"]["columns"]) == ("northwind", FORM["columns"])
    api.delete("/mappings/northwind")
    previewed = done(api.post(f"/uploads/{upload['upload_id']}/preview"))
    assert previewed["preview"]["revenue"]["after"] == "63.00"
    codes = [notice["code"] for notice in previewed["preview"]["notices"]]
    assert codes == ["dated_now", "duplicate_modes"]
    done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    assert world.seen("payout") == [("35.00",), ("28.00",)]


def test_preview__offers_a_mapping_and_takes_it(api: Api) -> None:
    done(api.put("/mappings/northwind", json=FORM))
    upload = sent(api, STATEMENT)
    refused = api.post(f"/uploads/{upload['upload_id']}/preview")
    assert refused.status_code == 422
    assert "`mapping=northwind`" in refused.json()["detail"]
    taken = done(api.post(f"/uploads/{upload['upload_id']}/preview", json={"mapping": "northwind"}))
    assert taken["preview"]["revenue"]["after"] == "63.00"


@pytest.mark.front
def test_mapping__of_clicks_reads_files_of_clicks_alone(api: Api) -> None:
    titles = ["Visitor", "Campaign", "Offer", "Seen"]
    form = {"kind": "clicks", "titles": titles, "columns": {"Visitor": "click_id", "Seen": "clicked_at"}}
    saved = done(api.put("/mappings/northwind", json=form))
    assert (saved["kind"], saved["columns"]) == ("clicks", form["columns"])
    assert api.put("/mappings/x", json=form | {"columns": {"a": "payout"}}).status_code == 422
    assert api.put("/mappings/x", json=form | {"dialect": "keitaro"}).status_code == 422
    assert api.put("/mappings/x", json=FORM | {"columns": {"a": "clicked_at"}}).status_code == 422
    done(api.put("/mappings/northwind", json=FORM))
    assert [each["kind"] for each in done(api.get("/mappings"))["items"]] == ["clicks", "conversions"]
    assert done(api.get("/mappings/northwind?kind=clicks")) == saved
    text = "Some tracker\n\nVisitor,Campaign,Offer,Seen\nc1,No such,No such,2026-03-05T10:00Z\n"
    upload = sent(api, text, "?kind=clicks&mapping=northwind&titles_line=3")
    assert upload["choices"]["columns"] == form["columns"]
    previewed = done(api.post(f"/uploads/{upload['upload_id']}/preview"))
    assert previewed["preview"]["outcomes"] == {"refused_unknown_campaign": 1}
    assert api.delete("/mappings/northwind?kind=clicks").status_code == 204
    assert [each["kind"] for each in done(api.get("/mappings"))["items"]] == ["conversions"]
    answer = api.post("/uploads?kind=clicks&mapping=northwind", content=b"x", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422


@pytest.mark.front
def test_upload__saves_its_mapping_once_it_is_applied(api: Api, world: World) -> None:
    upload = sent(api, STATEMENT, "?columns=Visitor=click_id&columns=Commission=payout&save_mapping=northwind")
    assert upload["choices"]["save_mapping"] == "northwind"
    done(api.post(f"/uploads/{upload['upload_id']}/preview"))
    assert done(api.get("/mappings"))["items"] == []
    done(api.post(f"/uploads/{upload['upload_id']}/apply"))
    (saved,) = done(api.get("/mappings"))["items"]
    by_hand = done(api.put("/mappings/by-hand", json=FORM))
    made = {"name": "northwind", "made_at": saved["made_at"], "made_by": saved["made_by"]}
    assert saved == by_hand | made
    april = sent(api, STATEMENT.replace("35.00", "36.00"), "?mapping=northwind")
    done(api.post(f"/uploads/{april['upload_id']}/apply"))
    assert world.seen("payout") == [("36.00",), ("28.00",)]


@pytest.mark.front
@pytest.mark.parametrize("wrong", ["save_mapping=northwind", "columns=a=payout&save_mapping=%20", "save_mapping="])
def test_upload__with_no_mapping_to_save_or_no_name_for_it_is_refused(api: Api, wrong: str) -> None:
    answer = api.post(f"/uploads?{wrong}", content=STATEMENT.encode(), headers={"Content-Type": "text/csv"})
    assert (answer.status_code, "mapping" in answer.text) == (422, True)


@pytest.mark.front
def test_mapping__that_is_not_there_is_refused(api: Api) -> None:
    answer = api.post("/uploads?mapping=x", content=STATEMENT.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422
    assert 'No mapping is called "x"' in answer.text.replace('\\"', '"')

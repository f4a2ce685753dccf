"""The setup over HTTP: each thing on its own, and all of it as a file. The rules are those of the setup file."""

import asyncio
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from calling import Api, NewApi, told
from command_line import CommandLine
from worlds import World

from trueup.api.http.problems import ProblemKind

pytestmark = pytest.mark.front

KINDS = ("affiliate_networks", "conversion_types", "traffic_sources", "offers", "campaigns")


@pytest.fixture
def acme_api(api: Api, acme: Path) -> Api:
    """An API on a workspace that uses every key of the setup."""
    assert (
        api.post("/setup", content=acme.read_bytes(), headers={"Content-Type": "application/toml"}).status_code == 200
    )
    return api


def things(api: Api, kind: str) -> dict[str, dict[str, Any]]:
    """What is set up of a kind, by name."""
    return {thing["name"]: thing for thing in api.get(f"/{kind}").json()["items"]}


def number_of(api: Api, kind: str, name: str) -> int:
    return int(things(api, kind)[name]["id"])


def without_numbers(things: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in thing.items() if key != "id"} for thing in things.values()]


def set_keys(value: Any) -> Any:  # noqa: ANN401 - whatever a setup holds
    """A form without the keys that are not set, as a file leaves them out."""
    return {key: each for key, each in value.items() if each not in ("", {}, [])}


def test_things__are_as_the_file_says(acme_api: Api) -> None:
    file = tomllib.loads(acme_api.get("/setup").text)
    for kind in KINDS:
        assert [set_keys(form) for form in without_numbers(things(acme_api, kind))] == file[kind]
    assert set_keys(acme_api.get("/workspace").json()) == file["workspace"]


def test_things__sent_one_by_one_make_the_same_setup_as_the_file(acme_api: Api, new_url: Any, tmp_path: Path) -> None:  # noqa: ANN401 - a fixture's own type
    other = Api(new_url(), tmp_path / "other")
    try:
        assert other.put("/workspace", json=acme_api.get("/workspace").json()).status_code == 200
        for kind in KINDS:
            for form in without_numbers(things(acme_api, kind)):
                number = things(other, kind).get(form["name"], {}).get("id")
                answer = other.put(f"/{kind}/{number}", json=form) if number == 0 else other.post(f"/{kind}", json=form)
                assert answer.status_code in {200, 201}, answer.text
        assert tomllib.loads(other.get("/setup").text) == tomllib.loads(acme_api.get("/setup").text)
    finally:
        other.stop()


def test_thing__sent_back_as_it_was_shown_changes_nothing(acme_api: Api) -> None:
    before = acme_api.get("/setup").text
    for kind in KINDS:
        for thing in things(acme_api, kind).values():
            answer = acme_api.put(f"/{kind}/{thing['id']}", json=thing)
            assert (answer.status_code, answer.json()) == (200, {**thing, "id": answer.json()["id"]})
    assert acme_api.put("/workspace", json=acme_api.get("/workspace").json()).status_code == 200
    assert acme_api.get("/setup").text == before


def test_create__answers_with_the_thing_and_where_it_is(api: Api) -> None:
    made = api.post("/traffic_sources", json={"name": " PushAds "})
    assert (made.status_code, made.json()) == (201, {"id": 1, "name": "PushAds"})
    assert api.get(made.headers["location"]).json() == made.json()


def test_set__is_whole_and_a_key_left_out_takes_its_default(api: Api) -> None:
    api.post("/affiliate_networks", json={"name": "Northwind", "duplicate_mode": "update", "time_zone": "Asia/Tokyo"})
    changed = api.put("/affiliate_networks/1", json={"name": "Northwind", "duplicate_mode": "create"}).json()
    assert (changed["duplicate_mode"], changed["time_zone"]) == ("create", "")


def test_another_name__stays_the_same_thing(acme_api: Api) -> None:
    network = things(acme_api, "affiliate_networks")["Northwind"]
    answer = acme_api.put(f"/affiliate_networks/{network['id']}", json={**network, "name": "Southwind"})
    assert (answer.status_code, answer.json()) == (200, {**network, "name": "Southwind"})
    networks = {offer["network"] for offer in things(acme_api, "offers").values()}
    assert ("Southwind" in networks, "Northwind" in networks) == (True, False)
    told(acme_api.post("/offers", json={"name": "New", "network": "Northwind"}), ProblemKind.INVALID)


def test_name_of_another__is_refused(api: Api) -> None:
    for name in ("PushAds", "SearchAds"):
        api.post("/traffic_sources", json={"name": name})
    told(api.post("/traffic_sources", json={"name": " PushAds"}), ProblemKind.NAME_TAKEN)
    told(api.put("/traffic_sources/2", json={"name": "PushAds"}), ProblemKind.NAME_TAKEN)
    assert list(things(api, "traffic_sources")) == ["PushAds", "SearchAds"]


def test_slug_of_another__is_refused(api: Api) -> None:
    for name in ("a", "b"):
        assert api.post("/campaigns", json={"name": name, "slug": name}).status_code == 201
    assert api.put("/campaigns/1", json={"name": "renamed", "slug": "a"}).status_code == 200
    problem = told(api.put("/campaigns/2", json={"name": "b", "slug": "a"}), ProblemKind.INVALID)
    assert problem["errors"] == [{"where": "body.slug", "what": "another campaign has the slug 'a'"}]


def test_conversion_type__keeps_its_name(api: Api) -> None:
    api.post("/conversion_types", json={"name": "lead"})
    told(api.put("/conversion_types/1", json={"name": "Lead"}), ProblemKind.CONFLICT)


def test_conversion_type_of_rows_without_one__is_there_and_stays(api: Api) -> None:
    assert things(api, "conversion_types")["conversion"]["id"] == 0
    made = api.put("/conversion_types/0", json={"name": "conversion", "duplicate_mode": "update"}).json()
    assert things(api, "conversion_types") == {"conversion": made}
    told(api.delete(f"/conversion_types/{made['id']}"), ProblemKind.IN_USE)


def test_body_of_another_thing__is_refused(api: Api) -> None:
    api.post("/traffic_sources", json={"name": "PushAds"})
    told(api.put("/traffic_sources/1", json={"id": 2, "name": "Other"}), ProblemKind.INVALID)
    told(api.post("/traffic_sources", json={"id": 2, "name": "Other"}), ProblemKind.INVALID)
    assert list(things(api, "traffic_sources")) == ["PushAds"]


def test_thing__that_is_not_there(api: Api) -> None:
    for kind in KINDS:
        form = {"name": "x", "slug": "x"} if kind == "campaigns" else {"name": "x"}
        for answer in (api.get(f"/{kind}/77"), api.put(f"/{kind}/77", json=form), api.delete(f"/{kind}/77")):
            told(answer, ProblemKind.NOT_FOUND)


def test_delete__is_refused_while_the_setup_refers_to_it(api: Api) -> None:
    api.post("/affiliate_networks", json={"name": "Northwind"})
    api.post("/conversion_types", json={"name": "lead"})
    api.post("/traffic_sources", json={"name": "PushAds"})
    api.post("/offers", json={"name": "VPN", "network": "Northwind", "payouts": {"lead": "1.00"}})
    api.post("/campaigns", json={"name": "PL", "slug": "pl", "traffic_source": "PushAds", "offers": [{"offer": "VPN"}]})
    order = ("campaigns", "offers", "traffic_sources", "conversion_types", "affiliate_networks")
    for kind in order[1:]:
        problem = told(api.delete(f"/{kind}/1"), ProblemKind.IN_USE)
        assert '"VPN"' in str(problem["detail"]) or '"PL"' in str(problem["detail"])
    for kind in order:
        assert api.delete(f"/{kind}/1").status_code == 204
        told(api.get(f"/{kind}/1"), ProblemKind.NOT_FOUND)


def test_delete__is_refused_once_anything_was_recorded_of_it(api: Api, trueup: CommandLine, tmp_path: Path) -> None:
    api.post("/affiliate_networks", json={"name": "Northwind"})
    api.post("/conversion_types", json={"name": "lead"})
    api.post("/offers", json={"name": "VPN", "network": "Northwind"})
    world = World(trueup, tmp_path)
    world.add_clicks("c1", offer="VPN")
    world.upload("click_id,conversion_type\nc1,lead\n")
    assert api.put("/offers/1", json={"name": "VPN"}).status_code == 200  # the click's network stays what it was
    for kind, users in (("offers", "clicks"), ("affiliate_networks", "clicks"), ("conversion_types", "conversions")):
        assert users in str(told(api.delete(f"/{kind}/1"), ProblemKind.IN_USE)["detail"])


def test_clone__has_the_settings_and_nothing_else(acme_api: Api) -> None:
    campaign = next(iter(things(acme_api, "campaigns").values()))
    path = f"/campaigns/{campaign['id']}/clone"
    clone = acme_api.post(path, json={"name": "Clone", "slug": "clone"})
    assert clone.status_code == 201
    assert clone.json() == {**campaign, "id": clone.json()["id"], "name": "Clone", "slug": "clone"}
    assert clone.json()["id"] != campaign["id"]
    told(acme_api.post(path, json={"name": "Clone", "slug": "other"}), ProblemKind.NAME_TAKEN)
    told(acme_api.post(path, json={"name": "Other", "slug": "clone"}), ProblemKind.INVALID)
    told(acme_api.post(path, json={"name": "Other"}), ProblemKind.INVALID)
    told(acme_api.post("/campaigns/77/clone", json={"name": "Other", "slug": "other"}), ProblemKind.NOT_FOUND)


def test_workspace__keeps_its_currency_once_money_is_recorded(api: Api, trueup: CommandLine, tmp_path: Path) -> None:
    assert api.put("/workspace", json={"currency": "EUR"}).json()["currency"] == "EUR"
    world = World(trueup, tmp_path)
    world.add_clicks("c1")
    world.upload("click_id,payout\nc1,1.00\n")
    told(api.put("/workspace", json={"currency": "USD"}), ProblemKind.CONFLICT)
    assert api.put("/workspace", json={"currency": "EUR", "name": "Acme"}).status_code == 200


def test_change__is_known_to_the_server_at_once(api: Api) -> None:
    before = api.edge.catalog
    api.post("/conversion_types", json={"name": "lead"})
    assert api.edge.catalog is not before
    assert "lead" in api.edge.catalog.conversion_types


def test_changes_at_once__are_each_whole(api: Api) -> None:
    async def many() -> list[int]:
        same = [api.send("POST", "/offers", json={"name": "same"}) for _ in range(10)]
        others = [api.send("POST", "/offers", json={"name": f"offer {number}"}) for number in range(10)]
        return [answer.status_code for answer in await asyncio.gather(*same, *others)]

    statuses = api.run(many())
    assert sorted(statuses) == [201] * 11 + [409] * 9
    assert len(things(api, "offers")) == 11


def test_names__may_hold_what_people_write(api: Api) -> None:
    for name in ("Zażółć 💶", "a/b?c=d&e#f", "100%", "..", 'say "hi"', "' OR 1=1 --"):
        made = api.post("/offers", json={"name": name})
        assert made.json()["name"] == name
        assert api.get(made.headers["location"]).json()["name"] == name


def test_file__previewed_changes_nothing(api: Api, acme: Path) -> None:
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    before = api.get("/setup").text
    preview = api.post("/setup?preview=true", content=acme.read_bytes(), headers=headers).json()
    assert preview["preview"]
    assert len(preview["changes"]) > 5
    assert api.get("/setup").text == before
    applied = api.post("/setup", content=acme.read_bytes(), headers=headers).json()
    assert applied["changes"] == preview["changes"]
    assert api.post("/setup", content=acme.read_bytes(), headers=headers).json()["changes"] == []


def test_file__previewed_tells_what_it_would_clear_and_what_nothing_uses(api: Api) -> None:
    headers = {"Content-Type": "application/toml"}
    whole = '[[offers]]\nname = "VPN"\nurl = "https://example.com/"\npayout_mode = "manual"\npayout = "1.20"\n'
    assert api.post("/setup", content=whole, headers=headers).json()["remarks"] == []
    less = '[[offers]]\nname = "VPN"\npayout = "1.20"\n'
    preview = api.post("/setup?preview=true", content=less, headers=headers).json()
    assert preview["changes"][0]["cleared"] == ["url", "payout_mode"]
    assert preview["remarks"][0].startswith('offer "VPN": its payout 1.20 is not used')


def test_file__tells_the_same_as_the_command(api: Api, trueup: CommandLine, acme: Path) -> None:
    asked = api.post(
        "/setup?preview=true", content=acme.read_bytes(), headers={"Content-Type": "application/toml"}
    ).json()
    ran = trueup("setup", "apply", acme, "--preview", "--json")
    assert {**asked, "mistakes": []} == json.loads(ran.stdout)


def test_file__with_mistakes_changes_nothing_and_tells_all(api: Api) -> None:
    content = b'[workspace]\ncurrency = "dollar"\n[[offers]]\nnetwork = "Nortwind"\n'
    problem = told(
        api.post("/setup", content=content, headers={"Content-Type": "application/toml"}), ProblemKind.INVALID
    )
    assert len(problem["errors"]) == 3
    assert things(api, "offers") == {}


def test_file__that_is_none(api: Api) -> None:
    for content in (b"\xff\xfe", b"[[", b"a = " + b"[" * 5_000, b"a = 1979-05-27", b"x" * 10_000):
        told(api.post("/setup", content=content, headers={"Content-Type": "application/toml"}), ProblemKind.INVALID)


def test_file__of_another_type_or_too_large(new_api: NewApi) -> None:
    api = new_api()
    told(api.post("/setup", json={}), ProblemKind.WRONG_MEDIA_TYPE)
    large = b"#" * (1 << 20) + b"\n"
    told(api.post("/setup", content=large, headers={"Content-Type": "application/toml"}), ProblemKind.TOO_LARGE)


def test_postback_keys__two_live_at_a_time(acme_api: Api) -> None:
    path = f"/affiliate_networks/{number_of(acme_api, 'affiliate_networks', 'Northwind')}"
    assert acme_api.get(f"{path}/postback_keys").json() == {"keys": []}
    first, second, third = (acme_api.post(f"{path}/postback_keys").json()["keys"] for _ in range(3))
    assert (len(first), second[1:], third[1:]) == (1, first, second[:1])
    assert acme_api.get(f"{path}/postback_keys").json() == {"keys": third}
    network = acme_api.edge.catalog.affiliate_networks["Northwind"]
    assert list(network.postback_keys) == third
    urls = acme_api.get(f"{path}/postback_urls").json()["items"]
    assert len(urls) > 10
    assert all(f"/{third[0]}/postback?" in url["url"] for url in urls)
    assert [url["preset"] for url in acme_api.get(f"{path}/postback_urls?preset=everflow").json()["items"]] == [
        "everflow"
    ]
    told(acme_api.get(f"{path}/postback_urls?preset=everflo"), ProblemKind.INVALID)
    assert acme_api.delete(f"{path}/postback_keys").json() == {"keys": third[:1]}
    assert acme_api.delete(f"{path}/postback_keys?all=true").json() == {"keys": []}


def test_postback_keys__are_shown_nowhere_else_and_outlive_a_change(acme_api: Api) -> None:
    network = things(acme_api, "affiliate_networks")["Northwind"]
    path = f"/affiliate_networks/{network['id']}"
    (key,) = acme_api.post(f"{path}/postback_keys").json()["keys"]
    assert acme_api.put(path, json=network).status_code == 200
    assert acme_api.get(f"{path}/postback_keys").json() == {"keys": [key]}
    for shown in ("/setup", "/affiliate_networks", path):
        assert key not in acme_api.get(shown).text
    for method, missing in (("GET", "postback_keys"), ("POST", "postback_keys"), ("GET", "postback_urls")):
        told(acme_api.ask(method, f"/affiliate_networks/77/{missing}"), ProblemKind.NOT_FOUND)

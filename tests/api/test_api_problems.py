"""What the API says when it does not do what was asked: always a problem, never its inside."""

import asyncio
import time

import pytest
from calling import Api, NewApi, told
from databases import by_hand

from trueup.access.keys import KeyScope
from trueup.api.http.problems import ProblemKind
from trueup.ledger.database import Database
from trueup.model.traffic import IncomingConversion
from trueup.model.words import Origin

pytestmark = pytest.mark.front


def test_path__that_is_not_there(api: Api) -> None:
    told(api.get("/nothing"), ProblemKind.NOT_FOUND)


def test_slash__too_many_is_not_there_either_and_leads_nowhere_else(api: Api) -> None:
    told(api.get("/offers/"), ProblemKind.NOT_FOUND)


def test_method__another_than_those_allowed(api: Api) -> None:
    answer = api.ask("PATCH", "/offers/1")
    told(answer, ProblemKind.WRONG_METHOD)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET"}


def test_body__that_is_not_json(api: Api) -> None:
    for body in (b"{", b'{"name": }', b"\xff\xfe", b"[" * 100_000, b'{"a":' + b"9" * 5_000 + b"}"):
        told(api.post("/offers", content=body, headers={"Content-Type": "application/json"}), ProblemKind.MALFORMED)


def test_body__of_another_media_type(api: Api) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "text/csv", "nonsense"):
        answer = api.post("/offers", content=b'{"name": "VPN"}', headers={"Content-Type": media_type})
        told(answer, ProblemKind.WRONG_MEDIA_TYPE)


def test_body__of_another_form(api: Api) -> None:
    for body in (b"[]", b'"text"', b"1", b"null", b"{}"):
        told(api.post("/offers", content=body, headers={"Content-Type": "application/json"}), ProblemKind.INVALID)


def test_mistakes__are_told_all_at_once_and_where_they_stand(api: Api) -> None:
    problem = told(api.post("/offers", json={"payout": 1.2, "aproval": "manual"}), ProblemKind.INVALID)
    assert [error["where"] for error in problem["errors"]] == ["body.name", "body.payout", "body.aproval"]
    assert 'write "1.2"' in problem["errors"][1]["what"]
    assert "did you mean approval?" in problem["errors"][2]["what"]


def test_mistake__of_a_text_that_no_file_could_hold(api: Api) -> None:
    answer = api.post("/offers", content=b'{"name": "\\ud800", "url": "\\u0000", "\\udfff": 1}')
    told(answer, ProblemKind.WRONG_MEDIA_TYPE)
    for body, kind in {
        b'{"name": "\\ud800"}': ProblemKind.MALFORMED,
        b'{"name": "VPN", "\\udfff": 1}': ProblemKind.MALFORMED,
        b'{"name": "VPN", "url": "\\u0000"}': ProblemKind.INVALID,
    }.items():
        told(api.post("/offers", content=body, headers={"Content-Type": "application/json"}), kind)


def test_query__that_says_nothing_possible(api: Api) -> None:
    for query in ("limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=WyJhIl0", "cursor=" + "a" * 3_000):
        told(api.get(f"/offers?{query}"), ProblemKind.INVALID)


def test_number__that_is_none(api: Api) -> None:
    for number in ("x", "-1", "9223372036854775808", "1.5", "1e3"):
        told(api.get(f"/offers/{number}"), ProblemKind.INVALID)


def test_nul__is_in_no_path_and_no_query(api: Api) -> None:
    for path in ("/offers/%00", "/offers?cursor=%00", "/conversions?transaction_id=a%00b", "/conversions/%00-1"):
        told(api.get(path), ProblemKind.MALFORMED)


def test_large_body__is_refused_while_it_comes_in(new_api: NewApi) -> None:
    api = new_api(body_bytes=2_000)
    read = 0

    async def endless() -> object:
        nonlocal read
        while True:
            read += 1_000
            yield b" " * 1_000

    told(api.post("/offers", content=endless(), headers={"Content-Type": "application/json"}), ProblemKind.TOO_LARGE)
    assert read < 10_000
    told(api.post("/offers", json={"name": "a" * 3_000}), ProblemKind.TOO_LARGE)
    assert api.post("/offers", json={"name": "VPN"}).status_code == 201


def test_failure__that_nobody_foresaw_shows_nothing_and_is_in_the_log(api: Api) -> None:
    async def broken() -> None:
        raise RuntimeError("a wrench in the works")

    api.app.add_api_route("/broken", broken)
    answer = api.get("/broken")
    problem = told(answer, ProblemKind.FAILURE)
    assert "wrench" not in answer.text
    assert "wrench" in api.log
    assert str(problem["request_id"]) in api.log


def test_every_answer__has_its_id_and_is_kept_by_nobody(api: Api) -> None:
    answers = [
        api.get("/offers"),
        api.get("/nothing"),
        api.get("/offers", key=None),
        api.get("/openapi.json", key=None),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_lost_connections__are_opened_again(api: Api, database_kind: str) -> None:
    if database_kind == "sqlite":
        pytest.skip("a file is never lost")
    assert api.get("/offers").status_code == 200
    with Database(api.url) as admin:
        by_hand(
            admin,
            "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid(); END $$",
        )
    answers = [api.get("/offers") for _ in range(4)]
    assert [answer.status_code for answer in answers[1:]] == [200, 200, 200]
    if answers[0].status_code != 200:
        told(answers[0], ProblemKind.UNAVAILABLE)


def test_database__that_cannot_be_written_now(api: Api, database_kind: str) -> None:
    if database_kind == "postgresql":
        pytest.skip("a lock on a table keeps PostgreSQL waiting, and does not fail")
    with Database(api.url) as other, other.transaction():
        answer = api.post("/offers", json={"name": "VPN"})
        told(answer, ProblemKind.UNAVAILABLE)
        assert int(answer.headers["retry-after"]) >= 1
        assert "locked" not in answer.text
        assert api.get("/offers").json()["items"] == []
    ends = time.monotonic() + 10
    while api.post("/offers", json={"name": "VPN"}).status_code == 503 and time.monotonic() < ends:
        time.sleep(0.1)
    assert [offer["name"] for offer in api.get("/offers").json()["items"]] == ["VPN"]


def test_scope__is_looked_at_before_the_body_is(api: Api) -> None:
    reader = api.key(KeyScope.READ)
    told(api.post("/offers", key=reader, json={"nonsense": 1}), ProblemKind.WRONG_SCOPE)


def test_many_at_once__are_all_answered(api: Api) -> None:
    async def many() -> list[int]:
        asked = [api.send("GET", path) for path in ("/offers", "/setup", "/keys", "/workspace") for _ in range(25)]
        written = [api.send("POST", "/offers", json={"name": f"offer {number}"}) for number in range(25)]
        return [answer.status_code for answer in await asyncio.gather(*asked, *written)]

    assert api.run(many()) == [200] * 100 + [201] * 25


def test_caller__that_leaves_harms_no_other(api: Api) -> None:
    async def leaving() -> None:
        message = IncomingConversion({"click_id": "c1"}, Origin.POSTBACK)
        asked = [asyncio.create_task(api.writer.try_out(message)) for _ in range(20)]
        asked += [asyncio.create_task(api.send("POST", "/offers", json={"name": f"{number}"})) for number in range(20)]
        await asyncio.sleep(0.005)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    api.run(leaving())
    assert api.post("/offers", json={"name": "VPN"}).status_code == 201


def test_allow__says_what_can_be_done_at_every_path(api: Api) -> None:
    paths = api.get("/openapi.json", key=None).json()["paths"]
    methods = {path: {method.upper() for method in found} for path, found in paths.items()}
    methods["/conversions/status"] |= methods["/conversions/{conversion_id}"]  # a conversion may be called so
    methods["/keys/current"] |= methods["/keys/{number}"]
    for path, expected in methods.items():
        somewhere = path.replace("{", "").replace("}", "")
        told_by = [api.ask(method, somewhere) for method in ("TRACE", "OPTIONS")]
        assert [answer.status_code for answer in told_by] == [405, 204], path
        for answer in told_by:
            allow = set(answer.headers["allow"].split(", "))
            assert allow == expected | {"OPTIONS"} | ({"HEAD"} if "GET" in expected else set()), path
        told(told_by[0], ProblemKind.WRONG_METHOD)
    told(api.ask("OPTIONS", "/nothing"), ProblemKind.NOT_FOUND)
    told(api.ask("OPTIONS", "/offers", key=None), ProblemKind.NO_KEY)

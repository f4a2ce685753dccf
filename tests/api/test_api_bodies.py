"""Bodies of JSON: read strictly, by who may send them, and where they keep nobody waiting."""

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import polars as pl
import pytest
from calling import Api, told
from fastapi.routing import APIRoute, iter_route_contexts

from trueup.access.keys import KeyScope
from trueup.api.http.bodies import LARGE_AT_ONCE, LARGE_BYTES, BodyRoute
from trueup.api.http.problems import ProblemKind
from trueup.api.resources.conversions import SentConversions
from trueup.api.resources.setup import TOML
from trueup.ledger.database import Database

pytestmark = [pytest.mark.front, pytest.mark.parametrize("database_kind", ["sqlite"])]

JSON = {"Content-Type": "application/json"}
ROWS = [
    {"click_id": f"c{number}", "payout": "1.20", "transaction_id": f"T{number:01200}", "status": "approved"}
    for number in range(10_000)
]


def test_every_body__is_taken_apart_in_a_thread(api: Api) -> None:
    routes = [found.original_route for found in iter_route_contexts(api.app.routes)]
    with_body = [route for route in routes if isinstance(route, APIRoute) and route.body_field]
    assert len(with_body) > 10
    assert all(isinstance(route, BodyRoute) for route in with_body)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"name": "a", "name": "b"}', "'name' stands twice in one object"),
        (b'{"name": "a", "offers": [{"offer": "x", "offer": "y"}]}', "'offer' stands twice in one object"),
        (b'{"name": "a", "n\\u0061me": "b"}', "'name' stands twice in one object"),
        (b'{"name": NaN}', "NaN is no number of JSON"),
        (b'{"name": -Infinity}', "-Infinity is no number of JSON"),
        (b'{"name": 1e999}', "1e999 is too large a number"),
        (b'{"name": "\\ud800"}', "'\\ud800' has half a character"),
        (b'{"name": ["\\udc00"]}', "'\\udc00' has half a character"),
        (b'{"\\udfff": 1}', "'\\udfff' has half a character"),
        (b'{"name": ' + b"[" * 33 + b"]" * 33 + b"}", "it is nested more than 32 deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "it is nested more than 32 deep"),
        (b'{"name": ' + b"9" * 10_000 + b"}", "it has a number of 10000 characters"),
        (b'{"name": 1.' + b"9" * 10_000 + b"}", "it has a number of 10002 characters"),
        (b"[" + b"1," * 300_000 + b"1]", "it has ',' more than 200000 times"),
        (b"[" * 300_000, "it has '[' more than 20000 times"),
        ('{"name": "ą"}'.encode("iso8859-2"), "it is not UTF-8"),
        (b'{"name": }', "Expecting value, line 1 column 10"),
    ],
)
def test_json__that_does_not_mean_one_thing_is_refused(api: Api, body: bytes, what: str) -> None:
    problem = told(api.post("/campaigns", content=body, headers=JSON), ProblemKind.MALFORMED)
    assert problem["errors"] == [{"where": "body", "what": what}]


def test_json__escaped_or_not_is_the_same(api: Api) -> None:
    for number, body in enumerate((b'{"name": "\\u017c\\ud83d\\ude00 0"}', '\ufeff{"name": "ż😀 1"}'.encode())):
        answer = api.post("/traffic_sources", content=body, headers=JSON)
        assert answer.json()["name"] == f"ż😀 {number}"


def test_setup_file__that_would_be_read_for_hours_is_refused(api: Api) -> None:
    for content in (b"a." * 400_000 + b"b = 1", b'"a" . ' * 150_000 + b"b = 1"):
        problem = told(api.post("/setup", content=content, headers={"Content-Type": TOML}), ProblemKind.INVALID)
        assert problem["errors"][0]["what"] == "is not a setup file: it has a key of a hundred parts"
    many = b"".join(b"[[offers]]\n" for _ in range(2_000))
    problem = told(api.post("/setup", content=many, headers={"Content-Type": TOML}), ProblemKind.INVALID)
    assert len(problem["errors"]) == 100


def test_rows__the_first_bad_one_is_told_and_not_ten_thousand(api: Api) -> None:
    rows = [{"click_id": "c1"}] + [{"click_id": "c", "payout": 1, "wrong": 1}] * 9_000
    problem = told(api.post("/conversions", json={"rows": rows}), ProblemKind.INVALID)
    assert [error["where"] for error in problem["errors"]] == ["body.rows.1.payout", "body.rows.1.wrong"]


def test_body__of_a_key_that_may_not_is_never_read(api: Api) -> None:
    for key, path, kind in (
        (api.key(KeyScope.READ), "/offers", ProblemKind.WRONG_SCOPE),
        (api.key(KeyScope.READ), "/conversions", ProblemKind.WRONG_SCOPE),
        (api.key(KeyScope.UPLOAD), "/setup", ProblemKind.WRONG_SCOPE),
        (api.key(KeyScope.SETUP), "/uploads", ProblemKind.WRONG_SCOPE),
        (api.key(KeyScope.SETUP), "/keys", ProblemKind.WRONG_SCOPE),
        ("wrong", "/offers", ProblemKind.BAD_KEY),
        (None, "/offers", ProblemKind.NO_KEY),
        ("admin", "/nothing", ProblemKind.NOT_FOUND),
    ):
        for headers in (JSON, JSON | {"Idempotency-Key": "once"}):
            told(api.post(path, key=key, content=_unread(), headers=headers), kind)


def test_key_that_only_reads__leaves_nothing_for_its_idempotency_key(api: Api, ledger: Database) -> None:
    reader = api.key(KeyScope.READ)
    headers = {"Idempotency-Key": "once"}
    told(api.post("/offers", key=reader, json={"name": "VPN"}, headers=headers), ProblemKind.WRONG_SCOPE)
    told(api.post("/nothing", key=reader, headers=headers), ProblemKind.NOT_FOUND)
    told(api.post("/offers/1", key=reader, headers=headers), ProblemKind.WRONG_METHOD)
    assert api.post("/audit", key=reader, headers=headers).status_code == 200
    assert _answers_kept(ledger) == 0
    assert api.post("/offers", json={"name": "VPN"}, headers=headers).status_code == 201
    assert _answers_kept(ledger) == 1


@pytest.fixture
def as_served() -> Iterator[None]:
    """The interpreter as a server process has it: threads take turns, and what was made before is left alone."""
    before, limits = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    yield
    gc.set_threshold(*limits)
    gc.unfreeze()
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("as_served")
def test_large_bodies__hold_nobody_up(api: Api) -> None:
    body = json.dumps({"rows": ROWS, "preview": True}).encode()
    assert len(body) > 12_000_000
    spiteful = [
        body[:-1] + b', "wrong": 1}',
        json.dumps({"rows": [row | {f"x{i}": 1 for i in range(9)} for row in ROWS]}).encode(),
        b"[" + b"[]," * 4_300_000 + b"1]",
        b'{"a":' * 2_000_000,
    ]

    async def on_the_loop() -> None:
        for each in spiteful:
            await asyncio.sleep(0)
            with suppress(ValueError, RecursionError):
                SentConversions.model_validate(json.loads(each))

    async def sent() -> list[int]:
        asked = [await api.send("POST", "/conversions", content=_streamed(each), headers=JSON) for each in spiteful]
        return [answer.status_code for answer in asked]

    plain, _ = api.run(_stalled(on_the_loop))
    stalled, statuses = api.run(_stalled(sent))

    assert statuses == [422, 422, 400, 400]
    assert stalled < plain / 3, f"{stalled:.3f} s, and {plain:.3f} s on the loop"


def test_large_bodies__more_than_have_room_are_answered_in_turn(api: Api) -> None:
    body = json.dumps({"rows": ROWS[:100], "preview": True}).encode()
    assert len(body) > LARGE_BYTES

    async def many() -> list[httpx2.Response]:
        asked = (api.send("POST", "/conversions", content=_streamed(body), headers=JSON) for _ in range(20))
        return await asyncio.gather(*asked)

    assert [answer.status_code for answer in api.run(many())] == [200] * 20
    assert api.app.state.large_bodies._value == LARGE_AT_ONCE  # noqa: SLF001 - every place is free again


async def _stalled(work: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[float, Any]:
    """Do something. Returns: the longest that the event loop stood still meanwhile, in seconds; what was done."""
    longest, ended = 0.0, False

    async def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not ended:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    done = await work()
    await asyncio.sleep(0.01)
    ended = True
    await watching
    return longest, done


async def _streamed(body: bytes) -> AsyncIterator[bytes]:
    """A body as a server hands it over, piece by piece."""
    for place in range(0, len(body), 1 << 16):
        await asyncio.sleep(0)
        yield body[place : place + (1 << 16)]


async def _unread() -> AsyncIterator[bytes]:
    raise AssertionError("the body is read")
    yield b""


def _answers_kept(ledger: Database) -> int:
    return int(ledger.read_sql("SELECT count(*) FROM idempotency", {"kept": pl.Int64}).item())

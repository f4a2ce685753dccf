"""Idempotency-Key: a POST that is sent again is answered again, and not done again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from calling import Api, NewApi, told
from databases import write
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from trueup.access.keys import KeyScope
from trueup.api.http.idempotency import KEPT_DAYS, SILENT_SECONDS
from trueup.api.http.problems import ProblemKind
from trueup.ledger.database import Database
from trueup.ledger.idempotency import claim
from trueup.ledger.open import open_ledger

SOURCE = {"name": "PushAds"}


def make(api: Api, once: str, source: object = SOURCE, key: str = "admin") -> httpx2.Response:
    """Make a traffic source, once for an Idempotency-Key."""
    return api.post("/traffic_sources", json=source, headers={"Idempotency-Key": once}, key=key)


def replayed(answer: httpx2.Response) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


class Work:
    """An operation of the test's own: it counts how often it is done."""

    def __init__(self, api: Api, answer: Response | None = None) -> None:
        self.done, self.answer = 0, answer
        self.going_on: asyncio.Event | None = None
        api.app.add_api_route("/work", self.work, methods=["POST"])

    async def work(self, request: Request) -> Response:
        await request.body()
        self.done += 1
        if self.going_on:
            await self.going_on.wait()
        return self.answer or JSONResponse({"done": self.done})


@pytest.mark.front
def test_same_request__is_answered_again_and_not_done_again(api: Api) -> None:
    first, again = make(api, "a b~1"), make(api, "a b~1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert [answer.headers["location"] for answer in (first, again)] == ["/api/v1/traffic_sources/1"] * 2
    assert (replayed(first), replayed(again)) == (False, True)
    assert again.headers["content-type"] == "application/json"
    assert len(api.get("/traffic_sources").json()["items"]) == 1


@pytest.mark.front
def test_same_request__is_answered_again_after_a_restart(new_api: NewApi) -> None:
    api = new_api()
    first = make(api, "a")
    other = new_api()
    other.admin = api.admin
    assert make(other, "a").content == first.content


@pytest.mark.front
def test_another_body__with_the_same_key_is_refused(api: Api) -> None:
    make(api, "a")
    told(make(api, "a", {"name": "Other"}), ProblemKind.KEY_REUSED)
    told(api.post("/traffic_sources?x=1", json=SOURCE, headers={"Idempotency-Key": "a"}), ProblemKind.KEY_REUSED)
    told(api.post("/offers", json=SOURCE, headers={"Idempotency-Key": "a"}), ProblemKind.KEY_REUSED)


@pytest.mark.front
def test_without_a_key__it_is_done_again(api: Api) -> None:
    assert [api.post("/traffic_sources", json=SOURCE).status_code for _ in range(2)] == [201, 409]


@pytest.mark.front
def test_keys__are_each_callers_own(api: Api) -> None:
    make(api, "a")
    told(make(api, "a", key=api.key(KeyScope.SETUP)), ProblemKind.NAME_TAKEN)


@pytest.mark.front
def test_refusal__is_kept_as_well(api: Api) -> None:
    first = make(api, "a", {})
    told(first, ProblemKind.INVALID)
    again = make(api, "a", {})
    assert replayed(again)
    assert again.json()["errors"] == first.json()["errors"]


@pytest.mark.front
def test_key__that_cannot_be_one(api: Api) -> None:
    for key in ("", "a" * 256, "caf\u00e9", "tab\there"):
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        told(api.post("/traffic_sources", json=SOURCE, headers=headers), ProblemKind.MALFORMED)


@pytest.mark.front
def test_key__stands_once(api: Api) -> None:
    headers = [(b"Idempotency-Key", b"a"), (b"Idempotency-Key", b"b")]
    told(api.post("/traffic_sources", json=SOURCE, headers=headers), ProblemKind.MALFORMED)


@pytest.mark.front
def test_key__says_nothing_at_other_methods(api: Api) -> None:
    headers = {"Idempotency-Key": "a"}
    assert api.get("/offers", headers=headers).status_code == 200
    assert not replayed(api.get("/offers", headers=headers))


@pytest.mark.front
def test_request_at_work__is_not_done_beside_itself(api: Api) -> None:
    work = Work(api)

    async def both() -> list[httpx2.Response]:
        work.going_on = asyncio.Event()
        headers = {"Idempotency-Key": "a"}
        first = asyncio.create_task(api.send("POST", "/work", headers=headers))
        while not work.done:
            await asyncio.sleep(0.01)
        beside = await api.send("POST", "/work", headers=headers)
        work.going_on.set()
        return [await first, beside, await api.send("POST", "/work", headers=headers)]

    first, beside, after = api.run(both())
    assert first.json() == {"done": 1}
    told(beside, ProblemKind.AT_WORK)
    assert beside.headers["retry-after"] == "1"
    assert (replayed(after), after.json()) == (True, {"done": 1})


@pytest.mark.front
def test_many_at_once__are_done_once(api: Api) -> None:
    async def many() -> list[httpx2.Response]:
        sent = (api.send("POST", "/traffic_sources", json=SOURCE, headers={"Idempotency-Key": "a"}) for _ in range(30))
        return await asyncio.gather(*sent)

    statuses = {answer.status_code for answer in api.run(many())}
    assert 201 in statuses
    assert statuses <= {201, 409}
    assert len(api.get("/traffic_sources").json()["items"]) == 1
    assert make(api, "a").status_code == 201


@pytest.mark.front
def test_claim__of_a_server_that_is_gone_is_taken_over(api: Api, ledger: Database) -> None:
    number = api.get("/keys/current").json()["id"]
    now = api.clock()
    assert write(ledger, claim, f"{number}:a", "a server that is gone", now, silent_before=0, expired_before=0) is None
    told(make(api, "a"), ProblemKind.AT_WORK)
    api.clock.moved_seconds = SILENT_SECONDS - 5
    told(make(api, "a"), ProblemKind.AT_WORK)
    api.clock.moved_seconds = SILENT_SECONDS + 5
    assert make(api, "a").status_code == 201
    assert replayed(make(api, "a"))


@pytest.mark.front
def test_claim__of_a_silent_server_is_taken_over_by_one_alone(new_url: Callable[[], str]) -> None:
    url = new_url()
    with open_ledger(url) as ledger:
        write(ledger, claim, "1:a", "gone", 1, silent_before=0, expired_before=0)

    def take(number: int) -> bool:
        with open_ledger(url) as ledger:
            return write(ledger, claim, "1:a", f"server {number}", 100, silent_before=50, expired_before=0) is None

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 1


@pytest.mark.front
def test_answer__is_forgotten_after_a_week(api: Api) -> None:
    Work(api)
    headers = {"Idempotency-Key": "a"}
    assert api.post("/work", headers=headers).json() == {"done": 1}
    api.clock.moved_seconds = KEPT_DAYS * 86_400 - 60
    assert api.post("/work", headers=headers).json() == {"done": 1}
    api.clock.moved_seconds = KEPT_DAYS * 86_400 + 60
    assert api.post("/work", headers=headers).json() == {"done": 2}


def test_failure_of_the_server__is_not_kept(api: Api) -> None:
    work = Work(api, JSONResponse({}, 500))
    headers = {"Idempotency-Key": "a"}
    assert api.post("/work", headers=headers).status_code == 500
    work.answer = None
    assert api.post("/work", headers=headers).json() == {"done": 2}

    async def broken() -> None:
        raise RuntimeError("a wrench in the works")

    api.app.add_api_route("/broken", broken, methods=["POST"])
    for _ in range(2):
        told(api.post("/broken", headers={"Idempotency-Key": "b"}), ProblemKind.FAILURE)


UNKEPT = {
    "large": (b"[" + b"1," * 2_200_000 + b"1]", "application/json"),
    "no text": (b"\xff\xfe", "application/octet-stream"),
    "events": (b"data: 1\n\n" * 3, "text/event-stream"),
}


@pytest.mark.front
def test_answer__that_is_not_kept_is_still_not_done_again(api: Api) -> None:
    work = Work(api)
    for number, (body, media_type) in enumerate(UNKEPT.values(), start=1):
        work.answer = StreamingResponse(iter([body[:-10], body[-10:]]), media_type=media_type)
        first = api.post("/work", headers={"Idempotency-Key": media_type})
        assert (first.status_code, first.content) == (200, body)
        told(api.post("/work", headers={"Idempotency-Key": media_type}), ProblemKind.ANSWER_NOT_KEPT)
        assert work.done == number


def test_new_key_of_the_api__is_not_kept_for_any_key(api: Api) -> None:
    form, headers = {"name": "crm", "scopes": ["read"]}, {"Idempotency-Key": "a"}
    assert api.post("/keys", json=form, headers=headers).status_code == 201
    told(api.post("/keys", json=form, headers=headers), ProblemKind.ANSWER_NOT_KEPT)
    assert [key["name"] for key in api.get("/keys").json()["items"]] == ["test", "crm"]


@pytest.mark.front
def test_form__with_another_boundary_is_the_same_request(api: Api) -> None:
    work = Work(api)

    def send(boundary: str, text: str) -> httpx2.Response:
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n{text}\r\n--{boundary}--\r\n'

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 7):
                yield body[start : start + 7].encode()

        headers = {"Idempotency-Key": "a", "Content-Type": f'multipart/form-data; boundary="{boundary}"'}
        return api.post("/work", content=parts(), headers=headers)

    assert send("1f3a9c", "hello").status_code == 200
    assert replayed(send("77e2b1c05", "hello"))
    told(send("1f3a9c", "hallo"), ProblemKind.KEY_REUSED)
    assert work.done == 1


@pytest.mark.front
def test_large_body__is_compared_whole(new_api: NewApi) -> None:
    api = new_api(body_bytes=2_000, upload_bytes=100_000)

    async def upload(request: Request) -> Response:
        request.state.body.most = 100_000
        return JSONResponse({"bytes": len(await request.body())})

    api.app.add_api_route("/large", upload, methods=["POST"])
    body, headers = b"x" * 50_000, {"Idempotency-Key": "a"}
    assert api.post("/large", content=body, headers=headers).json() == {"bytes": 50_000}
    assert replayed(api.post("/large", content=body, headers=headers))
    told(api.post("/large", content=body[:-1] + b"y", headers=headers), ProblemKind.KEY_REUSED)


@pytest.mark.front
def test_body__that_is_too_large_leaves_the_key_free(new_api: NewApi) -> None:
    api = new_api(body_bytes=2_000)
    told(make(api, "a", {"name": "x" * 3_000}), ProblemKind.TOO_LARGE)
    assert make(api, "a").status_code == 201

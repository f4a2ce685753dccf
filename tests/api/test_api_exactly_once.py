"""Work and its kept answer are one: a request that is cut off right after its work is answered when it comes again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import polars as pl
import pytest
from calling import ONE_OF_EACH, Api, told
from databases import write

from trueup.api.http.problems import ProblemKind
from trueup.ledger.database import Database
from trueup.ledger.idempotency import claim

HEADERS = {"Idempotency-Key": "a"}
COUNT = "SELECT cast(count(*) AS text) FROM {}"
# What makes something: where it is asked for, how, and where one sees that it was done.
WORKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "thing": ("/traffic_sources", {"json": {"name": "PushAds"}}, COUNT.format("traffic_sources")),
    "clone": ("/campaigns/1/clone", {"json": {"name": "two", "slug": "two"}}, COUNT.format("campaigns")),
    "setup file": (
        "/setup",
        {"content": '[[traffic_sources]]\nname = "x"', "headers": {"Content-Type": "application/toml"}},
        COUNT.format("traffic_sources"),
    ),
    "postback key": ("/affiliate_networks/1/postback_keys", {}, "SELECT postback_keys FROM affiliate_networks"),
    "API key": ("/keys", {"json": {"name": "crm", "scopes": ["read"]}}, COUNT.format("api_keys")),
    "sent file": ("/uploads", {"content": b"x,1\n", "headers": {"Content-Type": "text/csv"}}, COUNT.format("uploads")),
}


def asked(ledger: Database, sql: str) -> str:
    return str(ledger.read_sql(sql, {"found": pl.String}).item())


async def sent(api: Api, what: str) -> httpx2.Response:
    path, words, _ = WORKS[what]
    return await api.send("POST", path, **{**words, "headers": {**words.get("headers", {}), **HEADERS}})


async def meanwhile(
    api: Api, what: str, happened: Callable[[], bool], act: Callable[["asyncio.Task[Any]"], None]
) -> Any:  # noqa: ANN401 - an answer, or None
    """Send a request, and do something as soon as something has happened, before the request gets any further."""
    request = asyncio.create_task(sent(api, what))
    while not happened():
        assert not request.done()
        await asyncio.sleep(0)
    act(request)
    with suppress(asyncio.CancelledError):
        return await request
    return None


@pytest.mark.parametrize("what", WORKS)
def test_request_cut_off_after_its_work__is_answered_and_not_done_again(api: Api, ledger: Database, what: str) -> None:
    setup = api.post("/setup", content=ONE_OF_EACH, headers={"Content-Type": "application/toml"})
    assert setup.status_code == 200, setup.text
    sql = WORKS[what][2]
    before = asked(ledger, sql)
    assert api.run(meanwhile(api, what, lambda: asked(ledger, sql) != before, lambda request: request.cancel())) is None
    done = asked(ledger, sql)
    again = api.run(sent(api, what))
    if what == "API key":
        told(again, ProblemKind.ANSWER_NOT_KEPT)
    else:
        assert again.status_code == (200 if what == "setup file" else 201), again.text
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["content-type"] == "application/json"
        assert again.json()
    assert asked(ledger, sql) == done


@pytest.mark.parametrize("what", WORKS)
def test_request_whose_claim_was_taken_over__does_nothing(api: Api, ledger: Database, what: str) -> None:
    assert api.post("/setup", content=ONE_OF_EACH, headers={"Content-Type": "application/toml"}).status_code == 200
    key, sql = f"{api.get('/keys/current').json()['id']}:a", WORKS[what][2]
    claims = "SELECT cast(count(*) AS text) FROM idempotency"
    before = asked(ledger, sql)

    def take_over(_request: "asyncio.Task[Any]") -> None:
        now = api.clock()
        assert write(ledger, claim, key, "another server", now, silent_before=now + 1, expired_before=0) is None

    answer = api.run(meanwhile(api, what, lambda: asked(ledger, claims) != "0", take_over))
    told(answer, ProblemKind.AT_WORK)
    assert asked(ledger, sql) == before

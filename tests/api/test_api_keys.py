"""Keys of the API: who gets in, what for, how often, and for how long."""

import asyncio
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from calling import Api, NewApi, told
from command_line import CommandLine
from databases import by_hand

from trueup.access.keys import KeyScope, create_key, first_admin, verify_key
from trueup.api.http.problems import ProblemKind
from trueup.ledger.database import Database
from trueup.ledger.keys import read_keys
from trueup.ledger.open import open_ledger
from trueup.ledger.schema import metadata
from trueup.ledger.secrets import click_key
from trueup.live.context import now

pytestmark = pytest.mark.front

READS, SETS_UP, IS_ADMIN = ("GET", "/offers", 200), ("POST", "/traffic_sources", 422), ("GET", "/keys", 200)


def test_key__looks_like_one_and_is_kept_nowhere(api: Api, ledger: Database) -> None:
    made = api.post("/keys", json={"name": " crm ", "scopes": ["upload", "upload", "read"]})
    key = made.json()["key"]
    assert re.fullmatch(r"tru_[0-9]+_[0-9a-f]{40}", key)
    assert made.headers["location"] == f"/api/v1/keys/{made.json()['id']}"
    assert (made.json()["name"], made.json()["scopes"]) == ("crm", ["read", "upload"])
    secret = key.rpartition("_")[2]
    tables = ("api_keys", "idempotency", "secrets")
    stored = [str(ledger.read_sql(f"SELECT * FROM {table}", _columns(table)).to_dicts()) for table in tables]  # noqa: S608 - names of our own
    assert secret not in "".join(stored)
    assert secret not in api.get("/keys").text


def test_key__is_on_no_disk(api: Api, url: str) -> None:
    made = [
        api.key(KeyScope.READ, name="straight"),
        api.post("/keys", json={"name": "asked", "scopes": ["read"]}).json()["key"],
        api.post("/keys", json={"name": "once", "scopes": ["read"]}, headers={"Idempotency-Key": "one"}).json()["key"],
    ]
    files = _files(url)
    assert b"straight" in files, "the files that were looked through are not those of the database"
    assert b"once" in files
    for key in made:
        assert key.rpartition("_")[2].encode() not in files


def _files(url: str) -> bytes:
    """Every byte that the database has on disk for the tables that keys and answers are in, and its log of writes."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    with Database(url) as database:
        by_hand(database, "CHECKPOINT")
        pages = b""
        for name in ("api_keys", "idempotency", "api_keys_sha256_key"):
            sql = f"SELECT encode(pg_read_binary_file(pg_relation_filepath('{name}')), 'hex')"
            pages += bytes.fromhex(database.read_sql(sql, {"pages": pl.String}).item())
        log = "SELECT encode(pg_read_binary_file('pg_wal/' || pg_walfile_name(pg_current_wal_lsn())), 'hex')"
        return pages + bytes.fromhex(database.read_sql(log, {"log": pl.String}).item())


def _columns(table: str) -> dict[str, Any]:
    columns = metadata.tables[table].columns
    return {column.name: pl.String if str(column.type) == "TEXT" else pl.Int64 for column in columns}


NO_KEYS = (None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "tru_1_00")
WRONG_KEYS = (
    "x", "tru_1_" + "0" * 40, "tru_999999_" + "a" * 40, "tru_0_" + "a" * 40, "tru_99999999999999999999_" + "a" * 40,
    "x" * 5_000, "tru_1_\xff",
)  # fmt: skip


def test_no_key__is_refused(api: Api) -> None:
    for header in NO_KEYS:
        headers = [] if header is None else [("Authorization", header)]
        for path in ("/offers", "/nothing", "/keys"):
            answer = api.get(path, key=None, headers=headers)
            told(answer, ProblemKind.NO_KEY)
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_wrong_key__is_refused(api: Api) -> None:
    for key in (*WRONG_KEYS, api.admin[:-1], api.admin + "0", api.admin.upper(), api.admin[:-1] + "g"):
        answer = api.get("/offers", key=None, headers=[(b"Authorization", f"Bearer {key}".encode("latin-1"))])
        told(answer, ProblemKind.BAD_KEY)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    other = "1" if api.admin.endswith("0") else "0"
    told(api.get("/offers", key=api.admin[:-1] + other), ProblemKind.BAD_KEY)


def test_scheme__is_read_in_any_case(api: Api) -> None:
    assert api.get("/offers", key=None, headers={"Authorization": f"bearer  {api.admin}"}).status_code == 200


MAY = {
    KeyScope.READ: {READS},
    KeyScope.UPLOAD: {READS},
    KeyScope.SETUP: {READS, SETS_UP},
    KeyScope.ADMIN: {READS, SETS_UP, IS_ADMIN},
}


def test_scope__allows_what_it_says(api: Api) -> None:
    for scope in KeyScope:
        key = api.key(scope)
        for method, path, status in (READS, SETS_UP, IS_ADMIN):
            answer = api.ask(method, path, key=key, **({"json": {}} if method == "POST" else {}))
            assert answer.status_code == (status if (method, path, status) in MAY[scope] else 403), (scope, path)


def test_every_operation__needs_a_key_and_says_which_scope(api: Api) -> None:
    paths = api.get("/openapi.json", key=None).json()["paths"]
    operations = [(method, path, said) for path, found in paths.items() for method, said in found.items()]
    assert len(operations) > 30
    reader = api.key(KeyScope.READ)
    for method, path, operation in operations:
        (needed,) = operation["security"]
        assert len(needed["Key"]) == 1, path
        real = re.sub(r"\{[^}]*\}", "1", path)
        told(api.ask(method.upper(), real, key=None), ProblemKind.NO_KEY)
        if needed["Key"] != ["read"]:
            told(api.ask(method.upper(), real, key=reader), ProblemKind.WRONG_SCOPE)


def test_revoked_key__is_refused_at_once_by_the_server_that_revoked_it(api: Api) -> None:
    key = api.key(KeyScope.READ)
    number = api.get("/keys/current", key=key).json()["id"]
    assert api.delete(f"/keys/{number}").status_code == 204
    told(api.get("/offers", key=key), ProblemKind.BAD_KEY)
    assert api.get(f"/keys/{number}").json()["revoked_at"]
    told(api.delete("/keys/99999"), ProblemKind.NOT_FOUND)


def test_revoked_key__is_refused_after_a_second_by_another_server(api: Api, trueup: CommandLine) -> None:
    key = api.key(KeyScope.READ)
    assert api.get("/offers", key=key).status_code == 200
    assert trueup("keys", "revoke", api.get("/keys/current", key=key).json()["id"]).code == 0
    time.sleep(1.1)
    told(api.get("/offers", key=key), ProblemKind.BAD_KEY)


def test_last_use__is_written_once_a_minute(api: Api) -> None:
    key = api.key(KeyScope.READ)
    number = api.get("/keys/current", key=key).json()["id"]

    def used() -> str | None:
        api.post("/traffic_sources", json={})  # what the writer was given before is done by then
        api.post("/keys", json={"name": "x", "scopes": ["read"]})
        return api.get(f"/keys/{number}").json()["last_used_at"]

    first = used()
    assert first
    api.get("/offers", key=key)
    assert used() == first
    api.clock.moved_seconds = 61
    api.get("/offers", key=key)
    assert used() > first


def test_good_key__has_so_many_requests_a_minute(new_api: NewApi) -> None:
    api = new_api(api_per_minute=3)
    other = api.key(KeyScope.READ)
    answers = [api.get("/offers") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
    told(answers[-1], ProblemKind.TOO_MANY)
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 21
    assert 1 <= int(answers[-1].headers["ratelimit-reset"]) <= 60
    assert api.get("/offers", key=other).status_code == 200


def test_wrong_keys__are_few_from_an_address_and_harm_no_good_key(new_api: NewApi) -> None:
    api = new_api(refused_per_minute=3)
    assert api.get("/offers").status_code == 200
    wrong = [api.get("/offers", key=f"tru_1_{number:040x}").status_code for number in range(5)]
    assert wrong == [401, 401, 401, 429, 429]
    assert api.get("/offers").status_code == 200


def test_wrong_keys__at_once_are_as_few_and_good_ones_at_once_are_none(new_api: NewApi) -> None:
    api = new_api(refused_per_minute=5)
    good = [api.key(KeyScope.READ) for _ in range(20)]

    async def many(keys: list[str]) -> list[int]:
        answers = await asyncio.gather(*(api.send("GET", "/offers", key) for key in keys))
        return [answer.status_code for answer in answers]

    assert api.run(many(good)) == [200] * 20
    wrong = api.run(many([f"tru_1_{number:040x}" for number in range(40)]))
    assert (wrong.count(401), wrong.count(429)) == (5, 35)
    assert api.run(many(good)) == [200] * 20


def test_forwarded_address__counts_only_from_a_trusted_proxy(new_api: NewApi) -> None:
    def statuses(api: Api) -> list[int]:
        return [
            api.get("/offers", key="wrong", headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
            for number in range(3)
        ]

    assert statuses(new_api(refused_per_minute=1)) == [401, 429, 429]
    assert statuses(new_api(refused_per_minute=1, trusted_proxies="127.0.0.1")) == [401, 401, 401]


def test_first_admin__is_made_once_however_many_programs_begin(new_url: Callable[[], str]) -> None:
    url = new_url()

    def begin(_number: int) -> tuple[str | None, bytes]:
        with open_ledger(url) as database:
            return first_admin(database, now, os.urandom), click_key(database, os.urandom)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(begin, range(8)))
    (key,) = [key for key, _ in found if key]
    assert len({secret for _, secret in found}) == 1
    with open_ledger(url) as database:
        caller = verify_key(database, key)
        assert caller
        assert caller.scopes == set(KeyScope)
        assert first_admin(database, now, os.urandom) is None
        assert len(read_keys(database)) == 1


def test_name__that_no_key_can_have(api: Api) -> None:
    for name in ("", "   ", "a" * 129, "two\nlines", "\x00", "\u2028"):
        problem = told(api.post("/keys", json={"name": name, "scopes": ["read"]}), ProblemKind.INVALID)
        assert [error["where"] for error in problem["errors"]] == ["body.name"]


def test_scopes__that_no_key_can_have(api: Api) -> None:
    for scopes in ([], ["root"], "read", None, ["read"] * 10):
        told(api.post("/keys", json={"name": "crm", "scopes": scopes}), ProblemKind.INVALID)


def test_keys__made_at_once_are_all_different(ledger: Database) -> None:
    keys = {create_key(ledger, "same", [KeyScope.READ], 0, os.urandom)[0] for _ in range(20)}
    assert len(keys) == 20

"""The API of the program itself, over sockets: what only shows there."""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from command_line import CommandLine
from served import NewServed, Served
from serving import Answer, Server

pytestmark = pytest.mark.front


@pytest.fixture
def admin(trueup: CommandLine) -> str:
    """A key of an admin, as the header that brings it."""
    return "Bearer " + trueup("keys", "create", "admin", "--scope", "admin").stdout.strip()


def create(server: Server, admin: str, name: str, once: str = "") -> Answer:
    """Create a traffic source."""
    headers = {"authorization": admin, "content_type": "application/json"} | ({"idempotency_key": once} if once else {})
    return server.post("/api/v1/traffic_sources", json.dumps({"name": name}).encode(), **headers)


@pytest.mark.long
def test_answer__is_kept_over_a_kill(server: Server, admin: str) -> None:
    first = create(server, admin, "PushAds", "a")
    assert first.status == 201
    server.restart()
    again = create(server, admin, "PushAds", "a")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert create(server, admin, "PushAds").status == 409


def test_head__answers_as_get_does_without_the_body(served: Served, admin: str) -> None:
    head = served.ask("HEAD", "/api/v1/offers", headers={"Authorization": admin})
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == "application/json"


def test_body__without_an_end_is_refused_at_its_limit(new_served: NewServed, trueup: CommandLine) -> None:
    key = trueup("keys", "create", "admin", "--scope", "admin").stdout.strip()
    served = new_served(body_bytes=20_000)
    head = (
        f"POST /api/v1/offers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(head.encode())
        for _ in range(10):
            connection.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        assert b" 413 " in connection.recv(65_536).split(b"\r\n")[0]


def test_body__of_a_stranger_is_not_waited_for(served: Served) -> None:
    head = (
        "POST /api/v1/offers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 401 " in connection.recv(65_536).split(b"\r\n")[0]


def test_key__made_and_revoked_by_the_command_while_the_server_runs(served: Served, trueup: CommandLine) -> None:
    key = trueup("keys", "create", "crm", "--scope", "read").stdout.strip()
    assert served.get("/api/v1/offers", authorization=f"Bearer {key}").status == 200
    assert trueup("keys", "revoke", key.split("_")[1]).code == 0
    time.sleep(1.1)
    assert served.get("/api/v1/offers", authorization=f"Bearer {key}").status == 401
    assert key not in served.log


def test_setup__of_several_processes_is_one(new_server: Callable[..., Server], admin: str, database_kind: str) -> None:
    if database_kind == "sqlite":
        pytest.skip("several processes are for PostgreSQL")
    server = new_server(TRUEUP_WORKERS=2)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: create(server, admin, f"source {number % 10}").status, range(40)))
    assert sorted(set(statuses)) == [201, 409]
    assert statuses.count(201) == 10
    for _ in range(8):
        listed = server.get("/api/v1/traffic_sources", authorization=admin)
        assert len(listed.json["items"]) == 10


def test_document__is_there_for_everyone(served: Served) -> None:
    document = served.get("/api/v1/openapi.json")
    assert (document.status, document.json["openapi"][:3]) == (200, "3.1")
    assert served.get("/api/v1/nothing").status == 401
    assert served.get("/api/v1").status == 401

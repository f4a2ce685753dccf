"""What a request must be before anybody looks at it: one Host, a head that is not too large, a body that is whole."""

import json
import os
import socket
import time

import pytest
from edge_asking import journal
from served import Served
from serving import HOST, Server

from trueup.access.keys import KeyScope, create_key
from trueup.ledger.open import open_ledger

pytestmark = pytest.mark.front

ASK = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"
REPORT = b"POST /postback?cid=a HTTP/1.1\r\nhost: x\r\n"
CHUNKED = REPORT + b"transfer-encoding: chunked\r\n\r\n"


def status(server: Server, request: bytes, *, ends: bool = False) -> int:
    """Send bytes as they are, and read the status of the answer.

    Args:
        server: The server.
        request: The bytes.
        ends: Whether the sender says that this was all.

    Returns:
        The HTTP status.
    """
    with socket.create_connection((HOST, server.port), timeout=15) as connection:
        connection.sendall(request)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(65_536).split()[1])


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\nhost: x\r\nhost: x\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (ASK + b"x-long: " + b"a" * 60_000 + b"\r\n\r\n", 200),
        (ASK + b"x-long: " + b"a" * 140_000 + b"\r\n\r\n", 431),
        (ASK + b"".join(b"x-%d: a\r\n" % number for number in range(99)) + b"\r\n", 200),
        (ASK + b"".join(b"x-%d: a\r\n" % number for number in range(100)) + b"\r\n", 431),
        (b"GET /healthz?" + b"a" * 64_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 200),
        (b"GET /healthz?" + b"a" * 66_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
    ],
)
def test_head__is_answered_as_the_page_says(standing: Server, request_: bytes, expected: int) -> None:
    assert status(standing, request_) == expected


@pytest.mark.parametrize(
    ("request_", "ends"),
    [
        (CHUNKED + b"zz\r\ncid=a\r\n0\r\n\r\n", False),
        (CHUNKED + b"3\r\ncid\r\nzz\r\n", False),
        (CHUNKED + b"3\r\ncid\r\n5\r\n=x", True),
        (REPORT + b"content-length: 30\r\n\r\ntxid=half", True),
    ],
)
def test_body__that_breaks_off_is_counted_and_never_recorded(standing: Server, request_: bytes, ends: bool) -> None:
    before, recorded = _refused(standing), journal(standing.database_url)
    assert status(standing, request_, ends=ends) == 400
    assert _refused(standing) == before + 1
    assert journal(standing.database_url) == recorded  # other tests ask this server, too


def _refused(server: Server) -> float:
    counted = 'trueup_request_seconds_count{route="postback",status="4xx"} '
    return float(server.get("/metrics").text.partition(counted)[2].split("\n")[0] or 0)


def test_methods__are_told_by_every_path(standing: Server) -> None:
    for path, allowed in {
        "/c/nowhere": "GET, HEAD, OPTIONS",
        "/pixel.gif": "GET, HEAD, OPTIONS",
        "/pixel.js": "GET, HEAD, OPTIONS",
        "/healthz": "GET, HEAD, OPTIONS",
        "/readyz": "GET, HEAD, OPTIONS",
        "/metrics": "GET, HEAD, OPTIONS",
        "/postback": "GET, POST, HEAD, OPTIONS",
    }.items():
        for method, expected in (("DELETE", 405), ("OPTIONS", 200)):
            answer = standing.ask(method, path)
            assert (answer.status, answer.headers["allow"]) == (expected, allowed), path


def test_scope__is_answered_before_a_body_comes(served: Served) -> None:
    with open_ledger(served.database_url) as ledger:
        key, _ = create_key(ledger, "reader", [KeyScope.READ], time.time_ns() // 1_000, os.urandom)
    head = (
        f"POST /api/v1/conversions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
        "content-type: application/json\r\ncontent-length: 13000000\r\n\r\n"
    )
    began = time.monotonic()
    with socket.create_connection((HOST, served.port), timeout=15) as connection:
        connection.sendall(head.encode())
        told = connection.recv(65_536)
    assert told.startswith(b"HTTP/1.1 403 ")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["type"] == "urn:trueup:problem:wrong_scope"
    assert time.monotonic() - began < 10

"""/postback over a real socket: as networks send it, and as nobody should."""

import socket
import time
from pathlib import Path

import pytest
from command_line import CommandLine
from edge_asking import journal
from postback_asking import SETUP
from served import Served
from serving import HOST
from worlds import World

from trueup.edge.body import SECONDS

pytestmark = pytest.mark.front


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    made.add_clicks("a", "b", "c", "d", offer="VPN")
    return made


def said(served: Served, request: bytes, seconds: float = 5) -> bytes:
    """Write bytes as they are, and read what is answered until the other side has nothing more to say."""
    with socket.create_connection((HOST, served.port), timeout=seconds) as connection:
        connection.sendall(request)
        answered = b""
        while b"\r\n\r\n" not in answered and (more := connection.recv(65_536)):
            answered += more
        return answered


def test_postback__as_networks_send_it(world: World, served: Served) -> None:
    key = world.trueup("postbacks", "rotate-key", "Northwind").stdout.strip()
    assert served.get("/postback?cid=a&payout=1.20&txid=1").text == "ok created a-1\n"
    body = b'{"subid": "b", "sum": 2.5, "status": "lead"}'
    assert served.post("/postback", body, content_type="application/json").text == "ok created b-1\n"
    while served.get(f"/{key}/postback?cid=c&test=1").status == 403:  # the server has not seen the new key yet
        time.sleep(0.1)
    assert served.post(f"/{key}/postback?return=OK", b"clickid=c", content_type="").text == "OK"
    assert served.get("/nobody/postback?cid=d").status == 403
    assert served.ask("HEAD", "/postback?cid=d").status == 200
    chunked = (
        b"POST /postback HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\ncid\r\n2\r\n=d\r\n0\r\n\r\n"
    )
    assert b" 200 " in said(served, chunked)
    assert [row["outcome"] for row in journal(world.trueup.url)] == [
        "created", "created", "created", "refused_not_allowed", "created"
    ]  # fmt: skip
    assert key not in served.log


def test_postback__too_large_is_refused_without_reading_it(world: World, served: Served) -> None:
    head = b"POST /postback?cid=a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"
    assert b" 413 " in said(served, head + b"x" * (200 << 10))
    assert [row["detail"] for row in journal(world.trueup.url)] == ["the body is longer than 65,536 bytes"]
    assert served.get("/postback?cid=a").status == 200


@pytest.mark.long
def test_postback__that_does_not_come_whole_in_time_is_given_up(world: World, served: Served) -> None:
    head = b"POST /postback?cid=a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ncid=a"
    assert b" 408 " in said(served, head, SECONDS + 5)
    assert journal(world.trueup.url) == []

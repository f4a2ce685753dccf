"""A server that is told to stop does not wait for those who follow an upload."""

import time

import pytest
from command_line import CommandLine
from serving import Server

pytestmark = pytest.mark.front


@pytest.mark.long
def test_stop__ends_a_stream_at_once(server: Server, trueup: CommandLine) -> None:
    bearer = "Bearer " + trueup("keys", "create", "admin", "--scope", "admin").stdout.strip()
    sent = server.post("/api/v1/uploads", b"x,1\n", authorization=bearer, content_type="text/csv")
    assert sent.status == 201, sent.text
    with server.connection() as connection:
        connection.request("GET", f"{sent.headers['location']}/events", headers={"Authorization": bearer})
        stream = connection.getresponse()
        assert stream.readline() == b"retry: 2000\n"
        while b'"state":"received"' not in (line := stream.readline()):
            assert line, "the stream ended before it said the state"
        began = time.monotonic()
        assert server.stop() == 0
        took = time.monotonic() - began
        stream.read()  # to its end
    assert took < 6, f"a stream lasts 15 seconds, and the stop took {took:.1f}"
    assert "stopped" in server.log

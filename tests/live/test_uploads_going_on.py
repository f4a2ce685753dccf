"""Uploads and undos of a server that is killed or stopped midway: the next one goes on, and does nothing twice."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from api_caller import PATIENCE_SECONDS, Caller
from command_line import CommandLine
from serving import NewServer
from worlds import World

CLICKS = [f"k{number:05}" for number in range(8_000)]
# Each row adds to its click's conversion: a row applied twice, or not at all, shows in the money.
FILE = "click_id,payout,transaction_id\n" + "".join(f"{click},1.00,T\n{click},0.50,T\n" for click in CLICKS)


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.add_clicks(*CLICKS)
    return made


@pytest.fixture
def caller(url: str) -> Caller:
    return Caller(url)


def is_applying(upload: dict[str, Any]) -> bool:
    return upload["state"] == "applying" and bool(upload["summary"]) and sum(upload["summary"]["outcomes"].values()) > 0


@pytest.mark.front
@pytest.mark.parametrize(
    "killed_at",
    [pytest.param([4_000], id="once"), pytest.param([1, 4_000, 10_000], id="often", marks=pytest.mark.long)],
)
def test_upload__of_a_killed_server_goes_on_by_itself(
    world: World, new_server: NewServer, caller: Caller, killed_at: list[int]
) -> None:
    server = new_server()
    upload = caller.ask(server, "POST", "/uploads?duplicates=add_payout", FILE.encode())
    path = f"/uploads/{upload['upload_id']}"
    caller.ask(server, "POST", f"{path}/apply?wait=0")
    for rows in killed_at:
        caller.until(
            server, path, lambda now, rows=rows: now["summary"] and sum(now["summary"]["outcomes"].values()) >= rows
        )
        server.restart()
    ended = caller.until(server, path, lambda now: now["state"] != "applying")
    assert ended["state"] == "done"
    assert ended["summary"]["outcomes"] == {"created": len(CLICKS), "added_to_payout": len(CLICKS)}
    assert world.totals()["revenue"] == f"{len(CLICKS) * 1.5:.2f}"
    assert caller.ask(server, "GET", "/batches")["items"][0]["batch_id"] == 1
    assert world.trueup("audit").code == 0


@pytest.mark.long
def test_undo__of_a_killed_server_goes_on_by_itself(world: World, new_server: NewServer, caller: Caller) -> None:
    world.upload(FILE)
    server = new_server()
    caller.ask(server, "POST", "/batches/1/undo?wait=0")
    caller.until(server, "/batches", lambda now: now["items"][0]["batch_id"] == 2 and now["items"][0]["rows_done"] > 0)
    server.restart()
    caller.until(server, "/batches/2", lambda now: now["state"] == "done")
    assert world.conversions() == []
    assert world.trueup("audit").code == 0


@pytest.mark.long
def test_upload__of_a_stopped_server_goes_on_by_itself(world: World, new_server: NewServer, caller: Caller) -> None:
    server = new_server()
    upload = caller.ask(server, "POST", "/uploads", FILE.encode())
    path = f"/uploads/{upload['upload_id']}"
    caller.ask(server, "POST", f"{path}/apply?wait=0")
    caller.until(server, path, is_applying)
    assert server.stop() == 0
    assert 0 < len(world.conversions()) < len(CLICKS)
    server.start()
    caller.until(server, path, lambda now: now["state"] == "done")
    assert len(world.conversions()) == len(CLICKS)


@pytest.mark.long
@pytest.mark.usefixtures("world")
def test_preview__of_a_killed_server_is_made_again(new_server: NewServer, caller: Caller) -> None:
    server = new_server()
    upload = caller.ask(server, "POST", "/uploads", FILE.encode())
    path = f"/uploads/{upload['upload_id']}"
    caller.ask(server, "POST", f"{path}/preview?wait=0")
    server.restart()
    previewed = caller.until(server, path, lambda now: now["state"] == "previewed")
    assert previewed["preview"]["outcomes"] == {"created": len(CLICKS), "updated": len(CLICKS)}


@pytest.mark.long
def test_upload__is_followed_through_a_restart(world: World, new_server: NewServer, caller: Caller) -> None:
    server = new_server()
    upload = caller.ask(server, "POST", "/uploads", FILE.encode())
    path = f"/uploads/{upload['upload_id']}"
    caller.ask(server, "POST", f"{path}/apply?wait=0")
    caller.until(server, path, is_applying)
    server.restart()
    answer = server.ask("GET", f"/api/v1{path}/events", None, {"Authorization": f"Bearer {caller.key}"})
    seen = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert seen[0]["state"] == "applying"
    assert seen[-1]["state"] == "done"
    rows = [
        event["progress"]["done"] for event in seen if event["progress"] and event["progress"]["step"] == "applying"
    ]
    assert rows == sorted(rows)
    assert len(world.conversions()) == len(CLICKS)


@pytest.mark.long
def test_part_of_a_file__that_a_killed_server_left_is_removed(new_server: NewServer, caller: Caller) -> None:
    server = new_server()
    with server.connection() as connection:
        connection.putrequest("POST", "/api/v1/uploads")
        connection.putheader("Authorization", f"Bearer {caller.key}")
        connection.putheader("Content-Type", "text/csv")
        connection.putheader("Content-Length", str(10 << 20))
        connection.endheaders(b"x" * (3 << 20))
        folder = server.folder / "files" / "uploads"
        ends = time.monotonic() + PATIENCE_SECONDS
        while not (folder.exists() and any(path.stat().st_size for path in folder.iterdir())):
            assert time.monotonic() < ends
            time.sleep(0.01)
        server.restart()
    while list(folder.iterdir()):
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert caller.ask(server, "GET", "/uploads")["items"] == []


@pytest.mark.long
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_upload__several_processes_take_up_is_done_once(world: World, new_server: NewServer, caller: Caller) -> None:
    server = new_server(TRUEUP_WORKERS=3)
    upload = caller.ask(server, "POST", "/uploads?duplicates=add_payout", FILE.encode())
    path = f"/uploads/{upload['upload_id']}"
    caller.ask(server, "POST", f"{path}/apply?wait=0")
    caller.until(server, path, is_applying)
    server.restart()
    caller.until(server, path, lambda now: now["state"] == "done")
    assert world.totals()["revenue"] == f"{len(CLICKS) * 1.5:.2f}"
    assert world.trueup("audit").code == 0

"""A server whose database is away, slow or another's: it starts, says so, keeps clicks, and catches up by itself."""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from command_line import CommandLine
from databases import write
from served import NewServed, Served
from serving import Asked, NewServer, Server, wait_until
from test_operation import nobody_can_write
from traffic import SETUP
from worlds import World, succeeded

from trueup.ledger.open import open_ledger
from trueup.ledger.secrets import click_key
from trueup.ledger.spools import note_drained
from trueup.live.spool.mark import mark_folder
from trueup.model.ids import RANDOM_BYTES, new_click_id

pytestmark = pytest.mark.front

HOUR = 3_600 * 1_000_000
PATIENCE = 4.0  # of a test: the deadline, and a loaded machine


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    return made


@contextmanager
def taken_away(url: str) -> Iterator[None]:
    """Have the database not be there: its file is elsewhere, or nobody may connect to it."""
    file = Path(url.removeprefix("sqlite:///"))
    parts = [Path(f"{file}{end}") for end in ("", "-wal", "-shm")]
    for part in parts:
        if part.exists():
            part.rename(f"{part}.away")
    file.mkdir()  # nothing can be opened here
    yield
    file.rmdir()
    for part in parts:
        if Path(f"{part}.away").exists():
            Path(f"{part}.away").rename(part)


def clicked(server: Asked) -> str:
    """Follow the link. Returns: the click's id; '' where the visitor was sent on without one."""
    answer = server.get("/c/push")
    assert answer.status == 302
    click_id = answer.headers["location"].partition("s=")[2]
    assert bool(click_id) == ("set-cookie" in answer.headers)
    return click_id


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_start__without_the_database_keeps_clicks_and_catches_up(
    world: World, served: Served, new_server: NewServer
) -> None:
    before = clicked(served)
    served.stop()
    with taken_away(world.trueup.url):
        server = new_server(TRUEUP_FOLDER=served.folder / "files")
        during = [clicked(server) for _ in range(3)]
        assert all(during)
        assert server.get(f"/postback?cid={before}&payout=1").status == 503
        assert server.get("/api/v1/batches", authorization="Bearer tru_1_" + "0" * 40).status == 503
        unready = server.get("/readyz")
        assert (unready.status, unready.json["state"]) == (503, "database in trouble")
        assert server.get("/healthz").status == 200
    wait_until(lambda: server.get("/readyz").json["state"] == "serving")
    for click_id in [before, *during]:
        assert server.get(f"/postback?cid={click_id}&payout=1").status == 200
    assert world.totals()["clicks"] == 4
    succeeded(world.trueup("audit"))


@pytest.mark.long
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_start__where_nothing_was_ever_known_acknowledges_nothing(world: World, new_server: NewServer) -> None:
    with taken_away(world.trueup.url):
        server = new_server()
        assert server.get("/c/push").status == 503
        assert server.get("/postback?cid=a").status == 503
    wait_until(lambda: server.get("/readyz").status == 200)
    assert clicked(server)


def test_locked_database__keeps_no_visitor_waiting_and_says_so(world: World, served: Served) -> None:
    first = clicked(served)
    with nobody_can_write(world.trueup.url):
        began = time.monotonic()
        kept = clicked(served)
        assert time.monotonic() - began < PATIENCE
        began = time.monotonic()
        assert served.get(f"/postback?cid={first}&payout=1").status == 503
        assert time.monotonic() - began < PATIENCE
        assert served.get("/readyz").json["state"] == "database in trouble"
        assert served.get("/healthz").status == 200
    wait_until(lambda: served.get("/readyz").status == 200)
    assert [served.get(f"/postback?cid={click_id}&payout=1").status for click_id in (first, kept)] == [200, 200]
    assert world.totals()["clicks"] == 2
    succeeded(world.trueup("audit"))


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_table_that_is_gone__loses_no_click(world: World, served: Served) -> None:
    def altered(sql: str) -> None:
        with closing(sqlite3.connect(world.trueup.url.removeprefix("sqlite:///"))) as admin:
            admin.execute(sql)

    clicks = [clicked(served)]
    wait_until(lambda: world.totals()["clicks"] == 1)
    altered("ALTER TABLE clicks RENAME TO elsewhere")
    clicks += [clicked(served) for _ in range(20)]
    wait_until(lambda: served.get("/readyz").status == 503)
    clicks += [clicked(served) for _ in range(20)]
    assert served.get(f"/postback?cid={clicks[0]}&payout=1").status == 503
    altered("ALTER TABLE elsewhere RENAME TO clicks")
    wait_until(lambda: served.get("/readyz").status == 200)
    assert all(clicks)
    assert {served.get(f"/postback?cid={click_id}&payout=1").status for click_id in clicks} == {200}
    assert world.totals()["clicks"] == 41
    succeeded(world.trueup("audit"))


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_folder_of_another_ledger__is_refused_by_its_name(
    world: World, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clicked(served)
    served.stop()
    monkeypatch.setenv("TRUEUP_FOLDER", str(served.folder / "files"))
    other = CommandLine(f"sqlite:///{tmp_path / 'other.db'}")
    World(other, tmp_path).set_up(SETUP)
    ran = other("serve", "--port", 0)
    assert ran.code == 3
    assert "belongs to another ledger" in ran.stderr
    assert world.trueup.url.rpartition("/")[2] in ran.stderr


@pytest.mark.long
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_folder_of_another_ledger__is_told_in_the_log_of_a_server_that_is_at_work(world: World, server: Server) -> None:
    assert server.stop() == 0
    with taken_away(world.trueup.url):
        server.start()
        mark_folder(server.folder / "files", "another", "sqlite:///another.db")
    wait_until(lambda: "give it to this ledger with `trueup spool claim`" in server.log)
    assert server.get("/readyz").json["state"] == "database in trouble"


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_click_in_the_spool_of_another_process__is_not_refused_for_good(world: World, new_served: NewServed) -> None:
    """Files of the folder that nobody has drained yet stand for those of a process that died a moment ago."""
    served = new_served()
    absent, forged = (made(world.trueup.url) for made in (_click_of_ours, _click_of_ours))
    held = json.loads(served.get("/readyz").text)["checks"]["spool"]
    assert held["bytes_of_others"] == 0
    assert served.get(f"/postback?cid={absent}&payout=1").status == 404
    from trueup.live.spool.file import SpoolFile  # noqa: PLC0415 - only here

    other = SpoolFile.claim(served.folder / "files", 1 << 16)
    try:
        from writers import new_click  # noqa: PLC0415 - only here

        click = new_click(click_id=forged)
        assert other.keep([click]) == 1
        answer = served.get(f"/postback?cid={forged}&payout=1")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert served.get("/postback?cid=another-trackers-click&payout=1").status == 404
    finally:
        other.close()
    wait_until(lambda: served.get(f"/postback?cid={forged}&payout=1").status == 200)
    assert world.totals()["clicks"] == 1
    succeeded(world.trueup("audit"))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_click_that_another_machine_may_have__is_not_refused_for_good(world: World, new_served: NewServed) -> None:
    served = new_served()
    click_id = _click_of_ours(world.trueup.url)
    made = time.time_ns() // 1_000
    with open_ledger(world.trueup.url) as database:
        for drained_until, status in ((made - 10_000_000, 503), (made + 10_000_000, 404), (made - 25 * HOUR, 404)):
            write(database, note_drained, "another machine's folder", drained_until)
            assert served.get(f"/postback?cid={click_id}&payout=1").status == status


def _click_of_ours(url: str) -> str:
    """A click id that this ledger's servers would make."""
    with open_ledger(url) as database:
        key = click_key(database, lambda size: bytes(range(size)))
    return new_click_id(time.time_ns() // 1_000, time.time_ns().to_bytes(RANDOM_BYTES, "big"), key)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_file_that_is_replaced__takes_nothing_until_the_first_is_back(
    world: World, served: Served, tmp_path: Path
) -> None:
    before = clicked(served)
    wait_until(lambda: world.totals()["clicks"] == 1)
    succeeded(world.trueup("backup", tmp_path / "copy.db"))
    file = Path(world.trueup.url.removeprefix("sqlite:///"))
    file.rename(tmp_path / "first.db")
    shutil.copy(tmp_path / "copy.db", file)
    wait_until(lambda: served.get("/readyz").json["state"] == "database in trouble")
    during = clicked(served)
    assert served.get(f"/postback?cid={before}&payout=1").status == 503
    wait_until(lambda: "another file stands in its place" in served.log)
    file.unlink()
    (tmp_path / "first.db").rename(file)
    wait_until(lambda: served.get("/readyz").json["state"] == "serving")
    assert [served.get(f"/postback?cid={click_id}&payout=1").status for click_id in (before, during)] == [200, 200]
    assert world.totals()["clicks"] == 2
    succeeded(world.trueup("audit"))

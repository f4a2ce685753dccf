"""What those who run a server ask it: /healthz, /readyz, /metrics, and its log."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import CommandLine
from databases import by_hand
from served import NewServed, Served
from serving import Asked, NewServer, Server, wait_until
from traffic import SETUP
from worlds import World

from trueup.ledger.database import Database
from trueup.live.logs import cleaned, open_log
from trueup.settings import LogForm

pytestmark = pytest.mark.front

one_database = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    return made


@contextmanager
def nobody_can_write(url: str) -> Iterator[None]:
    """Hold what every writer needs."""
    with Database(url) as holder:
        by_hand(holder, "BEGIN IMMEDIATE" if holder.is_sqlite else "BEGIN")
        if not holder.is_sqlite:
            by_hand(holder, "LOCK TABLE clicks, journal, batches IN EXCLUSIVE MODE")
        yield
        by_hand(holder, "ROLLBACK")


def number(server: Asked, name: str) -> float:
    """A number of /metrics, all its labels together."""
    text = server.get("/metrics").text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def test_readyz__says_all_is_well(standing: Server) -> None:
    answer = standing.get("/readyz")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["ready"] is True
    assert {name: check["ok"] for name, check in answer.json["checks"].items()} == {
        "database": True,
        "disk": True,
        "queue": True,
        "spool": True,
    }


@one_database
def test_readyz__says_that_the_database_cannot_be_written_until_it_can(world: World, served: Served) -> None:
    with nobody_can_write(world.trueup.url):
        answer = served.get("/c/push")
        assert answer.status == 302
        assert served.get("/postback?subid=x").status == 503
        unready = served.get("/readyz")
        assert (unready.status, unready.headers["retry-after"]) == (503, "5")
        assert [name for name, check in unready.json["checks"].items() if not check["ok"]] == ["database", "spool"]
        assert served.get("/healthz").status == 200
        assert number(served, "trueup_spooled_clicks_total") == 1
        assert number(served, "trueup_database_broken") == 1
    wait_until(lambda: served.get("/readyz").status == 200)
    assert world.totals()["clicks"] == 1
    assert "database trouble" in served.log
    assert re.search(r"state +now=serving +before=database in trouble", served.log)


@one_database
def test_readyz__says_that_the_disk_is_nearly_full(new_served: NewServed) -> None:
    checks = new_served(free_bytes=1 << 60).get("/readyz")
    assert checks.status == 503
    assert [name for name, check in checks.json["checks"].items() if not check["ok"]] == ["disk"]


def test_metrics__count_what_came(world: World, new_served: NewServed) -> None:
    assert world.totals()["clicks"] == 0
    served = new_served()
    click_id = served.get("/c/push").headers["location"].partition("s=")[2]
    for _ in range(2):
        served.get(f"/postback?subid={click_id}&payout=1&tid=t1")
    served.get("/postback?subid=nobody")
    assert number(served, "trueup_clicks_total") == 1
    assert number(served, 'trueup_messages_total{outcome="created"}') == 1
    assert number(served, 'trueup_messages_total{outcome="unchanged"}') == 1
    assert number(served, 'trueup_messages_total{outcome="refused_unknown_click"}') == 1
    assert number(served, 'trueup_request_seconds_count{route="redirect",status="3xx"}') == 1
    assert number(served, 'trueup_request_seconds_count{route="postback",status="2xx"}') == 2
    assert number(served, "trueup_gathered_callers_sum") == 4
    assert number(served, "trueup_commit_seconds_count") == 4
    assert number(served, "process_resident_memory_bytes") > 1e6
    assert number(served, "trueup_waiting_callers") == number(served, "trueup_spool_bytes") == 0


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_metrics__are_those_of_all_processes(world: World, new_server: NewServer) -> None:
    assert world.totals()["clicks"] == 0
    server = new_server(TRUEUP_WORKERS=2)
    wait_until(lambda: server.log.count(" started ") == 2)
    for _ in range(20):
        assert server.get("/c/push").status == 302
    assert number(server, "trueup_clicks_total") == 20


@one_database
def test_metrics__are_told_to_this_machine_alone(standing: Server, new_served: NewServed) -> None:
    assert standing.get("/metrics").status == 200
    for headers in ({"host": "localhost"}, {"host": "127.0.0.1:80"}, {"host": "[::1]:8080"}):
        assert standing.get("/metrics", **headers).status == 200
    for headers in (
        {"x_forwarded_for": "127.0.0.1"},
        {"x_forwarded_host": "t.example.com"},
        {"x_real_ip": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
        {"host": "t.example.com"},
        {"host": "127.0.0.1.example.com:80"},
    ):
        refused = standing.get("/metrics", **headers)
        assert refused.status == 403
        assert "trueup_" not in refused.text
    behind = new_served(trusted_proxies="127.0.0.1", metrics_from="10.1.0.0/16")
    assert behind.get("/metrics", x_forwarded_for="10.1.2.3").status == 200
    assert behind.get("/metrics", x_forwarded_for="10.2.2.3").status == 403
    assert behind.get("/metrics").status == 403


@one_database
def test_metrics__are_told_to_nobody_without_a_token_once_the_world_comes(new_served: NewServed) -> None:
    word = "a text of our own, 12345"
    served = new_served(public_url="https://t.example.com", metrics_token=word)
    for authorization in ("", "Bearer", "Bearer ", "Bearer another", f"Basic {word}", f"Bearer {word}x"):
        assert served.get("/metrics", authorization=authorization).status == 403
    brought = {"authorization": f"Bearer {word}", "x_forwarded_for": "203.0.113.9", "host": "t.example.com"}
    assert "trueup_" in served.get("/metrics", **brought).text
    assert word not in served.log


@one_database
def test_metrics__are_told_where_one_says_so_though_the_world_comes(new_served: NewServed) -> None:
    served = new_served(public_url="https://t.example.com", metrics_from="127.0.0.1")
    assert served.get("/metrics").status == 200
    assert served.get("/metrics", authorization="Bearer ").status == 200
    assert served.get("/metrics", host="t.example.com").status == 403


def test_operation__other_methods_are_refused(standing: Server) -> None:
    for target in ("/healthz", "/readyz", "/metrics"):
        assert standing.post(target).status == 405


@one_database
def test_log__has_no_query_no_key_and_no_line_for_a_click(world: World, new_server: NewServer) -> None:
    assert world.totals()["clicks"] == 0
    server = new_server(TRUEUP_LOG_FORM="json")
    server.get("/c/push?sub1=visitor-secret")
    server.get("/key-secret/postback?subid=x&token=query-secret")
    server.get("/api/v1/batches", authorization="Bearer tru_1_" + "0" * 40)
    server.post("/postback?subid=%1b%5b31m%0a", b"form-secret=1")
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert {line["event"] for line in lines} == {
        "nobody can sign in yet",
        "listening",
        "started",
        "state",
        "not allowed",
        "key refused",
        "stopped",
    }
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert "secret" not in server.log
    assert "tru_1" not in server.log


@one_database
def test_log__tells_of_each_request_at_the_lowest_level_without_its_query(new_served: NewServed) -> None:
    served = new_served(log_level="debug")
    served.get("/c/none?sub1=private")
    assert "answered  route=redirect  method=GET  status=404" in served.log
    assert "private" not in served.log


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("postgresql://me:hush@db/trueup cannot be reached", "postgresql://***@db/trueup cannot be reached"),
        ("GET /c/x?sub1=a&b=c gone", "GET /c/x?*** gone"),
        ("/k3y/postback", "/***/postback"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("key tru_12_0123456789abcdef gone", "key *** gone"),
        ("password=hush user=me", "password=*** user=me"),
        ("\x1b[31mred\x07\x9b\u202e", "[31mred"),
    ],
)
def test_log__leaves_out_secrets_and_what_terminals_act_upon(text: str, written: str) -> None:
    assert cleaned(text) == written


@pytest.mark.parametrize("form", LogForm)
def test_log__what_comes_from_outside_stays_within_its_line(form: LogForm, capsys: pytest.CaptureFixture[str]) -> None:
    import sys  # noqa: PLC0415 - as the fixture has replaced it

    log = open_log(form, "info", sys.stderr)
    log.warning("odd", address="1.2.3.4\n2026-01-01T00:00:00Z error   all is lost")
    log.debug("not written")
    assert capsys.readouterr().err.count("\n") == 1


def _fail(message: str) -> None:
    raise ValueError(message)


def test_log__a_traceback_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    import sys  # noqa: PLC0415 - as the fixture has replaced it

    log = open_log(LogForm.TEXT, "info", sys.stderr)
    try:
        _fail("odd\n2026-01-01T00:00:00Z error   all is lost")
    except ValueError:
        log.exception("request failed", route="api")
    first, *others = capsys.readouterr().err.splitlines()
    assert first.endswith("request failed  route=api")
    assert others
    assert all(line.startswith("    ") for line in others)

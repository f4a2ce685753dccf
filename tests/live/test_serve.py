"""`trueup serve`: it starts, says what is wrong where it cannot, stops well, and outlives the loss of a process."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
from command_line import CommandLine
from served import Served
from serving import HOST, PROGRAM, NewServer, Server, wait_until

pytestmark = pytest.mark.front

_STYLE = re.compile(r"\x1b\[[0-9;]*m")

one_database = pytest.mark.parametrize("database_kind", ["sqlite"])


def test_serve__answers(standing: Server) -> None:
    assert standing.get("/healthz").text == "ok\n"
    assert standing.ask("HEAD", "/healthz").status == 200
    assert standing.get("/nothing/here").status == 404
    assert standing.get("/readyz").json["ready"] is True


def test_serve__head_is_answered_wherever_get_is_and_without_a_body(standing: Server) -> None:
    for target in ("/healthz", "/readyz", "/metrics", "/c/none", "/pixel.gif", "/pixel.js", "/api/v1/openapi.json"):
        got, head = standing.get(target), standing.ask("HEAD", target)
        assert (head.status, head.body) == (got.status, b""), target
        assert head.headers["content-type"] == got.headers["content-type"], target


def test_serve__every_answer_forbids_keeping_and_guessing(standing: Server) -> None:
    for target in ("/healthz", "/readyz", "/nothing", "/c/none", "/postback", "/pixel.gif", "/api/v1/batches"):
        headers = standing.get(target).headers
        assert "no-store" in headers["cache-control"], target
        assert headers["x-content-type-options"] == "nosniff", target


@pytest.mark.long
@one_database
def test_serve__a_request_under_way_is_answered_however_often_it_is_told_to_stop(server: Server) -> None:
    with socket.create_connection((HOST, server.port), timeout=20) as caller:
        caller.sendall(b"POST /postback HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\ncid")
        assert server.get("/healthz").status == 200
        for _ in range(2):
            for pid in server.pids:
                os.kill(pid, signal.SIGTERM)
            time.sleep(1.5)
        caller.sendall(b"=x")
        assert caller.recv(1_000).startswith(b"HTTP/1.1 404")


@pytest.mark.long
def test_serve__a_process_that_dies_is_replaced(server: Server) -> None:
    (before,) = server.pids
    os.kill(before, signal.SIGKILL)

    def replaced() -> bool:
        return [pid for pid in server.pids if pid != before] != [] and server.lives()

    wait_until(replaced)
    assert "started_again_in=0.5 s" in server.log
    assert server.stop() == 0


@one_database
def test_serve__processes_do_not_outlive_the_program_that_started_them(server: Server) -> None:
    (serving,) = server.pids
    server.kill_starter()
    wait_until(lambda: not psutil.pid_exists(serving) or psutil.Process(serving).status() == psutil.STATUS_ZOMBIE)
    assert "stopped" in server.log


def test_serve__an_oversized_head_is_refused_and_the_next_request_answered(standing: Server) -> None:
    assert standing.get("/healthz", x_long="x" * 200_000).status == 431
    assert standing.get("/healthz").status == 200


def test_serve__half_a_request_keeps_nobody_waiting(standing: Server) -> None:
    with socket.create_connection((HOST, standing.port)) as half:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        assert standing.get("/healthz").status == 200


@one_database
@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--port", "99999"], {}, "--port cannot be 99999"),
        ([], {"TRUEUP_PORT": "abc"}, "TRUEUP_PORT cannot be 'abc'"),
        ([], {"TRUEUP_TRUSTED_PROXIES": "10.0.0.1, here"}, "TRUEUP_TRUSTED_PROXIES cannot be"),
        ([], {"TRUEUP_LOG_LEVEL": "loud"}, "'debug', 'info', 'warning' or 'error'"),
        ([], {"TRUEUP_PUBLIC_URL": "t.example.com/x"}, "such as https://t.example.com"),
        (["--settings", "none.toml"], {}, "none.toml: it cannot be read"),
        ([], {"TRUEUP_SETTINGS": "bad.toml"}, "bad.toml: it cannot be read as a TOML file"),
        (["--settings", "typo.toml"], {}, "typo.toml: prot: there is no such setting; did you mean port?"),
        (["--settings", "wrong.toml"], {}, "wrong.toml: cookie_days cannot be 500"),
    ],
)
def test_serve__says_which_setting_is_wrong_where_and_what_it_is(
    words: list[str],
    environment: dict[str, str],
    said: str,
    trueup: CommandLine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text("port = ")
    Path("typo.toml").write_text("prot = 1")
    Path("wrong.toml").write_text("cookie_days = 500")
    monkeypatch.setenv("TRUEUP_SETTINGS", "")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = trueup("serve", *words)
    assert ran.code == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_serve__does_not_share_a_port_that_is_taken(trueup: CommandLine, standing: Server) -> None:
    ran = trueup("serve", "--port", standing.port)
    assert ran.code == 3
    assert f"{HOST}:{standing.port} cannot be listened on: Address already in use" in ran.stderr


@pytest.mark.parametrize("url", ["sqlite:////nowhere/trueup.db", "oracle://x"])
def test_serve__says_that_the_database_cannot_be_used(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_FOLDER", str(tmp_path / "files"))
    ran = CommandLine(url)("serve", "--port", "0")
    assert ran.code == 3
    assert "The database cannot be used" in ran.stderr


@one_database
def test_serve__says_that_its_folder_cannot_be_used(
    trueup: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRUEUP_FOLDER", str(tmp_path / "file"))
    ran = trueup("serve", "--port", "0")
    assert ran.code == 3
    assert "cannot be used: File exists" in ran.stderr


@one_database
def test_serve__refuses_the_folder_of_another_ledger(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.stop()
    monkeypatch.setenv("TRUEUP_FOLDER", str(served.folder / "files"))
    ran = CommandLine(f"sqlite:///{tmp_path / 'other.db'}")("serve", "--port", "0")
    assert ran.code == 3
    assert f"belongs to another ledger, {served.database_url}" in ran.stderr
    served.start()


def test_serve__cautions_against_what_is_seldom_meant(standing: Server) -> None:
    assert "TRUEUP_PROT is no setting" in standing.log


@one_database
def test_serve__several_processes_are_not_for_sqlite(trueup: CommandLine) -> None:
    ran = trueup("serve", "--workers", 2, "--port", 0)
    assert ran.code == 2
    assert "Several processes need PostgreSQL" in ran.stderr


@pytest.mark.long
@one_database
def test_serve__a_second_server_on_the_same_sqlite_file_says_so_and_ends(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_FOLDER", str(tmp_path / "other"))
    file = Path(server.database_url.removeprefix("sqlite:///"))
    (tmp_path / "link.db").symlink_to(file)
    for path in (file, tmp_path / "link.db"):
        ran = CommandLine(f"sqlite:///{path}")("serve", "--port", 0)
        assert ran.code == 3
        assert "another `trueup serve` is at work on" in ran.stderr
    server.restart()  # its killed processes keep nobody out


@one_database
@pytest.mark.long
def test_serve__a_process_that_keeps_ending_waits_longer_and_longer(server: Server) -> None:
    def has_ended(times: int) -> bool:
        return server.log.count("process ended") == times

    for number in range(4):
        wait_until(lambda: server.pids != [])
        for pid in server.pids:
            os.kill(pid, signal.SIGKILL)
        wait_until(partial(has_ended, number + 1))
    assert re.findall(r"started_again_in=(\S+) s", server.log) == ["0.5", "1", "2", "4"]
    wait_until(server.lives)
    assert server.stop() == 0


def test_serve__has_nothing_in_the_temporary_folder(standing: Server) -> None:
    assert standing.get("/metrics").status == 200
    assert list((standing.folder.parent / "tmp").iterdir()) == []


@pytest.mark.long
def test_serve__leaves_nothing_in_the_temporary_folder(new_server: NewServer, tmp_path: Path, url: str) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    server = new_server(TMPDIR=temporary, TRUEUP_WORKERS=1 if url.startswith("sqlite") else 2)
    assert server.get("/metrics").status == 200
    server.kill()
    assert list(temporary.iterdir()) == []


def _on_a_terminal(url: str, folder: Path) -> str:
    """What a person sees who starts a server and stops it once it has said where it is."""
    keeper, terminal = pty.openpty()
    words = [PROGRAM, "serve", "--db", url, "--port", "0"]
    environment = {**os.environ, "TRUEUP_FOLDER": str(folder / "files"), "TRUEUP_SPOOL_BYTES": "65536"}
    program = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    seen, told = b"", False
    try:
        while True:
            seen += os.read(keeper, 4096)
            if b"Ctrl-C stops it" in seen and not told:
                told = True
                program.send_signal(signal.SIGINT)
    except OSError:  # the terminal's other end is gone
        assert program.wait() == 0
    finally:
        os.close(keeper)
    return _STYLE.sub("", seen.decode())


@pytest.mark.long
@one_database
def test_serve__shows_the_first_key_on_a_terminal_once(url: str, tmp_path: Path) -> None:
    first, second = (_on_a_terminal(url, tmp_path) for _ in range(2))
    assert re.search(r"Trueup serves at http://127\.0\.0\.1:\d+", first)
    assert re.search(r"shown this once: tru_1_[0-9a-f]{40}", first)
    assert "tru_" not in second


def test_serve__makes_no_key_where_only_a_log_would_see_it(standing: Server) -> None:
    assert "tru_" not in standing.log
    assert standing.get("/api/v1/batches").status == 401
    assert json.loads(CommandLine(standing.database_url)("keys", "list", "--json").stdout) == []


def test_help__lists_every_setting(sqlite_template: Path) -> None:
    from trueup.settings import Settings  # noqa: PLC0415 - only here

    ran = CommandLine(f"sqlite:///{sqlite_template}")("serve", "--help")
    assert ran.code == 0
    for name, field in Settings.model_fields.items():
        assert f"TRUEUP_{name.upper()} " in ran.stdout
        assert field.description is not None
        assert field.description[:40] in ran.stdout

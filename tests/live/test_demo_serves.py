"""The demo ends with a server, and what it says to try works."""

import re
import signal
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from serving import HOST, PROGRAM

FEW = "2000"


def _served(folder: Path) -> "tuple[subprocess.Popen[bytes], Path]":
    said = folder / "said.txt"
    with said.open("wb") as out:
        words = [PROGRAM, "demo", "--folder", str(folder / "demo"), "--clicks", FEW, "--serve"]
        program = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
    return program, said


def _ask(port: int, target: str, key: str = "") -> tuple[int, str]:
    connection = HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", target, headers={"Authorization": f"Bearer {key}"} if key else {})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("location", "") + answer.read().decode()
    finally:
        connection.close()


@pytest.mark.long
def test_demo__serves_what_it_says_to_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_SPOOL_BYTES", "65536")
    program, said = _served(tmp_path)
    try:
        while "Bearer" not in said.read_text():
            assert program.poll() is None, said.read_text()
            time.sleep(0.1)
        text = said.read_text()
        found = re.search(r"Bearer (\S+)' 'http://[\d.]+:(\d+)(\S+)'", text)
        assert found
        key, port, conversions = found[1], int(found[2]), found[3]
        click, postback = (re.search(rf"curl -si 'http://[^/]+({path}[^']+)'", text) for path in ("/c/", "/postback"))
        assert click
        assert postback
        assert _ask(port, click[1])[1].startswith("https://")
        assert _ask(port, postback[1])[1].startswith("ok created ")
        assert _ask(port, postback[1])[1].startswith("ok unchanged ")
        assert _ask(port, postback[1].replace("=sale", "=rejected"))[1].startswith("ok updated ")
        status, shown = _ask(port, conversions, key)
        assert (status, "T-LIVE-1" in shown) == (200, True)
        signs_in = re.search(r"http://[^/]+(/sign-in/\S+)", text)
        assert signs_in
        assert [_ask(port, signs_in[1])[0] for _ in range(2)] == [303, 410]
        assert "/first-run/" not in text  # the sample workspace has its admin
        program.send_signal(signal.SIGINT)
        assert program.wait(60) == 0
    finally:
        program.kill()

"""Load a server with wrk, beside a bare route that answers the same bytes and stores nothing.

python bench/live.py [--database sqlite] [--clicks 500000] [--seconds 8] [--upload-rows 0] [--minutes 0]

Redirects and postbacks (new conversions, and repeats) at 1, 8 and 64 connections, one server process; every answer
comes after its commit is synced. --upload-rows sends a file of so many rows meanwhile and looks at the redirects'
slowest; --minutes keeps the load up for so long and looks at the memory. Needs wrk (Debian's package wrk).
"""

import argparse
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl
import psutil
from ledgers import SETUP, fresh_database, now, prepare
from upload import write_rows

from trueup.ledger.commit import commit_clicks
from trueup.ledger.open import open_ledger
from trueup.model.frames import CLICKS, completed
from trueup.model.ids import RANDOM_BYTES, new_click_id
from trueup.setup.apply import apply_setup

CAMPAIGN = """
[[offers]]
name = "VPN"
network = "Northwind"
url = "https://offer.example/landing?s={click_id}&c={sub1}"
[[campaigns]]
name = "Push"
slug = "push"
offers = [{ offer = "VPN" }]
"""
REDIRECT = "/c/push?external_id=e123&cost=0.012&sub1=zone7&sub2=creative3"
LUA = """
local ids = {}
for line in io.lines(os.getenv("IDS")) do ids[#ids + 1] = line end
local n, fresh = 0, os.getenv("FRESH") .. "x"
request = function()
  n = n + 1
  local txid = fresh == "x" and "t0" or fresh .. n
  return wrk.format("GET", os.getenv("ROUTE") .. "?cid=" .. ids[n % #ids + 1] .. "&payout=1.20&txid=" .. txid)
end
"""
AGENT = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
)


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    per_second: float
    p50: float  # milliseconds
    p99: float
    longest: float
    failed: int


def wrk(url: str, connections: int, seconds: float, folder: Path, **lua: str) -> Load:
    """Load a URL.

    Args:
        url: The URL.
        connections: How many connections are open at once.
        seconds: For how long.
        folder: Where the tool's output goes.
        **lua: What the script reads: IDS, FRESH and ROUTE.

    Returns:
        What was measured.
    """
    script = folder / "postbacks.lua"
    script.write_text(LUA)
    words = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds:.0f}s",
        "--latency",
        "--timeout",
        "10s",
        "-H",
        f"User-Agent: {AGENT}",
    ]
    ran = subprocess.run(
        [*words, *(["-s", str(script)] if lua else []), url],
        env=os.environ | lua,
        capture_output=True,
        text=True,
        check=True,
    )
    longest = re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", ran.stdout)
    assert longest, ran.stdout
    found = {part: milliseconds(time_) for part, time_ in re.findall(r"(\d+)%\s+(\S+)\n", ran.stdout)}
    failed = sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", ran.stdout))
    failed += sum(int(count) for count in re.findall(r"timeout (\d+)", ran.stdout))
    per_second = float(re.findall(r"Requests/sec:\s+(\S+)", ran.stdout)[0])
    return Load(per_second, found["50"], found["99"], milliseconds(longest[1]), failed)


def milliseconds(text: str) -> float:
    number, unit = re.findall(r"([\d.]+)([a-z]+)", text)[0]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1_000, "m": 60_000}[unit]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(words: list[str], port: int, settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, until it has answered, and stopped at the end."""
    with log.open("w") as out:
        server = subprocess.Popen(words, env=os.environ | settings, stdout=out, stderr=out)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield server
    finally:
        server.terminate()
        server.wait(30)


def gathered(base: str) -> tuple[float, float]:
    """How many callers were recorded so far, and in how many commits."""
    counts = dict(re.findall(r"^(trueup_gathered_callers_(?:sum|count))\S* (\S+)", get(base, "/metrics"), re.MULTILINE))
    return float(counts.get("trueup_gathered_callers_sum", 0)), float(counts.get("trueup_gathered_callers_count", 0))


def get(base: str, path: str) -> str:
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=60)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


@dataclass(frozen=True)
class Route:
    """What is asked of the servers."""

    name: str
    path: str
    ids: str = ""  # a file of click ids, for postbacks
    is_new: bool = False  # whether each postback is a conversion of its own

    def load(self, base: str, connections: int, seconds: float, folder: Path) -> Load:
        """Load it with wrk."""
        if not self.ids:
            return wrk(base + self.path, connections, seconds, folder)
        fresh = f"{connections}-{time.time_ns()}-" if self.is_new else ""
        return wrk(base, connections, seconds, folder, IDS=str(folder / self.ids), FRESH=fresh, ROUTE=self.path)


VISIT = Route("redirect", REDIRECT)
SALE = Route("postback, new", "/postback", "ids.txt", is_new=True)
AGAIN = Route("postback, again", "/postback", "few.txt")


def compare(base: str, bare: str, seconds: float, folder: Path) -> None:
    """Print each route beside the bare one."""
    print(f"{'':38}{'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'a commit':>9} {'to bare':>8}")
    for connections in (1, 8, 64):
        AGAIN.load(base, connections, 2, folder)  # so that repeats are repeats
        floors = {route.path: route.load(bare, connections, seconds, folder) for route in (VISIT, SALE)}
        for path, floor in floors.items():
            tell(connections, f"bare {path.split('?')[0]}", floor, "")
        for route in (VISIT, SALE, AGAIN):
            before = gathered(base)
            load = route.load(base, connections, seconds, folder)
            callers, commits = (after - was for after, was in zip(gathered(base), before, strict=True))
            tell(
                connections,
                route.name,
                load,
                f"{callers / commits:9.1f} {load.per_second / floors[route.path].per_second:8.2f}",
            )


def tell(connections: int, name: str, load: Load, more: str) -> None:
    failed = f"  {load.failed} FAILED" if load.failed else ""
    numbers = f"{load.per_second:10,.0f} {load.p50:8.2f} {load.p99:8.2f}"
    print(f"{connections:3} connections  {name:20} {numbers} {more}{failed}", flush=True)


def during_upload(base: str, key: str, clicks: int, rows: int, folder: Path) -> None:
    """Print the redirects' slowest while a file is applied, beside their slowest without."""
    path = folder / "rows.csv"
    write_rows(path, clicks, rows)
    idle = wrk(base + REDIRECT, 8, 15, folder)
    print(
        f"redirects, 8 connections, no upload:   {idle.per_second:9,.0f}/s  p50 {idle.p50:.2f}  p99 {idle.p99:.2f} ms"
    )
    loads: list[Load] = []
    applied = threading.Thread(target=send_and_apply, args=(base, key, path))
    applied.start()
    began = time.perf_counter()
    while applied.is_alive():
        loads.append(wrk(base + REDIRECT, 8, 10, folder))
    worst = max(load.p99 for load in loads)
    print(
        f"redirects, 8 connections, {rows:,} rows uploaded in {time.perf_counter() - began:.0f} s: "
        f"{min(load.per_second for load in loads):,.0f}/s at least  p99 {worst:.1f} ms ({worst / idle.p99:.1f} x)  "
        f"longest {max(load.longest for load in loads):.0f} ms  failed {sum(load.failed for load in loads)}",
        flush=True,
    )


def send_and_apply(base: str, key: str, path: Path) -> None:
    """Upload a file over the API and wait until it is applied."""
    head = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv", "Content-Length": str(path.stat().st_size)}
    with path.open("rb") as file:
        made = call(base, "POST", "/api/v1/uploads?dialect=voluum&duplicates=ignore&file_name=rows.csv", head, file)
    upload = f"/api/v1/uploads/{made['upload_id']}"
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    call(base, "POST", f"{upload}/apply", head, b"")
    while (told := call(base, "GET", upload, head))["state"] not in ("done", "failed", "cancelled"):
        time.sleep(0.5)
    assert told["state"] == "done", told


def call(base: str, method: str, path: str, headers: dict[str, str], body: IO[bytes] | bytes = b"") -> dict[str, Any]:
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=600)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
    return json.loads(text)


def memory(base: str, pid: int, minutes: float, folder: Path) -> None:
    """Print the memory of the server over minutes of mixed load."""
    ends = time.perf_counter() + minutes * 60
    while (left := ends - time.perf_counter()) > 0:
        visits, sales = VISIT.load(base, 32, 20, folder), SALE.load(base, 32, 10, folder)
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        resident = sum(process.memory_info().rss for process in family) / 1e6
        rates = f"{visits.per_second:,.0f} redirects/s, then {sales.per_second:,.0f} postbacks/s"
        print(f"  {left / 60:5.1f} minutes to go: {resident:,.0f} MB, {rates}", flush=True)


def recent_clicks(url: str, clicks: int) -> list[str]:
    """Make clicks of the last day, with ids of our own: the ones that conversions come for. Returns: their ids."""
    day, until = 86_400 * 1_000_000, now()
    moments = [until - day + place * (day // clicks) for place in range(clicks)]
    drawn = random.Random(4)
    ids = [new_click_id(moment, drawn.randbytes(RANDOM_BYTES), b"bench") for moment in moments]
    rows = pl.DataFrame({"click_id": ids, "clicked_at": moments, "cost": [12_000] * clicks}).with_columns(
        campaign_id=pl.lit(1), offer_id=pl.lit(1), network_id=pl.lit(1), traffic_source_id=pl.lit(0)
    )
    with open_ledger(url) as database, database.transaction() as transaction:
        commit_clicks(transaction, completed(rows, CLICKS, {"is_bot": 0}))
    return ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--clicks", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--upload-rows", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--no-routes", action="store_true", help="leave the comparison of routes out")
    options, _ = parser.parse_known_args()
    assert shutil.which("wrk"), "this needs wrk: apt-get install wrk"
    with ExitStack() as open_:
        folder = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="trueup-live-")))
        url = fresh_database(options.database, folder, open_)
        prepare(url, options.clicks)
        ids = recent_clicks(url, 100_000)
        random.Random(5).shuffle(ids)
        (folder / "ids.txt").write_text("\n".join(ids))
        (folder / "few.txt").write_text("\n".join(ids[:5_000]))
        with open_ledger(url) as ledger:
            assert not apply_setup(ledger, (SETUP + CAMPAIGN).encode()).mistakes
        port, bare_port = free_port(), free_port()
        settings = {
            "TRUEUP_DATABASE_URL": url, "TRUEUP_FOLDER": str(folder / "files"), "TRUEUP_PORT": str(port),
            "TRUEUP_API_PER_MINUTE": "100000", "TRUEUP_REFUSED_PER_MINUTE": "1000000",
        }  # fmt: skip
        key = made_key(url) if options.upload_rows else ""
        trueup = str(Path(sys.executable).parent / "trueup")
        server = open_.enter_context(running([trueup, "serve"], port, settings, folder / "serve.log"))
        bare_words = [sys.executable, str(Path(__file__).parent / "bare.py"), "--port", str(bare_port)]
        base, bare = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{bare_port}"
        if not options.no_routes:
            with running(bare_words, bare_port, {}, folder / "bare.log"):
                compare(base, bare, options.seconds, folder)
        if options.upload_rows:
            during_upload(base, key, options.clicks, options.upload_rows, folder)
        if options.minutes:
            memory(base, server.pid, options.minutes, folder)


def made_key(url: str) -> str:
    words = [str(Path(sys.executable).parent / "trueup"), "keys", "create", "bench", "--scope", "admin", "--json"]
    ran = subprocess.run(
        words, env=os.environ | {"TRUEUP_DATABASE_URL": url}, capture_output=True, text=True, check=True
    )
    return str(json.loads(ran.stdout)["key"])


if __name__ == "__main__":
    main()

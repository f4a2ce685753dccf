"""Time pages as a browser gets them from a server of its own, quiet and while it previews and applies a file."""

import http.client
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import polars as pl
from live import free_port, made_key, running, send_and_apply

from trueup.access.passwords import Passwords
from trueup.access.sessions import Browser, Limits, open_session
from trueup.access.users import add_user
from trueup.ledger.open import open_ledger
from trueup.live.context import now
from trueup.model.words import Role

Path_ = Callable[[random.Random], str]
SPAN = "from=2025-10-10&to=2025-11-07"  # within the days of the ledger
STORIES = "SELECT click_id, n FROM conversions WHERE status = 'declined' LIMIT 2000"
EMAIL = "bench@example.com"


def paths(url: str, clicks: int) -> dict[str, Path_]:
    """What is asked for: a name, and what makes a path that begins somewhere else each time."""
    with open_ledger(url) as database:
        told = [
            f"{click}-{n}" for click, n in database.read_sql(STORIES, {"click_id": pl.String, "n": pl.Int64}).rows()
        ]
        hour = database.number("SELECT max(batch_id) FROM batches WHERE kind = 'postbacks'")

    def click(chance: random.Random) -> str:
        return f"c{chance.randrange(clicks):012}"

    def always(path: str) -> Path_:
        return lambda _: path

    return {
        "conversions, all time": always("/conversions?from=&to="),
        "conversions of 29 days": always(f"/conversions?{SPAN}"),
        "conversions of 29 days, declined": always(f"/conversions?{SPAN}&status=declined"),
        "conversions of a click": lambda chance: f"/conversions?from=&to=&click_id={click(chance)}",
        "story of a conversion": lambda chance: f"/conversions/{chance.choice(told)}",
        "uploads": always("/uploads"),
        "a batch": lambda chance: f"/uploads/{chance.randrange(1, hour)}",
        "a batch, its refused rows": lambda chance: (
            f"/uploads/{chance.randrange(1, hour)}?outcome=refused_unknown_status"
        ),
        "clicks": always("/clicks"),
        "clicks of a country": always("/clicks?country=country+7"),
        "a click": lambda chance: f"/clicks/{click(chance)}",
        "postbacks": always("/postbacks"),
        "postbacks, refused": always("/postbacks?outcome=refused_unknown_status"),
        "search for a click": lambda chance: f"/search?q={click(chance)}",
        "running work": always("/running"),
    }


def rows_to_upload(file: Path, clicks: int, rows: int) -> None:
    """New conversions of clicks all over the ledger, in no order, with payouts."""
    mark = time.time_ns()
    at = pl.int_range(rows, eager=True).hash(mark % 1_000) % clicks
    table = pl.DataFrame({"at": at}).select(
        click_id=pl.format("c{}", pl.col("at").cast(pl.String).str.zfill(12)),
        payout=pl.lit("1.20"),
        transaction_id=pl.format("{}-{}", pl.lit(mark), pl.int_range(pl.len())),
    )
    table.write_csv(file, include_header=False)  # as Voluum's lines are


def signed_in(url: str, port: int) -> dict[str, str]:
    """A person who looks at pages. Returns: the headers of their requests."""
    weak = Passwords(memory_kib=64, passes=1)
    with open_ledger(url) as database:
        with database.transaction() as transaction:
            email = f"{os.urandom(4).hex()}-{EMAIL}"
            user = add_user(transaction, email, email, Role.ADMIN, weak.hashed("-"), now())
        limits = Limits(12, 14 * 24)
        token = open_session(database, user, Browser("127.0.0.1", "bench"), now(), limits, os.urandom, "")
    return {"cookie": f"trueup_session_{port}={token}", "accept": "text/html", "accept-encoding": "gzip"}


def asked(port: int, headers: Mapping[str, str], path: str) -> float:
    """Ask for a page. Returns: milliseconds until all of it was here."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.connect()
        began = time.perf_counter()
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        taken = (time.perf_counter() - began) * 1_000
    assert answer.status in (200, 303), f"{path}: {answer.status}"
    return taken


def rounds_of(
    wanted: Mapping[str, Path_], ask: Callable[[str], float], goes_on: Callable[[int], bool]
) -> Iterator[tuple[str, float]]:
    """Ask for each page in turn, round after round. Yields: its name, and how long it took."""
    chance = random.Random(11)
    for number in count():
        if not goes_on(number):
            return
        for name, path in wanted.items():
            yield name, ask(path(chance))


def measure_served(kind: str, url: str, clicks: int, rounds: int, rows: int) -> None:
    """Print a row of a table for each page.

    Args:
        kind: The database.
        url: Its URL. The rows are recorded in it.
        clicks: How many clicks it has.
        rounds: How often each page is asked for while the server has nothing else to do.
        rows: How many rows are uploaded meanwhile.
    """
    wanted, port = paths(url, clicks), free_port()
    headers, key = signed_in(url, port), made_key(url)
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="trueup-pages-") as name:
        folder = Path(name)
        rows_to_upload(folder / "rows.csv", clicks, rows)
        settings = {
            "TRUEUP_DATABASE_URL": url, "TRUEUP_FOLDER": str(folder / "files"), "TRUEUP_PORT": str(port),
            "TRUEUP_API_PER_MINUTE": "100000",
        }  # fmt: skip
        program = str(Path(sys.executable).parent / "trueup")
        with running([program, "serve"], port, settings, folder / "serve.log"):
            ask = lambda path: asked(port, headers, path)  # noqa: E731 - bound to this server
            list(rounds_of(wanted, ask, lambda number: number < 2))
            quiet = _gathered(rounds_of(wanted, ask, lambda number: number < rounds))
            with ThreadPoolExecutor(1) as beside:
                began = time.perf_counter()
                sending = beside.submit(send_and_apply, base, key, folder / "rows.csv")
                busy = _gathered(rounds_of(wanted, ask, lambda _: not sending.done()))
                sending.result()
                seconds = time.perf_counter() - began
    _tell(kind, quiet, busy, f"{rows:,} rows in {seconds:.0f} s")


def _gathered(taken: Iterator[tuple[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for name, milliseconds in taken:
        found[name].append(milliseconds)
    return found


def _tell(kind: str, quiet: dict[str, list[float]], busy: dict[str, list[float]], upload: str) -> None:
    print(f"\nPages as served, {kind}; while an upload runs: {upload}. Milliseconds.\n")
    print("| page | median | p99 | median, uploading | p99, uploading | longest | asked, uploading |")
    print("|---|---|---|---|---|---|---|")
    for name, alone in quiet.items():
        during = busy[name] or [float("nan")]
        cells = [
            statistics.median(alone), _p99(alone), statistics.median(during), _p99(during), max(during)
        ]  # fmt: skip
        print(f"| {name} | {' | '.join(f'{cell:.0f}' for cell in cells)} | {len(busy[name])} |", flush=True)


def _p99(taken: list[float]) -> float:
    return sorted(taken)[max(0, int(len(taken) * 0.99) - 1)]

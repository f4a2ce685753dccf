"""Visitors and networks that never stop, and remember what a server acknowledged."""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from threading import Event, Thread
from typing import Final

import polars as pl
from serving import HOST, Asked

from trueup.ledger.database import Database

SETUP: Final = """
[[affiliate_networks]]
name = "Northwind"
[[offers]]
name = "Shoes"
network = "Northwind"
url = "https://shop.example/?s={click_id}"
[[campaigns]]
name = "Push"
slug = "push"
offers = [{ offer = "Shoes" }]
"""
_CLICK_ID: Final = re.compile(r"s=([a-z0-9]+)")


@dataclass
class Acknowledged:
    """What a server said it has."""

    clicks: set[str] = field(default_factory=set)
    conversions: dict[str, set[str]] = field(default_factory=dict)  # conversion id -> transaction ids it was told for
    refused: list[int] = field(default_factory=list)  # statuses that are no acknowledgement

    def conversion(self, conversion_id: str, transaction_id: str) -> None:
        self.conversions.setdefault(conversion_id, set()).add(transaction_id)


@contextmanager
def traffic(server: Asked, acknowledged: Acknowledged, visitors: int, seed: int) -> Iterator[Event]:
    """Visitors who click and buy, at once and without pause, until the block ends. Yields: what stops them."""
    enough = Event()
    threads = [
        Thread(target=_visit_and_buy, args=(server.port, acknowledged, enough, Random(seed * 1_000 + number)))  # noqa: S311 - sample traffic
        for number in range(visitors)
    ]
    for thread in threads:
        thread.start()
    try:
        yield enough
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def _visit_and_buy(port: int, acknowledged: Acknowledged, enough: Event, chance: Random) -> None:
    with closing(HTTPConnection(HOST, port, timeout=20)) as connection:
        clicks: list[str] = []
        while not enough.is_set():
            _visit_or_buy(connection, acknowledged, clicks, chance)


def _visit_or_buy(connection: HTTPConnection, acknowledged: Acknowledged, clicks: list[str], chance: Random) -> None:
    try:
        if not clicks or chance.random() < 0.5:
            answer = _asked(connection, "/c/push?cost=0.5&sub1=x")
            found = _CLICK_ID.search(answer[1])
            if answer[0] == 302 and found:
                clicks.append(found[1])
                acknowledged.clicks.add(found[1])
        else:
            transaction_id = str(chance.randrange(4))
            target = f"/postback?cid={chance.choice(clicks)}&payout=2&txid={transaction_id}"
            answer = _asked(connection, target)
            if answer[0] == 200:
                acknowledged.conversion(answer[2].split()[-1], transaction_id)
            else:
                acknowledged.refused.append(answer[0])
    except (OSError, HTTPException):  # the server is gone; whether it has what was asked, nobody was told
        connection.close()


def _asked(connection: HTTPConnection, target: str) -> tuple[int, str, str]:
    connection.request("GET", target)
    answer = connection.getresponse()
    return answer.status, answer.headers.get("location", ""), answer.read().decode()


def not_there(url: str, acknowledged: Acknowledged) -> list[str]:
    """What a server acknowledged and the ledger does not have."""
    schema = {"id": pl.String, "transaction_id": pl.String}
    with Database(url) as database:
        clicks = database.read_sql("SELECT click_id FROM clicks", {"id": pl.String})["id"]
        made = database.read_sql("SELECT click_id || '-' || n, transaction_id FROM conversions", schema)
    known, stored = set(clicks), dict(made.iter_rows())
    lost = [f"click {click_id}" for click_id in acknowledged.clicks - known]
    return lost + [
        f"conversion {conversion_id}: {said}, stored {stored.get(conversion_id)}"
        for conversion_id, said in acknowledged.conversions.items()
        if said != {stored.get(conversion_id)}
    ]


def lost(url: str, acknowledged: Acknowledged, within: float = 20.0) -> list[str]:
    """What is still not in the ledger when a serving server had time to store what waits in its spool.

    Args:
        url: the ledger's database.
        acknowledged: what the server said it has.
        within: seconds the server gets.
    """
    end = time.monotonic() + within
    while (missing := not_there(url, acknowledged)) and time.monotonic() < end:
        time.sleep(0.05)
    return missing

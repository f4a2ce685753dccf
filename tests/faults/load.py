"""Visitors and networks that never stop, as the world behaves: what gets 503 is sent again until it is taken.

Every acknowledgement is kept with the round of faults it came in, and how long its answer took.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final, NamedTuple

from serving import HOST, Server

PAYOUT: Final = 2
SETUP: Final = """
[workspace]
unknown_click = "{unknown_click}"
[[affiliate_networks]]
name = "Northwind"
[[offers]]
name = "Shoes"
network = "Northwind"
url = "https://shop.example/?s={{click_id}}"
[[campaigns]]
name = "Push"
slug = "push"
offers = [{{ offer = "Shoes" }}]
"""
REFUSES: Final = SETUP.format(unknown_click="refuse")
PARKS: Final = SETUP.format(unknown_click="park")
SILENT: Final = 0  # a status: no answer at all, the connection broke or timed out

_CLICK_ID: Final = re.compile(r"s=([a-z0-9]+)")
_PATIENCE_SECONDS: Final = 20
_PAUSE_SECONDS: Final = 0.01
_CLICKS_OF_A_VISITOR: Final = 200  # that still buy something
_LEAVES: Final = 0.02  # how often a visitor's connection is closed
_DEAD_SECONDS: Final = 8.0  # so long nothing is answered although some wait


class Sale(NamedTuple):
    """What a postback or a pixel reports."""

    click_id: str
    transaction_id: str
    path: str = "/postback"

    @property
    def target(self) -> str:
        """What is asked for."""
        return f"{self.path}?cid={self.click_id}&payout={PAYOUT}&txid={self.transaction_id}"

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one conversion."""
        return self.click_id, self.transaction_id


@dataclass
class Round:
    """What came of the requests of one round."""

    name: str
    clicks: set[str] = field(default_factory=set)  # whose visitor was sent on with its id
    sales: set[tuple[str, str]] = field(default_factory=set)  # answered 200
    parked: set[tuple[str, str]] = field(default_factory=set)  # answered 202
    lost_clicks: int = 0  # visitors who were sent on without an id: counted as lost, and not acknowledged
    put_off: int = 0  # 503
    statuses: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)  # of those that were answered, in seconds
    silence: float = 0.0  # the longest time in which nobody was answered, in seconds
    troubles: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """How much a server said it has."""
        return len(self.clicks) + len(self.sales) + len(self.parked)

    def trouble(self, text: str) -> None:
        """Note what must not be, once."""
        if text not in self.troubles:
            self.troubles.append(text)


class Load:
    """All traffic on a server, in rounds."""

    def __init__(self, server: Server, *, parks: bool = False, seed: int = 1) -> None:
        """Make clients of a server.

        Args:
            server: The server.
            parks: Whether its workspace parks rows.
            seed: Where chance begins.
        """
        self.server, self._parks = server, parks
        self.rounds = [Round("before")]
        self._lock, self._chance = Lock(), Random(seed)  # noqa: S311 - sample traffic
        self._asked: dict[int, tuple[str, float]] = {}  # who waits, for what, since when
        self._answered_at = monotonic()
        self.stray_ids = 0

    @property
    def now(self) -> Round:
        """The round that is on."""
        return self.rounds[-1]

    def begin(self, name: str) -> Round:
        """Begin a round."""
        self.rounds.append(Round(name))
        return self.now

    @contextmanager
    def running(self, visitors: int = 6) -> Iterator["Load"]:
        """Traffic until the block ends."""
        enough = Event()
        self._answered_at = monotonic()
        chances = [Random(self._chance.random()) for _ in range(visitors)]  # noqa: S311 - the same
        threads = [Thread(target=self._visitor, args=(enough, chance)) for chance in chances]
        watch = Thread(target=self._look_on, args=(enough,))
        for thread in (*threads, watch):
            thread.start()
        try:
            yield self
        finally:
            enough.set()
            for thread in (*threads, watch):
                thread.join()

    def wait_for_more(self, seconds: float) -> bool:
        """Wait until a click and a sale more are acknowledged in this round. Returns: whether they were in time."""
        clicks, sales, ends = len(self.now.clicks), len(self.now.sales), monotonic() + seconds
        while monotonic() < ends:
            if len(self.now.clicks) > clicks and len(self.now.sales) > sales:
                return True
            Event().wait(0.02)
        return False

    def waits(self) -> dict[str, float]:
        """For how long the one that waits longest has waited by now, in seconds, by what it asked for."""
        found: dict[str, float] = {}
        for kind, since in list(self._asked.values()):
            found[kind] = max(found.get(kind, 0), monotonic() - since)
        return found

    def ask(self, connection: HTTPConnection, number: int, kind: str, target: str) -> tuple[int, str]:
        """Ask for something. Returns: the status, `SILENT` for no answer, and the Location."""
        began, turn = monotonic(), self.now
        self._asked[number] = (kind, began)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            connection.close()
            status, location = SILENT, ""
        else:
            status, location = answer.status, answer.headers.get("location", "")
            turn.silence = max(turn.silence, monotonic() - self._answered_at)
            self._answered_at = monotonic()
        self._asked.pop(number, None)
        with self._lock:
            turn.statuses[f"{kind} {status}"] += 1
            if status != SILENT:
                turn.slowest[kind] = max(turn.slowest.get(kind, 0), monotonic() - began)
        return status, location

    def _visitor(self, enough: Event, chance: Random) -> None:
        number, clicks, again = chance.getrandbits(40), deque[str](maxlen=_CLICKS_OF_A_VISITOR), deque[Sale]()
        connection = HTTPConnection(HOST, self.server.port, timeout=_PATIENCE_SECONDS)
        while not enough.wait(_PAUSE_SECONDS):
            drawn = chance.random()
            if drawn < _LEAVES:
                connection.close()  # and comes back on another, perhaps to another process
            if not clicks or drawn < 0.45:
                if click_id := self._click(connection, number):
                    clicks.append(click_id)
            elif drawn < 0.5:
                self._stray(connection, number)
            else:
                path = "/pixel.gif" if drawn > 0.9 else "/postback"
                sale = again.popleft() if again else Sale(clicks[-1 - chance.randrange(len(clicks)) // 2], "", path)
                sale = sale if sale.transaction_id else sale._replace(transaction_id=f"{chance.getrandbits(48):012x}")
                if not self._sold(connection, number, sale):
                    again.append(sale)
        connection.close()

    def _click(self, connection: HTTPConnection, number: int) -> str:
        status, location = self.ask(connection, number, "redirect", "/c/push?cost=0.5&sub1=x")
        found = _CLICK_ID.search(location)
        with self._lock:
            if status == 302 and found:
                self.now.clicks.add(found[1])
                return found[1]
            if status == 302:
                self.now.lost_clicks += 1
            elif status != SILENT:
                self.now.trouble(f"a visitor was answered {status}")
        return ""

    def _sold(self, connection: HTTPConnection, number: int, sale: Sale) -> bool:
        """Report a sale of a click that was acknowledged. Returns: whether it need not be sent again."""
        kind = "pixel" if sale.path == "/pixel.gif" else "postback"
        status, _ = self.ask(connection, number, kind, sale.target)
        with self._lock:
            if status == 200:
                self.now.sales.add(sale.key)
            elif status == 202 and self._parks:
                self.now.parked.add(sale.key)
            elif status == 503:
                self.now.put_off += 1
            elif status != SILENT:
                self.now.trouble(f"a genuine {kind} was answered {status}")
        return status not in (SILENT, 503)

    def _stray(self, connection: HTTPConnection, number: int) -> None:
        """Report a sale of a click that comes later, from elsewhere."""
        with self._lock:
            self.stray_ids += 1
            sale = Sale(f"later-{self.stray_ids}", "stray")
        status, _ = self.ask(connection, number, "stray", sale.target)
        with self._lock:
            if status == 202:
                self.now.parked.add(sale.key)
            elif status not in (SILENT, 503, 404):
                self.now.trouble(f"a postback of an unknown click was answered {status}")

    def _look_on(self, enough: Event) -> None:
        """Ask after its health all the while: it must not be called well while nobody is answered."""
        while not enough.wait(0.25):
            silent = monotonic() - self._answered_at
            if min(max(self.waits().values(), default=0), silent) > _DEAD_SECONDS and health(self.server) == 200:
                self.now.trouble(f"/healthz said 200 while nobody was answered for {_DEAD_SECONDS:.0f} seconds")


def health(server: Server, path: str = "/healthz") -> int:
    """The status that a server answers to who asks after its health; `SILENT` for none."""
    connection = HTTPConnection(HOST, server.port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return SILENT
    finally:
        connection.close()

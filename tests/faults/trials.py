"""Rounds of faults on a server under load: in each something fails and is mended, at the end everything is counted."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from fault_table import AFTER, BEFORE, Tried
from ledger_seen import compare, see, whole
from load import SILENT, Load, Round, health
from serving import Server
from worlds import World

# All come from one address here, and strangers' reports are refused by the hundred.
ENVIRONMENT: Final = {
    "TRUEUP_REFUSED_PER_MINUTE": 1_000_000,
    "TRUEUP_CLICKS_PER_MINUTE": 0,
    "TRUEUP_SPOOL_BYTES": 4 << 20,
}
WELL_SECONDS: Final = 30.0  # until it is ready again once all is mended
_SETTLES_SECONDS: Final = 0.15  # what was acknowledged before a round is in the ledger then, and not its to lose
_SAID_SECONDS: Final = 5.0  # until /readyz says that the database is away
_ANSWERED_SECONDS: Final = 3.5  # the longest that anyone may wait while it is: the deadline is 2 seconds
_ASKED_TIMES: Final = 4
MORE_SECONDS: Final = 10.0  # until it has acknowledged something more then


def within(seconds: float, happened: Callable[[], object]) -> bool:
    """Wait for something. Returns: whether it came."""
    ends = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


@dataclass
class Trials:
    """A server, its world, and what was tried on it."""

    world: World
    server: Server
    load: Load
    tried: dict[str, list[Round]] = field(default_factory=dict)  # by fault

    @contextmanager
    def round(self, fault: str, detail: str = "", *, well_seconds: float = WELL_SECONDS) -> Iterator[Round]:
        """Try something; it is mended when the block ends, and then the server has to be well again by itself.

        Args:
            fault: What fails, as the table has it. detail: Which of them, for the message.
            well_seconds: How long it may take to be well again.
        """
        turn = self.load.begin(f"{fault}{detail and f': {detail}'}")
        self.tried.setdefault(fault, []).append(turn)
        time.sleep(_SETTLES_SECONDS)
        yield turn
        self._see_well(turn, well_seconds)

    def is_ready(self) -> bool:
        """Whether it says that it is ready, whichever of its processes is asked."""
        return all(health(self.server, "/readyz") == 200 for _ in range(_ASKED_TIMES))

    def outage(self, turn: Round, seconds: float) -> None:
        """Let the database be away for so long, and see that nobody waits for it."""
        began, before = time.monotonic(), len(turn.clicks)
        if not within(_SAID_SECONDS, lambda: health(self.server, "/readyz") == 503):
            turn.trouble(f"/readyz did not say 503 within {_SAID_SECONDS:.0f} seconds")
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        if len(turn.clicks) == before:
            turn.trouble("no visitor was sent on with a click id")
        waits = self.load.waits()
        for kind in ("redirect", "postback", "pixel"):
            longest = max(turn.slowest.get(kind, 0), waits.get(kind, 0))
            if longest > _ANSWERED_SECONDS:
                turn.trouble(f"a {kind} took {longest:.1f} seconds")
        for kind in ("redirect", "postback"):
            if silent := turn.statuses[f"{kind} {SILENT}"]:
                turn.trouble(f"{silent} times a {kind} got no answer")

    def kill_one(self, turn: Round, number: int) -> int:
        """Kill one of the processes that serve.

        Args:
            turn: The round.
            number: Which process; numbers go around.

        Returns:
            Its process id, 0 for none.
        """
        pids = sorted(self.server.pids)
        if not pids:
            turn.trouble("no process is left to be killed")
            return 0
        os.kill(pids[number % len(pids)], signal.SIGKILL)
        return pids[number % len(pids)]

    def _see_well(self, turn: Round, seconds: float) -> None:
        if not within(seconds, self.is_ready):
            self._start_again(turn, f"not ready {seconds:.0f} seconds after it was mended")
        elif not self.load.wait_for_more(MORE_SECONDS):
            self._start_again(turn, f"ready, and nothing more was acknowledged for {MORE_SECONDS:.0f} seconds")

    def _start_again(self, turn: Round, trouble: str) -> None:
        """Note that it did not come back, and start it anew for the next round."""
        turn.trouble(f"{trouble}; /healthz {health(self.server)}, /readyz {health(self.server, '/readyz')}")
        self.server.restart()

    def stop_and_count(self) -> list[Tried]:
        """Stop the server, start and stop it once more so that it takes up what was left, and count.

        Returns: What came of each fault. Everything else that is wrong is among the troubles of the last.
        """
        last = self.load.begin(AFTER)
        if (code := self.server.stop()) != 0:
            last.trouble(f"told to stop, it ended with {code}")
        self.server.start()
        if not within(WELL_SECONDS, lambda: health(self.server, "/readyz") == 200):
            last.trouble("started again, it did not get ready")
        self.server.stop()
        self._bring_late_clicks()
        without_help = see(self.world.trueup.url).clicks
        self._bring_clicks_laid_aside()
        seen = see(self.world.trueup.url)
        last.troubles += whole(self.world, seen)
        groups = {BEFORE: [self.load.rounds[0]], **self.tried, AFTER: [last]}
        by_hand = seen.clicks - without_help
        return [
            Tried.of(fault, rounds, [compare(turn, seen) for turn in rounds], by_hand)
            for fault, rounds in groups.items()
        ]

    def _bring_clicks_laid_aside(self) -> None:
        """Have clicks recorded that the server laid aside for a person, because the database refused them."""
        folder = self.server.folder / "files"
        if any(folder.rglob("dead-letters*")):
            ran = self.world.trueup("spool", "retry", "--folder", folder)
            assert ran.code == 0, ran.stderr

    def _bring_late_clicks(self) -> None:
        """Import the clicks of sales that came before them."""
        clicked_at = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = [f"later-{number},Push,Shoes,{clicked_at}" for number in range(1, self.load.stray_ids + 1)]
        file = self.world.file("\n".join(["click_id,campaign,offer,clicked_at", *lines, ""]))
        if lines:
            ran = self.world.trueup("clicks", "import", file, "--yes", "--json")
            assert ran.code == 0, ran.stderr


NewTrials = Callable[..., Trials]  # takes the database's URL, whether it parks, and what is to be in the environment
Record = Callable[[list[Tried]], None]

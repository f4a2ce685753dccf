"""How often someone may do something: a bucket of tokens each, refilled steadily."""

import asyncio
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from time import monotonic
from typing import Final

_HELD_MOST: Final = 100_000  # callers remembered; beyond it those who asked longest ago start afresh


class Rate:
    """So many times a minute for each caller, within one process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic, seconds: float = 60) -> None:
        """Nobody has come yet.

        Args:
            per_minute: How many in a minute, which is also the most at once.
            clock: The time in seconds.
            seconds: How long that minute is.
        """
        self.per_minute, self._seconds = per_minute, seconds
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> tokens, when they were counted

    def left(self, caller: str) -> int:
        """How many more times the caller may, right now."""
        return int(self._tokens(caller, self._clock()))

    def take(self, caller: str) -> bool:
        """Use up one token of a caller.

        Args:
            caller: Who it is, such as an address or the number of a key.

        Returns:
            Whether there was one.
        """
        now = self._clock()
        tokens = self._tokens(caller, now)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _HELD_MOST:
            self._buckets.popitem(last=False)
        return allowed

    def give_back(self, caller: str) -> None:
        """Give back one that was taken: what it was taken for did not come to pass."""
        now = self._clock()
        self._buckets[caller] = (min(self._tokens(caller, now) + 1, float(self.per_minute)), now)

    def seconds_to_next(self, caller: str) -> int:
        """How many seconds, rounded up, until the caller may again; 0 for now."""
        missing = 1 - self._tokens(caller, self._clock())
        return 0 if missing <= 0 else int(missing * self._seconds / self.per_minute) + 1

    def _tokens(self, caller: str, now: float) -> float:
        tokens, counted = self._buckets.get(caller, (float(self.per_minute), now))
        return min(float(self.per_minute), tokens + (now - counted) * self.per_minute / self._seconds)


class Failures:
    """So many failures a minute for each caller, within one process, however many requests come at once.

    A request takes a token when it begins, and gives it back when it ends well. Those that find none wait while others
    of the same caller have theirs and are not decided: a rush of good ones is slowed, and never turned away.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic, seconds: float = 60) -> None:
        """Nobody has come yet. As `Rate`."""
        self._rate = Rate(per_minute, clock, seconds)
        self._undecided: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    async def begin(self, caller: str) -> bool:
        """Take a token for a request. Whoever gets one calls `end` when the request ends.

        Args:
            caller: Who it is, such as an address.

        Returns:
            Whether there is one.
        """
        while not self._rate.take(caller):
            if not self._undecided[caller]:
                return False
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[caller].append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake(caller, 1)  # whoever is next, in the place of this one
                raise
        self._undecided[caller] += 1
        return True

    def end(self, caller: str, *, failed: bool) -> None:
        """Say how a request that had a token came out."""
        self._undecided[caller] -= 1
        if not failed:
            self._rate.give_back(caller)
        if not self._undecided[caller]:
            del self._undecided[caller]
            self._wake(caller, len(self._waiting.get(caller, ())))
        elif not failed:
            self._wake(caller, 1)

    def seconds_to_next(self, caller: str) -> int:
        """How many seconds until a caller that found no token may come again, at least 1."""
        return max(1, self._rate.seconds_to_next(caller))

    def _wake(self, caller: str, most: int) -> None:
        turns = self._waiting.get(caller)
        while turns and most:
            turn = turns.popleft()
            if not turn.done():
                turn.set_result(None)
                most -= 1
        if turns is not None and not turns:
            del self._waiting[caller]

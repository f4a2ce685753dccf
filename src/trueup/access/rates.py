"""How often someone may do something: a bucket of tokens each, refilled steadily."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final

_HELD_MOST: Final = 100_000  # callers remembered; beyond it those who asked longest ago start afresh


class Rate:
    """So many times a minute for each caller, within one process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        """Takes: how many in a minute, which is also the most at once; a clock in seconds."""
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> tokens, when they were counted

    def left(self, caller: str) -> int:
        """How many more times the caller may, right now."""
        return int(self._tokens(caller))

    def take(self, caller: str) -> bool:
        """Use one up. Returns: whether there was one."""
        tokens = self._tokens(caller)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, self._clock())
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _HELD_MOST:
            self._buckets.popitem(last=False)
        return allowed

    def seconds_to_next(self, caller: str) -> int:
        """How many seconds, rounded up, until the caller may again; 0 for now."""
        missing = 1 - self._tokens(caller)
        return 0 if missing <= 0 else int(missing * 60 / self.per_minute) + 1

    def _tokens(self, caller: str) -> float:
        tokens, counted = self._buckets.get(caller, (float(self.per_minute), self._clock()))
        return min(float(self.per_minute), tokens + (self._clock() - counted) * self.per_minute / 60)

"""What every route stands on: the settings, the writer, the setup as it is now, the clock and randomness."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trueup.live.events import WriterEvents
from trueup.live.writer import Writer
from trueup.model.catalog import Catalog
from trueup.settings import Settings

T = TypeVar("T")


def now() -> int:
    """The clock: microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass
class ServerContext:
    """One server process."""

    settings: Settings
    writer: Writer
    clock: Callable[[], int] = now
    randomness: Callable[[int], bytes] = os.urandom
    events: WriterEvents = field(default_factory=WriterEvents)
    is_stopping: Callable[[], bool] = lambda: False  # what would go on for long ends then: the server waits for it
    _derived: dict[Callable[[Catalog], Any], tuple[Catalog, Any]] = field(default_factory=dict)

    @property
    def click_key(self) -> bytes | None:
        """The key of our own click ids; None while the ledger was never seen from here."""
        return self.writer.link.click_key

    @property
    def catalog(self) -> Catalog:
        """The setup as it is now; another object after every change."""
        return self.writer.link.catalog

    def derived(self, make: Callable[[Catalog], T]) -> T:
        """What a route derives from the setup, made once for each state of it."""
        catalog, held = self.catalog, self._derived.get(make)
        if held is None or held[0] is not catalog:
            held = self._derived[make] = (catalog, make(catalog))
        made: T = held[1]
        return made

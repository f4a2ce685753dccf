"""What recording stands on: the ledger, the time, who asks for it, and the way they came."""

from collections.abc import Callable
from dataclasses import dataclass

from trueup.ledger.database import Database
from trueup.model.batches import BatchRecord
from trueup.model.words import Origin

Clock = Callable[[], int]  # microseconds since the epoch


@dataclass(frozen=True)
class RecordingContext:
    """What a batch is recorded with, whatever it is made of."""

    database: Database  # the ledger
    clock: Clock
    made_by: str  # who asks, as the batch will say
    origin: Origin

    def received_at(self, resumed: BatchRecord | None) -> int:
        """When a batch is received: one that is resumed keeps its own moment, so that nothing depends on the break.

        Args:
            resumed: The batch that was begun and not finished, None for a new one.

        Returns:
            Microseconds since the epoch.
        """
        return resumed.received_at if resumed else self.clock()

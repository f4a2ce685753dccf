"""What recording stands on: the ledger, the time, who asks for it, and the way they came."""

from collections.abc import Callable
from dataclasses import dataclass

from trueup.ledger.database import Database
from trueup.model.words import Origin

Clock = Callable[[], int]  # microseconds since the epoch


@dataclass(frozen=True)
class RecordingContext:
    """What a batch is recorded with, whatever it is made of."""

    database: Database  # the ledger
    clock: Clock
    made_by: str  # who asks, as the batch will say
    origin: Origin

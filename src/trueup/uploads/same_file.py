"""The same file twice: which batches were made of this very content, and which of them is gone on with."""

from dataclasses import dataclass

from trueup.dialects.choices import Choices
from trueup.dialects.read import Reading
from trueup.ledger.batches import batches_of_content
from trueup.ledger.database import Readable
from trueup.model.batches import BatchRecord
from trueup.model.words import BatchKind, BatchState


@dataclass(frozen=True)
class Earlier:
    """The batches that were made of some very content, in the order they came."""

    batches: tuple[BatchRecord, ...] = ()

    @property
    def last(self) -> BatchRecord | None:
        """The last of them; None where the content is new."""
        return self.batches[-1] if self.batches else None

    @property
    def is_at_work(self) -> bool:
        """Whether the last of them is not finished: it may not be applied once more beside it."""
        return self.last is not None and self.last.state is BatchState.RUNNING

    def unfinished(self, choices: str) -> BatchRecord | None:
        """The batch that the same command, a command with these choices, began and did not finish: it goes on."""
        running = (batch for batch in self.batches if batch.state is BatchState.RUNNING and batch.choices == choices)
        return next(running, None)

    def of_request(self, choices: str, known_since: int) -> BatchRecord | None:
        """The batch that the same request, finished or not, was begun as.

        Args:
            choices: Those of the request; they name it.
            known_since: Since when a request counts as the same (microseconds UTC).
        """
        same = (batch for batch in self.batches if batch.choices == choices and batch.received_at >= known_since)
        return next(same, None)


def reading_choices(choices: Choices, reading: Reading) -> dict[str, object]:
    """How a file was read, as far as that tells one command from another with the same content; for JSON.

    Args:
        choices: What was chosen for the file.
        reading: What came of reading it.
    """
    return {
        "dialect": reading.dialect,
        "columns": dict(choices.columns),
        "time_zone": reading.time_zone,
        "time_format": reading.reader.times.name,
        "decimal_comma": choices.decimal_comma,
        "thousands": choices.thousands,
        "encoding": choices.encoding or "",
        "sheet": choices.sheet or "",
        "titles_line": choices.titles_line,
    }


def earlier_batches(database: Readable, kind: BatchKind, sha256: str) -> Earlier:
    """The batches of a kind that were made of this very content, whoever sent it.

    Args:
        database: The ledger.
        kind: What kind of batch the content becomes.
        sha256: The digest of the content, hex.
    """
    return Earlier(tuple(batches_of_content(database, kind, sha256)))

"""What the server works on now, for the sidebar: files that are previewed or applied, undos, rows decided again."""

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.ledger.batches import batches_numbered, running_batches
from trueup.ledger.database import Database
from trueup.ledger.uploads import uploads_at_work
from trueup.live.context import ServerContext
from trueup.live.upload_jobs import jobs_of
from trueup.model.words import BatchKind, UploadState

_KINDS = {BatchKind.UNDO: "Undo", BatchKind.DECIDE_AGAIN: "Decide again"}


@dataclass(frozen=True)
class Running:
    """A piece of work."""

    name: str
    url: str
    text: str  # what is done, where it is not known how far it is
    done: int
    of: int

    @property
    def percent(self) -> int | None:
        """How far it is; None where that is not known."""
        return min(100 * self.done // self.of, 99) if self.of else None


def running_work(database: Database, context: ServerContext) -> list[Running]:
    """Read what is at work, the oldest first.

    Args:
        database: The ledger.
        context: What every route stands on.
    """
    return [*_files(database, context), *_batches(database)]


def _files(database: Database, context: ServerContext) -> Iterator[Running]:
    files = uploads_at_work(database)
    batches = batches_numbered(database, [file.batch_id for file in files if file.batch_id])
    for file in files:
        url, batch = f"/upload/{file.upload_id}", batches.get(file.batch_id or 0)
        step = jobs_of(context).progress(file.upload_id)
        if file.state is UploadState.APPLYING and batch and not step:
            yield Running(file.file_name, url, "Applying", batch.rows_done, batch.rows_total)
        elif step:
            yield Running(file.file_name, url, step.step.capitalize(), step.done, step.of)
        else:
            yield Running(file.file_name, url, "Waiting", 0, 0)


def _batches(database: Database) -> Iterator[Running]:
    for kind, word in _KINDS.items():
        for batch in running_batches(database, kind):
            name = f"{word} of batch {batch.undoes}" if batch.undoes else word
            yield Running(name, f"/uploads/{batch.batch_id}", word, batch.rows_done, batch.rows_total)

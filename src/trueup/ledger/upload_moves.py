"""How a sent file moves on: noted, moved from state to state, forgotten."""

from typing import Final

import polars as pl
from sqlalchemy import delete, insert, update

from trueup.ledger.database import Transaction
from trueup.ledger.schema import uploads
from trueup.model.remarks import text_from_remark
from trueup.model.upload import AT_WORK, MOVES, UploadRecord
from trueup.model.words import UploadState

_FROM: Final = {to: [state.value for state in MOVES if to in MOVES[state]] for to in UploadState}


def create_upload(transaction: Transaction, record: UploadRecord) -> None:
    """Note a file that is here."""
    values = {column.name: getattr(record, column.name) for column in uploads.columns}
    values |= {
        "choices": record.choices.text(),
        "state": record.state.value,
        "trouble": text_from_remark(record.trouble),
        "batch_id": record.batch_id or 0,
        "origin": record.origin.value,
    }
    transaction.execute(insert(uploads).values(values))


def move_upload(transaction: Transaction, upload_id: str, to: UploadState, **changed: str | int) -> bool:
    """Move a sent file to a state, if it may go there from its own.

    Args:
        transaction: What it is written in.
        upload_id: The file.
        to: The state.
        **changed: What else to store of it, by column.

    Returns:
        Whether it was moved.
    """
    may = (uploads.c.upload_id == upload_id) & uploads.c.state.in_(_FROM[to])
    moved = update(uploads).where(may).values(state=to.value, **changed).returning(uploads.c.upload_id)
    return transaction.returning(moved, {"upload_id": pl.String}).height > 0


def note_batch(transaction: Transaction, upload_id: str, batch_id: int) -> None:
    """Store which batch a file became."""
    transaction.execute(update(uploads).where(uploads.c.upload_id == upload_id).values(batch_id=batch_id))


def forget_upload(transaction: Transaction, upload_id: str) -> bool:
    """Forget a sent file that nothing is at work on. Its batch stays.

    Args:
        transaction: What it is written in.
        upload_id: The file.

    Returns:
        Whether it was forgotten.
    """
    idle = uploads.c.state.not_in([state.value for state in AT_WORK])
    gone = delete(uploads).where(uploads.c.upload_id == upload_id, idle).returning(uploads.c.upload_id)
    return transaction.returning(gone, {"upload_id": pl.String}).height > 0

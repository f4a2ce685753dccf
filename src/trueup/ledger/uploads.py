"""The files that were sent to the server: what each is, and how far it has come."""

from typing import Any, Final

import polars as pl
from sqlalchemy import BigInteger, Executable, bindparam, delete, insert, select, update

from trueup.ledger.database import Database
from trueup.ledger.schema import uploads
from trueup.model.frames import Schema
from trueup.model.remarks import remark_from_text, text_from_remark
from trueup.model.upload import AT_WORK, MOVES, UploadRecord, choices_from_text
from trueup.model.words import UploadState

_STORED: Final[Schema] = {
    column.name: pl.Int64 if isinstance(column.type, BigInteger) else pl.String for column in uploads.columns
}
_ALL: Final = select(*uploads.columns)
_ONE: Final = _ALL.where(uploads.c.upload_id == bindparam("asked"))
_NEWEST: Final = (
    _ALL.where(uploads.c.upload_id < bindparam("before")).order_by(uploads.c.upload_id.desc()).limit(bindparam("most"))
)
_FROM: Final = {to: [state.value for state in MOVES if to in MOVES[state]] for to in UploadState}


def create_upload(database: Database, record: UploadRecord) -> None:
    """Note a file that is here."""
    values = {name: getattr(record, name) for name in _STORED}
    values |= {
        "choices": record.choices.text(),
        "state": record.state.value,
        "trouble": text_from_remark(record.trouble),
    }
    database.execute(insert(uploads).values(values))


def find_upload(database: Database, upload_id: str) -> UploadRecord | None:
    """One sent file; None when there is no such."""
    found = _read(database, _ONE, {"asked": upload_id})
    return found[0] if found else None


def read_uploads(database: Database, before: str, most: int) -> list[UploadRecord]:
    """The files that were sent before one of them, newest first."""
    return _read(database, _NEWEST, {"before": before, "most": most})


def uploads_at_work(database: Database) -> list[UploadRecord]:
    """The files that are being previewed or applied, oldest first."""
    at_work = uploads.c.state.in_([state.value for state in AT_WORK])
    return _read(database, _ALL.where(at_work).order_by(uploads.c.upload_id), {})


def same_file_at_work(database: Database, record: UploadRecord) -> str:
    """The upload that is applying the same content just now, '' for none."""
    same = (uploads.c.sha256 == record.sha256) & (uploads.c.upload_id != record.upload_id)
    rivals = _read(database, _ALL.where(same, uploads.c.state == UploadState.APPLYING.value), {})
    return next((rival.upload_id for rival in rivals if rival.choices.kind is record.choices.kind), "")


def move_upload(database: Database, upload_id: str, to: UploadState, **changed: str | int) -> bool:
    """Move a file to a state, if it may go there from the one it is in.

    Takes: also what else to store of it. Returns: whether it was moved.
    """
    may = (uploads.c.upload_id == upload_id) & uploads.c.state.in_(_FROM[to])
    moved = update(uploads).where(may).values(state=to.value, **changed).returning(uploads.c.upload_id)
    with database.transaction():
        return database.read(moved, {"upload_id": pl.String}).height > 0


def note_batch(database: Database, upload_id: str, batch_id: int) -> None:
    """Store which batch a file became. Within the transaction that opens the batch."""
    database.execute(update(uploads).where(uploads.c.upload_id == upload_id).values(batch_id=batch_id))


def forget_upload(database: Database, upload_id: str) -> bool:
    """Forget a file that nobody is at work on. Its batch stays. Returns: whether it was forgotten."""
    idle = uploads.c.state.not_in([state.value for state in AT_WORK])
    gone = delete(uploads).where(uploads.c.upload_id == upload_id, idle).returning(uploads.c.upload_id)
    with database.transaction():
        return database.read(gone, {"upload_id": pl.String}).height > 0


def _read(database: Database, statement: Executable, values: dict[str, Any]) -> list[UploadRecord]:
    return [_record(row) for row in database.read(statement, _STORED, values).iter_rows(named=True)]


def _record(row: dict[str, Any]) -> UploadRecord:
    choices, trouble = choices_from_text(row["choices"]), remark_from_text(row["trouble"])
    return UploadRecord(**row | {"choices": choices, "state": UploadState(row["state"]), "trouble": trouble})

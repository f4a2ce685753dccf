"""The files that were sent to the server: what each is, and how far it has come."""

from collections.abc import Iterable
from typing import Any, Final

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, SelectBase, bindparam, select

from trueup.ledger.database import Readable
from trueup.ledger.schema import uploads
from trueup.model.frames import Schema
from trueup.model.remarks import remark_from_text
from trueup.model.upload import AT_WORK, UploadRecord, choices_from_text
from trueup.model.words import Origin, UploadState

_STORED: Final[Schema] = {
    column.name: pl.Int64 if isinstance(column.type, BigInteger) else pl.String for column in uploads.columns
}
_ALL: Final = select(*uploads.columns)
_ONE: Final = _ALL.where(uploads.c.upload_id == bindparam("asked"))
_NEWEST: Final = (
    _ALL.where(uploads.c.upload_id < bindparam("before")).order_by(uploads.c.upload_id.desc()).limit(bindparam("most"))
)


def find_upload(database: Readable, upload_id: str) -> UploadRecord | None:
    """One sent file; None when there is no such."""
    found = _read(database, _ONE, {"asked": upload_id})
    return found[0] if found else None


def read_uploads(database: Readable, before: str, most: int) -> list[UploadRecord]:
    """The files that were sent before one of them, newest first."""
    return _read(database, _NEWEST, {"before": before, "most": most})


def read_uploads_where(
    database: Readable, conditions: Iterable[ColumnElement[bool]], most: int, *, oldest_first: bool = False
) -> list[UploadRecord]:
    """Some sent files that fit conditions, newest first unless it is said."""
    order = uploads.c.upload_id if oldest_first else uploads.c.upload_id.desc()
    return _read(database, _ALL.where(*conditions).order_by(order).limit(most), {})


def uploads_at_work(database: Readable) -> list[UploadRecord]:
    """The files that are being previewed or applied, oldest first."""
    at_work = uploads.c.state.in_([state.value for state in AT_WORK])
    return _read(database, _ALL.where(at_work).order_by(uploads.c.upload_id), {})


def same_file_at_work(database: Readable, record: UploadRecord) -> str | None:
    """The upload that is applying the same content just now, None for none."""
    same = (uploads.c.sha256 == record.sha256) & (uploads.c.upload_id != record.upload_id)
    rivals = _read(database, _ALL.where(same, uploads.c.state == UploadState.APPLYING.value), {})
    return next((rival.upload_id for rival in rivals if rival.choices.kind is record.choices.kind), None)


def _read(database: Readable, statement: SelectBase, values: dict[str, Any]) -> list[UploadRecord]:
    return [_record(row) for row in database.read(statement, _STORED, values).iter_rows(named=True)]


def _record(row: dict[str, Any]) -> UploadRecord:
    choices, trouble = choices_from_text(row["choices"]), remark_from_text(row["trouble"])
    read = {"choices": choices, "state": UploadState(row["state"]), "trouble": trouble, "origin": Origin(row["origin"])}
    return UploadRecord(**row | read | {"batch_id": row["batch_id"] or None})

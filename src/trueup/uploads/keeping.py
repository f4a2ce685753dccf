"""How long sent files are kept, and how a ledger that does not know one takes it up again.

A file is deleted by whoever sent it, or when it has been kept long enough since the work on it ended. That the ledger
does not know it is no reason: the ledger may be a restored backup, older than the file.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.ledger.database import Database, Readable
from trueup.ledger.uploads import find_upload
from trueup.model.upload import ENDED, UploadChoices, UploadRecord, choices_from_text
from trueup.model.words import Origin
from trueup.uploads.folder import SentFolder
from trueup.uploads.states import receive

_DAY_MICROS: Final = 86_400 * 1_000_000
_BEING_NOTED_MICROS: Final = 60 * 1_000_000  # a server notes a file right after it has received it


@dataclass(frozen=True, slots=True)
class UnknownFile:
    """A file that is here, and that the ledger does not know."""

    upload_id: str
    file_name: str  # as its sender calls it
    bytes: int
    sent_at: int  # microseconds UTC
    made_by: str


def remove_old_files(database: Readable, folder: SentFolder, days: int, now: int) -> list[str]:
    """Delete the files whose work ended so long ago. What the ledger holds of them stays.

    Args:
        database: An open ledger.
        folder: Where sent files are.
        days: How long one is kept.
        now: Microseconds UTC.

    Returns:
        Their upload ids.
    """
    removed = []
    for upload_id in folder.whole():
        record = find_upload(database, upload_id)
        with suppress(OSError):  # a disk without room for a mark needs the others gone all the more
            if record is None or record.state not in ENDED:
                folder.goes_on(upload_id)
            elif now - folder.ended_at(upload_id, now) >= days * _DAY_MICROS:
                folder.forget_content(upload_id)
                removed.append(upload_id)
    return removed


def note_of(record: UploadRecord) -> str:
    """What is put down beside a file, so that it can be taken up again."""
    told = {
        "file_name": record.file_name,
        "made_by": record.made_by,
        "made_at": record.made_at,
        "origin": record.origin.value,
    }
    return json.dumps({**told, "choices": record.choices.text()})


def unknown_files(database: Readable, folder: SentFolder, now: int) -> list[UnknownFile]:
    """The files that are here and that the ledger does not know, oldest first.

    Args:
        database: An open ledger.
        folder: Where sent files are.
        now: Microseconds UTC.
    """
    found = []
    for upload_id in folder.whole():
        size, written_at = folder.look(upload_id)
        if now - written_at >= _BEING_NOTED_MICROS and find_upload(database, upload_id) is None:
            note = _read_note(folder, upload_id)
            named, by = str(note.get("file_name", "")), str(note.get("made_by", ""))
            found.append(UnknownFile(upload_id, named, size, _sent_at(upload_id), by))
    return found


def take_up(database: Database, folder: SentFolder, file: UnknownFile) -> UploadRecord:
    """Have the ledger know a file again, as it was received: it can be previewed and applied.

    Raises:
        OSError: The file cannot be read.
    """
    note = _read_note(folder, file.upload_id)
    with folder.content(file.upload_id) as content:
        digest = hashlib.sha256(content).hexdigest()
    choices = choices_from_text(note["choices"]) if "choices" in note else UploadChoices()
    name = file.file_name or file.upload_id
    record = UploadRecord(file.upload_id, name, digest, file.bytes, choices, file.made_by, file.sent_at)
    if note.get("origin") in set(Origin):
        record = replace(record, origin=Origin(note["origin"]))
    return receive(database, record, lambda _: record)


def _sent_at(upload_id: str) -> int:
    """When a file was sent: its id begins with that."""
    try:
        return int(upload_id[1:13], 16) * 1_000
    except ValueError:
        return 0


def _read_note(folder: SentFolder, upload_id: str) -> dict[str, Any]:
    try:
        note = json.loads(folder.note(upload_id) or "{}")
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}

"""A file that was sent to the server: what was chosen for it, how far it has come, and what may become of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from trueup.model.remarks import Remark
from trueup.model.words import DuplicateMode, Origin, UploadKind, UploadState

# The states that may follow each state. Previewing again takes other choices; a failed upload with a batch is resumed.
MOVES: Final[Mapping[UploadState, frozenset[UploadState]]] = {
    UploadState.RECEIVED: frozenset({UploadState.PREVIEWING, UploadState.APPLYING, UploadState.CANCELLED}),
    UploadState.PREVIEWING: frozenset({UploadState.PREVIEWED, UploadState.FAILED, UploadState.CANCELLED}),
    UploadState.PREVIEWED: frozenset({UploadState.PREVIEWING, UploadState.APPLYING, UploadState.CANCELLED}),
    UploadState.APPLYING: frozenset({UploadState.DONE, UploadState.FAILED, UploadState.CANCELLED}),
    UploadState.FAILED: frozenset({UploadState.PREVIEWING, UploadState.APPLYING, UploadState.CANCELLED}),
    UploadState.DONE: frozenset(),
    UploadState.CANCELLED: frozenset(),
}
AT_WORK: Final = frozenset({UploadState.PREVIEWING, UploadState.APPLYING})
ENDED: Final = frozenset({UploadState.DONE, UploadState.CANCELLED})


@dataclass(frozen=True)
class UploadChoices:
    """What was chosen for a file; what is not chosen is recognised from its content."""

    kind: UploadKind = UploadKind.CONVERSIONS
    dialect: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # the file's column title -> our field, '' to leave it out
    duplicates: DuplicateMode | None = None  # None: by the setup, or the dialect's own
    time_zone: str | None = None
    time_format: str | None = None  # how times are written: a name or a pattern
    decimal_comma: bool = False
    thousands: bool = False
    encoding: str | None = None
    sheet: str | None = None  # of a workbook: its name or its number
    force_status: bool = False
    without_conversion_ids: bool = False
    create_missing: bool = False  # of clicks: set up the campaigns, offers and sources that only the file names
    mapping: str | None = None  # the saved one that the others were chosen by, as it was then
    save_mapping: str | None = None  # the name under which the mapping is saved, once the file is applied
    titles_line: int | None = None  # 0: there are no column titles
    again: bool = False  # the sender knows that the same file was sent before

    def text(self) -> str:
        """The choices as JSON, for the ledger."""
        return json.dumps({each.name: getattr(self, each.name) for each in fields(self)}, sort_keys=True)


def choices_from_text(text: str) -> UploadChoices:
    """Read back what `UploadChoices.text` wrote."""
    stored: dict[str, Any] = json.loads(text)
    duplicates = DuplicateMode(stored["duplicates"]) if stored["duplicates"] else None
    return UploadChoices(**{**stored, "kind": UploadKind(stored["kind"]), "duplicates": duplicates})


@dataclass(frozen=True)
class UploadRecord:
    """A sent file as the ledger holds it."""

    upload_id: str
    file_name: str  # as its sender calls it
    sha256: str
    bytes: int
    choices: UploadChoices
    made_by: str
    made_at: int
    state: UploadState = UploadState.RECEIVED
    trouble: Remark = ""  # what went wrong, for a person
    batch_id: int | None = None  # the batch it became, None for none yet
    origin: Origin = Origin.API  # which way it was sent

    @property
    def can_go_on(self) -> bool:
        """Whether it failed amid being applied: nothing but going on, cancelling or undoing is left then."""
        return self.state is UploadState.FAILED and self.batch_id is not None

"""What a person may choose about a file before it is read, and how a file that cannot be read says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.model.remarks import RemarkError
from trueup.model.words import RowKind
from trueup.model.zones import is_known


@dataclass(frozen=True)
class Choices:
    """How to read one file. What is not chosen is recognised from the content, and stated."""

    row_kind: RowKind = RowKind.CONVERSION  # what the rows are to do
    dialect: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # the file's column title -> our field, '' to leave it out
    time_zone: str | None = None  # the zone of times without an offset
    workspace_time_zone: str = "UTC"  # the same, where neither the person nor the dialect says
    decimal_comma: bool = False  # 1,20 instead of 1.20
    encoding: str | None = None
    without_conversion_ids: bool = False  # its conversion ids are of another ledger: leave them out
    titles_line: int | None = None  # the line that holds the column titles; 0: there are none
    mappings: Mapping[str, frozenset[str]] = field(
        default_factory=dict
    )  # saved mapping -> its files' normalised titles


class UnreadableFile(RemarkError):  # noqa: N818 - a statement about the file, shown to a person
    """The file as a whole cannot be read. The remark says why, and what to do."""


def known_zone(zone: str) -> str:
    """Check that a time zone exists.

    Returns:
        Its name.

    Raises:
        UnreadableFile: There is none of this name.
    """
    if not is_known(zone):
        raise UnreadableFile(f'No time zone is called "{zone}". Names are such as Europe/Warsaw or UTC.')
    return zone

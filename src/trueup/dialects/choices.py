"""What a person may choose about a file before it is read, and how a file that cannot be read says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.model.remarks import Mention, RemarkError
from trueup.model.words import RowKind
from trueup.model.zones import offset_named, zone_named


@dataclass(frozen=True)
class Choices:
    """How to read one file. What is not chosen is recognised from the content, and stated."""

    row_kind: RowKind = RowKind.CONVERSION  # what the rows are to do
    dialect: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # the file's column title -> our field, '' to leave it out
    time_zone: str | None = None  # the zone of times without an offset
    workspace_time_zone: str = "UTC"  # the same, where neither the person nor the dialect says
    time_format: str | None = None  # how times are written: a name or a pattern (model/time_formats.py)
    decimal_comma: bool = False  # 1,20 instead of 1.20
    thousands: bool = False  # 1,234.50 is a number, or with a decimal comma 1.234,50
    currencies: tuple[str, ...] = ()  # the workspace's, its own first
    encoding: str | None = None
    sheet: str | None = None  # of a workbook: its name or its number, counted from 1
    without_conversion_ids: bool = False  # its conversion ids are of another ledger: leave them out
    titles_line: int | None = None  # the line that holds the column titles; 0: there are none
    mappings: Mapping[str, frozenset[str]] = field(
        default_factory=dict
    )  # saved mapping -> its files' normalised titles


class UnreadableFile(RemarkError):  # noqa: N818 - a statement about the file, shown to a person
    """The file as a whole cannot be read. The remark says why, and what to do."""


class ChoiceNeeded(UnreadableFile):
    """The file can be read in several ways, and only a person can say which is meant."""

    def __init__(
        self,
        choice: str,
        readings: Mapping[str, str],
        *remark: str | Mention,
        values: Mapping[str, str | int] | None = None,
    ) -> None:
        """Ask for a choice.

        Args:
            choice: The field of Choices that is to be chosen.
            readings: What can be chosen, and how the file would be read then.
            *remark: What is asked, and how it is answered where nobody can be asked.
            values: What the field becomes by each answer; None where it becomes the answer itself.
        """
        super().__init__(*remark)
        self.choice = choice
        self.readings = readings
        self.values = values or {answer: answer for answer in readings}


def known_zone(zone: str) -> str:
    """Find a time zone.

    Args:
        zone: Its name in any case, or an offset such as +01:00.

    Returns:
        Its name, as it is written.

    Raises:
        UnreadableFile: There is none of this name.
    """
    known = zone_named(zone) or offset_named(zone)
    if not known:
        raise UnreadableFile(f'No time zone is called "{zone}". Names are such as Europe/Warsaw, UTC or +01:00.')
    return known

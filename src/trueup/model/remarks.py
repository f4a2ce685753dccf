"""What the layers below the surfaces say to a person: text, with ways in it that each surface words for itself.

A way is something that a person can do or say: on the command line by an option or a command, in the API by a parameter
or a request. Below the surfaces it is a code with values. `cli/wording.py` and `api/resources/wording.py` have the
words for the codes, one table each.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import polars as pl  # slow to import, and who opens packed files needs a few sentences alone


class Way(StrEnum):
    """A way to tell a surface something, or to have it do something. The codes are stored, so they never change."""

    DIALECT = "dialect"  # to choose it; values: dialect
    COLUMN = "column"  # to say which field it is; values: title, field
    TITLES_LINE = "titles_line"  # to say where the column titles are; values: line, 0 for none
    MAPPING = "mapping"  # to use a saved one; values: name
    WITHOUT_CONVERSION_IDS = "without_conversion_ids"
    DUPLICATES = "duplicates"  # to choose the duplicate mode
    ENCODING = "encoding"  # to name it
    SHEET = "sheet"  # to choose it; values: sheet
    TIME_FORMAT = "time_format"  # to say how times are written
    DECIMAL_COMMA = "decimal_comma"  # to say that decimals stand behind a comma
    THOUSANDS = "thousands"  # to say that thousands are parted
    TIME_ORDER = "time_order"  # to say in which order times are written; values: order
    STATUS_UPDATE = "status_update"  # to have a file set statuses
    FROM = "from"  # to say since when
    TO = "to"  # to say until when
    WHERE = "where"  # to say what clicks are like
    LIST_BATCHES = "list_batches"
    UNDO = "undo"  # values: batch_id
    FINISH_UNDO = "finish_undo"  # values: batch_id, of the batch that is undone
    # For the person who runs the server, at a terminal. The API has no words for these.
    SERVE = "serve"  # to have a server
    FOLDER = "folder"  # to choose the server's
    CLAIM_FOLDER = "claim_folder"
    REBUILD_LEDGER = "rebuild_ledger"

    @property
    def marked(self) -> str:
        """This way within the message of a row, which `message_in_words` says."""
        return f"\u27e8{self.value}\u27e9"

    def of(self, **values: str | int) -> "Mention":
        """Mention this way.

        Args:
            **values: What its words need.
        """
        return Mention(self, values)


class Mention(NamedTuple):
    """A way that a remark mentions. As JSON it is a pair."""

    way: Way
    values: Mapping[str, str | int]


Remark: TypeAlias = str | tuple[str | Mention, ...]


class NoticeCode(StrEnum):
    """What a preview says at its top."""

    SAME_FILE = "same_file"  # it was uploaded before, and whether that was undone
    DATED_NOW = "dated_now"  # nothing gives the time of its conversions
    NO_PAYOUT = "no_payout"  # no column gives the payout
    MOSTLY_REFUSED = "mostly_refused"  # half of the rows or more, and the main cause
    IDS_OF_ANOTHER_COLUMN = "ids_of_another_column"  # its click ids are unknown, and another column has known ones
    CONVERSION_IDS_UNKNOWN = "conversion_ids_unknown"  # they may be of another ledger
    DUPLICATE_MODES = "duplicate_modes"  # which act, and why


class Notice(NamedTuple):
    """Something that a person must know before a file counts. As JSON it is a pair."""

    code: NoticeCode
    remark: Remark


class RemarkError(Exception):
    """Something is refused. It is made from the pieces of a remark that says why, and what can be done."""

    def __init__(self, *remark: str | Mention) -> None:
        super().__init__(*remark)
        self.remark = remark

    def __str__(self) -> str:
        """The remark with codes, for a reader of a traceback."""
        return worded(self.remark, _CODES)


_CODES: Final = {way: way.value for way in Way}


def worded(remark: Remark, words: Mapping[Way, str]) -> str:
    """Say a remark.

    Args:
        remark: What to say.
        words: A surface's words for each way, the values' names in braces.
    """
    if isinstance(remark, str):
        return remark
    return "".join(piece if isinstance(piece, str) else words[piece.way].format(**piece.values) for piece in remark)


def message_in_words(message: str, words: Mapping[Way, str]) -> str:
    """Say the message of a row.

    Args:
        message: Text, with ways in it as `Way.marked` writes them.
        words: A surface's words for each way.
    """
    return _MARKED.sub(lambda found: words.get(Way(found[1]), found[0]), message) if "\u27e8" in message else message


def remark_of_message(message: str) -> tuple[str | Mention, ...]:
    """Make a remark of the message of a row, with the ways that it mentions."""
    pieces = _MARKED.split(message)
    return tuple(Mention(Way(piece), {}) if place % 2 else piece for place, piece in enumerate(pieces))


def messages_in_words(messages: "pl.Expr", words: Mapping[Way, str]) -> "pl.Expr":
    """Say a column of messages, as `message_in_words` says each."""
    said = {way.marked: words[way] for way in IN_MESSAGES}
    return messages.str.replace_many(list(said), list(said.values()))


# What the messages of rows mention. None needs values.
IN_MESSAGES: Final = (Way.TIME_FORMAT, Way.DECIMAL_COMMA, Way.THOUSANDS)
_MARKED: Final = re.compile(f"\u27e8({'|'.join(IN_MESSAGES)})\u27e9")


def remark_from_json(told: Any) -> Remark:  # noqa: ANN401 - whatever JSON holds
    """Read back a remark that was written as JSON."""
    if isinstance(told, str):
        return told
    return tuple(piece if isinstance(piece, str) else Mention(Way(piece[0]), piece[1]) for piece in told)


def text_from_remark(remark: Remark) -> str:
    """A remark as text to store, '' for none."""
    return json.dumps(remark) if remark else ""


def remark_from_text(text: str) -> Remark:
    """Read back what `text_from_remark` wrote."""
    return remark_from_json(json.loads(text)) if text else ""

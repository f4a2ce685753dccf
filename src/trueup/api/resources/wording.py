"""The API's words for what the layers below only have codes for: parameters and requests."""

from collections.abc import Mapping
from typing import Final

from trueup.model import remarks
from trueup.model.remarks import Remark, Way, worded
from trueup.model.remedies import Remedy, RemedyKind

# All but those for the person who runs the server.
WAYS: Final[Mapping[Way, str]] = {
    Way.DIALECT: "`dialect={dialect}`",
    Way.COLUMN: "`columns={title}={field}`",
    Way.TITLES_LINE: "`titles_line={line}`",
    Way.MAPPING: "`mapping={name}`",
    Way.WITHOUT_CONVERSION_IDS: "`without_conversion_ids=true`",
    Way.DUPLICATES: "`duplicates`",
    Way.ENCODING: "`encoding`",
    Way.SHEET: "`sheet={sheet}`",
    Way.TIME_FORMAT: "`time_format`",
    Way.DECIMAL_COMMA: "`decimal_comma`",
    Way.THOUSANDS: "`thousands`",
    Way.TIME_ORDER: "`time_format={order}`",
    Way.STATUS_UPDATE: "`kind=status`",
    Way.FROM: "`from`",
    Way.TO: "`to`",
    Way.WHERE: "`where`",
    Way.LIST_BATCHES: "`GET /batches`",
    Way.UNDO: "`POST /batches/{batch_id}/undo`",
    Way.FINISH_UNDO: "send `POST /batches/{batch_id}/undo` again",
}


REMEDIES: Final[Mapping[RemedyKind, str]] = {
    RemedyKind.MAP_STATUS: "Say what the word means in the network's `status_map`",
    RemedyKind.SET_UP_TYPE: "Set up the conversion type, or write its name as it is set up",
    RemedyKind.IMPORT_CLICKS: "Import the clicks first, with `kind=clicks`",
    RemedyKind.SET_RATE: "Give the currency a rate in the setup",
    RemedyKind.CHOOSE: "Read the file with {way}",
    RemedyKind.FORCE_STATUS: "Force statuses with `force_status=true`",
    RemedyKind.WITHOUT_CONVERSION_IDS: "Leave the conversion ids out with `without_conversion_ids=true`",
    RemedyKind.CREATE_MISSING: "Set up what the file names with `create_missing=true`",
    RemedyKind.TIME_ZONE: "Look at the zone of the file's times, `time_zone`",
    RemedyKind.MEND_ROWS: "Mend the rows in `refused.csv`, and send that",
}


def remedy_in_words(remedy: Remedy) -> str:
    """A remedy as the API says it."""
    choice = remedy.values.get("choice", "")
    return REMEDIES[remedy.kind].format(way=WAYS[Way(choice)] if choice else "")


def message_in_words(message: str) -> str:
    """The message of a row as the API says it."""
    return remarks.message_in_words(message, WAYS)


def in_words(remark: Remark) -> str:
    """A remark as the API says it."""
    return worded(remark, WAYS)

"""The API's words for what the layers below only have codes for: parameters and requests."""

from collections.abc import Mapping
from typing import Final

from trueup.model import remarks
from trueup.model.remarks import Remark, Way, worded

# All but those for the person who runs the server.
WAYS: Final[Mapping[Way, str]] = {
    Way.DIALECT: "`dialect={dialect}`",
    Way.COLUMN: "`columns={title}={field}`",
    Way.TITLES_LINE: "`titles_line={line}`",
    Way.MAPPING: "`mapping={name}`",
    Way.WITHOUT_CONVERSION_IDS: "`without_conversion_ids=true`",
    Way.DUPLICATES: "`duplicates`",
    Way.ENCODING: "`encoding`",
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


def message_in_words(message: str) -> str:
    """The message of a row as the API says it."""
    return remarks.message_in_words(message, WAYS)


def in_words(remark: Remark) -> str:
    """A remark as the API says it."""
    return worded(remark, WAYS)

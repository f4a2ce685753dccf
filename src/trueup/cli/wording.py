"""The command line's words for what the layers below only have codes for: options and commands."""

from collections.abc import Mapping
from typing import Final

from trueup.model import remarks
from trueup.model.remarks import Remark, RemarkError, Way, worded

WAYS: Final[Mapping[Way, str]] = {
    Way.DIALECT: "--dialect {dialect}",
    Way.COLUMN: '--map "{title}={field}"',
    Way.TITLES_LINE: "--titles-line {line}",
    Way.MAPPING: "--mapping {name}",
    Way.WITHOUT_CONVERSION_IDS: "--without-conversion-ids",
    Way.DUPLICATES: "--duplicates",
    Way.ENCODING: "--encoding",
    Way.TIME_FORMAT: "--time-format",
    Way.DECIMAL_COMMA: "--decimal-comma",
    Way.THOUSANDS: "--thousands",
    Way.TIME_ORDER: "--time-format {order}",
    Way.STATUS_UPDATE: "trueup update-status",
    Way.FROM: "--from",
    Way.TO: "--to",
    Way.WHERE: "--where",
    Way.LIST_BATCHES: "`trueup batches`",
    Way.UNDO: "`trueup undo {batch_id}`",
    Way.FINISH_UNDO: "run `trueup undo {batch_id}` again",
    Way.SERVE: "`trueup serve`",
    Way.FOLDER: "TRUEUP_FOLDER",
    Way.CLAIM_FOLDER: "`trueup spool claim`",
    Way.REBUILD_LEDGER: (
        "With the program that made it, write `trueup setup show > setup.toml` and `trueup conversions --csv --output "
        "conversions.csv`. With this program, in the new database: `trueup setup apply setup.toml`, import the clicks, "
        "then upload the original files in their order; or, for the conversions as they are now and without their "
        "history, `trueup upload conversions.csv --without-conversion-ids --duplicates create`"
    ),
}


def message_in_words(message: str) -> str:
    """The message of a row as the command line says it."""
    return remarks.message_in_words(message, WAYS)


def in_words(remark: Remark) -> str:
    """A remark as the command line says it."""
    return worded(remark, WAYS)


def error_in_words(error: Exception) -> str:
    """The same for an error, whether it has a remark or a message."""
    return in_words(error.remark) if isinstance(error, RemarkError) else str(error)

"""The command line's words for what the layers below only have codes for: options and commands."""

from collections.abc import Mapping
from typing import Final

from trueup.model import remarks
from trueup.model.remarks import Remark, RemarkError, Way, worded
from trueup.model.remedies import Remedy, RemedyKind

WAYS: Final[Mapping[Way, str]] = {
    Way.DIALECT: "--dialect {dialect}",
    Way.COLUMN: '--map "{title}={field}"',
    Way.TITLES_LINE: "--titles-line {line}",
    Way.MAPPING: "--mapping {name}",
    Way.WITHOUT_CONVERSION_IDS: "--without-conversion-ids",
    Way.DUPLICATES: "--duplicates",
    Way.ENCODING: "--encoding",
    Way.SHEET: '--sheet "{sheet}"',
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


REMEDIES: Final[Mapping[RemedyKind, str]] = {
    RemedyKind.MAP_STATUS: "say what the word means in the network's status_map",
    RemedyKind.SET_UP_TYPE: "set up the type, or write its name as it is set up",
    RemedyKind.IMPORT_CLICKS: "import the clicks: `trueup clicks import`",
    RemedyKind.SET_RATE: "give the currency a rate in the setup",
    RemedyKind.CHOOSE: "add {way}",
    RemedyKind.FORCE_STATUS: "add --force-status, if it is meant",
    RemedyKind.WITHOUT_CONVERSION_IDS: "add --without-conversion-ids",
    RemedyKind.CREATE_MISSING: "add --create-missing",
    RemedyKind.TIME_ZONE: "look at the zone of the file's times: --time-zone",
    RemedyKind.MEND_ROWS: "mend the rows: --refused OUT.csv writes them",
}


def remedy_in_words(remedy: Remedy) -> str:
    """A remedy as the command line says it."""
    choice = remedy.values.get("choice", "")
    return REMEDIES[remedy.kind].format(way=WAYS[Way(choice)] if choice else "")


def message_in_words(message: str) -> str:
    """The message of a row as the command line says it."""
    return remarks.message_in_words(message, WAYS)


def in_words(remark: Remark) -> str:
    """A remark as the command line says it."""
    return worded(remark, WAYS)


def error_in_words(error: Exception) -> str:
    """The same for an error, whether it has a remark or a message."""
    return in_words(error.remark) if isinstance(error, RemarkError) else str(error)

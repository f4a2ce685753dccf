"""The page's words for what the layers below only have codes for: choices, remedies, kinds of rows."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeGuard

from trueup.model import remarks
from trueup.model.remarks import Mention, NoticeCode, Remark, Way, worded
from trueup.model.remedies import Remedy, RemedyKind
from trueup.model.words import DuplicateMode, ModeFrom, Outcome, UploadKind
from trueup.pages.shell.words import words_of
from trueup.recording.summary import Summary, modes_in_order

# Each names a control of the page. Those for the person who runs the server are left out.
WAYS: Final[Mapping[Way, str]] = {
    Way.DIALECT: "“Written by: {dialect}”",
    Way.COLUMN: "“{title}” as {field} under “Columns”",
    Way.TITLES_LINE: "“Line of the titles: {line}”",
    Way.MAPPING: "the saved mapping “{name}”",
    Way.WITHOUT_CONVERSION_IDS: "“Leave conversion ids out”",
    Way.DUPLICATES: "“Duplicates”",
    Way.ENCODING: "“Encoding”",
    Way.SHEET: "“Sheet: {sheet}”",
    Way.TIME_FORMAT: "“How times are written”",
    Way.DECIMAL_COMMA: "“Decimal comma”",
    Way.THOUSANDS: "“Thousands are parted”",
    Way.TIME_ORDER: "“How times are written: {order}”",
    Way.STATUS_UPDATE: "“Statuses” as what the rows are",
    Way.FROM: "“From”",
    Way.TO: "“To”",
    Way.WHERE: "a filter",
    Way.LIST_BATCHES: "Uploads",
    Way.UNDO: "its Undo",
    Way.FINISH_UNDO: "press Undo again",
}

_LEFT_OUT: Final = "“{title}” as “Leave it out” under “Columns”"

KINDS: Final[Mapping[UploadKind, tuple[str, str]]] = {
    UploadKind.CONVERSIONS: ("Conversions", "Rows make conversions, and correct those that exist."),
    UploadKind.STATUS: ("Statuses", "Rows set the status of conversions. Nothing is created."),
    UploadKind.CLICKS: ("Clicks", "Rows are visits. Conversions that waited for them come to life."),
}

MODES: Final[Mapping[DuplicateMode, str]] = {
    DuplicateMode.CREATE: "Create another conversion",
    DuplicateMode.CREATE_NEW_OR_REPEATED: "Create another, labelled new or repeated",
    DuplicateMode.IGNORE: "Ignore the row",
    DuplicateMode.UPDATE: "Edit the conversion with the row's data",
    DuplicateMode.ADD_PAYOUT: "Add the row's payout, keep the rest",
    DuplicateMode.IGNORE_SAME_EVENT_ID: "Ignore rows of a known event id",
}

TIME_FORMATS: Final = (
    ("", "Recognise it"),
    ("iso", "2026-03-31 14:30:00 (ISO 8601)"),
    ("year-month-day", "2026/03/31 (year, month, day)"),
    ("day-month-year", "31/03/2026 (day, month, year)"),
    ("month-day-year", "03/31/2026 (month, day, year)"),
)

NOTICE_TITLES: Final[Mapping[NoticeCode, str]] = {
    NoticeCode.SAME_FILE: "The same file.",
    NoticeCode.DATED_NOW: "No times.",
    NoticeCode.NO_PAYOUT: "No payouts.",
    NoticeCode.MOSTLY_REFUSED: "Mostly refused.",
    NoticeCode.IDS_OF_ANOTHER_COLUMN: "Another column has the click ids.",
    NoticeCode.CONVERSION_IDS_UNKNOWN: "Conversion ids of another ledger.",
    NoticeCode.DUPLICATE_MODES: "Duplicates.",
}

# What a remedy is called, and where it has one, the button that carries it out: the choice that it sets.
REMEDIES: Final[Mapping[RemedyKind, str]] = {
    RemedyKind.MAP_STATUS: "Map “{word}” to a status in its network's status map",
    RemedyKind.SET_UP_TYPE: "Set up the type “{type}”",
    RemedyKind.IMPORT_CLICKS: "Import the clicks",
    RemedyKind.SET_RATE: "Give {currency} a rate in the workspace's currencies",
    RemedyKind.CHOOSE: "Preview with {way}",
    RemedyKind.FORCE_STATUS: "Preview with forced statuses",
    RemedyKind.WITHOUT_CONVERSION_IDS: "Preview without conversion ids",
    RemedyKind.CREATE_MISSING: "Preview with what is missing set up",
    RemedyKind.TIME_ZONE: "Look at the time zone",
    RemedyKind.MEND_ROWS: "Mend the rows in the file of refused rows",
}
_SETS: Final[Mapping[RemedyKind, str]] = {
    RemedyKind.FORCE_STATUS: "force_status",
    RemedyKind.WITHOUT_CONVERSION_IDS: "without_conversion_ids",
    RemedyKind.CREATE_MISSING: "create_missing",
}


# Why a mode acts.
_BECAUSE: Final[Mapping[ModeFrom, str]] = {
    ModeFrom.CHOSEN: "as it was chosen",
    ModeFrom.CONVERSION_ID: "as the row names its conversion",
    ModeFrom.TYPE: "as the conversion type is set up",
    ModeFrom.NETWORK: "as the network is set up",
    ModeFrom.DIALECT: "as such files mean it",
    ModeFrom.DEFAULT: "as usual",
}
_OUTCOME: Final = re.compile(rf"\b(?:{'|'.join(code for code in Outcome if '_' in code)})\b")


def notice_in_words(code: NoticeCode, remark: Remark, preview: Summary) -> str:
    """What a preview says first, without the codes that programs know.

    Args:
        code: Which notice it is.
        remark: Its text for all who read it.
        preview: The preview.
    """
    if code is not NoticeCode.DUPLICATE_MODES:
        return _OUTCOME.sub(lambda found: f"“{words_of(found[0])}”", in_words(remark))
    said = "; ".join(
        f"“{MODES[DuplicateMode(mode)]}” for {rows:,} {'row' if rows == 1 else 'rows'}, {_BECAUSE[ModeFrom(mode_from)]}"
        for (mode, mode_from), rows in modes_in_order(preview)
    )
    return f"Where a conversion is there already: {said}. Another way is chosen under {WAYS[Way.DUPLICATES]}."


def in_words(remark: Remark) -> str:
    """A remark as pages say it."""
    if not isinstance(remark, str):
        remark = tuple(_LEFT_OUT.format(**piece.values) if _leaves_out(piece) else piece for piece in remark)
    return worded(remark, WAYS)


def _leaves_out(piece: str | Mention) -> TypeGuard[Mention]:
    return isinstance(piece, Mention) and piece.way is Way.COLUMN and not piece.values["field"]


def message_in_words(message: str) -> str:
    """The message of a row as pages say it."""
    return remarks.message_in_words(message, WAYS)


def remedy_in_words(remedy: Remedy) -> str:
    """A remedy as pages say it."""
    choice = remedy.values.get("choice", "")
    said = REMEDIES[remedy.kind].format(**remedy.values, way=WAYS[Way(choice)] if choice else "")
    nearest = remedy.values.get("nearest", "")
    return f"{said}, or write {nearest}" if nearest else said


def remedy_sets(remedy: Remedy) -> str:
    """The choice that a button for a remedy sets; '' where no choice of the file mends its rows."""
    if remedy.kind is RemedyKind.CHOOSE:
        choice = remedy.values["choice"]
        return choice if choice in ("decimal_comma", "thousands") else ""
    return _SETS.get(remedy.kind, "")


_NAMES: Final[Mapping[str, str]] = {
    "redtrack": "RedTrack", "gokart": "GoKart", "tune": "TUNE", "cake": "CAKE", "cj": "CJ", "bemob": "BeMob",
    "funnelflux": "FunnelFlux", "clickflare": "ClickFlare", "peerclick": "PeerClick",
}  # fmt: skip
_OF_ANYBODY: Final = ("headed", "trueup", "click")


def makers(dialects: Iterable[str]) -> str:
    """Whose files are recognised, as a list for people."""
    first = dict.fromkeys(name.partition("-")[0] for name in dialects)
    return ", ".join(_NAMES.get(name, name.capitalize()) for name in first if name not in _OF_ANYBODY)

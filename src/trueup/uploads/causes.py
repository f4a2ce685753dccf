"""Why rows of a previewed file are refused, for a person: each cause with an example of the file, and what mends it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

import polars as pl

from trueup.dialects.read import original_records
from trueup.model.remarks import Way
from trueup.model.remedies import Remedy, RemedyKind
from trueup.model.words import ClickOutcome, Outcome
from trueup.recording.summary import Summary, with_messages
from trueup.uploads.click_file import ClickFile, with_click_messages
from trueup.uploads.conversions import Upload

SHOWN: Final = 20  # causes that are told; the rest are the rarest
SEEN_CHARS: Final = 200
_LOOKED_AT: Final = 2_000_000  # lines: a later example is told without its cell, since finding it takes seconds

_FIELDS: Final[Mapping[str, str]] = {
    Outcome.REFUSED_MISSING_CLICK_ID: "click_id",
    Outcome.REFUSED_BAD_CLICK_ID: "click_id",
    Outcome.REFUSED_UNKNOWN_CLICK: "click_id",
    Outcome.PARKED_UNKNOWN_CLICK: "click_id",
    Outcome.REFUSED_BAD_PAYOUT: "payout",
    Outcome.REFUSED_UNKNOWN_CURRENCY: "currency",
    Outcome.REFUSED_BAD_TRANSACTION_ID: "transaction_id",
    Outcome.REFUSED_BAD_EVENT_ID: "event_id",
    Outcome.REFUSED_BAD_TIME: "converted_at",
    Outcome.REFUSED_BEFORE_CLICK: "converted_at",
    Outcome.REFUSED_IN_FUTURE: "converted_at",
    Outcome.REFUSED_UNKNOWN_TYPE: "conversion_type",
    Outcome.REFUSED_UNKNOWN_STATUS: "status",
    Outcome.REFUSED_MANUAL_STATUS: "status",
    Outcome.REFUSED_STATUS_REGRESSION: "status",
    Outcome.REFUSED_UNKNOWN_CONVERSION: "conversion_id",
    ClickOutcome.REFUSED_UNKNOWN_CAMPAIGN: "campaign",
    ClickOutcome.REFUSED_UNKNOWN_OFFER: "offer",
    ClickOutcome.REFUSED_BAD_COST: "cost",
}
EXPECTED: Final[Mapping[str, str]] = {
    Outcome.REFUSED_MALFORMED_ROW: "a field for each column",
    Outcome.REFUSED_MISSING_CLICK_ID: "a click id",
    Outcome.REFUSED_BAD_CLICK_ID: "1 to 64 letters, digits, and _ . ~ -",
    Outcome.REFUSED_UNKNOWN_CLICK: "a click that is known here",
    Outcome.PARKED_UNKNOWN_CLICK: "a click that is known here",
    Outcome.REFUSED_BAD_PAYOUT: "a number such as 12.50",
    Outcome.REFUSED_UNKNOWN_CURRENCY: "a currency that has a rate",
    Outcome.REFUSED_BAD_TRANSACTION_ID: "at most 128 characters",
    Outcome.REFUSED_BAD_EVENT_ID: "at most 128 characters",
    Outcome.REFUSED_BAD_TIME: "a time such as 2026-03-31 14:30:00",
    Outcome.REFUSED_BEFORE_CLICK: "a time after the click",
    Outcome.REFUSED_IN_FUTURE: "a time in the past",
    Outcome.REFUSED_UNKNOWN_TYPE: "a type that is set up",
    Outcome.REFUSED_UNKNOWN_STATUS: "approved, pending, declined or other",
    Outcome.REFUSED_MANUAL_STATUS: "the status that a person set",
    Outcome.REFUSED_STATUS_REGRESSION: "a decided status",
    Outcome.REFUSED_UNKNOWN_CONVERSION: "a conversion of the click",
    Outcome.REFUSED_TOO_MANY_ROWS: "no more rows of the click",
    ClickOutcome.REFUSED_UNKNOWN_CAMPAIGN: "a campaign that is set up",
    ClickOutcome.REFUSED_UNKNOWN_OFFER: "an offer that is set up",
    ClickOutcome.REFUSED_BAD_COST: "a number such as 0.05",
    ClickOutcome.REFUSED_BAD_TEXT: "text without control characters",
}
_REMEDIES: Final[Mapping[str, RemedyKind]] = {
    Outcome.REFUSED_UNKNOWN_CLICK: RemedyKind.IMPORT_CLICKS,
    Outcome.PARKED_UNKNOWN_CLICK: RemedyKind.IMPORT_CLICKS,
    Outcome.REFUSED_MANUAL_STATUS: RemedyKind.FORCE_STATUS,
    Outcome.REFUSED_STATUS_REGRESSION: RemedyKind.FORCE_STATUS,
    Outcome.REFUSED_BEFORE_CLICK: RemedyKind.TIME_ZONE,
    Outcome.REFUSED_IN_FUTURE: RemedyKind.TIME_ZONE,
    ClickOutcome.REFUSED_UNKNOWN_CAMPAIGN: RemedyKind.CREATE_MISSING,
    ClickOutcome.REFUSED_UNKNOWN_OFFER: RemedyKind.CREATE_MISSING,
}


@dataclass(frozen=True)
class Cause:
    """Why some rows are refused, or wait."""

    outcome: str
    what: str  # was wrong: the unknown word, type or currency; '' where the outcome says it all
    rows: int
    line: int  # an example: the first row
    column: str  # the title of the column that is wrong in it, '' where it is no column or is not known
    seen: str  # what stands there
    expected: str
    message: str  # what that row is told
    remedy: Remedy

    def to_json(self) -> dict[str, Any]:
        """As it is kept and told."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Cause":
        """Read back what `to_json` gave."""
        remedy = told["remedy"]
        return cls(**told | {"remedy": Remedy(RemedyKind(remedy["kind"]), remedy["values"])})


def causes_of(file: Upload | ClickFile, preview: Summary) -> tuple[Cause, ...]:
    """Say why rows of a file would be refused.

    Args:
        file: The file that was read.
        preview: What applying it would do.

    Returns:
        The causes, the commonest first.
    """
    found = preview.causes.head(SHOWN)
    if not found.height:
        return ()
    worded = _clicks_worded(found, file) if isinstance(file, ClickFile) else with_messages(found)
    cells = _cells(file, found["line"].to_list())
    causes = []
    for row in worded.iter_rows(named=True):
        column, seen = _seen(file, row["outcome"], cells.get(row["line"]))
        causes.append(
            Cause(
                outcome=row["outcome"],
                what="" if row["what"].startswith("\u27e8") else row["what"],
                rows=row["rows"],
                line=row["line"],
                column=column,
                seen=seen[:SEEN_CHARS],
                expected=EXPECTED.get(row["outcome"], ""),
                message=row["message"],
                remedy=_remedy(row, preview),
            )
        )
    return tuple(causes)


def _clicks_worded(found: pl.DataFrame, file: ClickFile) -> pl.DataFrame:
    times = file.reading.rows.select("line", "clicked_at")
    beside = found.select("outcome", "what", "rows", "line").join(times, on="line", how="left", maintain_order="left")
    return with_click_messages(beside, file)


def _remedy(row: Mapping[str, Any], preview: Summary) -> Remedy:
    outcome, what = row["outcome"], row["what"]
    if outcome == Outcome.REFUSED_UNKNOWN_STATUS and what:
        return Remedy(RemedyKind.MAP_STATUS, {"word": what})
    if outcome == Outcome.REFUSED_UNKNOWN_TYPE:
        return Remedy(RemedyKind.SET_UP_TYPE, {"type": what, "nearest": row["detail"] or ""})
    if outcome == Outcome.REFUSED_UNKNOWN_CURRENCY:
        return Remedy(RemedyKind.SET_RATE, {"currency": what})
    if outcome == Outcome.REFUSED_UNKNOWN_CONVERSION and preview.conversion_ids_unknown:
        return Remedy(RemedyKind.WITHOUT_CONVERSION_IDS)
    for way in (Way.DECIMAL_COMMA, Way.THOUSANDS, Way.TIME_FORMAT):
        if way.marked in what:
            return Remedy(RemedyKind.CHOOSE, {"choice": way.value})
    return Remedy(_REMEDIES.get(outcome, RemedyKind.MEND_ROWS))


def _cells(file: Upload | ClickFile, lines: list[int]) -> dict[int, list[str]]:
    wanted = sorted(line for line in lines if line <= _LOOKED_AT)
    if not file.content:  # rows that came without a file
        return {}
    return dict(islice(original_records(file.content, file.reading, wanted), len(wanted))) if wanted else {}


def _seen(file: Upload | ClickFile, outcome: str, fields: list[str] | None) -> tuple[str, str]:
    """The title of the column that is wrong, and what stands in it."""
    columns = file.reading.reader.columns
    name = _FIELDS.get(outcome, "")
    place = columns.positions.get(name)
    if place is None and name == "currency":
        place = columns.positions.get("payout")  # it stands beside the amount
    if fields is None:
        return "", ""
    if place is None or place not in columns.places:
        return "", ", ".join(fields)
    position = columns.places.index(place)
    return columns.titles[position], fields[position] if position < len(fields) else ""

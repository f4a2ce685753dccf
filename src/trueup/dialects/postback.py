"""Postbacks: the parameters of one request become one row, under the names and rules of files.

Besides the row's fields, a postback can give: which of its sender's words mean which status, sub-parameters of the
click, the answer it wants, and whether it is a test call.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from trueup.dialects.names import FIELDS, normalised, quoted_title
from trueup.dialects.values import (
    BLANKS,
    CONTROL,
    click_and_target,
    click_id_trouble,
    id_trouble,
    missing_click_trouble,
    quoted_value,
)
from trueup.model.currencies import amount_given, parted
from trueup.model.money import amount_trouble
from trueup.model.times import NO_TIME, read_time, time_trouble
from trueup.model.words import Outcome, Status

_ZONE: Final = "UTC"  # the zone of times without an offset, where the click's network has none
RAW_CHARS: Final = 2_000  # how much of a request the journal keeps
SUB_CHARS: Final = 1_024  # the longest sub-parameter, the same as in a link

# Parameters that list the sender's own status words, and the status they mean. The first list with the word counts.
MEANINGS: Final[Mapping[str, Status]] = {
    "lead_status": Status.PENDING,
    "sale_status": Status.APPROVED,
    "rejected_status": Status.DECLINED,
}

# What else a postback can give -> the parameter names for it.
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (name,) for name in MEANINGS},
    "ignore_status": ("ignore_status", "ignore"),  # status words to ignore
    **{f"sub{i}": (f"sub_id_{i}",) for i in range(1, 11)},  # sub-parameters of the click
    "return": ("return",),  # the text of the answer
    "format": ("format",),  # the form of the answer
    "test": ("test",),
    "postback_key": ("postback_key",),
}

_FIELD_OF: Final = {name: field for named in (FIELDS, BESIDE) for field, names in named.items() for name in names}
_SUB_PARAMETERS: Final = frozenset(field for field in BESIDE if field.startswith("sub"))
_ANSWER: Final = re.compile(r"[A-Za-z0-9 _.-]{0,64}")


class ReadPostback(NamedTuple):
    """One request, as it was read."""

    row: Mapping[str, Any]  # columns of ROWS
    sub_parameters: Mapping[str, str] | None = None  # sub1 to sub10 to set for its click
    answer: str = ""  # the text that its sender wants for an answer, '' for ours
    wants_json: bool = False
    test: bool = False  # a test call: decided, and not recorded
    key: str = ""  # the postback key among its parameters


def read_postback(parameters: Sequence[tuple[str, str]], raw: str, currencies: Collection[str] = ()) -> ReadPostback:
    """Read a postback. The parameters: docs/postbacks.md.

    Args:
        parameters: Names and values as they came, known names or not.
        raw: The request for the journal, its secrets taken out.
        currencies: Those of the workspace.

    Returns:
        The row, and what the postback says besides. A row that cannot be used has the columns `refusal` and `detail`.
    """
    given: dict[str, str] = {}
    names: dict[str, str] = {}
    trouble = ""
    for name, text in parameters:
        field = _FIELD_OF.get(name) or _FIELD_OF.get(normalised(name))
        value = text.strip(BLANKS)
        if field is None or not value:
            continue
        if field not in given:
            given[field], names[field] = value, name
        elif given[field] != value:
            trouble = trouble or _several(field, names[field], name)
    row = refused(trouble, raw) if trouble else _row(given, raw, currencies)
    return ReadPostback(
        row=row,
        sub_parameters=None if row["refusal"] else _sub_parameters(given),
        answer=_answer(given.get("return", "")),
        wants_json=given.get("format", "").lower() == "json",
        test=given.get("test", "").lower() in ("1", "true"),
        key=given.get("postback_key", ""),
    )


def refused(trouble: str, raw: str) -> Mapping[str, Any]:
    """Make the row of a request that cannot be read.

    Args:
        trouble: Why it cannot be read, for the message.
        raw: The request for the journal, its secrets taken out.

    Returns:
        The row, refused as malformed.
    """
    return {"refusal": Outcome.REFUSED_MALFORMED_ROW.value, "detail": trouble, "raw": _kept(raw[:RAW_CHARS])}


def _several(field: str, first: str, second: str) -> str:
    if normalised(first) == normalised(second):
        return f"the parameter '{quoted_title(second)}' is there twice, with different values"
    return f"the parameters '{quoted_title(first)}' and '{quoted_title(second)}' both give {field}, and differ"


def _row(given: Mapping[str, str], raw: str, currencies: Collection[str]) -> Mapping[str, Any]:
    said = given.get
    click_id, target_n = click_and_target(said("click_id", ""), said("conversion_id", ""))
    text, word = said("payout", ""), said("status", "")
    payout = amount_given(text, quoted_value(text), said("currency", "").upper(), currencies)
    time = read_time(given["converted_at"]) if "converted_at" in given else NO_TIME
    row = {
        "click_id": click_id,
        "conversion_type": said("conversion_type", ""),
        "transaction_id": said("transaction_id", ""),
        "event_id": said("event_id", ""),
        "status": word,
        "dialect_status": _meaning(word, given) if word else "",
        "payout": payout.micros,
        "currency": payout.currency,
        "converted_at": time.exact,
        "local_time": time.local,
        "fallback_zone": "" if time.local is None else _ZONE,
        "target_n": target_n,
        "refusal": "",
        "detail": "",
        "raw": raw[:RAW_CHARS],
    }
    row["refusal"], row["detail"] = next(_troubles(row, given, payout.trouble), ("", ""))
    if "\0" in "".join((raw, *given.values())):
        return {name: _kept(value) if isinstance(value, str) else value for name, value in row.items()}
    return row


def _troubles(row: Mapping[str, Any], given: Mapping[str, str], currency_trouble: str) -> Iterator[tuple[str, str]]:
    """What the row alone shows, in the order of precedence: outcome and cause."""
    click_id, payout, time = row["click_id"], given.get("payout", ""), given.get("converted_at", "")
    if not click_id:
        trouble = missing_click_trouble(given.get("conversion_id", ""), row["transaction_id"])
        yield Outcome.REFUSED_MISSING_CLICK_ID.value, trouble
    if trouble := click_id_trouble(click_id):
        yield Outcome.REFUSED_BAD_CLICK_ID.value, trouble
    if payout and row["payout"] is None:
        trouble = currency_trouble or amount_trouble(parted(payout).number, quoted_value(payout))
        yield Outcome.REFUSED_BAD_PAYOUT.value, trouble
    if trouble := id_trouble(row["transaction_id"], "the transaction id"):
        yield Outcome.REFUSED_BAD_TRANSACTION_ID.value, trouble
    if trouble := id_trouble(row["event_id"], "the event id"):
        yield Outcome.REFUSED_BAD_EVENT_ID.value, trouble
    if time and row["converted_at"] is None and row["local_time"] is None:
        yield Outcome.REFUSED_BAD_TIME.value, time_trouble(time, quoted_value(time))
    if row["status"] and "ignore_status" in given and _is_among(row["status"], given["ignore_status"]):
        yield Outcome.IGNORED_STATUS.value, ""


def _meaning(word: str, given: Mapping[str, str]) -> str:
    """The status that the postback itself gives its status word, '' for none."""
    return next((status.value for name, status in MEANINGS.items() if _is_among(word, given.get(name, ""))), "")


def _is_among(word: str, words: str) -> bool:
    """Whether a word is in a list with commas between, whatever its case."""
    return bool(words) and word.casefold() in (each.strip(BLANKS) for each in words.casefold().split(","))


def _sub_parameters(given: Mapping[str, str]) -> Mapping[str, str] | None:
    if _SUB_PARAMETERS.isdisjoint(given):
        return None
    return {name: CONTROL.sub("\ufffd", given[name][:SUB_CHARS]) for name in _SUB_PARAMETERS.intersection(given)}


def _answer(wanted: str) -> str:
    """The answer that a sender asks for, if showing it is harmless."""
    return wanted if _ANSWER.fullmatch(wanted) else ""


def _kept(text: str) -> str:
    """Text as the ledger keeps it: PostgreSQL has no NUL in text."""
    return text.replace("\0", "\ufffd") if "\0" in text else text

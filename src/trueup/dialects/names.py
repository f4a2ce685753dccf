"""The fields of a row, and the column titles under which files give them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trueup.model.nearest import nearest_words
from trueup.model.words import RowKind

# Our field -> the titles that it is found by. Case does not matter; blanks, hyphens and underscores are the same.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "click_id": ("click_id", "clickid", "cid", "subid", "sub_id", "gk_click_id", "aff_sub", "cnv_id"),
    "payout": ("payout", "sum", "revenue", "amount", "cnv_amount"),
    "transaction_id": ("transaction_id", "txid", "tid", "txn_id", "order_id"),
    "conversion_type": ("conversion_type", "type", "et", "event", "goal"),
    "status": ("status", "cnv_status"),
    "event_id": ("event_id", "rdtk_event_id"),
    "conversion_id": ("conversion_id", "id"),
    "converted_at": ("converted_at", "conversion_time", "time", "timestamp", "created_at", "usercompletedat"),
    "currency": ("currency", "cnv_currency"),
}

# The fields that a row uses. A status update sets a status and nothing else, so a bad payout in it does no harm.
FIELDS_OF: Final[Mapping[RowKind, tuple[str, ...]]] = {
    RowKind.CONVERSION: tuple(FIELDS),
    RowKind.STATUS: ("click_id", "transaction_id", "conversion_type", "status", "conversion_id"),
}

# What the file of refused rows has beside the original columns.
ADDED_TITLES: Final = ("outcome", "message")

# How the title of the column begins that workbooks of ours have beside an exact time, for people; its zone follows.
LOCAL_TIME: Final = "local time ("

_BETWEEN_WORDS: Final = re.compile(r"[\s_-]+")
SHOWN_CHARS: Final = 60
SHOWN_TITLES: Final = 30


def normalised(title: str) -> str:
    """The form in which titles are compared."""
    return _BETWEEN_WORDS.sub("_", unicodedata.normalize("NFKC", title).strip().casefold())


# Each of these titles -> its field.
FIELD_OF: Final = {title: field for field, titles in FIELDS.items() for title in titles}


def field_of(title: str, own_names: Mapping[str, str]) -> str | None:
    """Find out which field a column gives.

    Args:
        title: The column's title.
        own_names: The names that only its dialect has: normalised title -> field.

    Returns:
        The field, None for a title that names none.
    """
    name = normalised(title)
    return own_names.get(name) or FIELD_OF.get(name)


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known words that may be meant, or all of them."""
    names = list(known)
    close = nearest_words(word, names)
    return f"Did you mean {' or '.join(map(quoted_title, close))}?" if close else f"Known: {listed(names)}."


def quoted_title(title: str) -> str:
    """A file's own word as a message quotes it: short, and safe to print on a terminal."""
    clean = "".join(letter if letter.isprintable() else "\ufffd" for letter in title[:SHOWN_CHARS])
    return clean + "…" * (len(title) > SHOWN_CHARS)


def listed(titles: Sequence[str]) -> str:
    """Titles for a message; of many titles, the first few."""
    return ", ".join(map(quoted_title, titles[:SHOWN_TITLES])) + ", …" * (len(titles) > SHOWN_TITLES)

"""Ids of rows: which are good, and what is wrong with a bad one. And how a message quotes a bad value.

All is there for whole columns and for single values, side by side. Both agree on every text, and use the same words for
a bad one.
"""

import re
from typing import Final

import polars as pl

from trueup.model.ids import CLICK_ID, CONVERSION_ID, split_conversion_id

# What is trimmed from a value: Unicode's white space, without the four separators that Python adds to it.
BLANKS: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
TEXT_CHARS: Final = 128  # the longest transaction id or event id

_SHOWN_CHARS: Final = 60  # how much of a bad value a message shows
_SHORTENED: Final = re.compile(r"[1-9](?:[.,][0-9]+)?[Ee]\+[0-9]{2,3}")  # what a spreadsheet makes of a long id
_LOST_DIGITS: Final = (
    "is what a spreadsheet makes of a long number: the last digits of the id are lost. Format the column as text, then "
    "put in the ids again"
)
_NO_CLICK_ID: Final = "is not 1 to 64 of A-Z a-z 0-9 _ . ~ -"
_ONLY_TRANSACTION: Final = "a transaction id alone does not say which click it is of"
_FOREIGN_ID: Final = "is no conversion id of ours, such as c01k5ire1k06-1"  # for rows without a click id
_MOST: Final = f"characters, and {TEXT_CHARS} are the most"
_HAS_CONTROL: Final = "has a control character, or bytes that are no UTF-8"
_CLICK_ID: Final = f"^{CLICK_ID.pattern}$"
_CONVERSION_ID: Final = f"^{CONVERSION_ID.pattern}$"


def quoted_value(text: str) -> str:
    """A bad value as a message quotes it: short, and safe to print on a terminal."""
    clean = CONTROL.sub("\ufffd", text[: _SHOWN_CHARS + 1])
    return f"'{clean[:_SHOWN_CHARS]}{'…' * (len(text) > _SHOWN_CHARS)}'"


def quoted_cells(text: pl.Expr) -> pl.Expr:
    """A column of bad values as `quoted_value` quotes each."""
    clean = text.str.replace_all(CONTROL.pattern, "\ufffd")
    short = pl.when(clean.str.len_chars() > _SHOWN_CHARS).then(clean.str.slice(0, _SHOWN_CHARS) + "…").otherwise(clean)
    return pl.format("'{}'", short)


def click_id_trouble(text: str) -> str:
    """What is wrong with a click id that is given, '' for nothing."""
    if CLICK_ID.fullmatch(text):
        return ""
    return f"{quoted_value(text)} {_LOST_DIGITS if _SHORTENED.fullmatch(text) else _NO_CLICK_ID}"


def is_bad_click_id(text: pl.Expr) -> pl.Expr:
    """Whether something is wrong with click ids."""
    return ~text.str.contains(_CLICK_ID)


def click_ids_trouble(text: pl.Expr) -> pl.Expr:
    """What is wrong with bad click ids, in the words of `click_id_trouble`."""
    plain = pl.format(f"{{}} {_NO_CLICK_ID}", quoted_cells(text))
    return pl.when(is_shortened(text)).then(shortened_ids_trouble(text)).otherwise(plain)


def is_shortened(text: pl.Expr) -> pl.Expr:
    """Whether ids are what a spreadsheet makes of long numbers, such as 1.23E+17."""
    return text.str.contains(f"^(?:{_SHORTENED.pattern})$")


def shortened_ids_trouble(text: pl.Expr) -> pl.Expr:
    """What is wrong with such ids."""
    return pl.format(f"{{}} {_LOST_DIGITS}", quoted_cells(text))


def id_trouble(text: str, meaning: str) -> str:
    """What is wrong with a transaction id or an event id, '' for nothing.

    Args:
        text: The id.
        meaning: What the message calls it.
    """
    if len(text) > TEXT_CHARS:
        return f"{meaning} has {len(text)} {_MOST}"
    has_control = not text.isprintable() and CONTROL.search(text)
    return f"{meaning} {_HAS_CONTROL}" if has_control else ""


def is_bad_id(text: pl.Expr) -> pl.Expr:
    """Whether something is wrong with transaction ids or event ids."""
    return (text.str.len_chars() > TEXT_CHARS) | text.str.contains(CONTROL.pattern)


def ids_trouble(text: pl.Expr, meaning: str) -> pl.Expr:
    """What is wrong with bad transaction ids or event ids, in the words of `id_trouble`."""
    chars = text.str.len_chars()
    long = pl.format(f"{meaning} has {{}} {_MOST}", chars)
    return pl.when(chars > TEXT_CHARS).then(long).otherwise(pl.lit(f"{meaning} {_HAS_CONTROL}"))


def missing_click_trouble(conversion_id: str, transaction_id: str) -> str:
    """Why the other ids of a row without a click id name no click either, '' where it has none.

    A conversion id of ours names its click, so the row would have one.
    """
    if conversion_id:
        return f"{quoted_value(conversion_id)} {_FOREIGN_ID}"
    return _ONLY_TRANSACTION if transaction_id else ""


def missing_clicks_trouble(conversion_id: pl.Expr, transaction_id: pl.Expr) -> pl.Expr:
    """The same of columns of them, in the words of `missing_click_trouble`."""
    told = pl.format(f"{{}} {_FOREIGN_ID}", quoted_cells(conversion_id))
    only = pl.when(transaction_id != "").then(pl.lit(_ONLY_TRANSACTION)).otherwise(pl.lit(""))
    return pl.when(conversion_id != "").then(told).otherwise(only)


def click_and_target(click_id: str, conversion_id: str) -> tuple[str, int | None]:
    """Find out which click a row is of, and the n of the conversion that it names.

    Args:
        click_id: The row's click id, '' where none is given.
        conversion_id: The row's conversion id, '' where none is given.

    Returns:
        The click id, which is the conversion id's where the row gives none. And n: 0 where the conversion id is none of
        this click's, None where no conversion id is given.
    """
    if not conversion_id:
        return click_id, None
    named = split_conversion_id(conversion_id)
    if named is None:
        return click_id, 0
    return click_id or named[0], named[1] if click_id in ("", named[0]) else 0


def clicks_and_targets(click_id: pl.Expr, conversion_id: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Read columns as `click_and_target` reads each pair of texts, with null in place of None."""
    named, n = conversion_id.str.extract(_CONVERSION_ID, 1), conversion_id.str.extract(_CONVERSION_ID, 2).cast(pl.Int64)
    click = pl.when(click_id == "").then(named.fill_null("")).otherwise(click_id)
    target = pl.when(conversion_id != "").then(pl.when(named == click).then(n).otherwise(0))
    return click, target.cast(pl.Int64)

"""A column of amounts as a file gives them: with their currency beside them, and the marks that the person chose.

What a person may choose to have an amount read is said where the amount is refused.
"""

from typing import Final

import polars as pl

from trueup.dialects.cells import Reader
from trueup.dialects.values import quoted_cells
from trueup.model.currencies import NAMES_NO_ONE, currency_named, parted
from trueup.model.money import amounts, amounts_trouble, ungrouped_cells
from trueup.model.remarks import Way

_NONE_BESIDE: Final = pl.DataFrame(schema={"text": pl.String, "number": pl.String, "named": pl.String})


def with_amounts(table: pl.DataFrame, field: str, reader: Reader) -> pl.DataFrame:
    """Read the amounts of a field, from its column `<field>_text`.

    Args:
        table: The rows of a block.
        field: The field.
        reader: What is known of the file.

    Returns:
        The rows with three more columns: the field, in micros, null where it is no amount; `<field>_number`, the text
        without a currency beside it; `<field>_named`, the currency beside the amount, '' where that names none or
        several of the workspace's, null where there is none beside it.
    """
    text, number, named = f"{field}_text", f"{field}_number", f"{field}_named"
    table = table.with_columns(_amounts(pl.col(text), reader).alias(field))
    unread = _unread(table[text], table[field])
    beside = _beside(unread, reader) if unread.len() else _NONE_BESIDE
    if not beside.height:
        return table.with_columns(pl.col(text).alias(number), pl.lit(None, pl.String).alias(named))
    beside = beside.rename({"text": text, "number": number, "named": named})
    table = table.join(beside, on=text, how="left", maintain_order="left")
    table = table.with_columns(pl.col(number).fill_null(pl.col(text)))
    return table.with_columns(pl.coalesce(field, _amounts(pl.col(number), reader)))


def _unread(texts: pl.Series, amounts: pl.Series) -> pl.Series:
    """The texts that are no amounts, each once."""
    if not amounts.null_count():
        return texts.clear()
    return texts.filter(amounts.is_null() & (texts != "")).unique()


def _amounts(text: pl.Expr, reader: Reader) -> pl.Expr:
    if reader.thousands:
        text = ungrouped_cells(text, decimal_comma=reader.decimal_comma)
    return amounts(text, decimal_comma=reader.decimal_comma)


def _beside(texts: pl.Series, reader: Reader) -> pl.DataFrame:
    """Those of the texts that have a currency beside an amount."""
    found = [(text, *parted(text)) for text in texts]
    named = [(text, number, currency_named(word, reader.currencies)) for text, number, word in found if word]
    return pl.DataFrame(named, schema=_NONE_BESIDE.schema, orient="row")


def amounts_cause(field: str, reader: Reader, currency: pl.Expr) -> pl.Expr:
    """What is wrong with amounts that cannot be used, and what to choose if they are meant so.

    Args:
        field: The field, with the columns of `with_amounts`.
        reader: What is known of the file.
        currency: The currency that the row names in its own place, '' for none.
    """
    text, number, named = pl.col(f"{field}_text"), pl.col(f"{field}_number"), pl.col(f"{field}_named")
    shown = quoted_cells(text)
    read = _amounts(number, reader)
    why = amounts_trouble(number, shown, decimal_comma=reader.decimal_comma)
    return (
        pl.when(read.is_null())
        .then(pl.concat_str(why, _cures(number, reader)))
        .when(named == "")
        .then(pl.format(f"{{}} {NAMES_NO_ONE}", shown))
        .otherwise(pl.format("{} names {}, and the row says {}", shown, named, currency))
    )


def _cures(number: pl.Expr, reader: Reader) -> pl.Expr:
    """How an amount would be read with other choices; '' where none makes it one."""
    if not reader.takes_choices:
        return pl.lit("")
    told = [
        _cure(number, reader, decimal_comma=decimal_comma, thousands=thousands)
        for decimal_comma, thousands in ((True, False), (False, True), (True, True))
        if (decimal_comma or not reader.decimal_comma)
        and (thousands or not reader.thousands)
        and (decimal_comma, thousands) != (reader.decimal_comma, reader.thousands)
    ]
    # Both are named only where one is not enough.
    one = pl.concat_str(told[:-1], ignore_nulls=True) if len(told) > 1 else pl.lit("")
    return pl.when(one != "").then(one).otherwise(told[-1].fill_null("")) if told else pl.lit("")


def _cure(number: pl.Expr, reader: Reader, *, decimal_comma: bool, thousands: bool) -> pl.Expr:
    plain = ungrouped_cells(number, decimal_comma=decimal_comma) if thousands else number
    chosen = [
        *([Way.DECIMAL_COMMA.marked] if decimal_comma and not reader.decimal_comma else []),
        *([Way.THOUSANDS.marked] if thousands and not reader.thousands else []),
    ]
    read = plain.str.replace(",", ".", literal=True) if decimal_comma else plain
    said = pl.format(f"; with {' and '.join(chosen)} it is {{}}", read)
    return pl.when(amounts(plain, decimal_comma=decimal_comma).is_not_null()).then(said)

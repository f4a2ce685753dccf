"""Text that a spreadsheet would run as a formula: written with an apostrophe before it, and read back without.

Both are exact: for every text, `restored(defused(text))` is the text.
"""

import polars as pl

_FORMULA = r"^['\s\u{feff}]*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001 - the wide forms run as formulas too


def defused(text: pl.Expr) -> pl.Expr:
    """The text as a CSV file for people should hold it."""
    return pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text)


def restored(text: pl.Expr) -> pl.Expr:
    """The text that `defused` was given."""
    rest = text.str.slice(1)
    return pl.when(text.str.starts_with("'") & rest.str.contains(_FORMULA)).then(rest).otherwise(text)

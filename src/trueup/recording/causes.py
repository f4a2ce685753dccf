"""Why rows of a preview are refused or wait, by cause: thousands of rows with one unknown word are one cause.

A cause is an outcome and what was wrong: the unknown word, type or currency, or the choice that would mend the row. How
many there are is bounded whatever a file holds: beyond that, the rarest share one cause without a word.
"""

from typing import Final

import polars as pl

from trueup.decide.messages import MESSAGE_COLUMNS
from trueup.model.frames import JOURNAL, DecidedRows, Schema, empty
from trueup.model.remarks import IN_MESSAGES
from trueup.model.words import Outcome

MOST: Final = 100
_KEY: Final = ["outcome", "what"]
_WORDS: Final = {
    Outcome.REFUSED_UNKNOWN_STATUS.value: "status",
    Outcome.REFUSED_UNKNOWN_TYPE.value: "conversion_type",
    Outcome.REFUSED_UNKNOWN_CURRENCY.value: "detail",
}
_MENDED_BY_CHOICES: Final = [Outcome.REFUSED_BAD_PAYOUT.value, Outcome.REFUSED_BAD_TIME.value]
_FIRST: Final = [name for name in MESSAGE_COLUMNS if name != "outcome"]

CAUSES: Final[Schema] = {
    "outcome": pl.String,
    "what": pl.String,  # was wrong: a word, or the ways that mend it; '' where the outcome says it all
    "rows": pl.Int64,
    "line": pl.Int64,  # the first
    **{name: JOURNAL[name] for name in _FIRST},  # of that line
}
NO_CAUSES: Final = empty(CAUSES)

_IS_MEANT: Final = pl.col("outcome").str.starts_with("refused_") | pl.col("outcome").str.starts_with("parked_")


def _what() -> pl.Expr:
    marks = [way.marked for way in IN_MESSAGES]
    ways = pl.concat_str(
        [pl.when(pl.col("detail").str.contains(m, literal=True)).then(pl.lit(m)) for m in marks], ignore_nulls=True
    )
    what: pl.Expr = pl.when(pl.col("outcome").is_in(_MENDED_BY_CHOICES)).then(ways).otherwise(pl.lit(""))
    for outcome, column in _WORDS.items():
        what = pl.when(pl.col("outcome") == outcome).then(pl.col(column)).otherwise(what)
    return what


_WHAT: Final = _what().alias("what")


def with_causes(so_far: pl.DataFrame, decided: DecidedRows) -> pl.DataFrame:
    """Count the causes of more rows.

    Args:
        so_far: CAUSES of the rows before.
        decided: Decided rows: JOURNAL, or clicks with their outcomes.

    Returns:
        CAUSES, the commonest first.
    """
    rows = decided.filter(_IS_MEANT)
    if not rows.height:
        return so_far
    known = [name for name in _FIRST if name in rows.columns]
    told = rows.select(
        "outcome", "line", *known, *(pl.lit(None, CAUSES[name]).alias(name) for name in _FIRST if name not in known)
    )
    what = _WHAT if "kind" in known else pl.lit("").alias("what")
    few = told.with_columns(what, rows=pl.lit(1, pl.Int64)).sort("line").select(*CAUSES)
    return _bounded(_summed(pl.concat([so_far, _summed(few)])))


def _summed(causes: pl.DataFrame) -> pl.DataFrame:
    first = [pl.col(name).sort_by("line").first() for name in _FIRST]
    summed = causes.group_by(_KEY).agg(pl.col("rows").sum(), pl.col("line").min(), *first)
    return summed.sort("rows", "line", descending=[True, False]).select(*CAUSES)


def _bounded(causes: pl.DataFrame) -> pl.DataFrame:
    if causes.height <= 2 * MOST:
        return causes
    rare = causes[MOST:].with_columns(what=pl.lit(""))
    return _summed(pl.concat([causes[:MOST], rare]))

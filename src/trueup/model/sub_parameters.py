"""What rows set of their clicks: sub-parameters. The last row that gives one holds, over what the click came with.

Rows count in the order of their n. A refused row sets nothing, one that waits sets it once its click is there, and a
row of an undone batch has never come. Which click comes when makes no difference.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeVar

import polars as pl

from trueup.model.frames import JournalRows, NumberedClicks, StoredClicks
from trueup.model.macros import SUB_PARAMETERS
from trueup.model.words import Outcome

_TAKEN: Final = frozenset(outcome.value for outcome in Outcome if outcome.taken)

SetByRows: TypeAlias = Mapping[str, Mapping[str, str]]  # click id -> sub-parameter -> value
Of = TypeVar("Of", StoredClicks, NumberedClicks)


def set_by_rows(given: pl.DataFrame, decided: JournalRows) -> SetByRows:
    """Find what rows set of their clicks.

    Args:
        given: What the rows give (ROW_SUB_PARAMETERS).
        decided: The rows that count, with their outcomes.

    Returns:
        The clicks that some row set a sub-parameter of.
    """
    rows = zip(decided["click_id"].to_list(), decided["n"].to_list(), decided["outcome"].to_list(), strict=True)
    taken = {(click_id, n) for click_id, n, outcome in rows if outcome in _TAKEN}
    found: dict[str, dict[str, str]] = {}
    for click_id, n, *values in sorted(given.rows()):
        if (click_id, n) in taken:
            named = zip(SUB_PARAMETERS, values, strict=True)
            found.setdefault(click_id, {}).update((name, value) for name, value in named if value)
    return found


def with_set(clicks: Of, by_rows: SetByRows) -> Of:
    """Clicks with what rows set of them over what they came with.

    Args:
        clicks: The clicks, in any columns that sub-parameters are among.
        by_rows: What rows set.
    """
    ids = clicks["click_id"].to_list()
    columns = [
        pl.Series(
            name, [by_rows.get(of, {}).get(name, came) for of, came in zip(ids, clicks[name], strict=True)], pl.String
        )
        for name in SUB_PARAMETERS
        if any(name in given for given in by_rows.values())
    ]
    set_there: Any = clicks.with_columns(columns)
    becomes: Of = set_there
    return becomes

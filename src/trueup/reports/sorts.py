"""Sorts as people write them, `payout` or `-payout`; and what is said where so many rows match that none can be."""

from collections.abc import Collection
from typing import Final

from trueup.ledger.sorting import SORTED_MOST, Sort
from trueup.model.nearest import nearest_words
from trueup.reports.spans import WrongWordError

TIME: Final = "time"
NEWEST_FIRST: Final = Sort(TIME, goes_down=True)
OLDEST_FIRST: Final = Sort(TIME, goes_down=False)


def sort_named(word: str, known: Collection[str], usual: Sort) -> Sort:
    """Read a sort.

    Args:
        word: A column, with a minus before it where the greatest comes first; '' for the usual sort.
        known: The columns that there are.
        usual: The sort where none is given.

    Raises:
        WrongWordError: There is no such column.
    """
    if not word:
        return usual
    by = word.removeprefix("-")
    if by not in known:
        close = nearest_words(by, known, most=1)
        raise WrongWordError(
            f"This list is not sorted by {by!r}. "
            + (f"Did you mean {close[0]}?" if close else f"It is sorted by {', '.join(known)}.")
        )
    return Sort(by, goes_down=word.startswith("-"))


def too_many(sort: Sort) -> WrongWordError:
    """What is wrong where more rows match than are sorted."""
    return WrongWordError(
        f"More than {SORTED_MOST:,} rows match: too many to sort by {sort.by}. Choose a shorter period or a filter."
    )

"""What the template of every list is given."""

from collections.abc import Sequence
from typing import Any

from trueup.access.users import Person
from trueup.ledger.sorting import SORTED_MOST, Sort
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.filters import chips
from trueup.pages.lists.period import Period
from trueup.pages.lists.query import Filter, Query


def list_words(
    query: Query,
    period: Period,
    filters: Sequence[Filter],
    person: Person | None,
    name: str,
    columns: Sequence[Column],
    sort: Sort,
    wanted: Sort | None = None,
    most: int = SORTED_MOST,
) -> dict[str, Any]:
    """The state of a list, for its template.

    Args:
        query: Its URL.
        period: Its range.
        filters: All its filters.
        person: Who looks at it.
        name: The list, as preferences call it.
        columns: All its columns.
        sort: By what it is sorted.
        wanted: By what it was to be sorted; it is not where too many rows match.
        most: How many rows are sorted by anything else than time.
    """
    return {
        "query": query,
        "period": period,
        "filters": filters,
        "chips": chips(query, filters),
        "all_columns": columns,
        "columns": shown(person, name, columns),
        **sort_words(columns, sort, wanted, most),
    }


def sort_words(
    columns: Sequence[Column], sort: Sort, wanted: Sort | None = None, most: int = SORTED_MOST
) -> dict[str, Any]:
    """The sort of a list, for its template, as `list_words` has it."""
    return {
        "sort": sort,
        "unsorted": wanted if wanted not in (None, sort) else None,
        "sorted_most": most,
        "sorted_by": next((column for column in columns if column.sort == sort.by), None),
        "sort_columns": [column for column in columns if column.sort],
    }

"""What the template of every list is given."""

from collections.abc import Sequence
from typing import Any

from trueup.access.users import Person
from trueup.pages.lists.columns import Column, shown
from trueup.pages.lists.filters import chips
from trueup.pages.lists.period import Period
from trueup.pages.lists.query import Filter, Query


def list_words(
    query: Query, period: Period, filters: Sequence[Filter], person: Person | None, name: str, columns: Sequence[Column]
) -> dict[str, Any]:
    """The state of a list, for its template.

    Args:
        query: Its URL.
        period: Its range.
        filters: All its filters.
        person: Who looks at it.
        name: The list, as preferences call it.
        columns: All its columns.
    """
    return {
        "query": query,
        "period": period,
        "filters": filters,
        "chips": chips(query, filters),
        "all_columns": columns,
        "columns": shown(person, name, columns),
    }

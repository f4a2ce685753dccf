"""The filters of a list as chips: what each lets through, and the URL without it."""

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.pages.lists.query import Filter, Query


@dataclass(frozen=True)
class FilterChip:
    """A filter that acts."""

    title: str
    text: str
    url: str  # of the list without it


def chips(query: Query, filters: Sequence[Filter]) -> list[FilterChip]:
    """The filters that act, in the order of all there are."""
    return [
        FilterChip(each.title, dict(each.options).get(value, value), query.without(each.name, value))
        for each in filters
        for value in query.all(each.name)
    ]

"""The columns of a list: which there are, and which a person sees."""

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.access.users import Person


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str  # in preferences and in files
    title: str
    is_number: bool = False
    is_id: bool = False  # of one line, never cut
    is_usual: bool = True  # shown until a person chooses
    sort: str = ""  # the word of `sort` that sorts by it
    rises: bool = False  # its least comes first where it is sorted by first: texts, and the lines of a file


def shown(person: Person | None, name: str, columns: Sequence[Column]) -> list[Column]:
    """The columns that a person sees: those they chose, else the usual ones. Names that are none any more are left out.

    Args:
        person: The person; None for nobody.
        name: The list.
        columns: All there are.
    """
    chosen = person.preferences.columns.get(name, ()) if person else ()
    by_name = {column.name: column for column in columns}
    found = [by_name[name] for name in chosen if name in by_name]
    return found or [column for column in columns if column.is_usual]

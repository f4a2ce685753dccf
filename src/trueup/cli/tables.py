"""Tables on a terminal of any width: columns that do not fit beside each other go into further tables below."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import polars as pl
from rich.cells import cell_len
from rich.table import Table

from trueup.cli.consoles import Text
from trueup.cli.terminal import output
from trueup.model.visible import visible_column

_GAP: Final = 2
_WIDTH_MAX: Final = 40  # the widest column; longer texts are wrapped


def printable(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame as texts that are safe to print; nothing is empty text."""
    return frame.select(visible_column(pl.all().cast(pl.String).fill_null("")))


def blocks(texts: pl.DataFrame, repeated: Sequence[str], room: int) -> list[list[str]]:
    """Part a table's columns into tables that fit the width.

    Args:
        texts: The table.
        repeated: The columns that every table begins with.
        room: The width, in characters. A table has at least one more column, even if it does not fit.

    Returns:
        The columns of each table.
    """
    width = {title: _width(texts, title) + _GAP for title in texts.columns}
    start = sum(width[title] for title in repeated)
    parted: list[list[str]] = []
    used = room
    for title in (title for title in texts.columns if title not in repeated):
        if not parted or used + width[title] > room + _GAP:
            parted.append(list(repeated))
            used = start
        parted[-1].append(title)
        used += width[title]
    return parted or [list(repeated)]


def width_of(texts: pl.DataFrame) -> int:
    """How many characters wide a table is."""
    return sum(_width(texts, title) + _GAP for title in texts.columns) - _GAP


def fitted(texts: pl.DataFrame, least: Mapping[str, int], room: int) -> pl.DataFrame:
    """Cut columns until a table fits.

    Args:
        texts: The table.
        least: The columns that may be cut, the first ones first, and how many characters stay of each at least.
        room: The width, in characters.

    Returns:
        The table; what was cut ends in an ellipsis.
    """
    for title, characters in least.items():
        spare = width_of(texts) - room
        if spare <= 0:
            break
        width = max(characters, _width(texts, title) - spare)
        is_long = pl.col(title).str.len_chars() > width
        cut = pl.format("{}…", pl.col(title).str.slice(0, width - 1))
        texts = texts.with_columns(pl.when(is_long).then(cut).otherwise(pl.col(title)).alias(title))
    return texts


def _width(texts: pl.DataFrame, title: str) -> int:
    return min(_WIDTH_MAX, max(map(cell_len, [title, *texts[title]])))


def print_table(texts: pl.DataFrame, left: Collection[str], *, ends_in_totals: bool = False) -> None:
    """Print one table.

    Args:
        texts: The table, as `printable` makes it.
        left: The columns of words, which stand on the left; numbers stand on the right.
        ends_in_totals: Whether the last row is the totals.
    """
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for title in texts.columns:
        table.add_column(
            Text(title), justify="left" if title in left else "right", overflow="fold", max_width=_WIDTH_MAX
        )
    for place, row in enumerate(texts.iter_rows(), start=1):
        last = ends_in_totals and place == texts.height
        table.add_row(*(Text(text) for text in row), style="bold" if last else None)
    output.print(table, soft_wrap=False)

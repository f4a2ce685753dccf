"""What the laws of the grammars have in common: other examples in every run, and texts that are nearly right.

A failure ends with a line `@reproduce_failure(...)`: put above the test, it brings the same example back.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import polars as pl
from effort import tried
from hypothesis import HealthCheck
from hypothesis import strategies as st

# Each example is a whole column: a run looks at thousands of texts.
LAW: Final = tried(
    8,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ANY_TEXT: Final = st.text(st.characters(exclude_categories=("Cs",)), max_size=70)


def columns_of(*texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Columns of such texts, and of any others."""
    return st.lists(st.one_of(*texts, ANY_TEXT), min_size=40, max_size=120)


def masses_of(text: Callable[[Random], str], letters: str) -> st.SearchStrategy[list[str]]:
    """Columns of 2,000 texts each, half of them with a letter or two changed: cheap, and found again by their seed."""

    def changed(random: Random) -> str:
        made = list(text(random))
        for _ in range(random.choice((0, 0, 1, 2))):
            place = random.randint(0, len(made))
            made[place : place + random.choice((0, 1))] = random.choices(letters, k=random.choice((0, 1, 1, 2)))
        return "".join(made)

    def column(seed: int) -> list[str]:
        random = Random(seed)  # noqa: S311 - for examples
        return [changed(random) for _ in range(2_000)]

    return st.integers(0, 2**64).map(column)


def found(texts: list[str], *expressions: pl.Expr) -> list[Any]:
    """What expressions make of a column `text`: a value of each text, a tuple where there are several expressions."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    rows = frame.select(each.alias(str(place)) for place, each in enumerate(expressions)).rows()
    return [row[0] for row in rows] if len(expressions) == 1 else rows

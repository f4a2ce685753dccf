"""The totals of the whole ledger, and sums of totals.

A batch adds to the stored totals once, when it ends. Until then its own record has what it has added.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import polars as pl
from sqlalchemy import ColumnClause, literal_column, select, union_all

from trueup.ledger.database import Readable
from trueup.ledger.schema import batches, totals
from trueup.model.frames import TOTALS, Schema, Totals, empty
from trueup.model.money import MICROS
from trueup.model.words import BatchState

_Cell: TypeAlias = tuple[str, str, int, int]  # the values of TOTALS, in order

STORED: Final[Schema] = {
    "conversion_type": pl.String,
    "status": pl.String,
    "conversions": pl.Int64,
    "units": pl.Int64,
    "micros": pl.Int64,
}
# One statement, so that a batch that ends meanwhile is counted in exactly one of its halves.
_NOTHING: Final[dict[str, ColumnClause[Any]]] = {
    name: literal_column("''" if dtype == pl.String else "0") for name, dtype in STORED.items()
}
_READ: Final = union_all(
    select(literal_column("''").label("of_batch"), *(totals.c[name] for name in STORED)),
    select(batches.c.totals_delta, *_NOTHING.values()).where(batches.c.state == BatchState.RUNNING.value),
)


def read_totals(database: Readable) -> Totals:
    """TOTALS of the whole ledger, sorted, without cells that are 0."""
    ended: list[_Cell] = []
    running: list[Totals] = []
    found = database.read(_READ, {"of_batch": pl.String, **STORED})
    for of_batch, *key, conversions, units, micros in found.iter_rows():
        if of_batch:
            running.append(totals_from_text(of_batch))
        else:
            ended.append((*key, conversions, units * MICROS + micros))
    return added(_frame(ended), *running)


def added(*parts: Totals) -> Totals:
    """Add up TOTALS. Each part may have a cell several times.

    Args:
        *parts: The TOTALS.

    Returns:
        Their sum, sorted, without cells that are 0.
    """
    return _frame(_summed(*parts))


def totals_as_text(found: Totals) -> str:
    """TOTALS as a batch keeps them: JSON."""
    return json.dumps(found.rows())


def totals_from_text(text: str) -> Totals:
    """TOTALS from what `totals_as_text` made; none from ''."""
    return _frame(json.loads(text)) if text else empty(TOTALS)


def totals_of_batches(texts: Mapping[int, str]) -> pl.DataFrame:
    """TOTALS of many batches, from what `totals_as_text` made of each, and `of`: which batch."""
    cells = [(batch_id, *cell) for batch_id, text in texts.items() if text for cell in json.loads(text)]
    return pl.DataFrame(cells, {"of": pl.Int64, **TOTALS}, orient="row")


def _summed(*parts: Totals) -> list[_Cell]:
    # In plain Python: there are only a few cells, and Polars would wake its threads for them.
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for conversion_type, status, conversions, revenue in chain.from_iterable(part.iter_rows() for part in parts):
        before = sums.get((conversion_type, status), (0, 0))
        sums[conversion_type, status] = (before[0] + conversions, before[1] + revenue)
    return [(*key, *value) for key, value in sorted(sums.items()) if any(value)]


def _frame(cells: Sequence[Sequence[Any]]) -> Totals:
    return Totals(pl.DataFrame(cells, schema=dict(TOTALS), orient="row")) if cells else empty(TOTALS)

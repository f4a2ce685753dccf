"""Rows that come as named values, such as JSON objects: the columns of a batch, under the rules of files.

Values are texts. Times without an offset are in the zone of their click's network, or in UTC where it has none.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from trueup.dialects.cells import Notes, Reader
from trueup.dialects.choices import Choices
from trueup.dialects.columns import columns_of
from trueup.dialects.decode import LINE_CHARS, Encoding
from trueup.dialects.delimited import Layout, Records
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.fields import read_block
from trueup.dialects.names import FIELDS_OF
from trueup.dialects.read import Reading
from trueup.model.words import RowKind

NAME: Final = "structured"
_ZONE: Final = "UTC"
_MARK: Final = "\x1f"  # parts the fields of a record


def read_structured(rows: Sequence[Mapping[str, str]], row_kind: RowKind, currencies: tuple[str, ...] = ()) -> Reading:
    """Read rows that come as named values.

    Args:
        rows: The fields of each row. A field that is not given is '' or missing.
        row_kind: What the rows are to do.
        currencies: Those of the workspace, its own first.

    Returns:
        The rows. The line of a row is its place, counted from 1.
    """
    fields = FIELDS_OF[row_kind]
    records = [_MARK.join([_value(row, field) for field in fields]) for row in rows]
    frame = pl.DataFrame({"line": range(1, len(rows) + 1), "record": records}, schema_overrides={"line": pl.Int64})
    frame = frame.with_columns(raw=pl.lit(""), trouble=pl.lit(""))
    columns = columns_of(fields, DIALECTS["headed"], Choices(row_kind))
    reader = Reader(
        columns,
        rows_after=0,
        defused=False,
        decimal_comma=False,
        zone=_ZONE,
        network_zones=True,
        absent_status="",
        currencies=currencies,
        takes_choices=False,
    )
    found, notes = read_block(Records(frame, _MARK), reader)
    raws = [json.dumps(rows[line - 1], ensure_ascii=False)[:LINE_CHARS] for line in notes["line"]]
    return Reading(
        dialect=NAME,
        statement=(),
        own_mode=None,
        time_zone=_ZONE,
        network_zones=True,
        titles=list(fields),
        rows=found,
        notes=Notes(notes.with_columns(raw=pl.Series(raws, dtype=pl.String))),
        layout=Layout(_MARK),
        encoding=Encoding("utf-8", "UTF-8"),
        reader=reader,
    )


def _value(row: Mapping[str, str], field: str) -> str:
    """A field's text.

    A unit separator in it becomes another control character: no id, number or time may have either.
    """
    return row.get(field, "").replace(_MARK, "\x1e")

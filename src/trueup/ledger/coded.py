"""Rows of segments as reports count them: a few columns, with codes in place of texts.

A code is a place in the dictionary of its column. Each column of a segment is read and decoded once, and its texts get
the same codes wherever they are asked for: of clicks, and of the conversions that came of them. Two threads may ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import polars as pl
import pyarrow as pa

from trueup.ledger.database import Readable
from trueup.ledger.segments import SEGMENT_ROWS, SegmentKind, SegmentLevel, column_chunks, whole_numbers, whole_rows

NO_CODE: Final = -1  # of a text that is not there


@dataclass(frozen=True)
class Coded:
    """Rows whose texts are codes."""

    rows: pl.DataFrame
    texts: dict[str, pl.Series]  # column -> its dictionary

    def among(self, column: str, values: Sequence[Any]) -> pl.Expr:
        """A condition: the column has one of the values."""
        if column not in self.texts:
            return pl.col(column).is_in(list(values))
        wanted = self.texts[column].is_in(list(values)).arg_true().cast(pl.Int32)
        is_wanted = pl.col(column).is_in(wanted.implode())
        return is_wanted | (pl.col(column) == NO_CODE) if "" in values else is_wanted

    def named(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Cells of these rows with texts in place of their codes."""
        return cells.with_columns(
            self.texts[name].gather(cells[name].replace(NO_CODE, None)).fill_null("").alias(name)
            for name in cells.columns
            if name in self.texts
        ).with_columns(
            pl.col(name).cast(pl.Int64) for name in cells.columns if name.endswith("_id") or name == "bucket"
        )


class CodedSegments:
    """What was read of the segments of one kind. Use it within one `read_transaction`."""

    def __init__(self, database: Readable, kind: SegmentKind) -> None:
        """Begin with nothing.

        Args:
            database: The ledger.
            kind: What the rows are.
        """
        self._database = database
        self._kind = kind
        self._locks = {name: Lock() for name in SEGMENT_ROWS[kind]}  # each while it is read
        self._chunks: dict[str, dict[int, pa.Array]] = {}  # column -> segment -> its values, or their codes
        self._texts: dict[str, pa.Array] = {}  # column -> the dictionary of all that was read of it

    def rows(self, found: pl.DataFrame, loose: pl.DataFrame) -> Coded:
        """Read rows.

        Args:
            found: FOUND, the segments.
            loose: Loose rows of the columns to read.

        Returns:
            Those columns of the segments and of the loose rows.
        """
        small = pl.concat([whole_rows(self._kind, found, loose.columns), loose])
        large = found.filter(pl.col("level") >= SegmentLevel.LARGE)
        columns = {}
        for column in small:
            with self._locks[column.name]:
                columns[column.name] = self._column(large, column)
        texts = {name: pl.Series(self._texts[name], dtype=pl.String) for name in columns if name in self._texts}
        return Coded(pl.DataFrame(columns), texts)

    def _column(self, large: pl.DataFrame, small: pl.Series) -> pl.Series:
        """A column of the large segments, and after it what small ones and loose rows have of it."""
        name = small.name
        known = self._chunks.setdefault(name, {})
        new = large.filter(~pl.col("segment_id").is_in(list(known)))
        read = column_chunks(self._database, new, [name])[name]
        if SEGMENT_ROWS[self._kind][name] == pl.String:
            *read, last = self._codes(name, [*read, small.to_arrow().cast(pa.string()).dictionary_encode()])
        else:
            last = small.shrink_dtype().to_arrow()
        known.update(zip(new["segment_id"], read, strict=True))
        return whole_numbers([*(known[segment_id] for segment_id in large["segment_id"]), last])

    def _codes(self, name: str, texts: Sequence[pa.Array]) -> list[pa.Array]:
        """Codes of texts. The column's dictionary grows by those that it does not have; codes given before stay."""
        before = self._texts.get(name, pa.array([], pa.string()))
        if name in self._texts and not any(len(each) for each in texts):
            return [each.indices for each in texts]
        first = pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), before)  # whose texts keep their places
        together = pa.chunked_array([first, *texts]).unify_dictionaries()
        self._texts[name] = together.chunk(0).dictionary
        return [chunk.indices for chunk in together.chunks[1:]]

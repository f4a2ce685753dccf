"""Which order of day, month and year a file's times have: found where only one fits all of them, else asked for.

ISO 8601 and Unix times have one meaning, and say nothing of the others in their column.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import polars as pl

from trueup.dialects.cells import Reader, texts
from trueup.dialects.choices import ChoiceNeeded, UnreadableFile
from trueup.dialects.delimited import Records
from trueup.dialects.values import quoted_value
from trueup.model.frame_ops import collect_unoptimized
from trueup.model.remarks import Mention, Way
from trueup.model.time_formats import ISO, ORDERS, TimeFormat, iso_texts, read_time_as, time_format
from trueup.model.times import exact_micros, local_micros, local_time_text

_NAMES: Final = [order.name for order in ORDERS]
_TEXT: Final = pl.col("text")
_IS_TIME: Final = exact_micros(_TEXT).is_not_null() | local_micros(_TEXT).is_not_null()


@dataclass(frozen=True)
class TimesFound:
    """How a file's times are written."""

    form: TimeFormat
    why: str  # '' where nobody needs to be told


def stated_format(stated: str, why: str) -> TimesFound:
    """Take the form that a person or a preset states. Raises: UnreadableFile, if there is none such."""
    try:
        return TimesFound(time_format(stated), why)
    except ValueError as error:
        raise UnreadableFile(str(error)) from None


def found_format(first: Iterable[Records], all_records: Callable[[], Iterator[Records]], reader: Reader) -> TimesFound:
    """Find out in which order a file's times are written.

    Args:
        first: The first records of the file, in which a date of another order shows.
        all_records: Gives the whole file, if it has one: one odd date may come late.
        reader: Which columns are read.

    Returns:
        The order, ISO where the times show no other.

    Raises:
        ChoiceNeeded: The times can be read in several ways, or no order fits all of them.
    """
    field = next((name for name in ("converted_at", "clicked_at") if reader.gives(name)), "")
    if not field or not _shown(first, reader, field).height:
        return TimesFound(ISO, "")
    shown = _shown(all_records(), reader, field)
    fitting = [name for name in _NAMES if shown[name].all()]
    if len(fitting) != 1:
        raise _needed(shown, fitting)
    telling = shown.filter(pl.sum_horizontal(_NAMES) == 1).head(1)
    if not telling.height:  # each is read in two ways, and only one fits all
        telling = shown.head(1)
    text, line = telling["text"][0], telling["line"][0]
    return TimesFound(time_format(fitting[0]), f"{quoted_value(text)} on line {line} fits no other order")


def _shown(blocks: Iterable[Records], reader: Reader, field: str) -> pl.DataFrame:
    """Times that some order fits, and which orders fit them: the first of all that the same orders fit."""
    one = replace(reader.columns, positions={field: reader.columns.positions[field]}, kept={})
    reader = replace(reader, columns=one)
    found = (_others(texts(block, reader), f"{field}_text") for block in blocks)
    pieces = [_fits_of(times) for times in found if times.height]
    return _first_of_each(pl.concat(pieces)) if pieces else _NONE_FIT


def _others(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """The texts that are no ISO 8601 and no Unix times."""
    given = table.lazy().select("line", pl.col(column).alias("text")).filter((_TEXT != "") & ~_IS_TIME)
    return collect_unoptimized(given.unique("text", keep="first", maintain_order=True))


def _fits_of(times: pl.DataFrame) -> pl.DataFrame:
    written = (pl.DataFrame({"text": iso_texts(times["text"], order)}) for order in ORDERS)
    fits = [each.select(_IS_TIME.alias(name)).to_series() for name, each in zip(_NAMES, written, strict=True)]
    return _first_of_each(times.with_columns(fits).filter(pl.any_horizontal(_NAMES)))


def _first_of_each(shown: pl.DataFrame) -> pl.DataFrame:
    return shown.unique(_NAMES, keep="first", maintain_order=True)


_NONE_FIT: Final = pl.DataFrame(schema={"line": pl.Int64, "text": pl.String, **dict.fromkeys(_NAMES, pl.Boolean)})


def _needed(shown: pl.DataFrame, fitting: list[str]) -> ChoiceNeeded:
    names = fitting or [name for name in _NAMES if shown[name].any()]
    orders = [order for order in ORDERS if order.name in names]
    if fitting:
        text, line = shown["text"][0], shown["line"][0]
        readings = {order.name: _reading(text, order) for order in orders}
        told = " and ".join(f"{reading} as {name}" for name, reading in readings.items())
        why = f"The times can be read in several ways: {quoted_value(text)} on line {line} is {told}."
    else:
        rows = [shown.filter(pl.col(name)).head(1).row(0, named=True) for name in names]
        readings = {name: quoted_value(row["text"]) for name, row in zip(names, rows, strict=True)}
        odd = [_odd(shown, order.name) for order in orders]
        why = f"No one order of day, month and year fits all the times: {', '.join(odd)}."
    return ChoiceNeeded("time_format", readings, why, " Say how they are written: ", *_ways(names), ".")


def _odd(shown: pl.DataFrame, name: str) -> str:
    """A time that this order does not fit."""
    text, line = next(islice(shown.filter(~pl.col(name)).select("text", "line").iter_rows(), 1))
    return f"{quoted_value(text)} on line {line} is not {name}"


def _reading(text: str, order: TimeFormat) -> str:
    time = read_time_as(text, order)
    micros = time.local if time.exact is None else time.exact
    return "no time" if micros is None else local_time_text(micros) + ("Z" if time.local is None else "")


def _ways(names: list[str]) -> Iterator[str | Mention]:
    for place, name in enumerate(names):
        if place:
            yield " or "
        yield Way.TIME_ORDER.of(order=name)

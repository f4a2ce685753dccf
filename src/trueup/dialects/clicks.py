"""A file of clicks: what each row says. Its titles are always there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Final

import polars as pl

from trueup.dialects.amounts import amounts_cause, with_amounts
from trueup.dialects.cells import (
    Check,
    Notes,
    Reader,
    refusals,
    sight_checks,
    texts,
    times_cause,
    with_failed,
    with_iso_times,
    without_nul,
)
from trueup.dialects.choices import Choices, known_zone
from trueup.dialects.click_columns import TEXTS, click_columns
from trueup.dialects.click_titles import click_titles
from trueup.dialects.columns import written_by_trueup
from trueup.dialects.decode import Content
from trueup.dialects.delimited import Records
from trueup.dialects.missing import Missing, MissingNames
from trueup.dialects.names import nearest, quoted_title
from trueup.dialects.read import Reading, found_times, joined
from trueup.dialects.sheet import Sheet
from trueup.dialects.sources import of_sheet, source_of
from trueup.dialects.statement import above_said, layout_said, offered
from trueup.dialects.values import quoted_cells
from trueup.model.catalog import Catalog
from trueup.model.frames import ClickRows
from trueup.model.times import DAY_MICROS, time_micros
from trueup.model.words import ClickOutcome

TEXT_CHARS: Final = 512  # the longest external_id, country or sub-parameter
EARLIEST: Final = 10_957 * DAY_MICROS  # 2000-01-01: an earlier time is a mistake
EXPLAINED: Final = 200  # of so many unknown names of a kind the nearest are searched, which is slow
_SAID: Final = ("line", "click_id", "campaign_id", "offer_id", "clicked_at", "cost", *TEXTS, "refusal")
_REFUSAL: Final = pl.Enum(["", *(outcome.value for outcome in ClickOutcome if outcome.value.startswith("refused_"))])


def read_clicks(
    content: Content | Sheet, choices: Choices, catalog: Catalog, progress: Callable[[int], None] | None = None
) -> tuple[Reading, Missing]:
    """Read a file of clicks. The rules: docs/dialects.md.

    Args:
        content: The bytes of the file, or a sheet of a workbook.
        choices: What the person chose for it.
        catalog: The setup, in which campaigns and offers are looked up.
        progress: Called with the number of bytes read so far.

    Returns:
        The rows, with the columns of CLICKS that the file gives and `refusal`, which is '' for rows that are not
        refused; the notes say what is wrong with the others. And what the setup lacks.

    Raises:
        UnreadableFile: The file as a whole cannot be read.
    """
    source = source_of(content, choices, progress)
    found = click_titles(source, choices)
    layout, titles, dialect = found.beginning.layout, found.titles, found.dialect
    reader = Reader(
        columns=click_columns(titles, dialect, choices),
        rows_after=layout.rows_after,
        defused=written_by_trueup(titles),
        decimal_comma=choices.decimal_comma,
        zone=known_zone(choices.time_zone or dialect.time_zone or choices.workspace_time_zone),
        network_zones=False,
        absent_status="",
        thousands=choices.thousands,
        currencies=choices.currencies,
    )
    if source.cells is not None:
        reader = of_sheet(reader, found.beginning.below)
    times = found_times(source, layout, reader, choices, dialect)
    reader = replace(reader, times=times.form)
    numbers = {"campaign": campaign_ids(catalog), "offer": {o.name: o.offer_id for o in catalog.offers.values()}}
    missing = MissingNames()
    rows, notes = joined(_read_block(block, reader, numbers, missing) for block in source.records(layout.separator))
    reading = Reading(
        dialect=dialect.name,
        statement=(
            f"Read as {dialect.name}: {found.why}.",
            *above_said(found.beginning),
            *layout_said(layout, source.encoding, reader, times.why, has_titles=True),
            *offered(titles, choices),
        ),
        own_mode=None,
        time_zone=reader.zone,
        network_zones=reader.network_zones,
        titles=list(reader.columns.titles),
        rows=ClickRows(rows),
        notes=_explained(notes, catalog),
        layout=layout,
        encoding=source.encoding,
        reader=reader,
    )
    return reading, missing.found(catalog)


def campaign_ids(catalog: Catalog) -> dict[str, int]:
    """Campaigns by slug and by name; where a name is another campaign's slug, it is the name."""
    campaigns = catalog.campaigns.values()
    return {c.slug: c.campaign_id for c in campaigns} | {c.name: c.campaign_id for c in campaigns}


def _read_block(
    block: Records, reader: Reader, numbers: Mapping[str, Mapping[str, int]], missing: MissingNames
) -> tuple[ClickRows, Notes]:
    table = with_iso_times(texts(block, reader), "clicked_at", reader).with_columns(
        *(_number(name, known).alias(f"{name}_id") for name, known in numbers.items()),
        time_micros(pl.col("clicked_at_iso"), reader.zone).alias("clicked_at"),
    )
    if reader.gives("cost"):
        table = with_amounts(table, "cost", reader).with_columns(_costs(reader))
    checks = _checks(reader)
    codes = pl.lit(pl.Series([check.outcome.value for check in checks], dtype=_REFUSAL))
    refusal = codes.gather(pl.col("failed")).fill_null("")
    table = with_failed(table, checks).with_columns(refusal=refusal)
    missing.look(table)
    # The rows of refused clicks are not stored: the file of refused rows takes them from the file itself.
    notes = refusals(table, checks)
    notes = Notes(notes.with_columns(raw=pl.lit(""))) if notes.height else notes
    rows = table[:, [name for name in _SAID if name in table.columns]]
    return ClickRows(rows), Notes(without_nul(notes))


def _costs(reader: Reader) -> pl.Expr:
    """What clicks cost, in the workspace's currency: 0 where nothing is said, null where it cannot be used."""
    named = pl.col("cost_named")
    holds = named.is_null() | (named == pl.lit(_own_currency(reader)))
    return pl.when(pl.col("cost_text") == "").then(0).otherwise(pl.when(holds).then("cost")).alias("cost")


def _own_currency(reader: Reader) -> str:
    return next(iter(reader.currencies), "")


def _number(name: str, known: Mapping[str, int]) -> pl.Expr:
    return pl.col(name).replace_strict(list(known), list(known.values()), default=0, return_dtype=pl.Int64)


_UNKNOWN: Final = {"campaign": ClickOutcome.REFUSED_UNKNOWN_CAMPAIGN, "offer": ClickOutcome.REFUSED_UNKNOWN_OFFER}


@lru_cache(maxsize=1)  # the blocks of a file are read one after the other
def _checks(reader: Reader) -> tuple[Check, ...]:
    """What the row and the setup show, in the order of precedence: the checks of what the file gives."""
    bad_text = {name: _is_bad_text(pl.col(name)) for name in TEXTS if reader.gives(name)}
    checks = [
        *sight_checks(reader, ClickOutcome),
        *(
            Check(outcome, "", pl.col(f"{name}_id") == 0, partial(pl.col(name).str.slice, 0, TEXT_CHARS))
            for name, outcome in _UNKNOWN.items()
        ),
        Check(
            ClickOutcome.REFUSED_BAD_TIME,
            "",
            pl.col("clicked_at").is_null() | (pl.col("clicked_at") < EARLIEST),
            partial(_time_cause, reader),
        ),
        Check(
            ClickOutcome.REFUSED_BAD_COST,
            "cost",
            pl.col("cost").is_null() | (pl.col("cost") < 0),
            partial(_cost_cause, reader),
        ),
        *(
            Check(ClickOutcome.REFUSED_BAD_TEXT, name, bad, partial(_text_cause, name, pl.col(name)))
            for name, bad in bad_text.items()
        ),
    ]
    return tuple(check for check in checks if not check.field or reader.gives(check.field))


def _cost_cause(reader: Reader) -> pl.Expr:
    return (
        pl.when(pl.col("cost") < 0)
        .then(pl.format("{} is below 0", quoted_cells(pl.col("cost_text"))))
        .otherwise(amounts_cause("cost", reader, pl.lit(_own_currency(reader))))
    )


def _time_cause(reader: Reader) -> pl.Expr:
    text = pl.col("clicked_at_text")
    return (
        pl.when(text == "")
        .then(pl.lit("it is not given"))
        .when(pl.col("clicked_at") < EARLIEST)
        .then(pl.format("{} is before the year 2000", quoted_cells(text)))
        .otherwise(times_cause("clicked_at", reader))
    )


def _is_bad_text(text: pl.Expr) -> pl.Expr:
    return (text.str.len_chars() > TEXT_CHARS) | text.str.contains("\0", literal=True)


def _text_cause(name: str, text: pl.Expr) -> pl.Expr:
    count = text.str.len_chars()
    return (
        pl.when(count > TEXT_CHARS)
        .then(pl.format(f"{name} has {{}} characters, and {TEXT_CHARS} are the most", count))
        .otherwise(pl.lit(f"{name} has a zero byte"))
    )


def _explained(notes: Notes, catalog: Catalog) -> Notes:
    """Put what it may have meant in place of each unknown name."""
    if not notes.height:
        return notes
    known = {"campaign": catalog.campaigns, "offer": catalog.offers}
    for kind, outcome in _UNKNOWN.items():
        refused = pl.col("refusal") == outcome
        names = notes.filter(refused)["detail"].unique(maintain_order=True).head(EXPLAINED).to_list()
        told = [_unknown(kind, name, known[kind]) for name in names]
        plain = pl.format(f"There is no {kind} {{}}.", quoted_cells(pl.col("detail")))
        explained = pl.col("detail").replace_strict(names, told, default=plain, return_dtype=pl.String)
        notes = Notes(notes.with_columns(detail=pl.when(refused).then(explained).otherwise(pl.col("detail"))))
    return notes


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if not name:
        return f"The {kind} is not given."
    return f"There is no {kind} '{quoted_title(name)}'. {nearest(name, names) if names else 'None is set up yet.'}"

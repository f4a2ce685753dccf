"""A file of clicks that has been read: its rows in the order they are applied, and what each is refused for."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from trueup.decide.messages import click_message_of
from trueup.decide.times import SLACK_MICROS
from trueup.dialects.choices import Choices
from trueup.dialects.clicks import read_clicks
from trueup.dialects.decode import Content
from trueup.dialects.missing import Missing
from trueup.dialects.read import Reading
from trueup.dialects.sheet import Sheet
from trueup.model.catalog import Catalog
from trueup.model.frames import CLICKS, ClickRows, Clicks, RowOutcomes, completed
from trueup.model.times import seconds_text
from trueup.model.words import BatchKind, ClickOutcome
from trueup.recording.chunks import by_click
from trueup.uploads.same_file import reading_choices
from trueup.workbooks.opening import opened

KEPT: Final = ["line", "click_id", "clicked_at", "outcome"]  # of each row of a preview, to say what it came to
RESULTS: Final = ["line", "click_id", "outcome", "message"]  # of each row, for the file of results
_NEEDED: Final = ["line", "clicked_at", "refusal"]  # to say which rows are refused


@dataclass(frozen=True)
class ClickFile:
    """A file of clicks that has been read, with everything that was chosen for it."""

    content: Content | Sheet  # opened, where the file is packed
    file_name: str
    sha256: str  # of the file as it came
    reading: Reading
    missing: Missing  # what the setup lacks for it
    order: pl.Series  # places of the rows, by click id and line
    catalog: Catalog  # the setup that its campaigns and offers were found in
    choices: str  # JSON, the same for the same command
    read_by: Choices

    @property
    def rows(self) -> int:
        """How many rows it has, refused ones included."""
        return self.reading.rows.height

    @property
    def kind(self) -> BatchKind:
        """What kind of batch it becomes."""
        return BatchKind.CLICKS


def read_click_file(
    content: Content,
    file_name: str,
    choices: Choices,
    catalog: Catalog,
    progress: Callable[[int], None] | None = None,
) -> ClickFile:
    """Read a file of clicks. Raises: UnreadableFile, whose message says why and what to do."""
    found = opened(content, choices.sheet)
    reading, missing = read_clicks(found, choices, catalog, progress)
    return ClickFile(
        content=found,
        file_name=file_name,
        sha256=hashlib.sha256(content).hexdigest(),
        reading=reading,
        missing=missing,
        order=by_click(reading.rows["click_id"]),
        catalog=catalog,
        choices=json.dumps(reading_choices(choices, reading), sort_keys=True),
        read_by=choices,
    )


def read_by(file: ClickFile, catalog: Catalog) -> ClickFile:
    """Read a file again, by another setup."""
    reading, missing = read_clicks(file.content, file.read_by, catalog)
    return replace(file, reading=reading, missing=missing, catalog=catalog)


def rows_at(file: ClickFile, start: int, size: int, received_at: int) -> ClickRows:
    """The next rows in the order they are applied; the `outcome` of those that are refused, '' for the others."""
    return _with_late(ClickRows(file.reading.rows[file.order.slice(start, size)]), received_at)


def _with_late(rows: ClickRows, received_at: int) -> ClickRows:
    late = (pl.col("refusal") == "") & (pl.col("clicked_at") > received_at + SLACK_MICROS)
    refusal = pl.col("refusal").cast(pl.String)
    return ClickRows(
        rows.with_columns(outcome=pl.when(late).then(pl.lit(ClickOutcome.REFUSED_IN_FUTURE.value)).otherwise(refusal))
    )


def refused_clicks(file: ClickFile, received_at: int) -> RowOutcomes:
    """Which rows are refused and why: line, outcome, message, in the order of the file.

    A click that is known is no refusal.

    Args:
        file: The file that was read.
        received_at: When it was received (microseconds UTC).
    """
    rows = _with_late(ClickRows(file.reading.rows.select(_NEEDED)), received_at)
    return RowOutcomes(
        with_click_messages(rows.filter(pl.col("outcome") != ""), file).select("line", "outcome", "message")
    )


def click_results(file: ClickFile, received_at: int, brought: pl.DataFrame) -> RowOutcomes:
    """Say what every row of a file that was imported came to.

    Args:
        file: The file that was read.
        received_at: When it was received (microseconds UTC).
        brought: The clicks that its batch brought: click_id, was_known.

    Returns:
        RESULTS, in the order of the file. Rows that were not reached have no outcome.
    """
    rows = _with_late(ClickRows(file.reading.rows), received_at)
    fit = pl.col("outcome") == ""
    beside = rows.join(brought, on="click_id", how="left", maintain_order="left")
    met = (
        pl.when(pl.col("was_known").is_null())
        .then(pl.lit(""))
        .when(~pl.when(fit).then("click_id").is_first_distinct())
        .then(pl.lit(ClickOutcome.REPEATED.value))
        .when(pl.col("was_known") > 0)
        .then(pl.lit(ClickOutcome.KNOWN.value))
        .otherwise(pl.lit(ClickOutcome.IMPORTED.value))
    )
    decided = ClickRows(beside.with_columns(outcome=pl.when(fit).then(met).otherwise("outcome")))
    return RowOutcomes(with_click_messages(decided, file).select(RESULTS))


def new_clicks(rows: ClickRows, file: ClickFile) -> Clicks:
    """CLICKS to store."""
    networks = {offer.offer_id: offer.network_id or 0 for offer in file.catalog.offers.values()}
    sources = {campaign.campaign_id: campaign.traffic_source_id or 0 for campaign in file.catalog.campaigns.values()}
    new = rows.filter(pl.col("outcome") == ClickOutcome.IMPORTED).with_columns(
        network_id=_looked_up("offer_id", networks), traffic_source_id=_looked_up("campaign_id", sources)
    )
    return Clicks(completed(new, CLICKS, {"is_bot": 0}).with_columns(pl.col("cost").fill_null(0)))


def _looked_up(column: str, numbers: Mapping[int, int]) -> pl.Expr:
    return pl.col(column).replace_strict(list(numbers), list(numbers.values()), default=0, return_dtype=pl.Int64)


def with_click_messages(rows: pl.DataFrame, file: ClickFile) -> pl.DataFrame:
    """The `message` of rows that have an outcome."""
    told = rows.join(file.reading.notes.select("line", "detail"), on="line", how="left", maintain_order="left")
    late = pl.col("outcome") == ClickOutcome.REFUSED_IN_FUTURE
    detail = pl.when(late).then(seconds_text(pl.col("clicked_at"))).otherwise("detail")
    return told.with_columns(detail=detail).with_columns(message=click_message_of(rows))

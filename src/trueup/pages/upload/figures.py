"""What a preview, a result or an undo shows in numbers."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.frames import Samples
from trueup.model.ids import conversion_id
from trueup.pages.shell.formats import change, count, count_change, decimals_of
from trueup.pages.shell.headline import Headline, headline_of
from trueup.pages.upload.words import message_in_words
from trueup.recording.summary import MONEY, Change, Summary, in_order, summary_of
from trueup.uploads.files import Account


@dataclass(frozen=True)
class Line:
    """A number of the workspace before and after."""

    title: str
    before: int
    after: int
    is_money: bool = True

    @property
    def change(self) -> int:
        """What is added."""
        return self.after - self.before


@dataclass(frozen=True)
class OutcomeRows:
    """How many rows come to an outcome, with the first of them."""

    outcome: str
    rows: int
    first: list[dict[str, Any]]  # line, message

    @property
    def is_refused(self) -> bool:
        """Whether rows of it are not accepted."""
        return self.outcome.startswith("refused_")


@dataclass(frozen=True)
class Figures:
    """All of it."""

    changes: int  # conversions, or clicks
    rows: int
    refused: int
    money: int  # by which the revenue changes, micros
    currency: str
    lines: list[Line]
    cells: list[Change]
    outcomes: list[OutcomeRows]
    biggest: list[dict[str, Any]]
    noun: str = "change"

    @property
    def headline(self) -> str:
        """What happens, in one line: it stands on the button, too."""
        return Headline(self.changes, self.noun, self.money, self.currency).text

    @property
    def decimals(self) -> int:
        """How many decimals the tables of money have."""
        amounts = [amount for line in self.lines if line.is_money for amount in (line.before, line.after)]
        return decimals_of(
            amounts + [amount for cell in self.cells for amount in (cell.money_before, cell.money_after)]
        )

    @property
    def decimals_of_biggest(self) -> int:
        """The same of the biggest changes."""
        return decimals_of([row["change"] for row in self.biggest])


def figures_of(
    summary: Summary, catalog: Catalog, *, is_undo: bool = False, first_rows: Samples | None = None
) -> Figures:
    """What a preview or a batch shows.

    Args:
        summary: Its numbers.
        catalog: The setup.
        first_rows: The first rows of its outcomes, where its numbers have none.
        is_undo: Whether it is the undo of a batch, whose changes are counted by what it turns.
    """
    before, after = summary.sums(catalog)
    lines = [Line("Conversions", before.conversions, after.conversions, is_money=False)]
    lines += [Line(name.replace("_", " ").capitalize(), getattr(before, name), getattr(after, name)) for name in MONEY]
    headline = headline_of(summary, catalog, is_undo=is_undo)
    return Figures(
        changes=headline.changes,
        rows=summary.rows,
        refused=summary.refused,
        money=headline.money,
        currency=headline.currency,
        lines=lines,
        cells=summary.by_type_and_status(),
        outcomes=_outcomes(summary, first_rows),
        biggest=[_biggest(row) for row in summary.biggest.iter_rows(named=True)],
        noun=headline.noun,
    )


def _outcomes(summary: Summary, first_rows: Samples | None) -> list[OutcomeRows]:
    samples = summary.samples if first_rows is None else first_rows
    has_messages = "message" in samples.columns
    return [
        OutcomeRows(outcome, rows, _first(samples, outcome) if has_messages else [])
        for outcome, rows in in_order(summary.outcomes).items()
    ]


def _first(samples: pl.DataFrame, outcome: str) -> list[dict[str, Any]]:
    rows = samples.filter(pl.col("outcome") == outcome).select("line", "message").to_dicts()
    return [{"line": row["line"], "message": message_in_words(row["message"])} for row in rows]


def _biggest(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "conversion_id": conversion_id(row["click_id"], row["n"])}


@dataclass(frozen=True)
class Difference:
    """Where a result is not what the preview said."""

    what: str
    previewed: str
    came: str


def differences(account: Account, batch: BatchRecord, catalog: Catalog) -> list[Difference]:
    """Compare what a file came to with what its last preview said.

    Args:
        account: What is known of the file.
        batch: What it became.
        catalog: The setup.
    """
    if account.preview is None:
        return []
    told, came = account.preview, summary_of(batch)
    outcomes = in_order({**dict.fromkeys(told.outcomes, 1), **dict.fromkeys(came.outcomes, 1)})
    found = [
        Difference(outcome, count(told.outcomes.get(outcome, 0)), count(came.outcomes.get(outcome, 0)))
        for outcome in outcomes
        if told.outcomes.get(outcome, 0) != came.outcomes.get(outcome, 0)
    ]
    then, now = figures_of(told, catalog), figures_of(came, catalog)
    if then.money != now.money:
        found.append(Difference("Revenue", change(then.money), change(now.money)))
    conversions = [figures.lines[0].change for figures in (then, now)]
    if conversions[0] != conversions[1]:
        found.append(Difference("Conversions", *map(count_change, conversions)))
    return found

"""What a batch did, or would do, in the numbers a person looks at."""

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from trueup.decide.messages import message
from trueup.ledger.batches import added
from trueup.model.batch import JOURNAL, TOTALS, Schema, empty
from trueup.model.catalog import Catalog
from trueup.model.counting import Sums, summed
from trueup.model.money import text_from_micros
from trueup.model.progress import BatchRecord
from trueup.model.words import ClickOutcome, Outcome

SAMPLE: Final = 3  # first rows shown of each outcome
MONEY: Final = ("revenue", "pending_revenue", "declined_revenue")


_TURNED_COUNTS: Final[Schema] = {"batch_id": pl.Int64, "was": pl.String, "outcome": pl.String, "rows": pl.Int64}
_TURNED_ROWS: Final[Schema] = {
    "batch_id": pl.Int64,
    "was": pl.String,
    "outcome": pl.String,
    "line": pl.Int64,
    "click_id": pl.String,
    "message": pl.String,
}
_TURN: Final = ["batch_id", "was", "outcome"]


@dataclass(frozen=True)
class Turned:
    """Rows of other batches that come to something else: ignored ones that come to life, and what else follows."""

    counts: pl.DataFrame  # by batch, outcome before and outcome after
    first: pl.DataFrame  # a few rows of each, with their `message`

    def and_these(self, rows: pl.DataFrame) -> "Turned":
        """Count more of them. Takes: JOURNAL rows with `was`."""
        counts = rows.group_by(_TURN).agg(rows=pl.len().cast(pl.Int64)).select(*_TURNED_COUNTS)
        every = pl.concat([self.counts, counts]).group_by(_TURN).agg(pl.col("rows").sum()).sort(_TURN)
        few = with_messages(rows.sort("line").group_by(_TURN).head(SAMPLE)).select(*_TURNED_ROWS)
        first = pl.concat([self.first, few]).sort(*_TURN, "line", "click_id").group_by(_TURN, maintain_order=True)
        return Turned(every.select(*_TURNED_COUNTS), first.head(SAMPLE).select(*_TURNED_ROWS))

    def told(self) -> list[dict[str, Any]]:
        """As programs are told it."""
        said = ("line", "click_id", "message")
        return [
            {**turn, "first": self.first.filter(**{name: turn[name] for name in _TURN}).select(said).to_dicts()}
            for turn in self.counts.to_dicts()
        ]


NOTHING_TURNED: Final = Turned(empty(_TURNED_COUNTS), empty(_TURNED_ROWS))


@dataclass(frozen=True)
class Summary:
    """A batch in numbers."""

    batch_id: int | None  # None for a preview
    rows: int
    outcomes: dict[str, int] = field(default_factory=dict)
    totals_before: pl.DataFrame = field(default_factory=lambda: empty(TOTALS))
    totals_delta: pl.DataFrame = field(default_factory=lambda: empty(TOTALS))
    samples: pl.DataFrame = field(default_factory=lambda: empty(JOURNAL))  # with `message`
    longest_lock_seconds: float = 0.0
    turned: Turned | None = None  # of the preview of an undo

    def sums(self, catalog: Catalog) -> tuple[Sums, Sums]:
        """The workspace's numbers before and after the batch."""
        left_out = [kind.name for kind in catalog.conversion_types.values() if not kind.include_in_conversions]
        after = added(self.totals_before, self.totals_delta)
        return summed(self.totals_before, left_out), summed(after, left_out)

    @property
    def refused(self) -> int:
        """How many rows were not accepted."""
        return sum(count for outcome, count in self.outcomes.items() if outcome.startswith("refused_"))


def summary_of(batch: BatchRecord) -> Summary:
    """What a batch has done so far."""
    return Summary(
        batch.batch_id,
        batch.rows_total,
        dict(batch.outcomes),
        totals_before=batch.totals_before,
        totals_delta=batch.totals_delta,
    )


def as_json(summary: Summary, catalog: Catalog) -> dict[str, Any]:
    """A summary as programs are told it, money as decimal strings."""
    before, after = summary.sums(catalog)
    told: dict[str, Any] = {
        "batch_id": summary.batch_id,
        "preview": summary.batch_id is None,
        "rows": summary.rows,
        "outcomes": in_order(summary.outcomes),
        "conversions": {"before": before.conversions, "after": after.conversions},
    }
    for name in MONEY:
        told[name] = {
            "before": text_from_micros(getattr(before, name)),
            "after": text_from_micros(getattr(after, name)),
        }
    if summary.turned is not None:
        told["other_rows"] = summary.turned.told()
    return told | {"callbacks": 0}


def in_order(outcomes: dict[str, int]) -> dict[str, int]:
    """Counted outcomes, what changed something first."""
    kind = Outcome if outcomes.keys() <= set(Outcome) else ClickOutcome
    return {outcome.value: outcomes[outcome] for outcome in reversed(kind) if outcomes.get(outcome)}


def sampled(samples: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """The first rows of each outcome, of those sampled so far and those decided now (JOURNAL)."""
    shown = samples.columns
    first = (
        pl.concat([samples, decided.select(shown)]).sort("line").group_by("outcome", maintain_order=True).head(SAMPLE)
    )
    return first.select(shown)


def with_messages(rows: pl.DataFrame) -> pl.DataFrame:
    """JOURNAL rows with the `message` of each."""
    return rows.with_columns(message=message())

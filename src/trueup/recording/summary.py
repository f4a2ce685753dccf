"""What a batch did, or would do, in the numbers a person looks at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import polars as pl

from trueup.decide.effects import totals_delta
from trueup.decide.messages import message_of
from trueup.decide.rounds import Steps
from trueup.ledger.totals import added
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.counting import Sums, sum_totals
from trueup.model.frame_ops import collect_unoptimized
from trueup.model.frames import JOURNAL, TOTALS, DecidedRows, JournalRows, Samples, Schema, Totals, TurnedRows, empty
from trueup.model.money import text_from_micros
from trueup.model.words import ClickOutcome, ModeFrom, Outcome
from trueup.recording.biggest import NOTHING_BIG, big_as_json, biggest_changes
from trueup.recording.causes import NO_CAUSES, with_causes

SAMPLE: Final = 3  # first rows shown of each outcome
UNMATCHED: Final = {  # what a row comes to whose conversion id is not known
    Outcome.REFUSED_UNKNOWN_CONVERSION.value,
    Outcome.REFUSED_UNKNOWN_CLICK.value,
    Outcome.PARKED_UNKNOWN_CLICK.value,
}
WHY: Final = {
    ModeFrom.CHOSEN: "it was chosen",
    ModeFrom.CONVERSION_ID: "the row names its conversion",
    ModeFrom.TYPE: "the conversion type has it",
    ModeFrom.NETWORK: "the network has it",
    ModeFrom.DIALECT: "it is the dialect's own way",
    ModeFrom.DEFAULT: "nobody said one",
}
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

    def and_these(self, rows: TurnedRows) -> "Turned":
        """Count more of them.

        Args:
            rows: JOURNAL, with `was`: the outcome before.
        """
        counts = rows.group_by(_TURN).agg(rows=pl.len().cast(pl.Int64)).select(*_TURNED_COUNTS)
        every = pl.concat([self.counts, counts]).group_by(_TURN).agg(pl.col("rows").sum()).sort(_TURN)
        few = with_messages(rows.sort("line").group_by(_TURN).head(SAMPLE)).select(*_TURNED_ROWS)
        first = pl.concat([self.first, few]).sort(*_TURN, "line", "click_id").group_by(_TURN, maintain_order=True)
        return Turned(every.select(*_TURNED_COUNTS), first.head(SAMPLE).select(*_TURNED_ROWS))

    def to_json(self) -> list[dict[str, Any]]:
        """As programs are told it."""
        said = ("line", "click_id", "message")
        return [
            {**turn, "first": self.first.filter(**{name: turn[name] for name in _TURN}).select(said).to_dicts()}
            for turn in self.counts.to_dicts()
        ]


def turned_of(counts: list[list[Any]], first: list[list[Any]]) -> Turned:
    """Make it of the rows of its frames."""
    return Turned(
        pl.DataFrame(counts, schema=dict(_TURNED_COUNTS), orient="row"),
        pl.DataFrame(first, schema=dict(_TURNED_ROWS), orient="row"),
    )


NOTHING_TURNED: Final = Turned(empty(_TURNED_COUNTS), empty(_TURNED_ROWS))


@dataclass(frozen=True)
class ClicksTurned:
    """What becomes of the clicks of an import that is undone, or brought back."""

    gone: int = 0
    back: int = 0
    other: int = 0  # they stay, as another arrival brought them
    same: int = 0  # they stay as they are: they came another way before

    def and_these(self, was: pl.DataFrame, becomes: pl.DataFrame) -> "ClicksTurned":
        """Count more of them.

        Args:
            was: The arrivals that count of some clicks now.
            becomes: Those that will count then.
        """
        both = was.select("click_id", "batch_id").join(becomes, on="click_id", how="inner", suffix="_then")
        same = both.filter(pl.col("batch_id") == pl.col("batch_id_then")).height
        return ClicksTurned(
            self.gone + was.height - both.height,
            self.back + becomes.height - both.height,
            self.other + both.height - same,
            self.same + same,
        )


@dataclass(frozen=True)
class Change:
    """The conversions of a type and a status, and their money in micros of the workspace's currency."""

    conversion_type: str
    status: str
    conversions_before: int
    conversions_after: int
    money_before: int
    money_after: int

    def to_json(self) -> dict[str, Any]:
        """As programs are told it, money as decimal strings."""
        return {
            "conversion_type": self.conversion_type,
            "status": self.status,
            "conversions": {"before": self.conversions_before, "after": self.conversions_after},
            "money": {"before": text_from_micros(self.money_before), "after": text_from_micros(self.money_after)},
        }


@dataclass(frozen=True)
class Summary:
    """A batch in numbers."""

    batch_id: int | None  # None for a preview
    rows: int
    outcomes: dict[str, int] = field(default_factory=dict)
    totals_before: Totals = field(default_factory=lambda: empty(TOTALS))
    totals_delta: Totals = field(default_factory=lambda: empty(TOTALS))
    samples: Samples = field(default_factory=lambda: Samples(empty(JOURNAL)))
    modes: Mapping[tuple[str, str], int] = field(default_factory=dict)  # of a preview: DuplicateMode, ModeFrom -> rows
    conversion_ids: int = 0  # of a preview: rows that give one,
    known_conversion_ids: int = 0  # and those whose conversion is there
    longest_lock_seconds: float = 0.0
    turned: Turned | None = None  # of the preview of an undo, or of deciding again
    clicks_turned: ClicksTurned | None = None  # of the preview of an import's undo
    rows_chosen: int = 0  # of the preview of deciding again: rows that are meant
    biggest: pl.DataFrame = field(
        default_factory=NOTHING_BIG.clear
    )  # of a preview: the conversions that it would change most (BIGGEST)
    causes: pl.DataFrame = field(default_factory=NO_CAUSES.clear)  # CAUSES, of a preview: why rows are refused

    def sums(self, catalog: Catalog) -> tuple[Sums, Sums]:
        """The workspace's numbers before and after the batch."""
        left_out = catalog.left_out_types
        after = added(self.totals_before, self.totals_delta)
        return sum_totals(self.totals_before, left_out), sum_totals(after, left_out)

    def by_type_and_status(self) -> list[Change]:
        """What each type and status has before and after the batch, where it changes any; sorted by both."""
        before = {(kind, status): counts for kind, status, *counts in added(self.totals_before).iter_rows()}
        changes = []
        for conversion_type, status, conversions, money in added(self.totals_delta).iter_rows():
            had, paid = before.get((conversion_type, status), (0, 0))
            changes.append(Change(conversion_type, status, had, had + conversions, paid, paid + money))
        return changes

    @property
    def conversion_ids_unknown(self) -> bool:
        """Whether rows give conversion ids, and none of them is known here: they may be of another ledger."""
        unmatched = UNMATCHED & self.outcomes.keys()
        return bool(self.conversion_ids and unmatched) and not self.known_conversion_ids

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
    told["by_type_and_status"] = [change.to_json() for change in summary.by_type_and_status()]
    told["biggest_changes"] = big_as_json(summary.biggest)
    told["other_rows"] = summary.turned.to_json() if summary.turned is not None else []
    told["clicks"] = asdict(summary.clicks_turned) if summary.clicks_turned else None
    told["duplicate_modes"] = [
        {"mode": mode, "mode_from": mode_from, "rows": rows} for (mode, mode_from), rows in modes_in_order(summary)
    ]
    told["rows_chosen"] = summary.rows_chosen
    return told | {"conversion_ids_unknown": summary.conversion_ids_unknown, "callbacks": 0}


def modes_in_order(summary: Summary) -> list[tuple[tuple[str, str], int]]:
    """By which modes the rows acted and why, with how many, the most first."""
    return sorted(summary.modes.items(), key=lambda counted: (-counted[1], counted[0]))


def in_order(outcomes: dict[str, int]) -> dict[str, int]:
    """Counted outcomes, what changed something first."""
    kind = Outcome if outcomes.keys() <= set(Outcome) else ClickOutcome
    return {outcome.value: outcomes[outcome] for outcome in reversed(kind) if outcomes.get(outcome)}


def with_modes(summary: Summary, decided: JournalRows) -> Summary:
    """Count the modes of decided rows (JOURNAL) too, and which conversion ids are known."""
    counted = decided.group_by("mode", "mode_from").len()
    modes = Counter({(mode, mode_from): rows for mode, mode_from, rows in counted.iter_rows() if mode})
    summary = replace(summary, modes=dict(Counter(summary.modes) + modes))
    if decided["target_n"].null_count() == decided.height:
        return summary
    named = decided.filter(pl.col("target_n").is_not_null())
    return replace(
        summary,
        conversion_ids=summary.conversion_ids + named.height,
        known_conversion_ids=summary.known_conversion_ids + named.filter(pl.col("conversion_n") > 0).height,
    )


def with_steps(summary: Summary, steps: Steps) -> Summary:
    """Count steps of a preview (STEPS) too: what they would add to the totals, and which are the biggest."""
    return replace(
        summary,
        totals_delta=added(summary.totals_delta, totals_delta(steps)),
        biggest=biggest_changes(summary.biggest, steps),
    )


def with_decided(summary: Summary, decided: DecidedRows) -> Summary:
    """Count rows of a preview (JOURNAL, or clicks with their outcomes) too: outcomes, samples, causes."""
    counts = Counter(dict(decided["outcome"].value_counts().iter_rows()))
    return replace(
        summary,
        outcomes=dict(Counter(summary.outcomes) + counts),
        samples=sampled(summary.samples, decided),
        causes=with_causes(summary.causes, decided),
    )


def with_turned(summary: Summary, steps: Steps, turned: TurnedRows) -> Summary:
    """Count rows that would come to something else (`Turned`) too, and the steps (STEPS) of their conversions."""
    return replace(
        with_steps(summary, steps),
        turned=(summary.turned or NOTHING_TURNED).and_these(turned),
    )


def sampled(samples: Samples, decided: DecidedRows) -> Samples:
    """The first rows of each outcome, of those sampled so far and those decided now (JOURNAL)."""
    shown = samples.columns
    both = pl.concat([samples.lazy(), decided.lazy().select(shown)]).sort("line")
    first = both.group_by("outcome", maintain_order=True).head(SAMPLE).select(shown)
    return Samples(collect_unoptimized(first))


def with_messages(rows: pl.DataFrame) -> pl.DataFrame:
    """JOURNAL rows with the `message` of each."""
    return rows.with_columns(message=message_of(rows))

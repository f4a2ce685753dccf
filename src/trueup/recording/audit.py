"""The audit: prove the ledger from the ground up, in bounded memory, and show the evidence where a law is broken."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.decide.again import decide_again
from trueup.decide.effects import rollup_deltas, totals_of_cells
from trueup.decide.rounds import STEPS
from trueup.ledger import ranges
from trueup.ledger.arrivals import with_only_arrivals
from trueup.ledger.batches import count_outcomes, read_batches, undone_batches
from trueup.ledger.database import Database, Readable
from trueup.ledger.integrity import integrity_troubles
from trueup.ledger.past import past_of
from trueup.ledger.rollups import read_click_rollups, read_rollups, recounted_click_rollups
from trueup.ledger.segments import SegmentKind
from trueup.ledger.totals import added, read_totals
from trueup.model.batches import BatchRecord
from trueup.model.frames import (
    ARRIVAL_FACTS,
    CLICK_ROLLUP_KEY,
    MUTABLE,
    ROLLUP_KEY,
    ROLLUPS,
    TOTALS,
    Arrivals,
    Changes,
    ClickFacts,
    Conversions,
    JournalRows,
    LaterPolicies,
    Rollups,
    Schema,
    completed,
    empty,
)
from trueup.model.past import Past
from trueup.model.remarks import Remark, Way
from trueup.model.words import BatchKind, BatchState
from trueup.recording.audit_clicks import Brought, clicks_differ, counted_for_others, set_by_past
from trueup.recording.segment_audit import SEALED, clicks_sealed, counted_afresh, misplaced, sealed

EVIDENCE: Final = 5  # findings shown of each law
RANGE_ROWS: Final = 20_000  # journal rows looked at together
_TOTALS_KEY: Final = {name: TOTALS[name] for name in ("conversion_type", "status")}
_WITHOUT_ROWS: Final = (
    BatchKind.CLICKS,
    BatchKind.LATE_CLICKS,
    BatchKind.UNDO,
    BatchKind.DECIDE_AGAIN,
)  # of the journal

# Of chains of changes: where the last one does not lead to what is now, and where one does not follow.
_NOW: Final = pl.struct(*MUTABLE).struct.json_encode().alias("now")
_CHANGES_MISS: Final = pl.col("version").fill_null(-1) != pl.col("changes").fill_null(0).cast(pl.Int64)
_WRONG_END: Final = _CHANGES_MISS | (pl.col("last") != pl.col("now"))
_WRONG_LINK: Final = (pl.col("version") != pl.col("place")) | (pl.col("before") != pl.col("previous"))

Progress = Callable[[int, int], None]  # journal rows looked at, and in all


@dataclass
class Law:
    """One thing that must hold, and what speaks against it."""

    name: str
    text: str
    looked_at: int = 0
    broken: int = 0
    evidence: list[Remark] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.broken

    def look(self, count: int, findings: Sequence[Remark]) -> None:
        """Note that so many things were looked at, and what was wrong with some of them."""
        self.looked_at += count
        self.broken += len(findings)
        self.evidence += findings[: EVIDENCE - len(self.evidence)]


@dataclass(frozen=True)
class _Range:
    """What the ledger holds of a range of clicks."""

    rows: JournalRows
    later: LaterPolicies
    facts: ClickFacts  # of the clicks that are stored, with batch_id
    recorded: Arrivals
    given: pl.DataFrame  # ROW_SUB_PARAMETERS
    conversions: Conversions
    changes: Changes


def audit(database: Database, progress: Progress, range_rows: int = RANGE_ROWS) -> list[Law]:
    """Look at everything, as of one moment. Changes nothing. Returns: each law, held or broken."""
    numbered = Law("journal", "Every row of a click is in the journal, numbered without a gap.")
    again = Law("conversions", "Deciding every click's journal again gives the stored conversions.")
    chain = Law("changes", "The changes of each conversion lead, one by one, to what it is now.")
    recount = Law("rollups", "The counts of conversions and revenue equal a recount.")
    totals = Law("totals", "What all batches have added, and the totals that are kept of it, equal a recount.")
    clicks = Law("clicks", "The counts of clicks and cost equal a recount.")
    arrivals = Law(
        "arrivals",
        "Each click is what its first arrival that counts brought, with what its rows set, and none was lost.",
    )
    columns = Law(
        "segments", "The segments hold the clicks and conversions that there are, quarter hour by quarter hour."
    )
    outcomes = Law("outcomes", "Each batch's outcomes are those of its rows in the journal.")
    finished = Law("undos", "Every undo is finished.")
    whole = Law("database", "The database finds nothing wrong with its files.")
    with database.read_transaction() as transaction:
        batches = read_batches(transaction)
        undone_batch_ids = undone_batches(transaction)
        recounted, conversions_sealed = empty(ROLLUPS), empty(SEALED)
        brought = Brought(transaction)
        for found in _ranges(transaction, batches, progress, range_rows):
            numbered.look(found.rows.height, [*_gaps(found.rows), *_of_no_row(found)])
            past = _past(transaction, found)
            again.look(found.conversions.height, _decided_differently(past, found.conversions, undone_batch_ids))
            chain.look(found.changes.height, _broken_chains(found))
            by_rows = set_by_past(past, found.given, undone_batch_ids)
            differing = clicks_differ(transaction, found.facts, found.recorded, by_rows, undone_batch_ids)
            arrivals.look(found.facts.height, differing)
            arrivals.look(found.conversions.height, counted_for_others(found.conversions, found.facts))
            brought.add(found.recorded)
            rows = counted_afresh(found.conversions, found.facts)
            seals = sealed(SegmentKind.CONVERSIONS, [rows])
            conversions_sealed = _sum(conversions_sealed, seals, {"quarter": pl.Int64})
            recounted = Rollups(_sum(recounted, rollup_deltas(completed(found.conversions, STEPS)), ROLLUP_KEY))
        recount.look(recounted.height, _miscounted(read_rollups(transaction), recounted, ROLLUP_KEY))
        totals.look(len(batches), _totals_differ(transaction, batches, recounted))
        afresh = recounted_click_rollups(transaction)
        clicks.look(afresh.height, _miscounted(read_click_rollups(transaction), afresh, CLICK_ROLLUP_KEY))
        there = {SegmentKind.CLICKS: clicks_sealed(transaction), SegmentKind.CONVERSIONS: conversions_sealed}
        for kind, seals in there.items():
            columns.look(seals.height, misplaced(transaction, kind, seals))
        arrivals.look(len(batches), brought.differs_from(batches))
        outcomes.look(len(batches), _outcomes_differ(transaction, batches))
        finished.look(len(batches), _unfinished_undos(batches))
    whole.look(1, integrity_troubles(database))
    return [numbered, again, chain, recount, totals, clicks, arrivals, columns, outcomes, finished, whole]


def _ranges(database: Readable, batches: list[BatchRecord], progress: Progress, range_rows: int) -> Iterator[_Range]:
    rows_in_all = sum(batch.rows_done for batch in batches if batch.kind not in _WITHOUT_ROWS)
    after, looked_at = "", 0
    while True:
        upto = ranges.next_border(database, after, range_rows)
        found = _Range(
            ranges.journal_range(database, after, upto),
            ranges.later_policies_range(database, after, upto),
            ranges.click_facts_range(database, after, upto),
            ranges.recorded_arrivals_range(database, after, upto),
            ranges.sub_parameters_range(database, after, upto),
            ranges.conversions_range(database, after, upto),
            ranges.changes_range(database, after, upto),
        )
        yield found
        looked_at += found.rows.height
        progress(min(looked_at, rows_in_all), rows_in_all)
        if upto is None:
            return
        after = upto


def _gaps(rows: JournalRows) -> list[str]:
    counted = rows.group_by("click_id").agg(
        pl.len().alias("rows"), last=pl.col("n").max(), different=pl.col("n").n_unique()
    )
    wrong = counted.filter((pl.col("rows") != pl.col("last")) | (pl.col("rows") != pl.col("different")))
    return [
        f"click {click_id} has {rows} rows, the last is numbered {last}"
        for click_id, rows, last, _ in wrong.iter_rows()
    ]


def _of_no_row(found: _Range) -> list[str]:
    """Later policies whose row is not there."""
    lost = found.later.join(found.rows, on=["click_id", "n"], how="anti")
    return [
        f"batch {batch_id} decided row {n} of click {click_id} again, which is not there"
        for click_id, n, batch_id in lost.select("click_id", "n", "batch_id").iter_rows()
    ]


def _past(database: Readable, found: _Range) -> Past:
    return past_of(database, found.rows, found.later, with_only_arrivals(found.recorded, found.facts, ARRIVAL_FACTS))


def _decided_differently(past: Past, conversions: Conversions, undone_batch_ids: frozenset[int]) -> list[str]:
    steps = decide_again(past, conversions, without=undone_batch_ids, by_batch=None)
    return [_difference(step) for step in steps.iter_rows(named=True)]


def _difference(step: dict[str, object]) -> str:
    conversion = f"conversion {step['click_id']}-{step['n']}"
    if step["was_version"] is None:
        return f"{conversion} is not stored"
    if step["removed"] and not step["was_removed"]:
        return f"{conversion} is stored, and no row makes it"
    differing = [name for name in MUTABLE if name != "version" and step[name] != step[f"was_{name}"]]
    told = (f"{name} is stored as {step[f'was_{name}']!r} and decided as {step[name]!r}" for name in differing)
    return f"{conversion}: {', '.join(told)}"


def _broken_chains(found: _Range) -> list[str]:
    key = ["click_id", "n"]
    now = found.conversions.select(*key, "version", _NOW)
    ends = (
        found.changes.group_by(*key)
        .agg(changes=pl.len(), last=pl.col("after").last())
        .join(now, on=key, how="full", coalesce=True)
    )
    wrong_ends = ends.filter(_WRONG_END)
    links = found.changes.with_columns(
        previous=pl.col("after").shift(1).over(*key), place=pl.int_range(1, pl.len() + 1).over(*key)
    )
    wrong_links = links.filter(_WRONG_LINK)
    return [
        *(
            f"conversion {click_id}-{n} is not what its last change left"
            for click_id, n in wrong_ends.select(*key).iter_rows()
        ),
        *(
            f"change {version} of conversion {click_id}-{n} does not follow from the one before"
            for click_id, n, version in wrong_links.select(*key, "version").iter_rows()
        ),
    ]


def _sum(cells: pl.DataFrame, more: pl.DataFrame, key: Schema) -> pl.DataFrame:
    values = [name for name in cells.columns if name not in key]
    return pl.concat([cells, more]).group_by(*key).agg(pl.col(values).sum())


def _miscounted(stored: pl.DataFrame, recounted: pl.DataFrame, key: Schema) -> list[str]:
    values = [name for name in stored.columns if name not in key]
    both = stored.join(recounted, on=list(key), how="full", coalesce=True, suffix="_recounted")
    differs = pl.any_horizontal(
        pl.col(name).fill_null(0) != pl.col(f"{name}_recounted").fill_null(0) for name in values
    )
    return [
        f"{', '.join(f'{name} {cell[name]}' for name in key)}: "
        + ", ".join(f"{name} is {cell[name] or 0}, recounted {cell[f'{name}_recounted'] or 0}" for name in values)
        for cell in both.filter(differs).iter_rows(named=True)
    ]


def _totals_differ(database: Readable, batches: list[BatchRecord], recounted: Rollups) -> list[str]:
    afresh = added(totals_of_cells(Rollups(recounted.sort(*ROLLUP_KEY))))
    by_batches = added(*(batch.totals_delta for batch in batches))
    kept = read_totals(database)
    return [
        f"{what}, {finding}"
        for what, sums in (("the batches' sums", by_batches), ("the totals kept", kept))
        for finding in _miscounted(sums, afresh, _TOTALS_KEY)
    ]


def _outcomes_differ(database: Readable, batches: list[BatchRecord]) -> list[str]:
    counted = count_outcomes(database)
    findings = []
    for batch in batches:
        rows = counted.pop(batch.batch_id, {})
        if batch.kind in _WITHOUT_ROWS:
            findings += [f"batch {batch.batch_id} has rows in the journal, and it is no upload"] if rows else []
        elif rows != dict(batch.outcomes) or sum(rows.values()) != batch.rows_done:
            findings.append(f"batch {batch.batch_id} says {dict(batch.outcomes)}, its rows say {rows}")
    return findings + [f"the journal has rows of batch {batch_id}, which does not exist" for batch_id in counted]


def _unfinished_undos(batches: list[BatchRecord]) -> list[Remark]:
    return [
        (f"batch {batch.batch_id} is not finished: ", Way.FINISH_UNDO.of(batch_id=batch.undoes))
        for batch in batches
        if batch.undoes is not None and batch.state is BatchState.RUNNING
    ]

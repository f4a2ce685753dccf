"""The rules alone, without a database: random stories, decided in any groups, and by hand."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import polars as pl
import pytest
from effort import PURE_LAW
from hypothesis import given
from hypothesis import strategies as st
from model import Row, Upload
from playing import COMPARED, book_of, columns_of, conversions_of, told_by
from stories import CLICKS, stories

from trueup.decide.effects import final_conversions
from trueup.decide.pipeline import decide
from trueup.model.batches import Receipt
from trueup.model.frames import CLICK_FACTS, ROWS
from trueup.model.snapshot import NOTHING_STORED, Snapshot
from trueup.model.words import BatchKind, Origin
from trueup.recording.record import as_batch

Told = dict[tuple[int, int], tuple[Any, ...]]

_CLICKS: Final = pl.DataFrame(
    [{"click_id": name, "click_number": 0, **asdict(click)} for name, click in CLICKS.items()]
).select(*CLICK_FACTS)


class Memory:
    """A ledger in memory: what is decided is what the next rows find."""

    def __init__(self) -> None:
        self._stored = replace(NOTHING_STORED, clicks=_CLICKS)
        self.told: Told = {}

    def play(self, place: int, upload: Upload, groups: Sequence[Sequence[Row]]) -> None:
        """Decide the rows of an upload, group after group."""
        receipt = Receipt(
            BatchKind.UPLOAD, Origin.UPLOAD, upload.received_at, "tests", upload.policy.policy_id,
            row_kind=upload.kind, chosen_mode=upload.mode, dialect_mode=upload.dialect_mode, forced=upload.forced,
        )  # fmt: skip
        for rows in groups:
            frame = pl.DataFrame([asdict(row) for row in rows], schema=columns_of(ROWS, Row))
            batch = as_batch(frame, receipt, place)
            decided = decide(batch, self._stored, {upload.policy.policy_id: upload.policy})
            made = decided.journal.select("line", "outcome", "n", "conversion_n", "mode", "mode_from")
            for line, outcome, n, met, *mode in made.iter_rows():
                self.told[place, line] = (outcome, n, 0 if outcome.startswith("refused_") else met, *mode)
            self._stored = _after(self._stored, final_conversions(decided.steps), decided.journal)

    def conversions(self) -> list[tuple[Any, ...]]:
        """The live conversions, in the order of their ids."""
        live = self._stored.conversions.filter(pl.col("removed") == 0)
        return sorted(live.select(*COMPARED).iter_rows())


def _after(stored: Snapshot, conversions: pl.DataFrame, journal: pl.DataFrame) -> Snapshot:
    had = journal.filter(pl.col("n") > 0).group_by("click_id").agg(last_n=pl.col("n").max())
    kept = stored.conversions.join(conversions, on=["click_id", "n"], how="anti")
    others = stored.last_rows.join(had, on="click_id", how="anti")
    return Snapshot(
        clicks=stored.clicks,
        conversions=pl.concat([kept, conversions.select(kept.columns)]),
        last_rows=pl.concat([others, had.select(others.columns)]),
    )


@pytest.mark.law
@PURE_LAW
@given(story=stories(), data=st.data())
def test_rules__give_the_same_purely_as_by_hand_however_rows_are_grouped(
    story: list[Upload], data: st.DataObject
) -> None:
    memory, book = Memory(), book_of(story)
    for place, upload in enumerate(story):
        size = data.draw(st.integers(1, 5) | st.just(len(upload.rows)), label="rows at a time")
        memory.play(place, upload, [upload.rows[at : at + size] for at in range(0, len(upload.rows), size)])
    assert memory.told == told_by(book)
    assert memory.conversions() == conversions_of(book)

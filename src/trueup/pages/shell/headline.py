"""What a batch does in one line: how many changes, and by how much the money changes."""

from dataclasses import dataclass
from typing import Final

from trueup.model.catalog import Catalog
from trueup.model.words import ClickOutcome, Outcome
from trueup.pages.shell.formats import change, count
from trueup.recording.summary import Summary

_CHANGING: Final = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.ADDED_TO_PAYOUT, ClickOutcome.IMPORTED})


@dataclass(frozen=True)
class Headline:
    """Its numbers."""

    changes: int  # conversions, or clicks
    noun: str  # of one of them
    money: int  # by which the revenue changes, micros
    currency: str

    @property
    def text(self) -> str:
        """Such as `12,408 changes, +3,102.50 USD`: it stands on buttons, too."""
        noun = self.noun if self.changes == 1 else f"{self.noun}s"
        return f"{count(self.changes)} {noun}, {change(self.money) if self.money else '0.00'} {self.currency}"


def headline_of(summary: Summary, catalog: Catalog, *, is_undo: bool = False) -> Headline:
    """What a preview or a batch comes to.

    Args:
        summary: Its numbers.
        catalog: The setup.
        is_undo: Whether it is the undo of a batch, whose changes are counted by the clicks that it turns.
    """
    before, after = summary.sums(catalog)
    is_clicks = is_undo or any(outcome in set(ClickOutcome) - set(Outcome) for outcome in summary.outcomes)
    changes = sum(rows for outcome, rows in summary.outcomes.items() if outcome in _CHANGING)
    return Headline(
        changes=summary.rows if is_undo else changes,
        noun="click" if is_clicks else "change",
        money=after.revenue - before.revenue,
        currency=catalog.workspace.currency,
    )

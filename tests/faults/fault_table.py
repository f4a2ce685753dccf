"""The table of every fault that was tried, written by the run that tried them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from ledger_seen import Compared
    from load import Round

BEGINS, ENDS = "<!-- the table: written by `make test-faults` -->", "<!-- the end of the table -->"
BEFORE, AFTER = "before and between", "the end"  # not faults, but counted like those
_HEADER: Final = "| what fails | database | rounds | acknowledged | lost | twice | by hand | did not recover | test |"


@dataclass(frozen=True)
class Tried:
    """One fault, and what came of it."""

    fault: str
    rounds: int
    acknowledged: int
    lost: int
    twice: int
    by_hand: int  # clicks that were there once a person had them recorded
    troubles: tuple[str, ...]  # everything that must not be, in words

    @classmethod
    def of(cls, fault: str, rounds: "Sequence[Round]", compared: "Sequence[Compared]", by_hand: set[str]) -> Self:
        """Sum up the rounds of a fault.

        Args:
            fault: What failed. rounds: The rounds.
            compared: What the ledger lacks of each.
            by_hand: All clicks that are in the ledger only because a person had them recorded.
        """
        troubles = []
        for turn, found in zip(rounds, compared, strict=True):
            missing = [*found.lost[:2], *found.twice[:2]]
            if missing:
                counts = f"{len(found.lost)} lost, {len(found.twice)} twice of {turn.acknowledged} acknowledged"
                troubles.append(f"{turn.name}: {counts}, such as {', '.join(missing)}")
            troubles += [f"{turn.name}: {text}" for text in turn.troubles]
        return cls(
            fault,
            len(rounds),
            sum(turn.acknowledged for turn in rounds),
            sum(len(found.lost) for found in compared),
            sum(len(found.twice) for found in compared),
            sum(len(turn.clicks & by_hand) for turn in rounds),
            tuple(troubles),
        )


class FaultTable:
    """All that was tried in this run."""

    def __init__(self) -> None:
        self._rows: list[tuple[Tried, str, str]] = []

    def add(self, tried: Sequence[Tried], database: str, test: str) -> None:
        """Add what came of a test.

        Args:
            tried: Each fault.
            database: Its kind.
            test: The test, as pytest names it.
        """
        told = [each for each in tried if each.troubles or (each.fault not in (BEFORE, AFTER) and each.rounds)]
        self._rows += [(each, database, test.partition("[")[0]) for each in told]

    def text(self) -> str:
        """The table, as Markdown."""
        merged: dict[tuple[str, str, str], list[int]] = {}
        for each, database, test in self._rows:
            sums = merged.setdefault((each.fault, database, test), [0] * 6)
            numbers = (each.rounds, each.acknowledged, each.lost, each.twice, each.by_hand, len(each.troubles))
            sums[:] = [so_far + more for so_far, more in zip(sums, numbers, strict=True)]
        lines = [_HEADER, "|---|---|--:|--:|--:|--:|--:|--:|---|"]
        for (fault, database, test), sums in merged.items():
            rounds, acknowledged, lost, twice, by_hand, troubles = sums
            # A trouble that is not a loss is a server that did not come back, or answered what it must not.
            other = max(0, troubles - bool(lost or twice))
            name = test.rpartition("/")[2].replace("::", "` `")
            row = (fault, database, rounds, f"{acknowledged:,}", lost, twice, by_hand, other, f"`{name}`")
            lines.append(f"| {' | '.join(map(str, row))} |")
        total = [sum(sums[place] for sums in merged.values()) for place in range(5)]
        lines.append(f"| **all** | | {total[0]} | {total[1]:,} | {total[2]} | {total[3]} | {total[4]} | | |")
        return "\n".join(lines)

    def write(self, page: Path) -> None:
        """Put the table into a page, between its marks."""
        text = page.read_text(encoding="utf-8")
        marks = re.compile(f"{re.escape(BEGINS)}.*?{re.escape(ENDS)}", re.DOTALL)
        assert marks.search(text), f"{page} has no place for the table"
        page.write_text(marks.sub(lambda _: f"{BEGINS}\n\n{self.text()}\n\n{ENDS}", text), encoding="utf-8")

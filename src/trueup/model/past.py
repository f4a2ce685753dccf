"""The past: what clicks are decided again from, and how a person says which rows of it are meant."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, TypeVar

import polars as pl

from trueup.model.frame_ops import collect_unoptimized
from trueup.model.frames import ArrivalFacts, Arrivals, JournalRows, LaterPolicies
from trueup.model.policy import Policy

Of = TypeVar("Of", ArrivalFacts, Arrivals)


@dataclass(frozen=True)
class Past:
    """Everything that deciding some clicks again starts from."""

    rows: JournalRows  # every row that ever came for them
    later: LaterPolicies  # of these rows
    arrivals: ArrivalFacts  # every way in which the clicks ever arrived
    policies: Mapping[int, Policy]  # all that the rows, and their later policies, name


def clicks_that_count(arrivals: Of, without: frozenset[int]) -> pl.DataFrame:
    """Find what some clicks are: the first arrival of each that counts.

    Args:
        arrivals: Every arrival of these clicks (ARRIVALS or ARRIVAL_FACTS).
        without: The undone batches, whose arrivals do not count.

    Returns:
        One arrival for each click that is known, in the order of click ids.
    """
    counting = arrivals.lazy().filter(~pl.col("batch_id").is_in(list(without))).sort("click_id", "place")
    return collect_unoptimized(counting.unique("click_id", keep="first", maintain_order=True))


@dataclass(frozen=True)
class PastRows:
    """Which rows of the past are meant. What is not given lets everything through."""

    batch_id: int | None = None
    lines: tuple[int, ...] = ()  # of that batch
    from_at: int | None = None  # received at this moment or later, in microseconds since the epoch
    to_at: int | None = None  # received before this moment
    network_ids: tuple[int, ...] = ()  # of the rows' clicks
    conversion_types: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()  # as they were recorded

    @property
    def text(self) -> str:
        """The same as JSON, by which the same choice is known again."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read back what `text` wrote."""
        stored = json.loads(text).items()
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored}
        return cls(**values)

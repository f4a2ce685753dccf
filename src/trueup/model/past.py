"""The past: what clicks are decided again from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from trueup.model.frames import ArrivalFacts, Arrivals, JournalRows
from trueup.model.policy import Policy

Of = TypeVar("Of", ArrivalFacts, Arrivals)


@dataclass(frozen=True)
class Past:
    """Everything that deciding some clicks again starts from."""

    rows: JournalRows  # every row that ever came for them
    arrivals: ArrivalFacts  # every way in which they ever arrived
    policies: Mapping[int, Policy]  # all that the rows name


def clicks_that_count(arrivals: Of, without: frozenset[int]) -> pl.DataFrame:
    """Find what some clicks are: the first arrival of each that counts.

    Args:
        arrivals: Every arrival of these clicks (ARRIVALS or ARRIVAL_FACTS).
        without: The undone batches, whose arrivals do not count.

    Returns:
        One arrival for each click that is known, in the order of click ids.
    """
    counting = arrivals.filter(~pl.col("batch_id").is_in(list(without))).sort("click_id", "place")
    return counting.unique("click_id", keep="first", maintain_order=True)

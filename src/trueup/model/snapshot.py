"""What the ledger holds of a batch's clicks at the moment of decision."""

from dataclasses import dataclass
from typing import Final, NewType

import polars as pl

from trueup.model.frames import CLICK_FACTS, CONVERSIONS, ClickFacts, ColumnsOf, Conversions, empty

LastRows = NewType("LastRows", pl.DataFrame)  # LAST_ROWS
LAST_ROWS: Final = ColumnsOf[LastRows]({"click_id": pl.String, "last_n": pl.Int64})


@dataclass(frozen=True)
class Snapshot:
    """The stored facts that decisions need, read once."""

    clicks: ClickFacts  # of the clicks that are known
    conversions: Conversions  # of these clicks, removed ones included
    last_rows: LastRows  # how many rows each click has had, known or not


NOTHING_STORED: Final = Snapshot(clicks=empty(CLICK_FACTS), conversions=empty(CONVERSIONS), last_rows=empty(LAST_ROWS))

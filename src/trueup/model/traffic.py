"""Live traffic: what a visitor or a network sends, and what it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from trueup.model.words import Origin, Outcome

Click = tuple[Any, ...]  # the values of CLICKS, in order


class Stranger(Enum):
    """Who sends a postback or a pixel without a good key of a network."""

    NO_KEY = auto()
    UNKNOWN_KEY = auto()  # there was a key that is nobody's


@dataclass(frozen=True, slots=True)
class IncomingConversion:
    """One postback or pixel, as it was read."""

    row: Mapping[str, Any]  # the columns of ROWS that it gives
    origin: Origin
    sender: int | Stranger = Stranger.NO_KEY  # the affiliate network whose key it brought
    address: str = ""  # where it came from
    sub_parameters: Mapping[str, str] | None = None  # sub1 to sub10 to set for its click
    wants_text: bool = False  # the sender wants a message, whatever the outcome


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of a postback's or a pixel's row."""

    outcome: Outcome
    click_id: str
    conversion_id: str | None
    text: str  # for a person; '' where nothing is wrong and the sender wants no message

    @property
    def is_taken(self) -> bool:
        """Whether the row was accepted for a click that is stored. Parked rows are left out: anybody can send those."""
        return self.outcome.taken

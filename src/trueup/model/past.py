"""The past: what clicks are decided again from, and how a person says which rows of it are meant."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from trueup.model.frames import ClickFacts, JournalRows, LaterPolicies
from trueup.model.policy import Policy


@dataclass(frozen=True)
class Past:
    """Everything that deciding some clicks again starts from."""

    rows: JournalRows  # every row that ever came for them
    later: LaterPolicies  # of these rows
    clicks: ClickFacts  # of those that are known
    policies: Mapping[int, Policy]  # all that the rows, and their later policies, name


@dataclass(frozen=True)
class PastRows:
    """Which rows of the past are meant. What is not given lets everything through."""

    batch_id: int | None = None
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

"""A mapping that was made by hand and saved: how files with the same titles are read when a person says its name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.model.words import UploadKind

NAME_CHARS: Final = 64  # the longest name


@dataclass(frozen=True)
class SavedMapping:
    """How files with some titles are read."""

    kind: UploadKind  # of its files: clicks, or conversions, which have the same fields as statuses
    name: str
    titles: frozenset[str]  # normalised
    columns: Mapping[str, str] = field(default_factory=dict)  # the file's column title -> our field, '' to leave it out
    dialect: str | None = None
    time_zone: str | None = None
    time_format: str | None = None
    decimal_comma: bool = False
    thousands: bool = False
    made_by: str = ""
    made_at: int = 0  # microseconds UTC

    @property
    def choices(self) -> dict[str, Any]:
        """What it chooses for a file, by the names of `Choices` and `UploadChoices`."""
        chosen = {"columns": dict(self.columns), "dialect": self.dialect, "time_zone": self.time_zone}
        return chosen | {
            "time_format": self.time_format,
            "decimal_comma": self.decimal_comma,
            "thousands": self.thousands,
        }

    def choices_text(self) -> str:
        """What it chooses as JSON, for the ledger."""
        return json.dumps(self.choices, sort_keys=True)

    def titles_text(self) -> str:
        """The titles as JSON, for the ledger."""
        return json.dumps(sorted(self.titles))


def name_trouble(name: str) -> str:
    """Why a mapping cannot have a name, '' where it can."""
    if not name.strip() or len(name) > NAME_CHARS or not name.isprintable():
        return f"the name of a mapping has 1 to {NAME_CHARS} printable characters"
    return ""

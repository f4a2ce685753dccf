"""How a person likes their pages: colours, density, letter keys, the columns of lists."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from trueup.model.words import Density, Theme

E = TypeVar("E", bound=StrEnum)

COLUMNS: Final = "columns."  # before the name of a list
_ON, _OFF = "on", "off"


@dataclass(frozen=True)
class Preferences:
    """A person's preferences. What was never chosen is as here."""

    theme: Theme = Theme.AUTO
    density: Density = Density.NORMAL
    letter_keys: bool = True  # whether single letters are keys, such as `g c`
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the columns of a list, by the list's name


def preferences_from(stored: Mapping[str, str]) -> Preferences:
    """Read preferences as they are stored. What another version of the program wrote there counts as not chosen.

    Args:
        stored: Values by names.

    Returns:
        The preferences.
    """
    lists = {name.removeprefix(COLUMNS): _columns(text) for name, text in stored.items() if name.startswith(COLUMNS)}
    return Preferences(
        theme=_word(Theme, stored.get("theme", ""), Theme.AUTO),
        density=_word(Density, stored.get("density", ""), Density.NORMAL),
        letter_keys=stored.get("letter_keys") != _OFF,
        columns={name: columns for name, columns in lists.items() if columns},
    )


def stored_from(preferences: Preferences) -> dict[str, str]:
    """Write preferences as they are stored: values by names."""
    return {
        "theme": preferences.theme.value,
        "density": preferences.density.value,
        "letter_keys": _ON if preferences.letter_keys else _OFF,
        **{f"{COLUMNS}{name}": json.dumps(columns) for name, columns in preferences.columns.items()},
    }


def _word(words: type[E], text: str, default: E) -> E:
    return next((word for word in words if word.value == text), default)


def _columns(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()

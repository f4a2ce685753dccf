"""Which commands there are, and the file of each: none waits for what only others need."""

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from trueup.loading import loading

_FILES: Final[Mapping[str, str]] = {
    "serve": "serve",
    "upload": "upload",
    "update-status": "upload",
    "undo": "undo",
    "decide-again": "decide_again",
    "batches": "undo",
    "batch": "batch",
    "click": "look_up",
    "search": "look_up",
    "history": "history",
    "conversions": "conversions",
    "report": "report",
    "template": "template",
    "audit": "audit",
    "backup": "backup",
    "demo": "demo",
    "clicks": "clicks",
    "setup": "setup",
    "postbacks": "postbacks",
    "keys": "keys",
    "users": "users",
    "mappings": "mappings",
    "spool": "spool",
}
MARKUP: Final = "markdown"  # of the help


class AllCommands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own
        """Load none of them yet."""
        super().__init__(**attributes)
        self.commands = _Commands()


class _Commands(UserDict[str, Any]):
    """The commands by name, in the order of the help."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(_FILES))

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - the class of all commands is typer's own
        if super().__getitem__(name) is None:
            self.data |= _commands_of(_FILES[name])
        return self.data[name]


def _commands_of(file: str) -> Mapping[str, Any]:
    with loading():
        module = import_module(f"trueup.cli.{file}")
    all_of_it = typer.Typer(rich_markup_mode=MARKUP)
    all_of_it.add_typer(module.commands)
    return get_group(all_of_it).commands

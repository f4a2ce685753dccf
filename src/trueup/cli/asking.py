"""A file that can be read in several ways: the person at the terminal is asked which is meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

import typer

from trueup.cli.terminal import at_terminal, notices, refused_by_a_person, stop
from trueup.cli.wording import in_words
from trueup.dialects.choices import ChoiceNeeded, Choices, UnreadableFile
from trueup.model.visible import on_one_line

Read = TypeVar("Read")


def with_choices_asked(choices: Choices, name: str, read: Callable[[Choices], Read], *, asks: bool) -> Read:
    """Read a file, asking the person for what only a person can say. Ends the command where it cannot be read.

    Args:
        choices: What was chosen for the file on the command line.
        name: What the file is called.
        read: Reads it.
        asks: Whether the person wants to be asked.

    Returns:
        What came of reading it.
    """
    while True:
        try:
            return read(choices)
        except ChoiceNeeded as needed:
            if not asks or not at_terminal():
                _stop_unread(name, needed)
            answer: dict[str, Any] = {needed.choice: needed.values[_asked(name, needed)]}
            choices = replace(choices, **answer)
        except UnreadableFile as error:
            _stop_unread(name, error)


def _stop_unread(name: str, error: UnreadableFile) -> NoReturn:
    stop(f"{on_one_line(name)}: {in_words(error.remark)}")


def _asked(name: str, needed: ChoiceNeeded) -> str:
    notices.print(f"{on_one_line(name)}: {in_words(needed.remark)}")
    for place, (choice, reading) in enumerate(needed.readings.items(), 1):
        notices.print(f"  {place}  {choice}: {reading}")
    known = {str(place): choice for place, choice in enumerate(needed.readings, 1)}
    while True:
        try:
            answer: str = typer.prompt(f"Which is it? [{'/'.join(known)}]", err=True)
        except typer.Abort:
            notices.print()
            refused_by_a_person()
        if answer in known or answer in needed.readings:
            return known.get(answer, answer)

"""Read small files in tests, and look at what came out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from trueup.cli.wording import in_words
from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.read import Reading, read_file
from trueup.model.words import Outcome


def read(text: str | bytes, **choices: Any) -> Reading:  # noqa: ANN401 - any field of Choices
    """Read a file's text or bytes with these choices."""
    return read_file(text.encode() if isinstance(text, str) else text, Choices(**choices))


def column(reading: Reading, name: str) -> list[Any]:
    """One column of the rows."""
    return list(reading.rows[name])


def refusals(reading: Reading) -> dict[int, str]:
    """Line -> outcome of the rows refused on sight."""
    noted = reading.notes.rows(named=True)
    return {note["line"]: Outcome(note["refusal"]).value for note in noted if note["refusal"]}


def details(reading: Reading) -> dict[int, str]:
    """Line -> cause of the rows refused on sight."""
    return {note["line"]: note["detail"] for note in reading.notes.rows(named=True) if note["refusal"]}


def sentences(reading: Reading) -> tuple[str, ...]:
    """What is said of a file that was read, as the command line says it."""
    return tuple(map(in_words, reading.statement))


@contextmanager
def unreadable(message: str) -> Iterator[None]:
    """Expect that a file is not read, and that the command line would say why in words that match."""
    with pytest.raises(UnreadableFile) as refused:
        yield
    assert re.search(message, in_words(refused.value.remark))

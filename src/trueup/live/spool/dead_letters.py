"""Clicks that the database refuses by themselves: kept with the reason, until a person has them tried again.

One JSON line each, in `dead-letters.jsonl` of the server's folder. Several programs may use it at once.
"""

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trueup.model.frames import CLICKS
from trueup.model.traffic import Click
from trueup.uploads.durable_files import make_folder, sync_folder, write_all, write_whole

_NAME: Final = "dead-letters.jsonl"
_LOCK: Final = "dead-letters.lock"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A click that was refused."""

    click: Click
    reason: str
    refused_at: int  # microseconds UTC


class DeadLetters:
    """The dead letters of one folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened.

        Args:
            folder: The server's folder.
        """
        self.path, self._lock_path = folder / _NAME, folder / _LOCK

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Keep letters; all are on disk when this returns.

        Raises:
            OSError: None is kept: the clicks must stay where they are.
        """
        lines = "".join(map(_line, letters)).encode()
        with self._locked():
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _append(file, lines)
            finally:
                os.close(file)
            sync_folder(self.path.parent)

    def read(self) -> list[DeadLetter]:
        """The letters, oldest first; of one click that was refused more than once, the last.

        Raises:
            OSError: They cannot be read.
        """
        read = (_letter(line) for line in self._lines())
        return list({letter.click: letter for letter in read if letter}.values())

    def count(self) -> int:
        """How many there are.

        Raises:
            OSError: They cannot be read.
        """
        return len(self.read())

    def unreadable(self) -> int:
        """How many lines are no letters; they stay in the file for a person to look at.

        Raises:
            OSError: They cannot be read.
        """
        return sum(_letter(line) is None for line in self._lines())

    def take_back(self, stored: Collection[Click]) -> None:
        """Remove the letters of clicks that the ledger has now. Every other line stays as it is.

        Raises:
            OSError: All are still there.
        """
        gone = frozenset(stored)
        with self._locked():
            left = [line for line in self._lines() if (letter := _letter(line)) is None or letter.click not in gone]
            write_whole(self.path, b"".join(line + b"\n" for line in left))

    def _lines(self) -> list[bytes]:
        try:
            return [line for line in self.path.read_bytes().split(b"\n") if line]
        except FileNotFoundError:
            return []

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the letters' lock, which is a file of its own: their file may be put in another's place."""
        make_folder(self.path.parent)
        lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _append(file: int, lines: bytes) -> None:
    """Write whole lines at a file's end, whose last one a loss of power may have cut short."""
    size = os.fstat(file).st_size
    is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
    try:
        write_all(file, b"\n" + lines if is_torn else lines)
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, size)
        raise


def _line(letter: DeadLetter) -> str:
    click = dict(zip(CLICKS, letter.click, strict=False))  # one that is no click is for a person to look at
    return json.dumps({"refused_at": letter.refused_at, "reason": letter.reason, "click": click}) + "\n"


def _letter(line: bytes) -> DeadLetter | None:
    try:
        told: dict[str, Any] = json.loads(line)
        click = tuple(told["click"][name] for name in CLICKS)
        return DeadLetter(click, str(told["reason"]), int(told["refused_at"]))
    except (ValueError, KeyError, TypeError):
        return None

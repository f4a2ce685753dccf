"""What can be seen of a spool file without holding it, and how its bytes are read from a disk that may fail."""

import json
import os
from pathlib import Path
from typing import Final

from pydantic_core import from_json, to_json

from trueup.live.spool.records import BEGIN, Stretch, read_header, survey
from trueup.model.traffic import Click

_BLOCK: Final = 1 << 20  # read at once
_PAGE: Final = 1 << 12  # read at once where a block cannot be read


def is_spool_file(name: str) -> bool:
    """Whether a file of this name is one that `SpoolFile.claim` makes."""
    return name.startswith("clicks-") and name.endswith(".spool")


def waiting_in(path: Path | str) -> int:
    """How many bytes of clicks wait in a file, whoever holds it. Reads its header only.

    It is never 0 while a click that was kept waits there. A file whose header is damaged counts as a whole.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        for _ in range(3):  # one that is written just now may be seen half
            told = read_header(os.pread(file, BEGIN, 0))
            if told:
                return told.end - BEGIN
        size = os.fstat(file).st_size
        content, is_whole = read_whole(file, size)
        return size if content.strip(b"\0") or not is_whole else 0
    finally:
        os.close(file)


def look_into(path: Path) -> tuple[list[Click], tuple[Stretch, ...]]:
    """See what waits in a file, whoever holds it: not to be recorded from, as it may be emptied meanwhile.

    Returns:
        The clicks, and what is damaged.

    Raises:
        OSError: The file cannot be read.
    """
    found: tuple[list[Click], tuple[Stretch, ...]] = ([], ())
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for _ in range(5):  # one that is written just now may be seen half
            content, is_whole = read_whole(file, os.fstat(file).st_size)
            if is_whole and not content.strip(b"\0"):
                return [], ()
            told = read_header(content)
            seen = survey(content, told)
            found = ([click for text in seen.texts for click in clicks_of(text)], seen.damaged)
            if told == read_header(os.pread(file, BEGIN, 0)):
                break
    finally:
        os.close(file)
    return found


def read_whole(file: int, size: int) -> tuple[bytes, bool]:
    """Read a file from its beginning. What the disk does not give is read as zeros, and makes it not whole."""
    parts, is_whole = [], True
    for place in range(0, size, _BLOCK):
        length = min(_BLOCK, size - place)
        try:
            parts.append(os.pread(file, length, place))
        except OSError:
            is_whole = False
            parts += [_page(file, at, min(_PAGE, size - at)) for at in range(place, place + length, _PAGE)]
    return b"".join(parts), is_whole


def _page(file: int, place: int, length: int) -> bytes:
    try:
        return os.pread(file, length, place).ljust(length, b"\0")
    except OSError:
        return bytes(length)


def text_of(click: Click) -> bytes:
    """A click as it stands in a record."""
    try:
        return to_json(click)
    except ValueError:  # text that is none, such as half of a pair of surrogates
        return json.dumps(click).encode()


def clicks_of(text: bytes) -> list[Click]:
    """The clicks of a record's text."""
    try:
        return [tuple(click) for click in from_json(text)]
    except ValueError:
        return [tuple(click) for click in json.loads(text)]

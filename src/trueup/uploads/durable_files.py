"""Files that are on disk whole, under their name, or not at all: also after a loss of power."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import Final

_UNNAMED: Final = ".new"


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, where it is missing; its name is on disk when this returns.

    Raises:
        OSError: It cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for place in missing:
        sync_folder(place.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place, in that of an older one too. It can be read by its owner only.

    Raises:
        OSError: It is not written, and what stood there before still does.
    """
    with _part(path, content) as part:
        part.replace(path)
    sync_folder(path.parent)


def write_first(path: Path, content: bytes) -> bool:
    """Put a file in its place unless one stands there; of programs that race for it, one wins.

    Returns:
        Whether it is this one.

    Raises:
        OSError: It is not written.
    """
    try:
        with _part(path, content) as part:
            path.hardlink_to(part)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True


def write_all(file: int, content: bytes) -> None:
    """Write all of something at a file's place. One write may take less than it is given.

    Raises:
        OSError: Some of it may be written.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def sync_folder(folder: Path) -> None:
    """Have the names of a folder's files on disk.

    Raises:
        OSError: They may not be.
    """
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(place)
    finally:
        os.close(place)


@contextmanager
def _part(path: Path, content: bytes) -> Iterator[Path]:
    """A file on disk that is to take a place beside it; it is gone when the block ends."""
    file, name = mkstemp(prefix=f".{path.name}.", suffix=_UNNAMED, dir=path.parent)
    part = Path(name)
    try:
        try:
            write_all(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        yield part
    finally:
        part.unlink(missing_ok=True)

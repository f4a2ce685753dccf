"""Which file a name leads to, and why a command may not write there.

Two names are the same place if they lead to the same file: by links, by relative paths and, where the disk ignores
case, in other letters. A file that does not exist yet is known by its folder and its name.
"""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from trueup.cli.stopping import removed_at_the_end

_SQLITE: Final = "sqlite:///"
_BESIDE_DATABASE: Final = ("-wal", "-shm", "-journal", ".lock", "-lock")
_SPOOL: Final = "clicks-0.spool"  # every folder of a server has one
_SERVER_FOLDER: Final = "TRUEUP_FOLDER"


@dataclass(frozen=True)
class Place:
    """Where a name leads."""

    given: str
    path: Path  # links followed
    found: os.stat_result | None  # what is there

    @property
    def is_special(self) -> bool:
        """Whether it is a device or a named pipe: what is written there replaces nothing, and cannot be taken back."""
        return self.found is not None and (stat.S_ISCHR(self.found.st_mode) or stat.S_ISFIFO(self.found.st_mode))

    def is_same(self, other: "Place") -> bool:
        """Whether both are one file, even one that does not exist yet."""
        if self.found and other.found:
            return os.path.samestat(self.found, other.found)
        if self.found or other.found or self.path.name.casefold() != other.path.name.casefold():
            return False
        return _is_same_folder(self.path.parent, other.path.parent)


def place_of(name: str) -> Place:
    """Find out where a name leads.

    Args:
        name: A path as the person wrote it.

    Returns:
        The place.

    Raises:
        OSError: It cannot be found out.
    """
    found = None
    with suppress(FileNotFoundError):
        found = os.stat(name)  # noqa: PTH116 - a path would lose the slash at the end of a folder's name
    try:
        return Place(name, Path(name).resolve(), found)
    except RuntimeError:
        raise OSError(0, "its links lead in a circle") from None


def stream_of(name: str) -> str:
    """The standard stream that a name such as /dev/stdout leads to, '' for none."""
    for stream in ("stdout", "stderr"):
        with suppress(OSError, ValueError, AttributeError):
            leads, goes = os.stat(name), os.fstat(getattr(sys, stream).fileno())  # noqa: PTH116 - it follows more
            is_nowhere = stat.S_ISCHR(goes.st_mode) and not getattr(sys, stream).isatty()
            if os.path.samestat(leads, goes) and not is_nowhere:
                return stream
    return ""


def inputs_at(names: Sequence[str]) -> list[Place]:
    """The files that a command reads, with the one behind standard input for `-`. What cannot be read is left out."""
    found = []
    for name in names:
        with suppress(OSError, ValueError, AttributeError):
            if name == "-":
                found.append(Place(name, Path(name), os.fstat(sys.stdin.fileno())))
            else:
                found.append(place_of(name))
    return found


def standing_in_the_way(place: Place, url: str, reads: Sequence[Place], taken: Sequence[Place]) -> str:
    """Why a command may not write to a place, '' where it may.

    Args:
        place: The place.
        url: The database.
        reads: What the command reads.
        taken: What else it writes to.

    Returns:
        What stands after the name in a sentence.

    Raises:
        OSError: The place cannot be written.
    """
    checks = (
        (not place.is_special and _is_one_of(place, reads), "is the file that is read: it would be lost"),
        (not place.is_special and _is_one_of(place, taken), "is named for two outputs: one of them would be lost"),
        (_is_of_database(place, url), "belongs to the database, which would be lost"),
        (_is_of_server(place), "is in the folder of a server, which keeps its own files there"),
        (place.found is not None and stat.S_ISDIR(place.found.st_mode), "cannot be written: it is a folder"),
        (not place.path.parent.is_dir(), f"cannot be written: there is no folder {place.path.parent}"),
        (not place.is_special and not _is_file(place), "cannot be written: it is no file"),
    )
    trouble = next((why for stands, why in checks if stands), "")
    if not trouble:
        _try_to_write(place)
    return trouble


def _is_one_of(place: Place, others: Sequence[Place]) -> bool:
    return any(place.is_same(other) for other in others)


def _is_file(place: Place) -> bool:
    return stat.S_ISREG(place.found.st_mode) if place.found else not place.given.endswith("/")


def _is_of_database(place: Place, url: str) -> bool:
    name = url.removeprefix(_SQLITE)
    if name == url or not name:
        return False
    with suppress(OSError):
        database = place_of(name)
        return any(place.is_same(place_of(each)) for each in _files_of(name, database.path))
    return False


def _files_of(name: str, path: Path) -> Iterator[str]:
    """The names of a database, and of the files that SQLite and a server make beside it. A link to it is followed."""
    for each in (name, str(path)):
        yield each
        yield from (each + ending for ending in _BESIDE_DATABASE)


def _is_of_server(place: Place) -> bool:
    folders = place.path.parents
    told = os.environ.get(_SERVER_FOLDER)
    if told and any(_is_same_folder(Path(told), folder) for folder in folders):
        return True
    return any((folder / _SPOOL).exists() for folder in folders)


def _is_same_folder(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def _try_to_write(place: Place) -> None:
    """Find out whether a place can be written.

    Raises:
        OSError: It cannot.
    """
    if place.found and not os.access(place.given, os.W_OK):
        raise PermissionError(0, "Permission denied")
    if not place.is_special:
        probe = place.path.with_name(f".trueup-{token_hex(8)}.part")
        with removed_at_the_end(probe):
            os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

"""The server's folder, as far as clicks go: which files of them there are, and how much waits in all of them.

Used like this:

    folder = SpoolFolder(settings.folder, settings.spool_bytes)
    files = folder.claim_two()             # to write to, one pair for each process
    for file in folder.adopt():            # what other programs left: at the start, and now and then
        contents = file.read()             # its damage is to be logged and counted
        ...                                # record contents.clicks
        file.empty()
        file.close()
    folder.waiting_bytes()                 # 0: the ledger has every click that any process was brought
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final
from uuid import uuid4

from trueup.live.spool.file import DAMAGED_FILES, SpoolFile, claim_two
from trueup.live.spool.look import is_spool_file, waiting_in
from trueup.uploads.durable_files import make_folder, write_first

_IDENTITY: Final = "folder-id"


class SpoolFolder:
    """The spool files of a folder, whoever holds them."""

    def __init__(self, folder: Path, size: int) -> None:
        """Nothing is opened.

        Args:
            folder: Where the files stand.
            size: How many bytes the two files of a process may have together.
        """
        self.folder, self._size = folder, size

    def identity(self) -> str:
        """What tells this folder from those of other servers, made when it is asked for first.

        Raises:
            OSError: The folder cannot be used.
        """
        make_folder(self.folder)
        path = self.folder / _IDENTITY
        if not path.exists():
            write_first(path, uuid4().hex.encode())
        return path.read_text(encoding="ascii")

    def claim_two(self) -> tuple[SpoolFile, SpoolFile]:
        """Take two files that no program holds, with whatever an earlier program left in them.

        Raises:
            OSError: The folder cannot be written, or has no room.
        """
        return claim_two(self.folder, self._size)

    def adopt(self) -> list[SpoolFile]:
        """Take every file in which something waits and which no program holds, whoever wrote it.

        Returns:
            The files, to be read, recorded, emptied and closed; one that is closed unemptied can be adopted again.

        Raises:
            OSError: A file cannot be opened; none is taken.
        """
        adopted: list[SpoolFile] = []
        try:
            for path in self.files():
                file = SpoolFile.adopt(path)
                if file is not None:
                    adopted.append(file)
        except BaseException:
            for file in adopted:
                file.close()
            raise
        return adopted

    def waiting_bytes(self, but: Collection[str] = ()) -> int:
        """How many bytes of clicks wait in all files, whoever holds them; a few microseconds for each file.

        It is never 0 while a click that was acknowledged, by any process, is not yet in the ledger.

        Args:
            but: Files that are not looked at, by their paths.

        Raises:
            OSError: A file cannot be read.
        """
        return sum(waiting_in(path) for path in self._paths() if path not in but)

    def files(self) -> list[Path]:
        """The spool files, in the order of their numbers."""
        return sorted(map(Path, self._paths()), key=_number)

    def damaged_files(self) -> list[Path]:
        """What was damaged and kept aside."""
        return sorted(self.folder.glob(DAMAGED_FILES))

    def _paths(self) -> list[str]:
        """The spool files, as fast as they can be found: it is asked on the way of requests."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - paths as objects take longer than all the rest
        except FileNotFoundError:
            return []
        return [f"{self.folder}/{name}" for name in names if is_spool_file(name)]


def _number(path: Path) -> tuple[int, str]:
    digits = path.stem.partition("-")[2]
    return (int(digits) if digits.isdecimal() else -1), path.name

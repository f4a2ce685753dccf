"""The folder of sent files: each is written whole or not at all, and held by the one program that is at work on it.

A file's name is its upload id. Beside it stands what its sender said of it, so that a ledger that does not know the
file can take it up again; and what is known of it: how it was read, what a preview came to, and since when its work has
been at an end. What a server wrote when it was killed is left over as a part, which nobody holds any more.
"""

import fcntl
import hashlib
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from trueup.dialects.decode import Content
from trueup.uploads.durable_files import sync_folder, write_whole

_PART: Final = ".part"
_ACCOUNT: Final = ".json"
_ROWS: Final = ".parquet"
_NOTE: Final = ".sent"
_ENDED: Final = ".ended"


class Incoming:
    """A file that is being received."""

    def __init__(self, path: Path) -> None:
        """Begin a file.

        Args:
            path: Where it is to stand when it is whole. Nothing may stand there.

        Raises:
            OSError: It cannot be written.
        """
        self._path, self._part = path, path.with_name(path.name + _PART)
        self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._digest = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """The digest of what has come so far, hex."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Take more of the file. Raises: OSError when there is no room."""
        self._digest.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self.bytes += len(chunk)

    def keep(self) -> None:
        """Put the whole file in its place; it is on disk when this returns. Raises: OSError."""
        os.fsync(self._file)
        self._part.rename(self._path)
        sync_folder(self._path.parent)
        os.close(self._file)

    def drop(self) -> None:
        """Forget it."""
        self._part.unlink(missing_ok=True)
        os.close(self._file)


class SentFolder:
    """Where sent files stand."""

    def __init__(self, folder: Path) -> None:
        """Make nothing yet.

        Args:
            folder: Where they stand. It is made when it is needed.
        """
        self.folder = folder

    def incoming(self, upload_id: str) -> Incoming:
        """Begin a file. Raises: OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Incoming(self._path(upload_id))

    def room(self) -> int:
        """How many bytes the disk has left. Raises: OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self.folder).free

    @contextmanager
    def held(self, upload_id: str) -> Iterator[Content | None]:
        """The content of a file, for the one program that is at work on it; None while another is.

        Death lets go of it. Raises: FileNotFoundError.
        """
        with self._path(upload_id).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            with _content(file.fileno()) as content:
                yield content

    @contextmanager
    def content(self, upload_id: str) -> Iterator[Content]:
        """The content of a file, to look at. Raises: FileNotFoundError."""
        with self._path(upload_id).open("rb") as file, _content(file.fileno()) as content:
            yield content

    def account(self, upload_id: str) -> str:
        """What is known of a file (JSON), '' for nothing."""
        try:
            return self._path(upload_id, _ACCOUNT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def keep_account(self, upload_id: str, account: str) -> None:
        """Put down what is known of a file. Raises: OSError."""
        write_whole(self._path(upload_id, _ACCOUNT), account.encode())

    def note(self, upload_id: str) -> str:
        """What its sender said of a file (JSON), '' for nothing."""
        try:
            return self._path(upload_id, _NOTE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def keep_note(self, upload_id: str, note: str) -> None:
        """Put down what its sender said of a file; it is on disk when this returns.

        Raises:
            OSError: There is no room.
        """
        write_whole(self._path(upload_id, _NOTE), note.encode())

    def ended_at(self, upload_id: str, now: int) -> int:
        """When it was first seen that the work on a file is at an end (microseconds UTC): now, if never before.

        Raises:
            OSError: There is no room to keep it.
        """
        mark = self._path(upload_id, _ENDED)
        try:
            return int(mark.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            write_whole(mark, str(now).encode())
            return now

    def goes_on(self, upload_id: str) -> None:
        """Note that the work on a file is not at an end, or no more: a ledger may have been restored."""
        self._path(upload_id, _ENDED).unlink(missing_ok=True)

    def rows(self, upload_id: str) -> Path:
        """Where the rows of a file's last preview stand."""
        return self._path(upload_id, _ROWS)

    def forget(self, upload_id: str) -> None:
        """Remove a file, and all that stands beside it."""
        self.forget_account(upload_id)
        self.forget_content(upload_id)

    def forget_account(self, upload_id: str) -> None:
        """Remove what is known of a file: it is read anew."""
        for suffix in (_ACCOUNT, _ROWS):
            self._path(upload_id, suffix).unlink(missing_ok=True)

    def forget_content(self, upload_id: str) -> None:
        """Remove a file; how it was read stays known."""
        for suffix in (_ROWS, "", _NOTE, _ENDED):
            self._path(upload_id, suffix).unlink(missing_ok=True)

    def whole(self) -> list[str]:
        """The upload ids of the files that are here, oldest first."""
        return sorted(path.name for path in self.folder.glob("u*") if not path.suffix)

    def look(self, upload_id: str) -> tuple[int, int]:
        """How many bytes a file has, and when it was written (microseconds UTC). Raises: FileNotFoundError."""
        seen = self._path(upload_id).stat()
        return seen.st_size, seen.st_mtime_ns // 1_000

    def clear(self) -> None:
        """Remove the parts that killed programs left."""
        for part in self.folder.glob(f"*{_PART}"):
            with suppress(OSError), part.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()

    def _path(self, upload_id: str, suffix: str = "") -> Path:
        return self.folder / (upload_id + suffix)


@contextmanager
def _content(file: int) -> Iterator[Content]:
    if not os.fstat(file).st_size:
        yield b""
        return
    content = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
    try:
        yield content
    finally:
        content.close()

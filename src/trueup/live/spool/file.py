"""A file of clicks that the ledger does not have yet. It has a fixed size, and is made before it is needed.

Its room is taken from the disk when the server starts, so that a full disk still has it. What its bytes mean, and how
damage is told from what was never finished, stands in `spool_records`.

Used like this:

    file = SpoolFile.claim(folder, size)   # one to write to; `SpoolFolder.adopt` gives those that were left behind
    kept = file.keep(clicks)               # so many are on disk now
    contents = file.read()                 # the clicks, in order; and what is damaged: log and count it
    file.empty()                           # once the ledger has them; keeps what is damaged aside before
    file.close()
"""

import fcntl
import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from trueup.live.spool.look import clicks_of, read_whole, text_of, waiting_in
from trueup.live.spool.records import BEGIN, HEAD_BYTES, Header, Stretch, Survey, header, read_header, record, survey
from trueup.model.traffic import Click
from trueup.uploads.durable_files import make_folder, sync_folder, write_whole

DAMAGED_FILES: Final = "damaged-*.spool"
_FILES: Final = 1_024
_BEYOND_ALL: Final = 1 << 32  # more than any file was emptied: of a lost header nobody knows the number


@dataclass(frozen=True, slots=True)
class Contents:
    """What a spool file holds."""

    clicks: list[Click]  # in the order they were kept
    damaged: tuple[Stretch, ...]  # what was kept and cannot be read; `SpoolFile.empty` keeps it aside


class SpoolFile:
    """One file of clicks, held by one program. Not to be used by two threads at once."""

    def __init__(self, path: Path, file: int) -> None:
        """Look what is in the file. `claim` and `adopt` make one.

        Args:
            path: Where it stands.
            file: The same, open and locked.

        Raises:
            OSError: It cannot be looked at.
        """
        self.path, self._file = path, file
        self._size = os.fstat(file).st_size
        content, is_whole = read_whole(file, self._size)
        told = read_header(content)
        self._is_new = is_whole and not content.strip(b"\0")
        self._has_header = self._is_new or told is not None
        found = Survey(0, BEGIN, [], ()) if self._is_new else survey(content, told)
        self._number, self._end = found.number, found.end
        self._note_damage(content, found.damaged)

    @classmethod
    def claim(cls, folder: Path, size: int) -> Self:
        """Take the first file of a folder that no program holds, with whatever an earlier program left in it.

        A damaged one can be written to: what comes is written behind all that was in it.

        Args:
            folder: Is made where it is missing.
            size: How many bytes the file may have; one that is smaller grows.

        Raises:
            OSError: The folder cannot be written, or has no room.
        """
        make_folder(folder)
        for number in range(_FILES):
            claimed = cls._hold(folder / f"clicks-{number}.spool", os.O_CREAT)
            if claimed is None:
                continue
            try:
                claimed.take_room(size)
            except BaseException:
                claimed.close()
                raise
            return claimed
        raise OSError(f"all {_FILES} spool files of {folder} are held by other programs")

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Take a file that was left behind, to have its clicks recorded, to `empty` and to `close` it.

        Returns:
            The file; None where a program holds it, or nothing is in it.

        Raises:
            OSError: It cannot be opened.
        """
        if not waiting_in(path):  # so that nobody who looks for a free file finds this one held
            return None
        adopted = cls._hold(path, 0)
        if adopted is None or adopted.taken or adopted.damaged:
            return adopted
        adopted.close()
        return None

    def take_room(self, size: int) -> None:
        """Take room from the disk, and have a new file and its name on it.

        Args:
            size: In bytes; a file that is larger stays so.

        Raises:
            OSError: There is no room.
        """
        if not (self._is_new or self._size < size):
            return
        os.posix_fallocate(self._file, 0, size)
        self._size = max(self._size, size)
        if self._is_new:
            self._number = 1
            self._write(header(self._number, self._end), 0)
            self._is_new = False
        os.fsync(self._file)
        sync_folder(self.path.parent)

    @property
    def taken(self) -> int:
        """How many bytes of its room are taken."""
        return self._end - BEGIN

    @property
    def damaged(self) -> tuple[Stretch, ...]:
        """What was kept and could not be read, when the file was read last."""
        return self._damaged

    def keep(self, clicks: Sequence[Click]) -> int:
        """Keep clicks.

        Returns:
            How many of them, from the first on, there was room for; those are on disk.

        Raises:
            OSError: None is kept; the next are written over what may be there of these.
        """
        texts, end = [], self._end + HEAD_BYTES + 1
        for click in clicks:
            text = text_of(click)
            end += len(text) + 1  # a comma or a bracket
            if end > self._size:
                break
            texts.append(text)
        if texts:
            self._append(b"[" + b",".join(texts) + b"]")
        return len(texts)

    def read(self) -> Contents:
        """Read everything that is kept. What is damaged is told, and what stands behind it is read.

        Raises:
            OSError: The file cannot be looked at.
        """
        if not (self.taken or self._damaged):
            return Contents([], ())
        content, _ = read_whole(self._file, self._end)
        found = survey(content, Header(self._number, self._end) if self._has_header else None)
        self._note_damage(content, found.damaged)
        return Contents([click for text in found.texts for click in clicks_of(text)], found.damaged)

    def empty(self) -> None:
        """Forget what is kept: the ledger has it. What was damaged when it was read stays in a file of its own.

        Nothing else is synced: whatever is kept next is on disk together with this. Until then a loss of power may
        bring the old clicks back, and the ledger takes none twice.

        Raises:
            OSError: Nothing is forgotten, and all can be read again.
        """
        self._keep_aside()
        number = self._number + (1 if self._has_header else _BEYOND_ALL)
        self._write(header(number, BEGIN), 0)
        self._number, self._end, self._has_header = number, BEGIN, True

    def check(self) -> None:
        """See whether the file can be written again: its header is, as it stands.

        Raises:
            OSError: It cannot.
        """
        self._write(header(self._number, self._end), 0)
        os.fdatasync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    @classmethod
    def _hold(cls, path: Path, flags: int) -> Self | None:
        """Open a file and lock it; None where another program holds it."""
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, file)
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise

    def _append(self, text: bytes) -> None:
        """Write a record, and behind that the header, so that whoever looks sees no less than there is."""
        written = record(self._number, self._end, text)
        try:
            self._write(written, self._end)
            self._write(header(self._number, self._end + len(written)), 0)
            os.fdatasync(self._file)
        except OSError:
            with suppress(OSError):
                self._write(header(self._number, self._end), 0)
            raise
        self._end += len(written)

    def _write(self, content: bytes, place: int) -> None:
        rest = memoryview(content)
        while rest:
            written = os.pwrite(self._file, rest, place)
            rest, place = rest[written:], place + written

    def _note_damage(self, content: bytes, damaged: tuple[Stretch, ...]) -> None:
        self._damaged = damaged
        self._aside = b"".join(content[each.place : each.place + each.length] for each in damaged)

    def _keep_aside(self) -> None:
        """Keep what is damaged in a file of its own; the same twice is one file."""
        if not self._damaged:
            return
        name = f"damaged-{self.path.stem}-{self._number}-{zlib.crc32(self._aside):08x}.spool"
        write_whole(self.path.with_name(name), self._aside)
        self._note_damage(b"", ())


def claim_two(folder: Path, size: int) -> tuple[SpoolFile, SpoolFile]:
    """Take two files of a folder that no program holds, as `SpoolFile.claim` does.

    Args:
        folder: Is made where it is missing.
        size: How many bytes they may have together.

    Raises:
        OSError: The folder cannot be written, or has no room.
    """
    first = SpoolFile.claim(folder, size // 2)
    try:
        return first, SpoolFile.claim(folder, size // 2)
    except BaseException:
        first.close()
        raise

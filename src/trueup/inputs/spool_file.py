"""A file of clicks that the ledger does not have yet. It has a fixed size, and is made before it is needed.

Its room is taken from the disk when the server starts, so that a full disk still has it. A record holds the clicks that
were kept together; its checksum tells a whole one from one that was cut short.
"""

import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from typing import Final, Self

from pydantic_core import from_json, to_json

from trueup.model.traffic import Click

_HEADER: Final = Struct("<8sQ")  # the mark, and a number that is another after every emptying
_RECORD: Final = Struct("<II")  # length and checksum; the checksum covers the header's number
_MARK: Final = b"truespl2"
_FILES: Final = 1_024


class SpoolFile:
    """One file of clicks, held by one program."""

    def __init__(self, file: int, size: int) -> None:
        """Takes: an open and locked file, and how many bytes it may have. `claim` makes one."""
        self._file, self._size = file, size
        self._number = self._read_number()
        self._end = _HEADER.size + sum(_RECORD.size + len(payload) for payload in self._payloads())

    @classmethod
    def claim(cls, folder: Path, size: int) -> Self:
        """Take the first file of the folder that no program holds, with whatever an earlier program left in it.

        Raises: OSError when the folder cannot be written, or has no room.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(_FILES):
            file = os.open(folder / f"clicks-{number}.spool", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            os.posix_fallocate(file, 0, size)
            return cls(file, max(size, os.fstat(file).st_size))
        raise OSError(f"all {_FILES} spool files of {folder} are held by other programs")

    @property
    def taken(self) -> int:
        """How much of its room is taken."""
        return self._end - _HEADER.size

    def keep(self, clicks: Sequence[Click]) -> int:
        """Keep clicks. Returns: how many of them, from the first on, there was room for; those are on disk.

        Raises: OSError, and then none is kept.
        """
        texts, end = [], self._end + _RECORD.size
        for click in clicks:
            text = to_json(click)
            end += len(text) + 1  # a comma or a bracket
            if end >= self._size:
                break
            texts.append(text)
        if texts:
            self._append(b"[" + b",".join(texts) + b"]")
        return len(texts)

    def clicks(self) -> list[Click]:
        """Everything that is kept, in the order it came."""
        return [tuple(click) for payload in self._payloads() for click in from_json(payload)]

    def empty(self) -> None:
        """Forget what is kept: the ledger has it.

        Nothing is synced: whatever is kept next is on disk together with this. Until then a loss of power may bring
        the old clicks back, and the ledger takes none twice.
        """
        self._number += 1
        os.pwrite(self._file, _HEADER.pack(_MARK, self._number), 0)
        self._end = _HEADER.size

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _append(self, payload: bytes) -> None:
        record = _RECORD.pack(len(payload), self._checksum(payload)) + payload
        if os.pwrite(self._file, record, self._end) != len(record):
            raise OSError("the spool could not be written whole")
        os.fdatasync(self._file)
        self._end += len(record)

    def _read_number(self) -> int:
        mark, number = _HEADER.unpack(os.pread(self._file, _HEADER.size, 0))
        if mark == _MARK:
            return int(number)
        os.pwrite(self._file, _HEADER.pack(_MARK, 1), 0)
        os.fdatasync(self._file)
        return 1

    def _payloads(self) -> Iterator[bytes]:
        """What the records hold; a record that was cut short, and all that an emptying left, ends them."""
        place = _HEADER.size
        while place + _RECORD.size < self._size:
            length, checksum = _RECORD.unpack(os.pread(self._file, _RECORD.size, place))
            payload = os.pread(self._file, length, place + _RECORD.size) if 0 < length <= self._size else b""
            if not payload or len(payload) != length or checksum != self._checksum(payload):
                return
            yield payload
            place += _RECORD.size + length

    def _checksum(self, payload: bytes) -> int:
        return zlib.crc32(payload, self._number & 0xFFFFFFFF)


def claim_two(folder: Path, size: int) -> tuple[SpoolFile, SpoolFile]:
    """Take two files of a folder that no program holds, as `SpoolFile.claim` does. Takes: their size together."""
    first = SpoolFile.claim(folder, size // 2)
    try:
        return first, SpoolFile.claim(folder, size // 2)
    except BaseException:
        first.close()
        raise

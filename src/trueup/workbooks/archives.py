"""Archives of one file: .gz and .zip, unpacked with a bound on what comes out. For the child process.

Nothing is written under a name that an archive says. What counts is what really comes out, not what the archive states.
"""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from trueup.workbooks.troubles import CannotOpenError, Trouble

CHUNK_BYTES: Final = 1 << 20
TIMES_MOST: Final = 200  # how many times its size a file may unpack to; real ones: up to 50
DENSE_FROM: Final = 10 << 20  # bytes: below that, how dense it is does no harm
_LOCKED: Final = 1  # the flag of an entry with a password
_LEFT_BY_SYSTEMS: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_BROKEN: Final = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError)


class Measure:
    """Counts what comes out of a packed file."""

    def __init__(self, packed_bytes: int, most_bytes: int) -> None:
        """Begin at nothing.

        Args:
            packed_bytes: The size of the packed file.
            most_bytes: How much may come out.
        """
        self._most, self._dense = most_bytes, max(DENSE_FROM, packed_bytes * TIMES_MOST)
        self.bytes = 0

    def add(self, size: int) -> None:
        """Count some more.

        Args:
            size: Its bytes.

        Raises:
            CannotOpenError: It is too much.
        """
        self.bytes += size
        if self.bytes > self._dense:
            raise CannotOpenError(Trouble.TOO_DENSE, times=TIMES_MOST)
        if self.bytes > self._most:
            raise CannotOpenError(Trouble.TOO_LARGE, megabytes=self._most >> 20)


def unpack_gzip(packed: BinaryIO, out: BinaryIO, measure: Measure) -> None:
    """Unpack a .gz, of any number of members.

    Args:
        packed: The file.
        out: Where what is in it goes.
        measure: Counts it.

    Raises:
        CannotOpenError: It is damaged, or too large.
    """
    with _damage_told(Trouble.DAMAGED_ARCHIVE), gzip.GzipFile(fileobj=packed) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            measure.add(len(chunk))
            out.write(chunk)


def unpack_zip(archive: zipfile.ZipFile, out: BinaryIO, measure: Measure) -> None:
    """Unpack the one file of a .zip.

    Args:
        archive: The archive.
        out: Where the file goes.
        measure: Counts it.

    Raises:
        CannotOpenError: There is no file or more than one, it has a password, or is damaged or too large.
    """
    entries = [entry for entry in archive.infolist() if not (entry.is_dir() or _is_left_by_system(entry.filename))]
    if not entries:
        raise CannotOpenError(Trouble.NO_FILE)
    if len(entries) > 1:
        raise CannotOpenError(Trouble.SEVERAL_FILES, files=[shown(entry.filename) for entry in entries[:100]])
    for chunk in chunks_of(archive, entries[0], Trouble.DAMAGED_ARCHIVE):
        measure.add(len(chunk))
        out.write(chunk)


@contextmanager
def zip_archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a .zip. Raises: CannotOpenError, if it is damaged."""
    with _damage_told(Trouble.DAMAGED_ARCHIVE):
        archive = zipfile.ZipFile(file)
    with archive:
        yield archive


def chunks_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, damaged: Trouble) -> Iterator[bytes]:
    """The content of an entry, chunk by chunk.

    Args:
        archive: The archive.
        entry: The entry.
        damaged: What to say if it is damaged.

    Raises:
        CannotOpenError: It has a password, is damaged, or is compressed in another way than by deflation.
    """
    if entry.flag_bits & _LOCKED:
        raise CannotOpenError(Trouble.LOCKED_ARCHIVE)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CannotOpenError(Trouble.OTHER_COMPRESSION)
    with _damage_told(damaged), archive.open(entry) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def shown(name: str) -> str:
    """A name from a file, fit for a message."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:100])


def _is_left_by_system(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in _LEFT_BY_SYSTEMS


@contextmanager
def _damage_told(trouble: Trouble) -> Iterator[None]:
    try:
        yield
    except NotImplementedError:
        raise CannotOpenError(Trouble.OTHER_COMPRESSION) from None
    except (*_BROKEN, OSError, RuntimeError) as error:
        raise CannotOpenError(trouble) from error

"""What commands write to files. No output ever destroys anything.

Each target is looked at before the command reads or does anything, and `claim` refuses where something would be lost.
Output is written under a private name beside the target, and gets the target's name when it is whole and on disk.
"""

import codecs
import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Annotated, BinaryIO, Final, TextIO, cast

import typer

from trueup.cli.places import Place, inputs_at, place_of, standing_in_the_way, stream_of
from trueup.cli.stopping import nobody_reads, removed_at_the_end
from trueup.cli.terminal import ExitCode, ask_or_end, at_terminal, notices, stop
from trueup.model.visible import on_one_line, visible

Force = Annotated[bool, typer.Option("--force", help="Replace the files to write where they exist.")]

STANDARD: Final = "-"
_SIDE_FILES: Final = ("-journal", "-wal", "-shm")  # the files that SQLite makes beside a database
_PRIVATE: Final = 0o600
_AS_USUAL: Final = 0o666  # the umask takes some of it away
_NAMES_MOST: Final = 1_000


@dataclass(frozen=True)
class Output:
    """A target that was looked at: a file, a device or a named pipe, or a standard stream."""

    name: str  # as the person wrote it, fit to be shown
    place: Place | None  # None: a standard stream
    stream: str = "stdout"

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it for writing.

        The file is there when the block ends well, not before. Ends the command where it cannot be.
        """
        with self._told_plainly():
            if self.place is None:
                with _standard(self.stream) as out:
                    yield out
            elif self.place.is_special:
                with os.fdopen(os.open(self.place.given, os.O_WRONLY), "wb") as out:
                    yield out
            else:
                with self._whole(self.place, _AS_USUAL) as part, part.open("r+b") as out:
                    yield out

    @contextmanager
    def opened_as_text(self) -> Iterator[TextIO]:
        """Write text to it, as UTF-8, line breaks as they are."""
        with self.opened() as out:
            text = io.TextIOWrapper(out, encoding="utf-8", newline="")
            yield text
            text.detach()

    @contextmanager
    def as_private_file(self) -> Iterator[Path]:
        """Give a program a file to write to by name, which nobody else may read.

        Ends the command where the target is no file.
        """
        if self.place is None or self.place.is_special:
            stop(f"{self.name} is no file.")
        with self._told_plainly(), self._whole(self.place, _PRIVATE) as part:
            yield part

    @contextmanager
    def _whole(self, place: Place, mode: int) -> Iterator[Path]:
        """An empty file, which takes the target's place when the block ends well."""
        part = place.path.with_name(f".trueup-{token_hex(8)}.part")
        with removed_at_the_end(part, *(part.with_name(part.name + ending) for ending in _SIDE_FILES)):
            # A file that replaces another is never less private than that one.
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE if place.found else mode))
            yield part
            if place.found and mode != _PRIVATE:
                _take_over(place.found, part)
            _sync(part)
            self._give_name(part, place)
            _sync(place.path.parent)

    def _give_name(self, part: Path, place: Place) -> None:
        """Give a whole file its name, or another name where that one was taken meanwhile."""
        if place.found:
            part.replace(place.path)
            return
        stem, ending = place.path.stem, place.path.suffix
        others = (place.path.with_name(f"{stem}-{number}{ending}") for number in range(2, _NAMES_MOST))
        for path in (place.path, *others):
            if _named(part, path):
                if path != place.path:
                    notices.print(f"Another program made {self.name} meanwhile. This is in {path}.")
                return
        raise FileExistsError(0, "other programs took its name")

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise nobody_reads() from None
        except OSError as error:
            stop(f"{self.name} cannot be written: {error.strerror or error}.", ExitCode.FAILURE)


def claim(url: str, name: str, *, force: bool) -> Output:
    """Look at the one thing that a command is to write to, as `claim_each` does."""
    (found,) = claim_each(url, name, force=force)
    assert found is not None  # noqa: S101 - it has a name
    return found


def claim_each(
    url: str, *names: str | None, inputs: Sequence[str] = (), force: bool, asks: bool = True
) -> list[Output | None]:
    """Look at what a command is to write to. Ends the command where a file would be lost, or nothing can be written.

    Args:
        url: The database.
        names: The targets as the person wrote them, `-` for standard output; None for one that is not wanted.
        inputs: The files that the command reads, `-` for standard input.
        force: Whether files that exist are to be replaced.
        asks: Whether a person can be asked to replace them.

    Returns:
        The targets, in the same order.
    """
    reads, taken = inputs_at(inputs), list[Place]()
    found = [None if name is None else _claim(name, url, reads, taken) for name in names]
    streams = [output.stream for output in found if output and output.place is None]
    if len(streams) != len(set(streams)):
        stop("Two outputs cannot both go to one place.")
    for output in found:
        if output and output.place and output.place.found and not (output.place.is_special or force):
            _ask_to_replace(output.name, asks=asks)
    return found


def _claim(name: str, url: str, reads: Sequence[Place], taken: list[Place]) -> Output:
    shown = on_one_line(name)
    stream = "stdout" if name == STANDARD else stream_of(name)
    if stream:
        return Output(shown, None, stream)
    try:
        place = place_of(name)
        trouble = standing_in_the_way(place, url, reads, taken)
    except (OSError, ValueError) as error:
        stop(f"{shown} cannot be written: {getattr(error, 'strerror', None) or error}.")
    if trouble:
        stop(f"{shown} {visible(trouble)}.")
    taken.append(place)
    return Output(shown, place)


def _ask_to_replace(name: str, *, asks: bool) -> None:
    if not (asks and at_terminal()):
        stop(f"{name} exists already. Add --force to replace it.")
    ask_or_end(f"{name} exists already. Replace it?")


def _take_over(found: os.stat_result, part: Path) -> None:
    """Give a file the mode of the file that it replaces, and its owner where that is allowed."""
    with suppress(PermissionError):
        os.chown(part, found.st_uid, found.st_gid)
    part.chmod(stat.S_IMODE(found.st_mode))


def _named(part: Path, path: Path) -> bool:
    """Give a file a name that no other file has.

    Returns:
        Whether it has that name now.
    """
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    except OSError:  # the disk has no hard links
        if path.exists():
            return False
        part.replace(path)
    return True


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _standard(stream: str) -> Iterator[BinaryIO]:
    """A standard stream.

    On a terminal, characters that would act there are made visible; a pipe gets everything as it is.
    """
    text: TextIO = getattr(sys, stream)
    text.flush()
    yield cast("BinaryIO", (_Shown if text.isatty() else _Passed)(text.buffer))
    text.buffer.flush()


class _Passed(io.RawIOBase):
    """Passes everything on.

    Without a buffer, a stream may take only a part, and Polars would not report a closed pipe.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        """It is only that."""
        return True

    def write(self, content: object) -> int:
        """Pass some more on."""
        given = bytes(content)  # type: ignore[call-overload]  # whatever a buffer is
        rest = memoryview(self._fit(given))
        while rest:
            rest = rest[self._out.write(rest) :]
        return len(given)

    def _fit(self, given: bytes) -> bytes:
        return given


class _Shown(_Passed):
    """Shows UTF-8 text."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__(out)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def _fit(self, given: bytes) -> bytes:
        return visible(self._decoder.decode(given)).encode("utf-8", "backslashreplace")

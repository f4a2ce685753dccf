"""Open a file that may be packed: a workbook becomes the records of a sheet, an archive the text in it.

Packed files are opened in a child process. Its death, its silence and its limits are a message for a person.
"""

import io
import json
import mmap
import os
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

import polars as pl
import pyarrow as pa

from trueup.dialects.choices import UnreadableFile
from trueup.dialects.decode import Content
from trueup.dialects.delimited import Records
from trueup.dialects.sheet import MARK, Sheet
from trueup.model.remarks import Way
from trueup.workbooks.limits import SILENT_SECONDS
from trueup.workbooks.signs import GZIP, OLE, ZIP
from trueup.workbooks.troubles import CannotOpenError, Trouble, remark_on

_LINE_BYTES: Final = 1 << 20
_PIPE_BYTES: Final = 1 << 20
_ENDING_SECONDS: Final = 5.0
_ENDS: Final = {
    -signal.SIGABRT: Trouble.MEMORY,
    -signal.SIGKILL: Trouble.MEMORY,  # by the system, when memory was short
    -signal.SIGXCPU: Trouble.PROCESSOR,
}


def opened(content: Content, sheet: str | None = None) -> Content | Sheet:
    """Open a file, whatever it is.

    Args:
        content: The bytes of the file.
        sheet: The name or the number of the sheet that was chosen; None where nobody chose one.

    Returns:
        The content itself where it is not packed, the text that was in an archive, or a sheet of a workbook.

    Raises:
        UnreadableFile: It cannot be opened. The remark says why, and what to do.
    """
    if not bytes(content[: len(OLE)]).startswith((OLE, GZIP, *ZIP)):
        _refuse_sheet(sheet)
        return content
    packed = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the sheet can be read
    workbook = _Workbook(packed, sheet, len(content))
    weakref.finalize(workbook, packed.close)
    packed.write(content)
    packed.flush()
    try:
        told = workbook.begin()
        if isinstance(told, dict):
            return Sheet(_said(told), workbook.records)
    except CannotOpenError as error:
        raise UnreadableFile(*remark_on(error.trouble, error.values)) from None
    _refuse_sheet(sheet)
    return told


def _refuse_sheet(sheet: str | None) -> None:
    if sheet is not None:
        raise UnreadableFile(Way.SHEET.of(sheet=sheet), ": the file is no workbook, and has no sheets.")


def _said(told: dict[str, Any]) -> str:
    merged = " Of merged cells the first has the value, and the others are empty." if told["merged"] else ""
    return f'Sheet: "{told["sheet"]}".{merged}'


class _Workbook:
    """A packed file on disk. If it is a workbook, its sheet can be read more than once."""

    def __init__(self, packed: IO[bytes], sheet: str | None, size: int) -> None:
        self._packed, self._sheet, self._bytes = packed, sheet, size
        self._rows = 0
        self._child: _Child | None = None  # the one that has found the sheet, and has not been read yet

    def begin(self) -> dict[str, Any] | Content:
        """Look what it is.

        Returns:
            What is known of the sheet; or the text that was in an archive.

        Raises:
            CannotOpenError: It is neither.
        """
        child = _Child(self._packed, self._sheet)
        try:
            told = child.told()
            if "text" in told:
                text = child.text()
                child.end()
                return text
        except CannotOpenError:
            child.end()
            raise
        self._child, self._rows = child, int(told["rows"])
        return told

    def records(self, progress: Callable[[int], None] | None = None) -> Iterator[Records]:
        """The records of the sheet, block by block.

        Args:
            progress: Called with how many of the file's bytes are read, as it were.

        Raises:
            UnreadableFile: It cannot be read to its end.
        """
        child, self._child = self._child, None
        try:
            if child is None:
                child = _Child(self._packed, self._sheet)
                child.told()
            for frame in child.frames():
                yield Records(frame, MARK)
                if progress:
                    progress(self._bytes * int(frame["line"][-1]) // max(self._rows, 1))
        except CannotOpenError as error:
            raise UnreadableFile(*remark_on(error.trouble, error.values)) from None
        finally:
            if child:
                child.end()


class _Child:
    """A child process that opens a packed file."""

    def __init__(self, packed: IO[bytes], sheet: str | None) -> None:
        packed.seek(0)
        self._unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - what it holds may be given away
        out = self._unpacked.fileno()
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-I", "-m", "trueup.workbooks.child", json.dumps({"sheet": sheet, "unpacked": out})],
            stdin=packed,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(out,),
            env={"ARROW_DEFAULT_MEMORY_POOL": "system", "LC_ALL": "C.UTF-8"},
            cwd=Path("/"),
        )
        self.end = weakref.finalize(self, _end, self._process, self._unpacked)
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._pipe = _Pipe(self._process.stdout)
        self._stream = io.BufferedReader(self._pipe, _PIPE_BYTES)

    def told(self) -> dict[str, Any]:
        """What the file is.

        Raises:
            CannotOpenError: It cannot be opened.
        """
        try:
            told = json.loads(self._stream.readline(_LINE_BYTES))
        except ValueError:
            raise self._died() from None
        if "trouble" in told:
            raise CannotOpenError(Trouble(told["trouble"]), **told["values"])
        return cast("dict[str, Any]", told)

    def text(self) -> Content:
        """The text that was in an archive."""
        if self._process.wait(_ENDING_SECONDS):
            raise self._died()
        if not os.fstat(self._unpacked.fileno()).st_size:
            return b""
        return mmap.mmap(self._unpacked.fileno(), 0, access=mmap.ACCESS_READ)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records of the sheet as `Records` has them, and the `kinds` of their cells.

        Raises:
            CannotOpenError: They end early.
        """
        try:
            with pa.ipc.open_stream(pa.PythonFile(self._stream, "r")) as stream:
                for batch in stream:
                    batch.validate(full=True)
                    yield _as_records(cast("pl.DataFrame", pl.from_arrow(batch)))
        except (pa.ArrowException, OSError):
            raise self._died() from None
        if self._process.wait(_ENDING_SECONDS):
            raise self._died()

    def _died(self) -> CannotOpenError:
        """Why it said no more."""
        if self._pipe.trouble:
            return self._pipe.trouble
        try:
            code = self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            code = 0
        return CannotOpenError(_ENDS.get(code, Trouble.DAMAGED_WORKBOOK))


def _as_records(frame: pl.DataFrame) -> pl.DataFrame:
    # As a person would copy the cells of a row.
    raw = pl.col("record").str.replace_all(MARK, "\t", literal=True)
    return frame.select("line", "record", raw=raw, trouble=pl.lit(""), kinds="kinds")


class _Pipe(io.RawIOBase):
    """A pipe that is not waited on for ever."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)
        self.trouble: CannotOpenError | None = None

    def readable(self) -> bool:
        """It is only that."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever a buffer is
        """Read what is there. Raises: OSError, if nothing comes."""
        if not self._poll.poll(SILENT_SECONDS * 1_000):
            self.trouble = CannotOpenError(Trouble.SILENT, seconds=SILENT_SECONDS)
            raise TimeoutError
        return os.readv(self._pipe.fileno(), [buffer])


def _end(process: "subprocess.Popen[bytes]", unpacked: IO[bytes]) -> None:
    process.kill()
    process.wait()
    unpacked.close()
    if process.stdout:
        process.stdout.close()

"""Files on their way out: each is written whole before its first byte is sent, so that no read of the ledger waits."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from starlette.responses import StreamingResponse

from trueup.live.receiving import no_room

WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SENT_BYTES: Final = 1 << 18


def workbook_answer(name: str, folder: Path, write: Callable[[BinaryIO], None]) -> StreamingResponse:
    """Answer with a workbook, as `csv_answer` does with a CSV file."""
    return _file_answer(name, folder, lambda out: write(out.buffer), WORKBOOK)


def csv_answer(name: str, folder: Path, write: Callable[[TextIO], None]) -> StreamingResponse:
    """Answer with a CSV file. It is written whole first, so that no read of the ledger is open while it is sent.

    Args:
        name: The file's name.
        folder: A folder on a disk with room for it.
        write: Writes it.

    Returns:
        The answer.

    Raises:
        ReceivingError: The disk has no room for it.
    """
    return _file_answer(name, folder, write, "text/csv; charset=utf-8")


def _file_answer(name: str, folder: Path, write: Callable[[TextIO], None], media: str) -> StreamingResponse:
    file = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8", newline="")  # noqa: SIM115 - it is closed when it is sent
    try:
        write(file)
        file.flush()
        size = file.seek(0, os.SEEK_END)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError):
            raise no_room(error) from None
        raise
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(_parts(file), headers=headers, media_type=media)


def _parts(file: TextIO) -> Iterator[bytes]:
    with file:
        file.buffer.seek(0)
        while part := file.buffer.read(_SENT_BYTES):
            yield part

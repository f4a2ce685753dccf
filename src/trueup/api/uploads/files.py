"""Files on their way in and out: a body becomes a file on disk, and the outcomes of its rows become CSV.

A body is the file itself, or a form with one file and the choices beside it. It is never held in memory whole.
"""

import asyncio
import os
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse

from trueup.api.http.problems import Problem, ProblemKind
from trueup.live.multipart import FilePart, FormError, FormTooLargeError, MultipartForm
from trueup.settings import Settings
from trueup.uploads.folder import Incoming

FORM: Final = "multipart/form-data"
PLAIN: Final = ("text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/octet-stream")
FILE_NAME_CHARS: Final = 200
_FORM_BYTES: Final = 1 << 20  # what a form may have besides its file
_FIELDS_MOST: Final = 100
_FIELD_BYTES: Final = 4_096
_GATHERED_BYTES: Final = 1 << 20  # written at once
_SILENT_SECONDS: Final = 60.0
_SENT_BYTES: Final = 1 << 18
_ROOM_EVERY: Final = 32 << 20


class Receiver:
    """One body that becomes a file."""

    def __init__(self, request: Request, settings: Settings, incoming: Incoming, room: Callable[[], int]) -> None:
        """Prepare to receive a body.

        Args:
            request: The request whose body is received.
            settings: The server's settings.
            incoming: The file that the body becomes.
            room: How many bytes the disk has left.
        """
        self._request, self._settings, self._incoming, self._room = request, settings, incoming, room
        self._next_look = _ROOM_EVERY
        self.fields: list[tuple[str, str]] = []  # the other fields of a form
        self.file_name = ""
        self._has_file = False  # a form

    async def receive(self) -> None:
        """Receive the whole body.

        Raises:
            Problem: It is too large, breaks off, falls silent, or the disk has no room for it.
        """
        content_type = self._request.headers.get("content-type", "")
        is_form = content_type.partition(";")[0].strip().lower() == FORM
        self._request.state.body.most = most = self._settings.upload_bytes + (_FORM_BYTES if is_form else 0)
        stated = self._request.headers.get("content-length", "")
        length = int(stated) if stated.isdecimal() else 0
        if length > most:
            raise Problem(ProblemKind.TOO_LARGE, f"the body has more than {most} bytes")
        try:
            form = self._form(content_type) if is_form else None
            await run_in_threadpool(self._look_for_room, length)
            await self._write(form.write if form else self._put)
            if form:
                self._end(form)
        except FormTooLargeError as error:
            raise Problem(ProblemKind.TOO_LARGE, str(error)) from None
        except FormError as error:
            raise Problem(ProblemKind.MALFORMED, f"the form cannot be read: {error}") from None
        except OSError as error:
            raise no_room(error) from None

    def _form(self, content_type: str) -> MultipartForm:
        return MultipartForm(content_type, self._open_file, fields_most=_FIELDS_MOST, field_bytes=_FIELD_BYTES)

    def _open_file(self, part: FilePart) -> Callable[[bytes], object]:
        if self._has_file:
            raise Problem(ProblemKind.MALFORMED, "the form has two files; send one at a time")
        self._has_file, self.file_name = True, part.file_name.decode("utf-8", "replace")
        return self._put

    def _end(self, form: MultipartForm) -> None:
        form.end()
        if not self._has_file:
            raise Problem(ProblemKind.MALFORMED, "the form has no file")
        self.fields = [
            (name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in form.fields
        ]

    async def _write(self, write: Callable[[bytes], None]) -> None:
        """Write what comes, much at once, in a thread."""
        gathered = bytearray()
        async for chunk in self._chunks():
            gathered += chunk
            if len(gathered) >= _GATHERED_BYTES:
                ready, gathered = bytes(gathered), bytearray()
                await run_in_threadpool(write, ready)
        await run_in_threadpool(write, bytes(gathered))

    async def _chunks(self) -> AsyncIterator[bytes]:
        stream = self._request.stream()
        try:
            while True:
                async with asyncio.timeout(_SILENT_SECONDS):
                    chunk = await anext(stream, None)
                if chunk is None:
                    return
                yield chunk
        except TimeoutError:
            raise Problem(ProblemKind.MALFORMED, f"nothing came for {_SILENT_SECONDS:.0f} seconds") from None
        except ClientDisconnect:
            raise Problem(ProblemKind.MALFORMED, "the body breaks off") from None

    def _put(self, data: bytes) -> None:
        """Take more of the file. Called in a thread; for a form, by its parser."""
        if self._incoming.bytes + len(data) > self._settings.upload_bytes:
            raise Problem(ProblemKind.TOO_LARGE, f"the file has more than {self._settings.upload_bytes} bytes")
        self._incoming.write(data)
        if self._incoming.bytes >= self._next_look:
            self._next_look = self._incoming.bytes + _ROOM_EVERY
            self._look_for_room(_ROOM_EVERY)

    def _look_for_room(self, wanted: int) -> None:
        left = self._room() - self._settings.free_bytes
        if wanted > left:
            raise Problem(ProblemKind.NO_ROOM, f"the disk has room for {max(left, 0)} more bytes")


def no_room(error: OSError) -> Problem:
    """The problem that a file could not be written."""
    return Problem(ProblemKind.NO_ROOM, f"the file cannot be written: {error.strerror or error}")


def clean_name(name: str) -> str:
    """A file's name as it is kept and shown: its last part, without characters that act on a terminal or a page."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029").strip()
    return shown[:FILE_NAME_CHARS]


def csv_answer(name: str, folder: Path, write: Callable[[TextIO], None]) -> StreamingResponse:
    """Answer with a CSV file. It is written whole first, so that no read of the ledger is open while it is sent.

    Args:
        name: The file's name.
        folder: A folder on a disk with room for it.
        write: Writes it.

    Returns:
        The answer.

    Raises:
        Problem: The disk has no room for it.
    """
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
    return StreamingResponse(_parts(file), headers=headers, media_type="text/csv; charset=utf-8")


def _parts(file: TextIO) -> Iterator[bytes]:
    with file:
        file.buffer.seek(0)
        while part := file.buffer.read(_SENT_BYTES):
            yield part

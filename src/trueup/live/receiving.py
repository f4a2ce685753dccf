"""Files on their way in: a body becomes a file on disk, and is never held in memory whole.

A body is the file itself, or a form with one file and the choices beside it.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from trueup.live.context import ServerContext
from trueup.live.multipart import FilePart, FormError, FormTooLargeError, MultipartForm
from trueup.live.upload_jobs import sent_folder
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import Origin
from trueup.settings import Settings
from trueup.uploads.folder import Incoming, SentFolder
from trueup.uploads.keeping import note_of

FORM: Final = "multipart/form-data"
PLAIN: Final = (
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/octet-stream",
    "application/gzip",
    "application/zip",
    "application/vnd.ms-excel",
    "application/vnd.ms-excel.sheet.macroenabled.12",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
FORM_BYTES: Final = 1 << 20  # what a form may have besides its file
FILE_NAME_CHARS: Final = 200
_FIELDS_MOST: Final = 100
_FIELD_BYTES: Final = 4_096
_GATHERED_BYTES: Final = 1 << 20  # written at once
_SILENT_SECONDS: Final = 60.0
_ROOM_EVERY: Final = 32 << 20
_RANDOM_BYTES: Final = 8


class ReceivingTrouble(Enum):
    """Why a body does not become a file."""

    TOO_LARGE = auto()
    MALFORMED = auto()  # it is no such form, breaks off or falls silent
    NO_ROOM = auto()  # on the disk


class ReceivingError(Exception):
    """A body does not become a file. The message says why."""

    def __init__(self, trouble: ReceivingTrouble, message: str) -> None:
        """Say why.

        Args:
            trouble: Why, in general.
            message: Why, in this case.
        """
        super().__init__(message)
        self.trouble = trouble


class Receiver:
    """One body that becomes a file."""

    def __init__(self, settings: Settings, incoming: Incoming, room: Callable[[], int]) -> None:
        """Prepare to receive a body.

        Args:
            settings: The server's settings.
            incoming: The file that the body becomes.
            room: How many bytes the disk has left.
        """
        self._settings, self._incoming, self._room = settings, incoming, room
        self._next_look = _ROOM_EVERY
        self.fields: list[tuple[str, str]] = []  # the other fields of a form
        self.file_name = ""
        self._has_file = False  # a form

    async def receive(
        self, content_type: str, content_length: str, body: AsyncIterator[bytes], text_field: str = ""
    ) -> None:
        """Receive a whole body.

        Args:
            content_type: The header Content-Type.
            content_length: The header Content-Length, '' for none.
            body: The body's parts, as they come.
            text_field: The field of a form whose text is the file where no file was chosen; '' for no such field.

        Raises:
            ReceivingError: It is too large, breaks off, falls silent, or the disk has no room for it.
        """
        is_form = media_of(content_type) == FORM
        most = self.body_most(content_type)
        length = int(content_length) if content_length.isdecimal() else 0
        if length > most:
            raise ReceivingError(ReceivingTrouble.TOO_LARGE, f"the body has more than {most} bytes")
        try:
            form = self._form(content_type, FORM_BYTES if text_field else _FIELD_BYTES) if is_form else None
            await run_in_threadpool(self._look_for_room, length)
            await self._write(body, form.write if form else self._put)
            if form:
                self._end(form, needs_file=not text_field)
            if text_field and not self._incoming.bytes:
                text = next((value for name, value in self.fields if name == text_field), "")
                await run_in_threadpool(self._put, text.encode())
        except FormTooLargeError as error:
            raise ReceivingError(ReceivingTrouble.TOO_LARGE, str(error)) from None
        except FormError as error:
            raise ReceivingError(ReceivingTrouble.MALFORMED, f"the form cannot be read: {error}") from None
        except OSError as error:
            raise no_room(error) from None

    def body_most(self, content_type: str) -> int:
        """How many bytes a body of this media type may have."""
        return self._settings.upload_bytes + (FORM_BYTES if media_of(content_type) == FORM else 0)

    def _form(self, content_type: str, field_bytes: int) -> MultipartForm:
        return MultipartForm(content_type, self._open_file, fields_most=_FIELDS_MOST, field_bytes=field_bytes)

    def _open_file(self, part: FilePart) -> Callable[[bytes], object]:
        if self._has_file:
            raise ReceivingError(ReceivingTrouble.MALFORMED, "the form has two files; send one at a time")
        self._has_file, self.file_name = True, part.file_name.decode("utf-8", "replace")
        return self._put

    def _end(self, form: MultipartForm, *, needs_file: bool) -> None:
        form.end()
        if needs_file and not self._has_file:
            raise ReceivingError(ReceivingTrouble.MALFORMED, "the form has no file")
        self.fields = [
            (name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in form.fields
        ]

    async def _write(self, body: AsyncIterator[bytes], write: Callable[[bytes], None]) -> None:
        """Write what comes, much at once, in a thread."""
        gathered = bytearray()
        async for chunk in _patiently(body):
            gathered += chunk
            if len(gathered) >= _GATHERED_BYTES:
                ready, gathered = bytes(gathered), bytearray()
                await run_in_threadpool(write, ready)
        await run_in_threadpool(write, bytes(gathered))

    def _put(self, data: bytes) -> None:
        """Take more of the file. Called in a thread; for a form, by its parser."""
        most = self._settings.upload_bytes
        if self._incoming.bytes + len(data) > most:
            raise ReceivingError(ReceivingTrouble.TOO_LARGE, f"the file has more than {most} bytes")
        self._incoming.write(data)
        if self._incoming.bytes >= self._next_look:
            self._next_look = self._incoming.bytes + _ROOM_EVERY
            self._look_for_room(_ROOM_EVERY)

    def _look_for_room(self, wanted: int) -> None:
        left = self._room() - self._settings.free_bytes
        if wanted > left:
            raise ReceivingError(ReceivingTrouble.NO_ROOM, f"the disk has room for {max(left, 0)} more bytes")


class Arrival:
    """A file that is received and not yet kept."""

    def __init__(self, context: ServerContext, folder: SentFolder, upload_id: str, incoming: Incoming) -> None:
        """Nothing has come of it yet.

        Args:
            context: What every route stands on.
            folder: Where sent files stand.
            upload_id: What the file will be known by.
            incoming: The file.
        """
        self._folder, self._incoming, self._upload_id = folder, incoming, upload_id
        self.receiver = Receiver(context.settings, incoming, folder.room)
        self.began_at = context.clock()
        self.is_kept = False

    async def put(self, content: bytes) -> None:
        """Take what the file holds from memory.

        Raises:
            ReceivingError: The disk has no room for it.
        """
        try:
            await run_in_threadpool(self._incoming.write, content)
        except OSError as error:
            raise no_room(error) from None

    @property
    def bytes(self) -> int:
        """How many bytes have come."""
        return self._incoming.bytes

    async def keep(self, name: str, choices: UploadChoices, made_by: str, origin: Origin) -> UploadRecord:
        """Put the whole file in its place, with what its sender said of it beside it.

        Args:
            name: What its sender calls it.
            choices: What is chosen for it.
            made_by: Who sends it.
            origin: Which way.

        Returns:
            What is to be noted of it in the ledger.

        Raises:
            ReceivingError: The disk has no room for it.
        """
        try:
            await run_in_threadpool(self._incoming.keep)
            self.is_kept = True
            file = self._incoming
            record = UploadRecord(
                self._upload_id,
                clean_name(name),
                file.sha256,
                file.bytes,
                choices,
                made_by,
                self.began_at,
                origin=origin,
            )
            await run_in_threadpool(self._folder.keep_note, self._upload_id, note_of(record))
        except OSError as error:
            if self.is_kept:
                await run_in_threadpool(self._folder.forget, self._upload_id)
            raise no_room(error) from None
        return record


@asynccontextmanager
async def arriving(context: ServerContext) -> AsyncIterator[Arrival]:
    """Begin a file; what is not kept of it when this ends is gone.

    Args:
        context: What every route stands on.

    Yields:
        The file, to receive and to keep.

    Raises:
        ReceivingError: The disk has no room for it.
    """
    folder = sent_folder(context)
    upload_id = f"u{context.clock() // 1_000:012x}{context.randomness(_RANDOM_BYTES).hex()}"
    try:
        incoming = await run_in_threadpool(folder.incoming, upload_id)
    except OSError as error:
        raise no_room(error) from None
    arrival = Arrival(context, folder, upload_id, incoming)
    try:
        yield arrival
    finally:
        if not arrival.is_kept:
            await run_in_threadpool(incoming.drop)


def media_of(content_type: str) -> str:
    """The media type that a header Content-Type names, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def no_room(error: OSError) -> ReceivingError:
    """What it means that a file could not be written."""
    return ReceivingError(ReceivingTrouble.NO_ROOM, f"the file cannot be written: {error.strerror or error}")


def clean_name(name: str) -> str:
    """A file's name as it is kept and shown: its last part, without characters that act on a terminal or a page."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029").strip()
    return shown[:FILE_NAME_CHARS]


async def _patiently(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        while True:
            async with asyncio.timeout(_SILENT_SECONDS):
                chunk = await anext(body, None)
            if chunk is None:
                return
            yield chunk
    except TimeoutError:
        message = f"nothing came for {_SILENT_SECONDS:.0f} seconds"
        raise ReceivingError(ReceivingTrouble.MALFORMED, message) from None
    except ClientDisconnect:
        raise ReceivingError(ReceivingTrouble.MALFORMED, "the body breaks off") from None

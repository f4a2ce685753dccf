"""Forms with parts (multipart/form-data), read as they come: fields are kept within limits, files are passed on."""

import logging
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final, NamedTuple

from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

_SHOWN_BYTES: Final = 60
_DECODERS: Final[Mapping[bytes, Callable[[Any], Any]]] = {
    b"base64": Base64Decoder,
    b"quoted-printable": QuotedPrintableDecoder,
}

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # a sender's mistakes are no trouble of the server's


class FormError(Exception):
    """It is not such a form. The message says why."""


class FormTooLargeError(FormError):
    """The form has more than it may have. The message says what."""


class Field(NamedTuple):
    """A part of a form that is no file."""

    name: bytes
    value: bytes


class FilePart(NamedTuple):
    """A part of a form that is a file."""

    name: bytes  # of the part
    file_name: bytes


OpenFile = Callable[[FilePart], Callable[[bytes], object]]  # gives where the file's bytes go


class _Part:
    """Where the bytes of one part go, as python-multipart wants it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write

    def finalize(self) -> None:
        """Nothing is kept back."""


class MultipartForm:
    """A form that is received. Its fields are whole at its end."""

    def __init__(
        self, content_type: str, open_file: OpenFile, *, fields_most: float = inf, field_bytes: float = inf
    ) -> None:
        """Begin a form.

        Args:
            content_type: The header Content-Type, with the boundary between the form's parts.
            open_file: Called as a file begins. What it raises comes out of `write`.
            fields_most: How many fields there may be.
            field_bytes: How many bytes a field's value may have.

        Raises:
            FormError: There is no boundary, or none that can be one.
        """
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise FormError("its media type names no boundary")
        self.fields: list[Field] = []
        self._open_file, self._fields_most, self._field_bytes = open_file, fields_most, field_bytes
        self._header_name, self._header_value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._part: Any = None  # a _Part, or a decoder before it
        self._field_name: bytes | None = None  # None for a file
        self._value = bytearray()
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                    "on_header_end": self._take_header,
                    "on_headers_finished": self._open,
                    "on_part_data": lambda data, start, end: self._part.write(data[start:end]),
                    "on_part_end": self._close,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise FormError(str(error)) from None

    def write(self, chunk: bytes) -> None:
        """Take more of the form.

        Args:
            chunk: Its next bytes.

        Raises:
            FormError: It is not a form.
            FormTooLargeError: It has too many or too large fields.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise FormError(str(error)) from None

    def end(self) -> None:
        """Say that the form ends here.

        Raises:
            FormError: It has not come to its end.
        """
        if not self._ended:
            raise FormError("it ends too early")

    def _begin(self) -> None:
        self._headers, self._field_name, self._value = {}, None, bytearray()
        self._header_name, self._header_value = bytearray(), bytearray()

    def _take_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value).strip(b" \t")
        self._header_name, self._header_value = bytearray(), bytearray()

    def _open(self) -> None:
        """Begin a part, whose headers are known."""
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"")
        if b"filename" in options:
            part = _Part(self._open_file(FilePart(name, options[b"filename"])))
        elif b"name" not in options:
            raise FormError("a part has no name")
        elif len(self.fields) >= self._fields_most:
            raise FormTooLargeError(f"the form has more than {self._fields_most} fields")
        else:
            self._field_name = name
            part = _Part(self._add)
        encoding = self._headers.get(b"content-transfer-encoding", b"").lower()
        self._part = _DECODERS[encoding](part) if encoding in _DECODERS else part

    def _add(self, data: bytes) -> None:
        """Take more of a field's value."""
        self._value += data
        if len(self._value) > self._field_bytes:
            shown = (self._field_name or b"")[:_SHOWN_BYTES].decode("utf-8", "replace")
            raise FormTooLargeError(f"the field {shown!r} is too long")

    def _close(self) -> None:
        self._part.finalize()
        if self._field_name is not None:
            self.fields.append(Field(self._field_name, bytes(self._value)))

    def _end(self) -> None:
        self._ended = True

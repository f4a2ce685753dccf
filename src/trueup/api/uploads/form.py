"""A form with one file and choices beside it, taken apart as it comes: the file's bytes are passed on, not kept."""

from collections.abc import Callable
from typing import Final

from python_multipart.multipart import MultipartParser, parse_options_header

from trueup.api.http.problems import Problem, ProblemKind

_FIELDS_MOST, _FIELD_BYTES = 100, 4_096
_SHOWN_CHARS: Final = 60


class UploadForm:
    """A form that is received: one part is the file, the others are fields."""

    def __init__(self, boundary: bytes, take_file: Callable[[bytes], None]) -> None:
        """Begin a form.

        Args:
            boundary: What stands between the form's parts.
            take_file: Called with the bytes of the file as they come.

        Raises:
            Problem: There is no boundary.
            FormParserError: The boundary cannot be one.
        """
        if not boundary:
            raise Problem(ProblemKind.MALFORMED, "the form's media type names no boundary")
        self.fields: list[tuple[str, str]] = []
        self.file_name = ""
        self._take_file = take_file
        self._header = (bytearray(), bytearray())
        self._name, self._is_file, self._value = "", False, bytearray()
        self._has_file = self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._take_header,
                "on_part_data": lambda data, start, end: self._take(data[start:end]),
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Take more of the form.

        Args:
            chunk: Its next bytes.

        Raises:
            Problem: The form has more than one file, or too many or too large fields.
            FormParserError: It is not a form.
        """
        self._parser.write(chunk)

    def end(self) -> None:
        """Say that the form ends here.

        Raises:
            Problem: It breaks off, or has no file.
        """
        if not self._ended:
            raise Problem(ProblemKind.MALFORMED, "the form breaks off")
        if not self._has_file:
            raise Problem(ProblemKind.MALFORMED, "the form has no file")

    def _begin(self) -> None:
        self._name, self._is_file, self._value = "", False, bytearray()
        self._header = (bytearray(), bytearray())

    def _take_header(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() != b"content-disposition":
            return
        _, options = parse_options_header(value)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if self._is_file:
            if self._has_file:
                raise Problem(ProblemKind.MALFORMED, "the form has two files; send one at a time")
            self._has_file = True
            self.file_name = options[b"filename"].decode("utf-8", "replace")

    def _take(self, data: bytes) -> None:
        if self._is_file:
            self._take_file(data)
            return
        self._value += data
        if len(self._value) > _FIELD_BYTES:
            raise Problem(ProblemKind.TOO_LARGE, f"the field {self._name[:_SHOWN_CHARS]!r} is too long")

    def _end_part(self) -> None:
        if self._is_file:
            return
        if len(self.fields) >= _FIELDS_MOST:
            raise Problem(ProblemKind.TOO_LARGE, f"the form has more than {_FIELDS_MOST} fields")
        self.fields.append((self._name, self._value.decode("utf-8", "replace")))

    def _end(self) -> None:
        self._ended = True

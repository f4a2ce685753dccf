"""Forms: what was sent, what is wrong with it, and how it is shown again with what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

FORM_BYTES: Final = 1 << 20
_FIELDS_MOST: Final = 5_000

Sent = ImmutableMultiDict[str, str]


@dataclass(frozen=True)
class Form:
    """A form as a page shows it."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)  # field -> what is wrong with it; '' -> with all of it

    def value(self, name: str) -> str:
        """What a field holds."""
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """What is wrong with a field, '' for nothing."""
        return self.errors.get(name, "")


async def read_form(request: Request, most_bytes: int = FORM_BYTES) -> Sent:
    """Read a form without files.

    Args:
        request: The request.
        most_bytes: How long it may be.

    Returns:
        Its fields, by name; several of one name in their order.

    Raises:
        HTTPException: It is too long, is not such a form, or is no text.
    """
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "This takes a form. Nothing was changed.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise HTTPException(413, f"The form is longer than {most_bytes:,} bytes. Nothing was changed.")
    try:
        pairs = parse_qsl(bytes(body).decode(), keep_blank_values=True, max_num_fields=_FIELDS_MOST, errors="strict")
    except ValueError:
        raise HTTPException(422, "The form cannot be read. Nothing was changed.") from None
    return ImmutableMultiDict([(name, value.replace("\0", "\ufffd").replace("\r\n", "\n")) for name, value in pairs])

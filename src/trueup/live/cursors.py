"""Cursors: after which item of a list a page begins, as text that a caller brings back unchanged."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Final

_WHOLE_MAX: Final = 2**63


def cursor_text(key: Sequence[int | str]) -> str:
    """Write a cursor.

    Args:
        key: What the list is sorted by, of the item that the page comes after.
    """
    return base64.urlsafe_b64encode(json.dumps(list(key), ensure_ascii=False).encode()).decode().rstrip("=")


def cursor_key(text: str, *kinds: type) -> tuple[Any, ...]:
    """Read a cursor.

    Args:
        text: What was brought.
        *kinds: What the values of the key are, each int or str.

    Returns:
        The key.

    Raises:
        ValueError: It is no cursor of such a list.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    fit = isinstance(values, list) and len(values) == len(kinds)
    if not fit or not all(_is(value, kind) for value, kind in zip(values, kinds, strict=True)):
        raise ValueError("it is no cursor of this list")
    return tuple(values)


def _is(value: object, kind: type) -> bool:
    """Whether a value of a cursor is one that the database can be asked for."""
    if type(value) is not kind:
        return False
    if isinstance(value, int):
        return -_WHOLE_MAX <= value < _WHOLE_MAX
    return isinstance(value, str) and "\0" not in value and value.encode("utf-8", "replace").decode() == value

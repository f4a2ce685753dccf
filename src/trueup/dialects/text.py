"""Bytes that are no UTF-8, and halves of characters, which JSON and some encodings can write.

Each becomes the control character SUBSTITUTE. No id may have a control character. So two ids that differ only in such
bytes are both refused, and never taken for the same.
"""

import codecs
import re
from typing import Final

SUBSTITUTE: Final = "\x1a"
SUBSTITUTED: Final = "trueup.substituted"  # the name of this error handling for Python's decoders
_HALF: Final = re.compile("[\ud800-\udfff]")


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return SUBSTITUTE, error.end


codecs.register_error(SUBSTITUTED, _substitute)


def text_of(content: bytes) -> str:
    """Decode UTF-8."""
    return content.decode("utf-8", SUBSTITUTED)


def without_halves(text: str) -> str:
    """Put SUBSTITUTE in place of each half of a character."""
    return text if text.isascii() else _HALF.sub(SUBSTITUTE, text)

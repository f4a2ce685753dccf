"""Text that is none: bytes that are no UTF-8, and halves of characters, which JSON and some encodings can write.

Each becomes the control character that ASCII has for it. No id may have a control character, so that two ids which
differ in such bytes are refused, and never taken for one.
"""

import codecs
import re
from typing import Final

SUBSTITUTE: Final = "\x1a"
SUBSTITUTED: Final = "trueup.substituted"  # how Python's decoders are told to put it
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
    """Put the mark in place of each half of a character."""
    return text if text.isascii() else _HALF.sub(SUBSTITUTE, text)

"""JSON that means one thing only, read so that nothing else of the process waits long for it.

The parser is C code, which lets no other thread go on while it runs; of what makes it run long, no request has much.
It is stopped at each object and number, and what holds none of those is counted before.
"""

import codecs
import json
import re
from math import isfinite
from typing import Any, Final

# How often a byte may stand in a body. Ten thousand rows with every field have half as many commas.
_MOST: Final = {b",": 200_000, b"[": 20_000, b"\\": 500_000}
_NAMES_MOST: Final = 2_000  # of one object
_DEEPEST: Final = 32
_NUMBER_CHARS: Final = 40
_PIECE_BYTES: Final = 1 << 16
_SHOWN_CHARS: Final = 60
# A JSON text can escape one half of a character alone; only where it escapes any can it hold one.
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")


class NotReadError(ValueError):
    """The text is no JSON, or does not mean one thing only. The message says why, for a person."""


def parse_json(content: bytes | bytearray) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON.

    Args:
        content: The text, in UTF-8.

    Returns:
        What it holds: dictionaries, lists, text, numbers, truth values and None.

    Raises:
        NotReadError: It is not JSON or not UTF-8, has a name twice in an object, a number that is none or is too long,
            half a character, or more of anything than a request has.
    """
    text = _decoded(content)
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        raise NotReadError(f"{error.msg}, line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise NotReadError(_TOO_DEEP) from None
    _look_through(found, _HALF.search(text) is not None)
    return found


_TOO_DEEP: Final = f"it is nested more than {_DEEPEST} deep"


def _decoded(content: bytes | bytearray) -> str:
    decoder, found = codecs.getincrementaldecoder("utf-8-sig")(), dict.fromkeys(_MOST, 0)
    parts: list[str] = []
    try:
        for place in range(0, len(content), _PIECE_BYTES):
            piece = bytes(content[place : place + _PIECE_BYTES])
            for mark, most in _MOST.items():
                found[mark] += piece.count(mark)
                if found[mark] > most:
                    raise NotReadError(f"it has {mark.decode()!r} more than {most} times")
            parts.append(decoder.decode(piece))
        parts.append(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        raise NotReadError("it is not UTF-8") from None
    return "".join(parts)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _NAMES_MOST:
        raise NotReadError(f"an object in it has more than {_NAMES_MOST} names")
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # it adds
        raise NotReadError(f"{_shown(twice)} stands twice in one object")
    return made


def _whole(text: str) -> int:
    return int(_short(text))


def _decimal(text: str) -> float:
    number = float(_short(text))
    if not isfinite(number):
        raise NotReadError(f"{text} is too large a number")
    return number


def _short(text: str) -> str:
    if len(text) > _NUMBER_CHARS:
        raise NotReadError(f"it has a number of {len(text)} characters")
    return text


def _no_number(word: str) -> None:
    raise NotReadError(f"{word} is no number of JSON")


def _look_through(found: Any, may_have_halves: bool) -> None:  # noqa: ANN401 - whatever JSON holds
    """See that nothing is nested too deep, and that every text is whole."""
    left = [(found, 1)]
    while left:
        value, depth = left.pop()
        if isinstance(value, dict | list):
            if depth > _DEEPEST:
                raise NotReadError(_TOO_DEEP)
            inner = [*value, *value.values()] if isinstance(value, dict) else value
            left += [(each, depth + 1) for each in inner if may_have_halves or isinstance(each, dict | list)]
        elif isinstance(value, str) and not value.isascii() and _is_halved(value):
            raise NotReadError(f"{_shown(value)} has half a character")


def _is_halved(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "...")

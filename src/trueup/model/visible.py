"""Text from outside, made safe to show: nothing in it acts, and nothing in it is hidden.

Control characters would move a terminal's cursor or change its colours. Characters of direction would show text in
another order than it has. Both are written out as Python writes them. Characters that join letters (U+200C, U+200D)
stay: Persian and emoji need them.
"""

import re
from typing import Final

import polars as pl

from trueup.model.frame_ops import FEW

# Control characters, soft hyphen, marks and overrides of direction, line and paragraph ends, invisible signs, tags.
_ACTING: Final = (
    r"\x00-\x1f\x7f-\x9f\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}"
    r"\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}"
)
_IN_FRAMES: Final = f"[{_ACTING}]"
# Halves of characters: no frame has them, but a file's name can.
_PATTERN: Final = re.sub(r"\\u\{(\w+)\}", lambda found: f"\\U{found[1]:>08}", _ACTING) + r"\ud800-\udfff"
_ANYWHERE: Final = re.compile(f"[{_PATTERN}]")
_WITHIN_LINES: Final = re.compile(f"(?!\n)[{_PATTERN}]")
_BYTE: Final = 0xFF
_SHORT: Final = 0xFFFF


def visible(text: str) -> str:
    r"""A text with what acts or hides written out, such as `\x1b`. Line breaks stay: a message may have lines."""
    return _WITHIN_LINES.sub(_written_out, text)


def on_one_line(text: str) -> str:
    """A name or a value from outside, with what acts or hides written out, and its line breaks too."""
    return _ANYWHERE.sub(_written_out, text)


def in_json(text: str) -> str:
    """JSON text that means the same, with what acts or hides escaped as JSON has it. Its own line breaks stay."""
    return _WITHIN_LINES.sub(lambda found: _units(found[0]), text)


def escaped(text: str) -> str:
    """Text in quotes of TOML that means the same, with what acts or hides escaped."""
    return _WITHIN_LINES.sub(lambda found: _escape(found[0]), text)


def visible_column(texts: pl.Expr) -> pl.Expr:
    """A column of `on_one_line` texts."""
    return texts.map_batches(_each_on_one_line, return_dtype=pl.String)


def _each_on_one_line(texts: pl.Series) -> pl.Series:
    if texts.len() <= FEW:
        written = [text and on_one_line(text) for text in texts.to_list()]
        return pl.Series(texts.name, written, pl.String)
    places = texts.str.contains(_IN_FRAMES).fill_null(value=False).arg_true()
    return texts.scatter(places, [on_one_line(text) for text in texts.gather(places)]) if places.len() else texts


def _written_out(found: "re.Match[str]") -> str:
    code = ord(found[0])
    if found[0] == "\n":
        return r"\n"
    return f"\\x{code:02x}" if code <= _BYTE else _escape(found[0])


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= _SHORT else f"\\U{code:08x}"


def _units(char: str) -> str:
    coded = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{coded[place : place + 2].hex()}" for place in range(0, len(coded), 2))

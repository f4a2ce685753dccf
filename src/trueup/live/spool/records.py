"""The bytes of a spool file: a header, and one record behind the other. Told apart: whole, damaged, and never finished.

The header has the file's number, which is another after every emptying, and the end of what was kept. A record has a
mark, the number, its length and a checksum of all that and of its place. So it is known again wherever one looks: the
record behind a damaged one is found, and one of before an emptying is not taken for a new one. The mark cannot stand in
a record's own text, whatever a visitor sends: no UTF-8 has its first byte.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

_HEADER: Final = Struct("<8sQQI")  # mark, number, end, checksum
_HEADER_MARK: Final = b"truespl3"
_HEAD: Final = Struct("<4sQII")  # mark, number, length, checksum
_MARK: Final = b"\xffclk"
_COVERED: Final = Struct("<QIQ")  # number, length, place

BEGIN: Final = _HEADER.size  # where the first record stands
HEAD_BYTES: Final = _HEAD.size  # of a record, before its text


class Header(NamedTuple):
    """What a file says of itself."""

    number: int  # another after every emptying
    end: int  # of what was kept


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a spool file that were kept, and are no whole record any more."""

    place: int
    length: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands in a file."""

    number: int
    end: int  # of what was kept; what is behind it was never finished
    texts: list[bytes]  # of the whole records, in the order they were kept
    damaged: tuple[Stretch, ...]


class _Record(NamedTuple):
    place: int
    end: int
    number: int
    text: bytes


def header(number: int, end: int) -> bytes:
    """The bytes of a header."""
    return _HEADER.pack(_HEADER_MARK, number, end, _header_checksum(number, end))


def read_header(content: bytes) -> Header | None:
    """Read the header at the beginning of a file; None for anything else."""
    if len(content) < _HEADER.size:
        return None
    mark, number, end, checksum = _HEADER.unpack_from(content)
    is_one = mark == _HEADER_MARK and checksum == _header_checksum(number, end) and end >= BEGIN
    return Header(number, end) if is_one else None


def record(number: int, place: int, text: bytes) -> bytes:
    """The bytes of a record that stands at a place."""
    return _HEAD.pack(_MARK, number, len(text), _checksum(number, place, text)) + text


def survey(content: bytes, told: Header | None) -> Survey:
    """Find out what stands in a file that is not empty of all bytes.

    Of several numbers the greatest holds, as a file is emptied only when the ledger has what was in it. Without a
    header nobody knows where the end was: then all of the file counts as damaged, and its whole records are given too.

    Args:
        content: The file, from its beginning.
        told: Its header; None where that cannot be read.
    """
    found = list(_whole_records(content, told.number if told else 0))
    number = max([told.number if told else 0, *(each.number for each in found)])
    found = [each for each in found if each.number == number]
    texts = [each.text for each in found]
    if told is None:
        end = max(BEGIN, len(content.rstrip(b"\0")))
        return Survey(number, end, texts, (Stretch(0, end),))
    end = max([told.end if told.number == number else BEGIN, *(each.end for each in found)])
    return Survey(number, end, texts, tuple(_between(found, end)))


def _whole_records(content: bytes, least: int) -> Iterator[_Record]:
    """Every whole record whose number is not less than one."""
    place = content.find(_MARK, BEGIN)
    while place >= 0:
        found = _record_at(content, place, least)
        if found:
            yield found
        place = content.find(_MARK, found.end if found else place + 1)


def _record_at(content: bytes, place: int, least: int) -> _Record | None:
    begin = place + HEAD_BYTES
    if begin > len(content):
        return None
    _, number, length, checksum = _HEAD.unpack_from(content, place)
    if number < least or begin + length > len(content):
        return None
    text = content[begin : begin + length]
    if checksum != _checksum(number, place, text):
        return None
    return _Record(place, begin + length, number, text)


def _between(found: list[_Record], end: int) -> Iterator[Stretch]:
    """What is not in a record, up to the end."""
    at = BEGIN
    for each in found:
        if each.place > at:
            yield Stretch(at, each.place - at)
        at = each.end
    if end > at:
        yield Stretch(at, end - at)


def _header_checksum(number: int, end: int) -> int:
    return zlib.crc32(_COVERED.pack(number, 0, end))


def _checksum(number: int, place: int, text: bytes) -> int:
    return zlib.crc32(text, zlib.crc32(_COVERED.pack(number, len(text), place)))

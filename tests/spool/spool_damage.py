"""A spool file that is written by several generations of programs, and what befalls its bytes."""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from spool_files import SIZE, click

from trueup.live.spool.file import SpoolFile
from trueup.live.spool.records import BEGIN
from trueup.model.traffic import Click

PAGE = 512


@dataclass(frozen=True)
class Kept:
    """A record that was acknowledged: where it stands, and what is in it."""

    place: int
    end: int
    clicks: list[Click]


@dataclass
class Written:
    """What a file should hold."""

    records: list[Kept] = field(default_factory=list)
    forgotten: set[Click] = field(default_factory=set)


# How many clicks each record has; the list begins anew after each emptying.
generations = st.lists(st.lists(st.integers(1, 4), max_size=25), min_size=1, max_size=4)
texts = st.text(max_size=30)


def write(file: SpoolFile, counts: list[list[int]], text: str) -> Written:
    """Keep clicks of several generations; each click is another."""
    written, number = Written(), 0
    for generation, records in enumerate(counts):
        if generation:
            written.forgotten |= {each for record in written.records for each in record.clicks}
            written.records = []
            file.empty()
        for count in records:
            clicks = [click(number + more, text * (number % 5)) for more in range(count)]
            number += count
            place = BEGIN + file.taken
            assert file.keep(clicks) == count
            written.records.append(Kept(place, BEGIN + file.taken, clicks))
    return written


@st.composite
def damages(draw: st.DrawFn, begin: int = BEGIN) -> list[tuple[str, int, int]]:
    """What befalls a file: bits are flipped, pages are zeroed, the file is cut. In thousandths of what is taken."""
    places = st.integers(0, 999)
    flips = st.tuples(st.just("flip"), places, st.integers(0, 7))
    zeros = st.tuples(st.just("zero"), places, st.integers(1, PAGE))
    cuts = st.tuples(st.just("cut"), places, st.just(begin))
    return draw(st.lists(st.one_of(flips, zeros, cuts), min_size=1, max_size=4))


def harm(content: bytearray, damage: list[tuple[str, int, int]], end: int, begin: int = BEGIN) -> bytearray:
    """Damage a file's bytes between two places."""
    for kind, thousandth, how in damage:
        place = begin + thousandth * (end - begin) // 1_000
        if place >= len(content):
            continue
        if kind == "flip":
            content[place] ^= 1 << how
        elif kind == "zero":
            length = min(how, end - place, len(content) - place)
            content[place : place + length] = bytes(length)
        else:
            del content[place:]
    return content


def whole(record: Kept, before: bytes, after: bytes) -> bool:
    """Whether nothing befell a record's own bytes."""
    return before[record.place : record.end] == after[record.place : record.end]


__all__ = ["PAGE", "SIZE", "Kept", "Written", "damages", "generations", "harm", "texts", "whole", "write"]

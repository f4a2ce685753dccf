"""Which dialect a file is written in, told from its titles or, where it has none, from its first records."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.columns import written_by_trueup
from trueup.dialects.dialect import Dialect
from trueup.dialects.dialects import DIALECTS, EXPORT_TITLES, dialect_named
from trueup.dialects.doubts import refuse_unknown_titles
from trueup.dialects.names import ADDED_TITLES, FIELDS, normalised
from trueup.dialects.presets import PRESETS
from trueup.dialects.titles import Beginning
from trueup.model.remarks import Way
from trueup.model.words import STATUS_WORDS, DuplicateMode, RowKind


@dataclass(frozen=True)
class Recognition:
    """What a file was taken for."""

    dialect: Dialect
    header: tuple[str, ...] | None  # the first record, when it holds the column titles
    why: str
    rivals: tuple[str, ...] = ()  # dialects that it might be as well

    def own_mode(self, row_kind: RowKind) -> DuplicateMode | None:
        """The dialect's own duplicate mode, if it is certain that the file is of this dialect."""
        return self.dialect.own_mode if row_kind == RowKind.CONVERSION and not self.rivals else None


_UPDATE: Final = re.compile(r"auto|[+-]?[0-9]*[.,][0-9]+|[a-z0-9_]+=.*", re.IGNORECASE)  # what is no transaction id

Titles = frozenset[str]  # normalised, without those of the file of refused rows


def _is(name: str) -> Callable[[Titles, Sequence[str]], bool]:
    own = frozenset(map(normalised, DIALECTS[name].titles))
    return lambda titles, _: titles == own


def _is_gokart(titles: Titles, _: Sequence[str]) -> bool:
    return titles >= {"clickid", "eventid"} and bool(titles & {"usercompletedat", "reward"})


def _is_gokart_status(titles: Titles, _: Sequence[str]) -> bool:
    statuses = titles & {"status", "cnv_status", "conversion_status"}
    return "gk_click_id" in titles and bool(statuses) and not titles & set(FIELDS["payout"])


def _is_trueup(_: Titles, header: Sequence[str]) -> bool:
    return EXPORT_TITLES.issuperset(title for title in header if title not in ADDED_TITLES)


def _has_marks(name: str) -> Callable[[Titles, Sequence[str]], bool]:
    return lambda titles, _: any(mark <= titles for mark in PRESETS[name].marks)


def _is_redtrack(titles: Titles, _: Sequence[str]) -> bool:
    return bool(titles & {"clickid", "sum", "rdtk_event_id"})


# The first that fits is the dialect.
BY_TITLES: Final[Mapping[str, tuple[Callable[[Titles, Sequence[str]], bool], str]]] = {
    "keitaro": (_is("keitaro"), "its column titles are Keitaro's"),
    "voluum": (_is("voluum"), "its column titles are Voluum's"),
    "gokart": (_is_gokart, "its column titles are those of GoKart's conversion file"),
    "gokart-status": (_is_gokart_status, "its column titles are those of GoKart's status file"),
    "trueup": (_is_trueup, "all its column titles are Trueup's own"),
    **{name: (_has_marks(name), f"its column titles are those of {name}") for name in PRESETS},
    "redtrack": (_is_redtrack, "its column titles are spelled as RedTrack spells them"),
    "headed": (lambda _titles, _header: True, "it has column titles, and they are no known tracker's"),
}


def recognised(beginning: Beginning, choices: Choices) -> Recognition:
    """Find the dialect. The rules: docs/dialects.md.

    Args:
        beginning: The file's first records, and which of them are its titles.
        choices: What the person chose for the file.

    Returns:
        What the file was taken for.

    Raises:
        UnreadableFile: The titles cannot be read or are all unknown, the person has to choose between two dialects, or
            the dialect does not have what the rows are to do.
    """
    header = tuple(beginning.header.fields) if beginning.header else None
    if header == ():
        raise UnreadableFile("The first line cannot be read as column titles: mend its quotes, or shorten it.")
    if choices.dialect:
        found = Recognition(dialect_named(choices.dialect), header, "it was chosen")
    elif header is not None:
        found = _by_titles(header)
    else:
        found = _by_fields(beginning, choices)
    if choices.row_kind not in found.dialect.row_kinds:
        raise _of_other_rows(found)
    return found


def _of_other_rows(found: Recognition) -> UnreadableFile:
    if RowKind.STATUS not in found.dialect.row_kinds:
        return UnreadableFile(
            f"This is a file of conversions ({found.dialect.name}, because {found.why}). To set statuses by it, use ",
            Way.DIALECT.of(dialect="headed"),
            ", and say which columns are the click id and the status.",
        )
    return UnreadableFile(
        f"This is a status file ({found.dialect.name}, because {found.why}): it sets statuses and creates nothing. "
        "Use ",
        Way.STATUS_UPDATE.of(),
        "; or, if its rows are conversions, choose ",
        Way.DIALECT.of(dialect="headed"),
        ".",
    )


def _by_titles(header: tuple[str, ...]) -> Recognition:
    added = ADDED_TITLES if written_by_trueup(header) else ()
    titles = frozenset(normalised(title) for title in header) - frozenset(added)
    name, why = next((name, why) for name, (fits, why) in BY_TITLES.items() if fits(titles, header))
    return Recognition(DIALECTS[name], header, why)


def _by_fields(beginning: Beginning, choices: Choices) -> Recognition:
    if choices.titles_line is None:
        refuse_unknown_titles(beginning.records)
    rows = [list(record.fields) for record in beginning.records]
    parted = None if choices.row_kind == RowKind.STATUS else _by_colons(rows, beginning.layout.separator)
    return parted or _by_commas(rows, choices.row_kind)


def _by_commas(rows: list[list[str]], row_kind: RowKind) -> Recognition:
    if row_kind == RowKind.STATUS:
        return _status_lines(rows)
    fourths = [row[3].casefold() for row in rows if len(row) == 4 and row[3]]  # noqa: PLR2004 - the fourth of four
    statuses = sum(word in STATUS_WORDS for word in fourths)
    others = len(fourths) - statuses + sum(len(row) > 4 for row in rows)  # noqa: PLR2004 - Keitaro's lines have no fifth
    if statuses > others:
        return Recognition(DIALECTS["keitaro"], None, "the fourth fields are status words", ("voluum",))
    if others:
        rivals = ("keitaro",) if statuses else ()
        return Recognition(DIALECTS["voluum"], None, "it has fields that Keitaro's lines do not have", rivals)
    return Recognition(DIALECTS["voluum"], None, "nothing in it tells Voluum's lines from Keitaro's", ("keitaro",))


def _status_lines(rows: list[list[str]]) -> Recognition:
    seconds = [row[1].casefold() for row in rows if len(row) > 1 and row[1]]
    statuses = sum(word in STATUS_WORDS for word in seconds)
    if statuses * 2 > len(seconds) or max(map(len, rows), default=1) <= 2:  # noqa: PLR2004 - click id and status
        return Recognition(DIALECTS["click-status"], None, "its lines hold a click id and a status", ("keitaro",))
    return Recognition(DIALECTS["keitaro"], None, "its lines have more fields than a click id and a status")


def _by_colons(rows: list[list[str]], separator: str) -> Recognition | None:
    """Recognise lines that part their first fields by colons: no click id has one."""
    if separator != ":":
        parted = any(row and ":" in row[0] for row in rows) and all(len(row) <= 2 for row in rows)  # noqa: PLR2004 - a hit and a payout
        return (
            Recognition(DIALECTS["funnelflux"], None, "its first fields hold a hit and its transaction")
            if parted
            else None
        )
    seconds = [row[1] for row in rows if len(row) > 1]
    numbers = [text for text in seconds if text.isascii() and text.isdigit()]
    is_long = any(len(row) > 2 for row in rows)  # noqa: PLR2004 - more than a click id and a payout
    if is_long or any(map(_UPDATE.fullmatch, seconds)):
        return Recognition(DIALECTS["binom"], None, "colons part its lines")
    if not numbers:
        return Recognition(DIALECTS["funnelflux"], None, "its lines hold a hit and its transaction")
    raise UnreadableFile(
        "Its lines hold a click id and a number, with a colon between. The number may be a payout, or a transaction "
        "id. Choose ",
        Way.DIALECT.of(dialect="binom"),
        " for payouts, or ",
        Way.DIALECT.of(dialect="funnelflux"),
        " for transaction ids.",
    )

"""Which dialect a file is written in, told from its titles or, where it has none, from its first records."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.columns import written_by_trueup
from trueup.dialects.dialects import DIALECTS, EXPORT_TITLES, Dialect, dialect_named
from trueup.dialects.names import ADDED_TITLES, FIELDS, LOCAL_TIME, field_of, listed, normalised, quoted_title
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
    ours = (title for title in header if title not in ADDED_TITLES and not title.startswith(LOCAL_TIME))
    return EXPORT_TITLES.issuperset(ours)


def _is_redtrack(titles: Titles, _: Sequence[str]) -> bool:
    return bool(titles & {"clickid", "sum", "rdtk_event_id"})


# The first that fits is the dialect.
BY_TITLES: Final[Mapping[str, tuple[Callable[[Titles, Sequence[str]], bool], str]]] = {
    "keitaro": (_is("keitaro"), "its column titles are Keitaro's"),
    "voluum": (_is("voluum"), "its column titles are Voluum's"),
    "gokart": (_is_gokart, "its column titles are those of GoKart's conversion file"),
    "gokart-status": (_is_gokart_status, "its column titles are those of GoKart's status file"),
    "trueup": (_is_trueup, "all its column titles are Trueup's own"),
    "redtrack": (_is_redtrack, "its column titles are spelled as RedTrack spells them"),
    "headed": (lambda _titles, _header: True, "it has column titles, and they are no known tracker's"),
}


def recognised(records: Sequence[Sequence[str]], choices: Choices) -> Recognition:
    """Find the dialect. The rules: docs/dialects.md.

    Args:
        records: The fields of the file's first records. A record that cannot be read is an empty list.
        choices: What the person chose for the file.

    Returns:
        What the file was taken for.

    Raises:
        UnreadableFile: The chosen dialect needs column titles and the file has none, all its titles are unknown, or the
            dialect does not have what the rows are to do.
    """
    chosen = dialect_named(choices.dialect) if choices.dialect else None
    first = tuple(field.strip() for field in records[0]) if records else ()
    header = first if _has_titles(first, chosen, choices) else None
    if header == ():
        raise UnreadableFile("The first line cannot be read as column titles: mend its quotes, or shorten it.")
    if chosen:
        found = Recognition(chosen, header, "it was chosen")
    elif header is not None:
        found = _by_titles(header)
    else:
        found = _by_fields(records, choices.row_kind)
    if choices.row_kind not in found.dialect.row_kinds:
        raise UnreadableFile(
            f"This is a status file ({found.dialect.name}, because {found.why}): it sets statuses and creates nothing. "
            "Use ",
            Way.STATUS_UPDATE.of(),
            "; or, if its rows are conversions, choose ",
            Way.DIALECT.of(dialect="headed"),
            ".",
        )
    return found


def _has_titles(first: tuple[str, ...], chosen: Dialect | None, choices: Choices) -> bool:
    if choices.columns or (chosen and chosen.needs_header):
        return True
    fields = [field_of(title, chosen.own_names if chosen else {}) for title in first]
    known = [field for field in fields if field]
    # One known title may be a value: "event" and "goal" are good names of conversion types.
    return "click_id" in known or "conversion_id" in known or len(known) > 1


def _by_titles(header: tuple[str, ...]) -> Recognition:
    added = ADDED_TITLES if written_by_trueup(header) else ()
    titles = frozenset(normalised(title) for title in header) - frozenset(added)
    name, why = next((name, why) for name, (fits, why) in BY_TITLES.items() if fits(titles, header))
    return Recognition(DIALECTS[name], header, why)


def _by_fields(records: Sequence[Sequence[str]], row_kind: RowKind) -> Recognition:
    rows = [[field.strip() for field in record] for record in records]
    _refuse_unknown_titles(rows)
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


def _refuse_unknown_titles(rows: list[list[str]]) -> None:
    """Refuse a file whose first line is column titles that are all unknown.

    A first line of words above a column that holds only numbers is taken for titles.
    """
    if len(rows) < 2 or len(rows[0]) < 2 or not all(map(_is_word, rows[0])):  # noqa: PLR2004 - titles, and a row below them
        return
    for position in range(len(rows[0])):
        below = [row[position] for row in rows[1:] if len(row) > position and row[position]]
        if below and all(re.fullmatch(r"[+-]?[0-9]*[.,]?[0-9]+", text) for text in below):
            raise UnreadableFile(
                f"The first line looks like column titles ({listed(rows[0])}), and none of them is known. "
                "Say which is the click id with ",
                Way.COLUMN.of(title=quoted_title(rows[0][0]), field="click_id"),
                f", and so on for: {', '.join(FIELDS)}. If it is a row, choose the dialect: ",
                Way.DIALECT.of(dialect="keitaro"),
                " or ",
                Way.DIALECT.of(dialect="voluum"),
                ".",
            )


def _is_word(text: str) -> bool:
    return bool(text) and not any(letter.isdigit() for letter in text) and text.casefold() not in STATUS_WORDS

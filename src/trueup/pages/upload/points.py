"""What was recognised of a file, point by point: each can be changed."""

from dataclasses import dataclass
from typing import Final

from trueup.model.catalog import Catalog
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import UploadKind
from trueup.pages.upload.words import KINDS, MODES, TIME_FORMATS
from trueup.uploads.files import Account
from trueup.uploads.looks import Look

_SHOWN_FIRST: Final = (
    "click_id", "conversion_id", "conversion_type", "status", "payout", "currency", "transaction_id", "event_id",
    "converted_at", "clicked_at", "campaign", "offer", "cost", "country", "external_id", "refusal",
)  # fmt: skip
_LEFT_OUT: Final = frozenset({"line", "fallback_zone", "dialect_status", "detail"})
_CELLS_MOST: Final = 12
_COLUMNS_SAID: Final = 4  # so many fit on a line


@dataclass(frozen=True)
class Point:
    """One thing that was recognised or chosen."""

    name: str  # of its controls
    title: str
    said: str
    is_chosen: bool = False


@dataclass(frozen=True)
class FirstRows:
    """The first rows as they are understood."""

    titles: list[str]
    rows: list[dict[str, str]]


def points_of(record: UploadRecord, account: Account | None, catalog: Catalog) -> list[Point]:
    """Say what was recognised.

    Args:
        record: The file.
        account: What is known of it; None before it is read.
        catalog: The setup.
    """
    choices, is_read = record.choices, account is not None and account.is_read
    points = [
        Point("kind", "What the rows are", KINDS[choices.kind][0]),
        Point("form", "Written by", _form(choices, account), is_chosen=_has_form(choices)),
        Point("columns", "Columns", _columns(account), is_chosen=bool(choices.columns)),
        Point(
            "times",
            "Times",
            _times(choices, account if is_read else None, catalog),
            is_chosen=bool(choices.time_zone or choices.time_format),
        ),
        Point("amounts", "Amounts", _amounts(choices), is_chosen=choices.decimal_comma or choices.thousands),
    ]
    rules = _rules(choices, account)
    if choices.kind is UploadKind.CLICKS:
        said = "Set up first" if choices.create_missing else "Refuse rows that name it"
        missing = account.lacks if account else None
        if missing:
            points.append(
                Point("missing", "Missing in the setup", f"{missing.names:,} names. {said}", choices.create_missing)
            )
        return points
    if choices.kind is UploadKind.CONVERSIONS:
        points.append(Point("rules", "Duplicates", rules, is_chosen=choices.duplicates is not None))
    else:
        points.append(Point("rules", "Statuses", rules, is_chosen=choices.force_status))
    return points


def _has_form(choices: UploadChoices) -> bool:
    return any((choices.dialect, choices.encoding, choices.sheet, choices.titles_line is not None))


def _form(choices: UploadChoices, account: Account | None) -> str:
    known = account.dialect if account and account.is_read else ""
    said = [choices.dialect or (f"{known} (recognised)" if known else "not recognised yet")]
    if choices.sheet:
        said.append(f"sheet {choices.sheet}")
    if choices.encoding:
        said.append(f"encoding {choices.encoding}")
    if choices.titles_line is not None:
        said.append(f"titles on line {choices.titles_line}" if choices.titles_line else "no titles")
    return ", ".join(said)


def _columns(account: Account | None) -> str:
    look = account.look if account else Look()
    used = [column for column in look.columns if column.field]
    if not look.columns:
        return "by their places"
    if not used:
        return f"{len(look.columns)} found, none recognised"
    return (
        f"{len(used)} of {len(look.columns)} used: "
        + ", ".join(f"{column.title or 'column'} → {column.field}" for column in used[:_COLUMNS_SAID])
        + (" and more" if len(used) > _COLUMNS_SAID else "")
    )


def _times(choices: UploadChoices, account: Account | None, catalog: Catalog) -> str:
    zone = choices.time_zone or (account.time_zone if account else catalog.workspace.time_zone)
    names = dict(TIME_FORMATS)
    if not choices.time_format:
        return f"in {zone} where they have no offset"
    return f"in {zone}, written {names.get(choices.time_format, choices.time_format)}"


def _amounts(choices: UploadChoices) -> str:
    if choices.decimal_comma:
        return "1.234,50" if choices.thousands else "1234,50"
    return "1,234.50" if choices.thousands else "1234.50"


def _rules(choices: UploadChoices, account: Account | None) -> str:
    said = []
    if choices.kind is UploadKind.CONVERSIONS:
        said.append(MODES[choices.duplicates] if choices.duplicates else "As set up")
        if not choices.duplicates and account and account.own_mode:
            said[0] += f", else {account.own_mode}"
    if choices.force_status:
        said.append("statuses forced")
    if choices.without_conversion_ids:
        said.append("conversion ids left out")
    return "; ".join(said) or "A status that a person set stays"


def first_rows(look: Look) -> FirstRows | None:
    """The first rows of a file, with the columns that any of them gives; None where none could be read."""
    if not look.rows:
        return None
    given = {name for row in look.rows for name, value in row.items() if value} - _LEFT_OUT
    known = [name for name in _SHOWN_FIRST if name in given]
    rest = sorted(given.difference(known))
    return FirstRows((known + rest)[:_CELLS_MOST], [dict(row) for row in look.rows])

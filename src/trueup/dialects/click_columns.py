"""Which column of a file of clicks is which field of a click."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.columns import Columns, chosen_columns, rivals_for, saved_mapping, written_by_trueup
from trueup.dialects.dialect import Dialect
from trueup.dialects.names import ADDED_TITLES, listed, normalised, quoted_title
from trueup.model.frames import CLICK_FACTS, CLICKS, VISITOR
from trueup.model.remarks import Way

REQUIRED: Final = ("click_id", "campaign", "offer", "clicked_at")
TEXTS: Final = tuple(
    name for name, dtype in CLICKS.items() if dtype == pl.String and name not in CLICK_FACTS and name not in VISITOR
)
# Said of a campaign or an offer that is not set up yet, and of no use otherwise.
BESIDE: Final = ("traffic_source", "affiliate_network")

# Field -> the titles that it is found by, in files of clicks. Case does not matter; blanks, hyphens and underscores are
# the same.
CLICK_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "click_id": ("click_id", "clickid", "subid", "sub_id", "gk_click_id"),
    "campaign": ("campaign", "campaign_name"),
    "offer": ("offer", "offer_name"),
    "clicked_at": ("clicked_at", "click_time", "click_date", "click_timestamp", "click_datetime"),
    "cost": ("cost", "click_cost", "cpc"),
    "external_id": ("external_id",),
    "country": ("country", "country_code"),
    **{f"sub{i}": (f"sub{i}", f"sub_{i}") for i in range(1, 11)},
    "traffic_source": ("traffic_source", "traffic_source_name"),
    "affiliate_network": ("affiliate_network", "affiliate_network_name"),
}
_FIELD_OF: Final = {title: field for field, titles in CLICK_NAMES.items() for title in titles}


def click_field(title: str) -> str | None:
    """Find out which field of a click a column gives, None for a title that names none."""
    return _FIELD_OF.get(normalised(title))


def click_columns(titles: Sequence[str], dialect: Dialect, choices: Choices) -> Columns:
    """Match the columns with the fields of a click.

    Args:
        titles: The column titles of the file.
        dialect: The form that the file is written in.
        choices: What the person chose for the file.

    Returns:
        Which column is which field.

    Raises:
        UnreadableFile: A column that must be there is missing, a chosen one is not in the file, or a field has two.
    """
    chosen = chosen_columns(titles, choices.columns, _FIELD_OF, " of a click")
    found: dict[str, list[int]] = {}
    for position, title in enumerate(titles):
        field = chosen[position] if position in chosen else dialect.own_names.get(normalised(title))
        if field:
            found.setdefault(field, []).append(position)
    positions = {field: _only(field, places, titles, chosen, dialect) for field, places in found.items()}
    _require(positions, titles, choices)
    added = ADDED_TITLES if written_by_trueup(titles) else ()
    places = tuple(i for i, title in enumerate(titles) if normalised(title) not in added)
    names = list(map(normalised, titles))
    return Columns(
        tuple(titles[i] for i in places),
        places,
        fewest=len(titles),
        most=len(titles),
        positions=positions,
        reasons={i: dialect.unused[name] for i, name in enumerate(names) if name in dialect.unused},
    )


def _only(field: str, places: list[int], titles: Sequence[str], chosen: Mapping[int, str], dialect: Dialect) -> int:
    """Find the one column of a field."""
    rivals = rivals_for(places, titles, chosen, dialect)
    if len(rivals) == 1:
        return rivals[0]
    first, second = (quoted_title(titles[rival]) for rival in rivals[:2])
    if first == second:
        raise UnreadableFile(f'Two columns are titled "{normalised(first)}". Rename or remove one of them.')
    raise UnreadableFile(
        f'The columns "{first}" and "{second}" would both be {field}. Say which it is with ',
        Way.COLUMN.of(title=first, field=field),
        " or ",
        Way.COLUMN.of(title=second, field=field),
        ".",
    )


def _require(positions: Mapping[str, int], titles: Sequence[str], choices: Choices) -> None:
    missing = [field for field in REQUIRED if field not in positions]
    if missing:
        saved = saved_mapping(titles, choices)
        raise UnreadableFile(
            f"No column is titled {' or '.join(missing)}. A file of clicks begins with the titles "
            f"{', '.join(REQUIRED)}; it may also have cost, {', '.join(TEXTS[:3])} to {TEXTS[-1]}. "
            f"This one begins with: {listed(titles)}. Say which column it is with ",
            Way.COLUMN.of(title="COLUMN", field=missing[0]),
            f".{' ' if saved else ''}",
            *saved,
        )

"""The outside forms of rows, one entry each: a new form is a new entry, and a line in the table that recognises it."""

from typing import Final

from trueup.dialects.choices import UnreadableFile
from trueup.dialects.dialect import Dialect, dialects_by_name
from trueup.dialects.names import FIELDS, nearest
from trueup.dialects.presets import PRESETS
from trueup.model.frames import EXPORT_COLUMNS
from trueup.model.words import DuplicateMode, RowKind, Status

_OWN: Final = dialects_by_name(
    Dialect(
        name="keitaro",
        titles=("sub_id", "payout", "tid", "status"),
        needs_header=False,
        trailing_optional=True,
        own_mode=DuplicateMode.UPDATE,
        absent_status=Status.APPROVED,  # a line without a status is a sale
    ),
    Dialect(
        name="voluum",
        titles=("click id", "payout", "transaction id", "conversion type", "conversion time"),
        needs_header=False,
        trailing_optional=True,
        own_mode=DuplicateMode.IGNORE,
    ),
    Dialect(
        name="redtrack",
        titles=("clickid", "payout", "type", "status", "time", "rdtk_event_id"),
        time_zone="UTC",
    ),
    Dialect(
        name="gokart",
        titles=("ClickId", "EventID", "UserCompletedAt", "Revenue", "Reward"),
        own_names={"eventid": "conversion_type"},
        kept=("Reward",),
        own_mode=DuplicateMode.UPDATE,
        time_zone="UTC",
    ),
    Dialect(
        name="gokart-status",
        titles=("gk_click_id", "EventId", "status"),
        own_names={"eventid": "conversion_id", "conversion_status": "status"},
        row_kinds=frozenset({RowKind.STATUS}),
    ),
    Dialect(
        name="click-status",
        titles=("click_id", "status"),
        needs_header=False,
        trailing_optional=True,
        row_kinds=frozenset({RowKind.STATUS}),
    ),
    Dialect(
        name="trueup",
        titles=tuple(FIELDS),
        defused=True,
    ),
    Dialect(
        name="headed",
        titles=tuple(FIELDS),
    ),
)

DIALECTS: Final = {**_OWN, **PRESETS}

# The titles of Trueup's own exports; those that are no field of a row are not read.
EXPORT_TITLES: Final = frozenset(FIELDS) | frozenset(EXPORT_COLUMNS)


def dialect_named(name: str) -> Dialect:
    """Find a dialect by its name.

    Args:
        name: The name, such as `keitaro`.

    Returns:
        The dialect.

    Raises:
        UnreadableFile: No dialect has this name. The message names the nearest.
    """
    if name not in DIALECTS:
        raise UnreadableFile(f'No dialect is called "{name}". {nearest(name, DIALECTS)}')
    return DIALECTS[name]

"""What mends refused rows: a code with parameters. The words are the surfaces'."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RemedyKind(StrEnum):
    """A way to mend all rows of a cause at once. The codes are stored, so they never change."""

    MAP_STATUS = "map_status"  # say what the network's word means; parameters: word
    SET_UP_TYPE = "set_up_type"  # parameters: type, and nearest where a known one is like it
    IMPORT_CLICKS = "import_clicks"
    SET_RATE = "set_rate"  # parameters: currency
    CHOOSE = "choose"  # read the file by another choice; parameters: choice
    FORCE_STATUS = "force_status"
    WITHOUT_CONVERSION_IDS = "without_conversion_ids"
    CREATE_MISSING = "create_missing"  # of clicks: set up what only the file names
    TIME_ZONE = "time_zone"  # choose the zone of the file's times
    MEND_ROWS = "mend_rows"  # in the file of refused rows


@dataclass(frozen=True)
class Remedy:
    """One way to mend refused rows."""

    kind: RemedyKind
    values: Mapping[str, str] = field(default_factory=dict)

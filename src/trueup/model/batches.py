"""What a batch is, how far it has come, and what it has done so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.model.frames import TOTALS, Totals, empty
from trueup.model.words import BatchKind, BatchState, DuplicateMode, Origin, RowKind


@dataclass(frozen=True)
class Receipt:
    """What a batch was received as: all that its rows are decided by, apart from the rows themselves."""

    kind: BatchKind
    origin: Origin
    received_at: int
    made_by: str
    policy_id: int
    file_name: str = ""
    sha256: str = ""
    choices: str = ""  # JSON of what the person chose, by which the same command is recognised
    undoes: int | None = None  # the batch that it undoes
    row_kind: RowKind = RowKind.CONVERSION
    chosen_mode: DuplicateMode | None = None
    dialect_mode: DuplicateMode | None = None  # the dialect's own mode, where the dialect is certain
    forced: bool = False


@dataclass(frozen=True)
class BatchRecord:
    """A batch as the ledger holds it."""

    batch_id: int
    kind: BatchKind
    origin: Origin
    state: BatchState
    received_at: int
    finished_at: int | None  # None while it runs
    made_by: str
    policy_id: int
    file_name: str
    sha256: str
    choices: str
    rows_total: int
    rows_done: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    totals_before: Totals = field(default_factory=lambda: empty(TOTALS))
    totals_delta: Totals = field(default_factory=lambda: empty(TOTALS))
    undoes: int | None = None

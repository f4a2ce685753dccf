"""Live traffic: the clicks and messages that wait together are recorded together, through the same door as files.

A message is one row: a postback or a pixel. Messages of one origin share a batch for an hour; each batch can be undone
like any other, and then the next message opens a new one. What rows come to that waited for a visit is put down to a
batch of late clicks, one for an hour too; there is none where nobody waited.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from trueup.decide.messages import message
from trueup.decide.pipeline import Decisions
from trueup.ledger.batch_moves import advance_batch, create_batch, finish_batch, finish_open_ended
from trueup.ledger.batches import BatchMovedError
from trueup.ledger.catalog import read_catalog, read_catalog_version
from trueup.ledger.database import Database, Transaction
from trueup.ledger.policies import store_policy
from trueup.ledger.snapshot import read_click_facts
from trueup.ledger.totals import read_totals
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.catalog import Catalog
from trueup.model.frame_ops import is_each_once
from trueup.model.frames import BATCH, CLICKS, ROW_SUB_PARAMETERS, ROWS, BatchRows, Clicks
from trueup.model.ids import conversion_id, is_genuine
from trueup.model.macros import SUB_PARAMETERS
from trueup.model.policy import Policy
from trueup.model.traffic import Click, IncomingConversion, RowResult, Stranger
from trueup.model.words import BatchKind, Origin, Outcome, RowKind
from trueup.recording.arrivals import Arrived, record_arrivals
from trueup.recording.context import Clock
from trueup.recording.record import decide_now, record_rows
from trueup.recording.senders import refused_senders
from trueup.recording.sub_parameters import record_sub_parameters

_Key = tuple[BatchKind, Origin]

_LATE: Final = BatchKind.LATE_CLICKS, Origin.REDIRECT
_HOUR_MICROS: Final = 3_600 * 1_000_000
_NOBODY_WRITES_MICROS: Final = 2 * _HOUR_MICROS  # a batch takes rows for an hour; this one's program is gone
# A sender who may not speak of a click that nobody knows yet may speak of it once it is there.
_FOR_WANT_OF_A_CLICK: Final = frozenset((Outcome.REFUSED_UNKNOWN_CLICK.value, Outcome.REFUSED_NOT_ALLOWED.value))
_NOT_GIVEN: Final[Mapping[str, Any]] = {name: "" if dtype == pl.String else None for name, dtype in ROWS.items()}
_EMPTY: Final = {name: pl.Series(name, [value], ROWS[name]) for name, value in _NOT_GIVEN.items()}
_NONE_GIVEN: Final = dict.fromkeys(SUB_PARAMETERS, "")
_RECEIVED_ALIKE: Final = [
    pl.Series(name, [value], BATCH[name])
    for name, value in {
        "kind": RowKind.CONVERSION.value,
        "chosen_mode": "",
        "dialect_mode": "",  # the parameters of a postback are of no dialect beyond doubt
        "forced": 0,
        "n": None,
    }.items()
]


class GivenUpError(Exception):
    """Nobody waits for what the messages come to any more. Nothing is recorded."""


class AbsentClicksError(Exception):
    """Some messages speak of clicks of our own making that the ledger does not have. Nothing is recorded."""

    def __init__(self, places: frozenset[int]) -> None:
        """Args: places: Which of the messages, by their place."""
        super().__init__(f"{len(places)} clicks are not in the ledger")
        self.places = places


class LiveLedger:
    """What the one writer of a program knows: the setup, and the batches that are open for messages."""

    def __init__(self, database: Database, clock: Clock, made_by: str, click_key: bytes | None = None) -> None:
        """Open for messages.

        Args:
            database: An open ledger that nobody else uses.
            clock: Gives microseconds since the epoch.
            made_by: Who the batches are made by.
            click_key: The key of our own click ids; None where no spool can have clicks of ours.
        """
        self.database = database
        self.catalog = Catalog()
        self._clock, self._made_by, self._click_key = clock, made_by, click_key
        self._open: dict[_Key, BatchRecord] = {}
        self._policy = Policy()
        self._version: int | None = None  # of the setup as it was read last
        self._others_writes: int | None = None  # the data version at that time, where the database has one
        self.refresh()
        with database.transaction() as transaction:
            finish_open_ended(transaction, clock() - _NOBODY_WRITES_MICROS, clock())

    def refresh(self) -> None:
        """Read the setup again if it has changed. Raises: DatabaseError, also where the ledger's file is gone."""
        self.database.refuse_moved()
        data_version = self.database.data_version()
        if data_version is not None and data_version == self._others_writes:
            return
        version = read_catalog_version(self.database)
        if version != self._version:
            self.catalog = read_catalog(self.database)
            self._policy = self.catalog.policy()
            with self.database.transaction() as transaction:
                store_policy(transaction, self._policy)
        self._version, self._others_writes = version, data_version

    def changed(self) -> None:
        """Say that this program itself has changed the setup: the next message is decided by the new one."""
        self._others_writes = self._version = None

    def record(
        self,
        messages: Sequence[IncomingConversion],
        is_wanted: Callable[[], bool] = lambda: True,
        *,
        all_are_here: bool = True,
    ) -> list[RowResult]:
        """Record messages of one origin in one transaction; all are on disk when this returns.

        They are decided by the setup as it is now.

        Args:
            messages: Messages of one origin.
            is_wanted: Asked just before they are committed: whether anybody still waits for the answers.
            all_are_here: Whether every click of our own making that there is must be in the ledger. Where it need not
                be, a message of one that is not there is not refused, but raised.

        Returns:
            What each message came to, in their order.

        Raises:
            DatabaseError: Nothing is recorded. The same goes for the next two.
            GivenUpError: Nobody waits any more.
            AbsentClicksError: Some clicks may be on their way here.
        """

        def beside(transaction: Transaction, decisions: Decisions, rows_before: int) -> None:
            if not all_are_here and (absent := self._absent(transaction, decisions, messages, rows_before)):
                raise AbsentClicksError(absent)
            _set_sub_parameters(transaction, decisions, messages, rows_before)
            if not is_wanted():
                raise GivenUpError

        self.refresh()
        origin = messages[0].origin
        while True:
            record = self._open_batch(origin)
            batch = self._batch(messages, record.batch_id, record.rows_done)
            try:
                decisions, after = record_rows(
                    self.database,
                    batch,
                    record,
                    {self._policy.policy_id: self._policy},
                    self._clock,
                    beside=lambda transaction, decisions: beside(transaction, decisions, record.rows_done),  # noqa: B023 - it is called before the loop goes on
                )
            except BatchMovedError:  # it was undone, and with that closed
                del self._open[BatchKind.POSTBACKS, origin]
                continue
            self._open[BatchKind.POSTBACKS, origin] = after
            return _row_results(decisions, messages, record.rows_done)

    def record_clicks(self, clicks: Sequence[Click]) -> int:
        """Record clicks in one transaction; all are on disk when this returns.

        Those that the ledger has already are left out. Rows that waited for the others come to life.

        Returns: how many were new. Raises: DatabaseError, and then nothing is recorded.
        """
        coming = _click_frame(clicks)
        if not is_each_once(coming["click_id"]):  # of a spool that was written to again
            coming = Clicks(coming.unique("click_id", keep="first", maintain_order=True))
        while True:
            try:
                with self.database.transaction() as transaction:
                    arrived = record_arrivals(transaction, coming, self._late_batch, self._clock)
                    late = self._advance_late(transaction, arrived)
            except BatchMovedError:
                del self._open[_LATE]
                continue
            if late is not None:
                self._open[_LATE] = late
            return arrived.new.height

    def _late_batch(self, transaction: Transaction) -> BatchRecord:
        return self._held(_LATE) or self._begin(transaction, _LATE)

    def _advance_late(self, transaction: Transaction, arrived: Arrived) -> BatchRecord | None:
        if arrived.put_down_to is None:
            return None
        return advance_batch(
            transaction,
            arrived.put_down_to,
            rows=arrived.woken,
            outcomes={},
            delta=arrived.delta,
            now=self._clock(),
        )

    def try_out(self, message: IncomingConversion) -> RowResult:
        """Say what a message would come to now. Changes nothing."""
        self.refresh()
        batch = self._batch([message], None, 0)
        return _row_results(decide_now(self.database, batch, {self._policy.policy_id: self._policy}), [message], 0)[0]

    def finish(self) -> None:
        """Finish the open batches: no message will come any more."""
        with self.database.transaction() as transaction:
            for record in self._open.values():
                self._finish(transaction, record)
        self._open.clear()

    def _absent(
        self,
        transaction: Transaction,
        decisions: Decisions,
        messages: Sequence[IncomingConversion],
        rows_before: int,
    ) -> frozenset[int]:
        """The places of messages that are refused for want of a click of our own making."""
        key = self._click_key
        if key is None or _FOR_WANT_OF_A_CLICK.isdisjoint(decisions.journal["outcome"].to_list()):
            return frozenset()
        refused = decisions.journal.filter(pl.col("outcome").is_in(list(_FOR_WANT_OF_A_CLICK)))
        lines = refused.select("line", "click_id").iter_rows()
        ours = {line - rows_before - 1: click for line, click in lines if is_genuine(click, key)}
        there = set(read_click_facts(transaction, sorted(set(ours.values())))["click_id"]) if ours else set()
        absent = (place for place, click in ours.items() if click not in there)
        return frozenset(place for place in absent if messages[place].sender is not Stranger.UNKNOWN_KEY)

    def _open_batch(self, origin: Origin) -> BatchRecord:
        key = BatchKind.POSTBACKS, origin
        held = self._held(key)
        if held is None:
            with self.database.transaction() as transaction:
                held = self._begin(transaction, key)
            self._open[key] = held
        return held

    def _held(self, key: _Key) -> BatchRecord | None:
        """The batch that is open for the hour that it is now."""
        held = self._open.get(key)
        is_of_now = held is not None and held.received_at // _HOUR_MICROS == self._clock() // _HOUR_MICROS
        return held if is_of_now else None

    def _begin(self, transaction: Transaction, key: _Key) -> BatchRecord:
        """Open a batch, and finish that of the hour before."""
        if key in self._open:
            self._finish(transaction, self._open[key])
        receipt = Receipt(*key, self._clock(), self._made_by, self._policy.policy_id)
        return create_batch(transaction, receipt, 0, read_totals(transaction))

    def _finish(self, transaction: Transaction, record: BatchRecord) -> None:
        finish_batch(transaction, record.batch_id, self._clock())

    def _batch(self, messages: Sequence[IncomingConversion], batch_id: int | None, rows_before: int) -> BatchRows:
        """BATCH of the messages: what they give, and what they were received as."""
        rows = [message.row for message in messages]
        given = {name: [row.get(name, value) for row in rows] for name, value in _NOT_GIVEN.items()}
        given["line"] = list(range(rows_before + 1, rows_before + 1 + len(rows)))
        for place in refused_senders(self.database, self.catalog, messages):
            given["refusal"][place] = Outcome.REFUSED_NOT_ALLOWED.value
        received = {"batch_id": batch_id or 0, "received_at": self._clock(), "policy_id": self._policy.policy_id}
        columns = [_column(name, values) for name, values in given.items()]
        alike = [*(pl.Series(name, [value], BATCH[name]) for name, value in received.items()), *_RECEIVED_ALIKE]
        return BatchRows(pl.DataFrame(columns + [column.new_from_index(0, len(rows)) for column in alike]))


def _set_sub_parameters(
    transaction: Transaction, decisions: Decisions, messages: Sequence[IncomingConversion], rows_before: int
) -> None:
    if not any(message.sub_parameters for message in messages):
        return
    given: list[dict[str, Any]] = []
    for line, click_id, n in decisions.journal[:, ["line", "click_id", "n"]].iter_rows():
        values = messages[line - rows_before - 1].sub_parameters
        if values and n:
            given.append({"click_id": click_id, "n": n, **_NONE_GIVEN, **values})
    if given:
        record_sub_parameters(transaction, pl.DataFrame(given, dict(ROW_SUB_PARAMETERS)), decisions.journal)


def _column(name: str, values: list[Any]) -> pl.Series:
    """A column of ROWS. Most are not given by any message of a group: those need not be converted."""
    nothing = _NOT_GIVEN[name]
    if values.count(nothing) == len(values):
        return _EMPTY[name].new_from_index(0, len(values))
    return pl.Series(name, values, ROWS[name])


def _click_frame(clicks: Iterable[Click]) -> Clicks:
    columns = zip(CLICKS.items(), zip(*clicks, strict=True), strict=True)
    return Clicks(pl.DataFrame([pl.Series(name, values, dtype) for (name, dtype), values in columns]))


def _row_results(decisions: Decisions, messages: Sequence[IncomingConversion], rows_before: int) -> list[RowResult]:
    journal = decisions.journal
    lines, outcomes = journal["line"].to_list(), [Outcome(word) for word in journal["outcome"].to_list()]
    places = [line - rows_before - 1 for line in lines]
    wanted = [messages[place].wants_text or outcome.refused for place, outcome in zip(places, outcomes, strict=True)]
    texts = journal.select(message(set(outcomes))).to_series().to_list() if any(wanted) else [""] * len(lines)
    found = zip(places, outcomes, journal["click_id"].to_list(), journal["conversion_n"].to_list(), texts, strict=True)
    told = {
        place: RowResult(outcome, click_id, conversion_id(click_id, n) if n else None, text)
        for place, outcome, click_id, n, text in found
    }
    return [told[place] for place in range(len(messages))]

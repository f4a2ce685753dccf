"""How a batch moves on: opened, advanced chunk by chunk, finished or stopped."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, bindparam, insert, update

from trueup.ledger.batches import BatchMovedError
from trueup.ledger.database import Transaction
from trueup.ledger.schema import batches, totals
from trueup.ledger.totals import STORED, added, totals_as_text, totals_from_text
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import Totals
from trueup.model.money import MICROS
from trueup.model.words import OPEN_ENDED, BatchState

_RECEIVED: Final = (
    "kind", "origin", "received_at", "made_by", "policy_id", "file_name", "sha256", "choices", "undoes",
)  # fmt: skip
_INSERT: Final = (
    insert(batches)
    .values({name: bindparam(f"new_{name}") for name in (*_RECEIVED, "state", "rows_total", "totals_before")})
    .returning(batches.c.batch_id)
)
_ADVANCED: Final = ("rows_done", "rows_total", "outcomes", "totals_delta", "state", "finished_at")
_ADVANCE: Final = (
    update(batches)
    .where(batches.c.batch_id == bindparam("of_batch"), batches.c.rows_done == bindparam("from_rows"))
    .where(batches.c.state == BatchState.RUNNING.value)
    .values({name: bindparam(f"new_{name}") for name in _ADVANCED})
    .returning(batches.c.batch_id)
)


def create_batch(transaction: Transaction, receipt: Receipt, rows_total: int, totals_before: Totals) -> BatchRecord:
    """Open a batch.

    Args:
        transaction: What it is written in.
        receipt: What the batch was received as.
        rows_total: How many rows it will have; 0 where it is kept open.
        totals_before: TOTALS of the ledger now.

    Returns:
        The batch's record.
    """
    received = {name: value for name, value in asdict(receipt).items() if name in _RECEIVED}
    new = {
        **received,
        "state": BatchState.RUNNING.value,
        "rows_total": rows_total,
        "totals_before": totals_as_text(totals_before),
    }
    new |= {name: str(new[name]) for name in ("kind", "origin")} | {"undoes": receipt.undoes or 0}
    made = transaction.returning(_INSERT, {"batch_id": pl.Int64}, {f"new_{name}": value for name, value in new.items()})
    return BatchRecord(
        batch_id=int(made.item()),
        **{name: getattr(receipt, name) for name in _RECEIVED},
        state=BatchState.RUNNING,
        rows_total=rows_total,
        rows_done=0,
        finished_at=None,
        totals_before=totals_before,
    )


def advance_batch(
    transaction: Transaction,
    record: BatchRecord,
    *,
    rows: int,
    outcomes: Mapping[str, int],
    delta: Totals,
    now: int,
) -> BatchRecord:
    """Note that more rows of a batch are done. The batch is done when no row is left.

    A batch that is kept open has as many rows as were done so far, and is never done by itself.

    Args:
        transaction: What it is written in.
        record: The batch as it is in the ledger.
        rows: How many more rows are done.
        outcomes: How many of them came to each outcome.
        delta: TOTALS that they add.
        now: The moment, in microseconds since the epoch.

    Returns:
        The batch as it is afterwards.

    Raises:
        BatchMovedError: The ledger's record is another: another program has advanced or stopped the batch.
    """
    rows_done = record.rows_done + rows
    is_open = record.kind in OPEN_ENDED
    finished = not is_open and rows_done >= record.rows_total
    after = replace(
        record,
        rows_done=rows_done,
        rows_total=rows_done if is_open else record.rows_total,
        outcomes=Counter(record.outcomes) + Counter(outcomes),
        totals_delta=added(record.totals_delta, delta),
        state=BatchState.DONE if finished else BatchState.RUNNING,
        finished_at=now if finished else None,
    )
    values = {
        "rows_done": after.rows_done,
        "rows_total": after.rows_total,
        "outcomes": json.dumps(after.outcomes),
        "totals_delta": totals_as_text(after.totals_delta),
        "state": after.state.value,
        "finished_at": after.finished_at or 0,
    }
    bound = {"of_batch": record.batch_id, "from_rows": record.rows_done}
    moved = transaction.returning(
        _ADVANCE, {"batch_id": pl.Int64}, bound | {f"new_{name}": value for name, value in values.items()}
    )
    if not moved.height:
        raise BatchMovedError(record.batch_id)
    if finished:
        add_to_totals(transaction, after.totals_delta)
    return after


def lock_batch(transaction: Transaction, batch_id: int) -> None:
    """Keep others who lock the batch out until the transaction ends."""
    transaction.execute(update(batches).where(batches.c.batch_id == batch_id).values(state=batches.c.state))


def stop_batch(transaction: Transaction, batch_id: int) -> None:
    """Stop a batch that is not finished: its other rows will not come."""
    _end(transaction, batches.c.batch_id == batch_id, {"state": BatchState.STOPPED.value})


def finish_batch(transaction: Transaction, batch_id: int, now: int) -> None:
    """Finish a batch that was kept open, unless it was stopped."""
    _end(transaction, batches.c.batch_id == batch_id, {"state": BatchState.DONE.value, "finished_at": now})


def finish_open_ended(transaction: Transaction, received_before: int, now: int) -> None:
    """Finish the batches that are kept open since before a moment: whatever took their rows is gone."""
    old = batches.c.kind.in_([kind.value for kind in OPEN_ENDED]) & (batches.c.received_at < received_before)
    _end(transaction, old, {"state": BatchState.DONE.value, "finished_at": now})


def add_to_totals(transaction: Transaction, delta: Totals) -> None:
    """Add to the stored totals what a batch has added, in the transaction that ends it.

    Args:
        transaction: What it is written in.
        delta: TOTALS, whole or in parts.
    """
    cells = [
        (*key, conversions, revenue // MICROS, revenue % MICROS)
        for *key, conversions, revenue in added(delta).iter_rows()
    ]
    frame = pl.DataFrame(cells, schema=dict(STORED), orient="row")
    transaction.put(totals, frame, add=["conversions", "units", "micros"])


def _end(transaction: Transaction, which: ColumnElement[bool], values: Mapping[str, Any]) -> None:
    """End batches that are running. What they have added stands in the totals from then on."""
    ending = update(batches).where(which, batches.c.state == BatchState.RUNNING.value).values(**values)
    ended = transaction.returning(ending.returning(batches.c.totals_delta), {"totals_delta": pl.String})
    for text in ended["totals_delta"]:
        add_to_totals(transaction, totals_from_text(text))

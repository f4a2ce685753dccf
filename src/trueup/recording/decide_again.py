"""A past range decided again: a batch that gives rows of the past the policy of today, and decides their clicks again.

Which rows have a later policy is written down beside the journal, in the transaction that decides their clicks. So
everything still follows from what is written, and undoing the batch leaves its later policies out.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, TypeAlias

import polars as pl

from trueup.ledger.batches import BatchMovedError, running_batches, undone_batches
from trueup.ledger.database import Readable, Transaction
from trueup.ledger.past import (
    clicks_of_past,
    commit_later_policies,
    last_click_decided_again,
    read_past,
    rows_of_past,
)
from trueup.ledger.policies import read_policies, store_policy
from trueup.model.batches import BatchRecord, Receipt
from trueup.model.frames import JOURNAL, LATER_POLICIES, DecidedRows, LaterPolicies, Samples, completed, empty
from trueup.model.past import PastRows
from trueup.model.policy import Policy
from trueup.model.words import BatchKind
from trueup.recording.batch_loop import Foreseen, applying_batch, preview_batch
from trueup.recording.chunks import RunOptions, to_its_end
from trueup.recording.context import RecordingContext
from trueup.recording.record import looked_again, record_again
from trueup.recording.summary import Summary, with_turned

_NO_ROWS: Final = empty(JOURNAL)  # deciding again has no rows of its own
_COMING: Final = 2**62  # the number, above all others, of a batch that is only looked at

_LeftOut: TypeAlias = frozenset[int]  # the batches whose rows do not count


def unfinished(database: Readable, chosen: PastRows) -> BatchRecord | None:
    """The batch that began to decide exactly these rows again and did not finish, None where there is none."""
    begun = running_batches(database, BatchKind.DECIDE_AGAIN)
    return next((batch for batch in begun if batch.choices == chosen.text), None)


@dataclass(frozen=True)
class AgainWork:
    """Deciding a past range again, as a batch. Its rows are the clicks of that range."""

    context: RecordingContext
    chosen: PastRows
    policy: Policy
    clicks: pl.Series  # those that are not done yet
    receipt: Receipt
    resumed: BatchRecord | None
    first_chunk: ClassVar[int] = 2_000
    no_samples: ClassVar[Samples] = Samples(_NO_ROWS)

    @property
    def rows(self) -> int:
        """How many clicks there are in all."""
        return self._done_before + self.clicks.len()

    def prepare(self, transaction: Transaction) -> None:
        """Keep the policy, and make sure that nobody else has begun the same."""
        begun = unfinished(transaction, self.chosen)
        if begun is not None:
            raise BatchMovedError(begun.batch_id)
        store_policy(transaction, self.policy)

    def record_chunk(self, record: BatchRecord, size: int) -> tuple[DecidedRows, BatchRecord]:
        """Give the rows of the next clicks their later policy, and decide these clicks again."""
        database, click_ids = self.context.database, self._clicks_from(record.rows_done, size)

        def first(transaction: Transaction) -> None:
            commit_later_policies(transaction, self._later_policies(transaction, click_ids, record.batch_id))

        as_many_as_there_are = replace(record, rows_total=self.rows)  # clicks may have come since it was begun
        return _NO_ROWS, record_again(database, click_ids, as_many_as_there_are, self.context.clock, first)

    def preview_chunk(self, foreseen: Foreseen[_LeftOut], size: int) -> tuple[DecidedRows, Foreseen[_LeftOut]]:
        """Say what the next clicks would come to."""
        database, click_ids = self.context.database, self._clicks_from(foreseen.done, size)
        undone = undone_batches(database) if foreseen.carried is None else foreseen.carried
        past = read_past(database, click_ids)
        coming = self._later_policies(database, click_ids, _COMING)
        policies = {**past.policies, self.policy.policy_id: self.policy}
        past = replace(past, later=LaterPolicies(pl.concat([past.later, coming])), policies=policies)
        steps, turned = looked_again(database, click_ids, past, undone | {_COMING}, undone)
        summary = with_turned(foreseen.summary, steps, turned)
        summary = replace(summary, rows_chosen=summary.rows_chosen + coming.height)
        return _NO_ROWS, Foreseen(foreseen.done + len(click_ids), summary, undone)

    def with_messages(self, samples: Samples) -> Samples:
        """The samples, of which there are none."""
        return samples

    @property
    def _done_before(self) -> int:
        return self.resumed.rows_done if self.resumed else 0

    def _clicks_from(self, done: int, size: int) -> list[str]:
        return self.clicks.slice(done - self._done_before, size).to_list()

    def _later_policies(self, database: Readable, click_ids: Sequence[str], batch_id: int) -> LaterPolicies:
        rows = rows_of_past(database, self.chosen, self.receipt.received_at, click_ids)
        return completed(rows, LATER_POLICIES, {"batch_id": batch_id, "policy_id": self.policy.policy_id})


def again_work(context: RecordingContext, chosen: PastRows, policy: Policy, resumed: BatchRecord | None) -> AgainWork:
    """Deciding a past range again, as work for `preview_batch` or `apply_again`.

    Args:
        context: What it is recorded with.
        chosen: Which rows are meant.
        policy: What the settings in force now decide by.
        resumed: Its batch that was begun and not finished, None for a new one. It keeps the policy and the moment that
            it was begun with.
    """
    database = context.database
    after = ""
    if resumed is not None:
        policy = read_policies(database, [resumed.policy_id])[resumed.policy_id]
        after = last_click_decided_again(database, resumed.batch_id)
    received_at = context.received_at(resumed)
    receipt = Receipt(
        BatchKind.DECIDE_AGAIN,
        context.origin,
        received_at,
        context.made_by,
        policy.policy_id,
        choices=chosen.text,
    )
    clicks = clicks_of_past(database, chosen, received_at, after)
    return AgainWork(context, chosen, policy, clicks, receipt, resumed)


def apply_again(work: AgainWork, options: RunOptions) -> Summary:
    """Decide a past range again, or go on with it. Where no row fits, there is no batch.

    Args:
        work: What is done.
        options: Who looks on, and how large the chunks are.

    Returns:
        The batch in numbers.

    Raises:
        BatchMovedError: Another program does the same, or has undone the batch. What was committed stays.
    """
    return to_its_end(applying_again(work, options))


def applying_again(work: AgainWork, options: RunOptions) -> Generator[None, None, Summary]:
    """Do the same with a pause after each chunk, for whoever has other work for the connection."""
    if not work.rows and work.resumed is None:
        return preview_batch(work, options)
    return (yield from applying_batch(work, options))

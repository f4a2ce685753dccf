"""The sub-parameters that rows set of their clicks: set as rows come, and again wherever clicks are decided again."""

from collections.abc import Sequence

import polars as pl

from trueup.decide.again import decided_again
from trueup.ledger.arrivals import read_arrivals, read_stored_clicks
from trueup.ledger.commit import set_sub_parameters
from trueup.ledger.database import Transaction
from trueup.ledger.past import commit_sub_parameters, read_past, read_sub_parameters
from trueup.model.frame_ops import distinct
from trueup.model.frames import ARRIVALS, NUMBERED_CLICKS, STORED_CLICKS, JournalRows, NumberedClicks
from trueup.model.past import clicks_that_count
from trueup.model.sub_parameters import set_by_rows


def record_sub_parameters(transaction: Transaction, given: pl.DataFrame, decided: JournalRows) -> None:
    """Keep what new rows give, and set it of their clicks.

    Args:
        transaction: What it is written in, under the clicks' locks.
        given: ROW_SUB_PARAMETERS of the rows.
        decided: The rows with their outcomes; the last ones of their clicks.
    """
    commit_sub_parameters(transaction, given)
    by_rows = set_by_rows(given, decided)
    if by_rows:
        found = read_stored_clicks(transaction, sorted(by_rows), NUMBERED_CLICKS)
        set_sub_parameters(transaction, found, found, by_rows)


def set_sub_parameters_again(transaction: Transaction, click_ids: Sequence[str], without: frozenset[int]) -> None:
    """Give clicks the sub-parameters that come of their arrivals and rows.

    A click that is not what its arrivals make of it is left: the undo of its import is about to see to it.

    Args:
        transaction: What it is written in, under the clicks' locks.
        click_ids: The clicks.
        without: The undone batches, whose rows and arrivals do not count.
    """
    given = read_sub_parameters(transaction, click_ids) if click_ids else None
    if given is None or not given.height:
        return
    touched = distinct(given["click_id"])
    decided = decided_again(read_past(transaction, touched), without=without).journal
    counting = clicks_that_count(read_arrivals(transaction, touched, ARRIVALS), without).select(*STORED_CLICKS)
    stored = read_stored_clicks(transaction, touched, NUMBERED_CLICKS).sort("click_id")
    numbers = stored.select("click_id", "batch_id", "click_number")
    came = counting.join(numbers, on=["click_id", "batch_id"], how="inner", maintain_order="left")
    found = NumberedClicks(stored.join(came, on="click_id", how="semi", maintain_order="left"))
    came = NumberedClicks(came.select(found.columns))
    set_sub_parameters(transaction, found, came, set_by_rows(given, decided))

"""What requests with an Idempotency-Key were answered, kept so that the same request again does nothing again.

A request claims its key first, and renews the claim while it works. A claim that is no longer renewed is taken over.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl
from sqlalchemy import bindparam, delete, select, update

from trueup.ledger.database import Transaction
from trueup.ledger.schema import idempotency

AT_WORK: Final = 0  # the status of a claim
_FORGOTTEN_MOST: Final = 1_000  # answers forgotten in passing, at each claim

_STORED: Final = {"request_sha256": pl.String, "status": pl.Int64, "answer": pl.String, "made_at": pl.Int64}
_IS_IT: Final = idempotency.c.idempotency_key == bindparam("of_key")
_IS_CLAIM: Final = _IS_IT & (idempotency.c.status == AT_WORK) & (idempotency.c.answer == bindparam("of_claimer"))
_ONE: Final = select(*(idempotency.c[name] for name in _STORED)).where(_IS_IT)
_FREE: Final = delete(idempotency).where(_IS_CLAIM)
_OLDEST: Final = select(idempotency.c.idempotency_key).order_by(idempotency.c.made_at).limit(_FORGOTTEN_MOST)
_EXPIRED: Final = delete(idempotency).where(
    idempotency.c.idempotency_key.in_(_OLDEST.where(idempotency.c.made_at < bindparam("before")))
)
_TAKE_OVER: Final = (
    update(idempotency)
    .where(_IS_CLAIM)
    .values(answer=bindparam("new_claimer"), made_at=bindparam("now"))
    .returning(idempotency.c.made_at)
)
_BEAT: Final = update(idempotency).where(_IS_CLAIM).values(made_at=bindparam("now"))
_KEEP: Final = (
    update(idempotency)
    .where(_IS_CLAIM)
    .values(request_sha256=bindparam("new_sha256"), status=bindparam("new_status"), answer=bindparam("new_answer"))
    .returning(idempotency.c.made_at)
)


@dataclass(frozen=True)
class Answered:
    """What is stored for a key: an answer, or the claim of a request at work (its `answer` names who claimed it)."""

    request_sha256: str
    status: int  # HTTP status
    answer: str
    made_at: int  # microseconds since the epoch; of a claim, when it last said that it is at work


def claim(
    transaction: Transaction, key: str, claimer: str, now: int, *, silent_before: int, expired_before: int
) -> Answered | None:
    """Claim a key for a request, in a transaction of its own (docs/api.md, "Once and only once").

    Args:
        transaction: What it is written in.
        key: The key.
        claimer: A word that only this request has.
        now: The moment, in microseconds since the epoch.
        silent_before: A claim that has said nothing since this moment is taken over.
        expired_before: Answers from before this moment are forgotten.

    Returns:
        None when the key is claimed, else what is stored for it.
    """
    transaction.execute(_EXPIRED, {"before": expired_before})
    claimed = {"idempotency_key": key, "status": AT_WORK, "answer": claimer, "made_at": now}
    transaction.insert_new(idempotency, pl.DataFrame([claimed]))
    found = Answered(**transaction.read(_ONE, _STORED, {"of_key": key}).row(0, named=True))
    if found.status != AT_WORK:
        return found
    if found.answer == claimer:
        return None
    values = {"of_key": key, "of_claimer": found.answer, "new_claimer": claimer, "now": now}
    silent = found.made_at < silent_before
    taken = silent and transaction.returning(_TAKE_OVER, {"made_at": pl.Int64}, values).height
    return None if taken else found


def still_at_work(transaction: Transaction, key: str, claimer: str, now: int) -> None:
    """Renew a claim: its request is still at work."""
    transaction.execute(_BEAT, {"of_key": key, "of_claimer": claimer, "now": now})


def keep_answer(
    transaction: Transaction, key: str, claimer: str, request_sha256: str, status: int, answer: str
) -> bool:
    """Keep what a request was answered, unless its claim was taken over.

    Call it within the transaction that does what the request asked for: then both are done, or neither is.

    Args:
        transaction: What it is written in.
        key: The key that the request claimed.
        claimer: The word that only this request has.
        request_sha256: The digest of the request, by which the same request is known again.
        status: The answer's HTTP status.
        answer: The answer as text.

    Returns:
        Whether it is kept.
    """
    kept = {"new_sha256": request_sha256, "new_status": status, "new_answer": answer}
    values = {"of_key": key, "of_claimer": claimer, **kept}
    return transaction.returning(_KEEP, {"made_at": pl.Int64}, values).height > 0


def release(transaction: Transaction, key: str, claimer: str) -> None:
    """Forget a claim: its request came to nothing that is worth keeping."""
    transaction.execute(_FREE, {"of_key": key, "of_claimer": claimer})

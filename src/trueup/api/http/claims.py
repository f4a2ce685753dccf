"""Work that is done exactly once for an Idempotency-Key: its answer is kept in the transaction that does it.

Whenever a server ends, either both are there or neither is. A claim that was taken over meanwhile does nothing.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from trueup.api.http.problems import Problem, ProblemKind
from trueup.ledger.database import Database, Transaction
from trueup.ledger.idempotency import keep_answer
from trueup.live.context import ServerContext
from trueup.live.readers import written

T = TypeVar("T")
Also = Callable[[Transaction, T], None]  # what else belongs into a transaction, by what its work came to

_KEPT_HEADERS: Final = ("content-type", "location", "link", "etag")


class Claim:
    """A request's claim on its Idempotency-Key."""

    def __init__(self, key: str, claimer: str, digest: Callable[[], Awaitable[str]]) -> None:
        """The claim was made: the ledger holds the key and the claimer.

        Args:
            key: The Idempotency-Key, with the number of the API's key that sent it.
            claimer: A word that this request alone has.
            digest: Gives the SHA-256 of the whole request.
        """
        self.key, self.claimer, self.digest = key, claimer, digest
        self.is_kept = False  # whether the answer was kept with the work

    def keep(self, transaction: Transaction, sha256: str, answer: Response, *, whole: bool) -> None:
        """Keep an answer.

        Args:
            transaction: That of the work.
            sha256: The SHA-256 of the whole request.
            answer: The answer.
            whole: Whether all of it is kept; of an answer with a secret, only that there was one.

        Raises:
            Problem: Another request has taken the claim over.
        """
        told = kept_text(answer.headers, bytes(answer.body)) if whole else ""
        if not keep_answer(transaction, self.key, self.claimer, sha256, answer.status_code, told):
            raise Problem(ProblemKind.AT_WORK, "it took so long that the same request, sent again, was begun instead")
        self.is_kept = True


async def answered_once(
    request: Request, context: ServerContext, work: Callable[[Database, Also[T]], T], answer: Callable[[T], Response]
) -> Response:
    """Have the writer do a piece of work, and keep its answer in the same transaction.

    Args:
        request: The request.
        context: What every route stands on.
        work: The work. It makes one transaction; where it has done something, it calls its second argument within it.
        answer: Makes the answer of what the work came to.

    Returns:
        The answer.

    Raises:
        Exception: What `written` or `answer` raises.
        Problem: The same request, sent again, was begun instead.
    """
    claim: Claim | None = getattr(request.state, "claim", None)
    sha256 = await claim.digest() if claim else ""
    answers: list[Response] = []

    def also(transaction: Transaction, done: T) -> None:
        answers.append(answer(done))
        if claim:
            claim.keep(transaction, sha256, answers[0], whole=getattr(request.state, "keep_answer", True))

    result = await written(context, lambda database: work(database, also))
    return answers[0] if answers else answer(result)


def kept_text(headers: Mapping[str, str], body: bytes) -> str:
    """An answer as it is kept; '' for one that cannot be."""
    kept = {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
    try:
        return json.dumps({"headers": kept, "body": body.decode()}, ensure_ascii=False)
    except UnicodeDecodeError:
        return ""

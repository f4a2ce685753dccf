"""What the API says when it cannot do what was asked: problem details (RFC 9457), one kind for each reason."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from trueup.ledger.batches import BatchMovedError
from trueup.ledger.database import DatabaseUnavailableError
from trueup.live.commit_queue import UnavailableError
from trueup.live.receiving import ReceivingError, ReceivingTrouble
from trueup.recording.undo import UndoRefusedError

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:trueup:problem:"  # what is after it never changes, for programs to compare
_MISTAKES_MOST: Final = 100


@dataclass(frozen=True)
class _Said:
    status: int
    word: str
    title: str


class ProblemKind(Enum):
    """Every reason there is. The word is what programs compare; docs/api.md explains each."""

    MALFORMED = _Said(400, "malformed", "The request cannot be read")
    NO_KEY = _Said(401, "no_key", "A key is needed")
    BAD_KEY = _Said(401, "bad_key", "The key is not good")
    WRONG_SCOPE = _Said(403, "wrong_scope", "The key may not do this")
    NOT_FOUND = _Said(404, "not_found", "It does not exist")
    WRONG_METHOD = _Said(405, "wrong_method", "This cannot be done here")
    CONFLICT = _Said(409, "conflict", "The request contradicts what is stored")
    IN_USE = _Said(409, "in_use", "Something refers to it")
    NAME_TAKEN = _Said(409, "name_taken", "The name is another's")
    AT_WORK = _Said(409, "at_work", "The same request is at work")
    ANSWER_NOT_KEPT = _Said(409, "answer_not_kept", "The request was done, and its answer is not kept")
    SAME_FILE = _Said(409, "same_file", "The same file was sent before")
    WRONG_STATE = _Said(409, "wrong_state", "It is not in a state for this")
    TOO_LARGE = _Said(413, "too_large", "The body is too large")
    WRONG_MEDIA_TYPE = _Said(415, "wrong_media_type", "The body is of another media type than is read here")
    INVALID = _Said(422, "invalid", "The request does not hold what is needed")
    UNREADABLE_FILE = _Said(422, "unreadable_file", "The file cannot be read")
    KEY_REUSED = _Said(422, "key_reused", "The Idempotency-Key was used for another request")
    TOO_MANY = _Said(429, "too_many", "Too many requests")
    FAILURE = _Said(500, "failure", "The server failed")
    UNAVAILABLE = _Said(503, "unavailable", "The database cannot be used now")
    NO_ROOM = _Said(507, "no_room", "There is no room on the disk")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value.status

    @property
    def word(self) -> str:
        """What programs know it by."""
        return self.value.word

    @property
    def title(self) -> str:
        """What it means, for a person."""
        return self.value.title


# What the framework itself says, by status.
_OF_STATUS: Final = {
    kind.status: kind
    for kind in (
        ProblemKind.MALFORMED,
        ProblemKind.NOT_FOUND,
        ProblemKind.WRONG_METHOD,
        ProblemKind.TOO_LARGE,
        ProblemKind.WRONG_MEDIA_TYPE,
        ProblemKind.INVALID,
    )
}

_OF_RECEIVING: Final = {
    ReceivingTrouble.TOO_LARGE: ProblemKind.TOO_LARGE,
    ReceivingTrouble.MALFORMED: ProblemKind.MALFORMED,
    ReceivingTrouble.NO_ROOM: ProblemKind.NO_ROOM,
}

_OWN_WORDS: Final = {
    ProblemKind.NOT_FOUND: "there is nothing at this path",
    ProblemKind.WRONG_METHOD: "the header Allow says what can be done here",
}


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="Which part of the request, such as `body.slug` or `query.limit`.")
    what: str = Field(description="What is wrong with it, for a person.")


class ProblemDetails(BaseModel):
    """Why the request was not done (RFC 9457)."""

    type: str = Field(description="The reason, for a program.", examples=[f"{TYPE_PREFIX}not_found"])
    title: str = Field(description="The reason, for a person.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What it was here.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="By which the server's log knows the request.")
    errors: list[Mistake] | None = Field(
        None, description="All that is wrong with the request, where that is the reason."
    )


class Problem(HTTPException):
    """Ends a request with problem details."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        errors: Sequence[Mistake] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say why something is not done.

        Args:
            kind: Why, in general.
            detail: Why, in this case.
            errors: All that is wrong with the request.
            headers: Headers of the answer.
        """
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind = kind
        self.errors = list(errors)


def not_found(what: str) -> Problem:
    """The problem that something is not there.

    Args:
        what: What is not there, such as `offer 7`.

    Returns:
        The problem, to be raised.
    """
    return Problem(ProblemKind.NOT_FOUND, f"there is no {what}")


def unavailable(detail: str, seconds: int = 1) -> Problem:
    """The problem that something cannot be done now.

    Args:
        detail: Why.
        seconds: When to try again.

    Returns:
        The problem, to be raised.
    """
    return Problem(ProblemKind.UNAVAILABLE, detail, headers={"Retry-After": str(seconds)})


def problem_of(error: Exception) -> Problem:
    """What an exception means to who asked; FAILURE for one that nobody foresaw."""
    found = Problem(ProblemKind.FAILURE, "the server's log says more, by the request_id")
    match error:
        case Problem():
            found = error
        case UnavailableError() | DatabaseUnavailableError():
            found = unavailable("the database cannot be used now; try again soon")
        case RequestValidationError():
            found = _invalid(error)
        case BatchMovedError():
            found = Problem(ProblemKind.CONFLICT, f"batch {error.batch_id} was changed by somebody else meanwhile")
        case UndoRefusedError():
            found = Problem(ProblemKind.WRONG_STATE, "the batch was undone by somebody else meanwhile")
        case ReceivingError():
            found = Problem(_OF_RECEIVING[error.trouble], str(error))
        case ClientDisconnect():
            found = Problem(ProblemKind.MALFORMED, "the body breaks off")
        case HTTPException():
            kind = _OF_STATUS.get(error.status_code, ProblemKind.FAILURE)
            found = Problem(kind, _OWN_WORDS.get(kind, str(error.detail)), headers=error.headers)
    return found


def _invalid(error: RequestValidationError) -> Problem:
    """What was found wrong with a request."""
    mistakes = [Mistake(where=".".join(map(str, found["loc"])), what=str(found["msg"])) for found in error.errors()]
    return Problem(ProblemKind.INVALID, "see errors for what is wrong", errors=mistakes)


def problem_answer(request: Request, problem: Problem) -> Response:
    """The answer that tells a problem."""
    told: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.kind.word,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": request.scope["path"],
        "request_id": getattr(request.state, "request_id", ""),
    }
    if problem.errors:
        told["errors"] = [mistake.model_dump() for mistake in problem.errors[:_MISTAKES_MOST]]
    # As ASCII: what a request held may be no text that UTF-8 could write.
    return Response(json.dumps(told), problem.kind.status, problem.headers, MEDIA_TYPE)


def declared(*kinds: ProblemKind) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may end with, as its `responses` in the OpenAPI document.

    What every operation may end with (no key, too many, ...) is declared for all of them in one place.
    """
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        words = [by_status[kind.status]["description"]] if kind.status in by_status else []
        schema = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
        by_status[kind.status] = {"description": "; ".join([*words, f"`{kind.word}`: {kind.title}"]), "content": schema}
    return by_status

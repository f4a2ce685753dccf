"""The API's own keys over HTTP, for keys of an admin."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from trueup.access.keys import NAME_MAX, Caller, KeyNameError, KeyScope, create_key, revoke_key, scopes_of
from trueup.api.http.bodies import BodyRoute
from trueup.api.http.claims import Also, answered_once
from trueup.api.http.gate import Guard, needs
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import Mistake, Problem, ProblemKind, not_found
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import json_answer
from trueup.api.resources.queries import NUMBER_MAX
from trueup.ledger.database import Database
from trueup.ledger.keys import KeyRecord, read_key, read_keys
from trueup.live.readers import written
from trueup.model.times import time_text

ADMIN: Final = needs(KeyScope.ADMIN)

KeyNumber = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="The number in the key: `tru_<number>_...`.")]

router = APIRouter(route_class=BodyRoute, prefix="/keys", tags=["keys"])


class KeyForm(BaseModel):
    """What a key is made with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "crm", "scopes": ["upload"]}]})

    name: str = Field(min_length=1, max_length=NAME_MAX, description="What you call it.")
    scopes: list[KeyScope] = Field(min_length=1, max_length=len(KeyScope), description="What it may do.")


class Key(BaseModel):
    """A key, without its secret."""

    id: int
    name: str
    scopes: list[KeyScope]
    made_at: str
    last_used_at: str | None = Field(description="To the minute; null for never.")
    revoked_at: str | None = Field(description="Null while it is good.")


class NewKey(Key):
    """A key that was just made."""

    key: str = Field(description="The key itself. It is told this once, and kept nowhere.")


@router.get("", summary="List the API's keys", dependencies=[ADMIN])
def list_keys(reader: Reader, asked: Asked) -> Page[Key]:
    """All keys in the order they were made, revoked ones too."""
    after = (asked.after(int) or (0,))[0]
    records = [record for record in read_keys(reader) if record.key_id > after]
    return asked.page(records, _shown, lambda record: (record.key_id,))


@router.post(
    "", name="create_key", summary="Create a key", status_code=201, response_model=NewKey, dependencies=[ADMIN]
)
async def make_key(context: ContextHere, request: Request, form: KeyForm) -> Response:
    """The answer is the only place where the key ever stands. It is not kept for an Idempotency-Key either."""
    request.state.keep_answer = False

    def work(database: Database, also: Also[tuple[str, KeyRecord]]) -> tuple[str, KeyRecord]:
        return create_key(database, form.name, form.scopes, context.clock(), context.randomness, also)

    def answer(made: tuple[str, KeyRecord]) -> Response:
        told = NewKey(**_shown(made[1]).model_dump(), key=made[0])
        return json_answer(told, 201, f"{request.scope['path']}/{told.id}")

    try:
        return await answered_once(request, context, work, answer)
    except KeyNameError as error:
        mistake = Mistake(where="body.name", what=str(error))
        raise Problem(ProblemKind.INVALID, "nothing is made", errors=[mistake]) from None


@router.get("/current", summary="Get the key that asks")
def get_current_key(caller: Annotated[Caller, needs(KeyScope.READ)], reader: Reader) -> Key:
    """By this a program finds out whether its key is good, and what it may do."""
    return _shown(_known(read_key(reader, caller.key_id), caller.key_id))


@router.get("/{number}", summary="Get one key", dependencies=[ADMIN])
def get_key(number: KeyNumber, reader: Reader) -> Key:
    """What it may do, and when it was used."""
    return _shown(_known(read_key(reader, number), number))


@router.delete("/{number}", summary="Revoke one key", status_code=204, dependencies=[ADMIN])
async def delete_key(number: KeyNumber, context: ContextHere, request: Request) -> None:
    """From now on it is refused, for good; other processes of a server refuse it after a second at the latest."""

    def work(database: Database) -> KeyRecord | None:
        revoke_key(database, number, context.clock())
        return read_key(database, number)

    _known(await written(context, work), number)
    guard: Guard = request.app.state.guard
    guard.forget()


def _known(record: KeyRecord | None, number: int) -> KeyRecord:
    if record is None:
        raise not_found(f"key {number}")
    return record


def _shown(record: KeyRecord) -> Key:
    return Key(
        id=record.key_id,
        name=record.name,
        scopes=list(scopes_of(record)),
        made_at=time_text(record.made_at),
        last_used_at=time_text(record.last_used_at) if record.last_used_at is not None else None,
        revoked_at=time_text(record.revoked_at) if record.revoked_at is not None else None,
    )

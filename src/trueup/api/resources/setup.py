"""The setup over HTTP: all of it as a file, the workspace, and conversion types, traffic sources and offers."""

from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trueup.api.http.bodies import BodyRoute, received
from trueup.api.http.claims import Also, answered_once
from trueup.api.http.jobs import Look, Looking
from trueup.api.http.problems import Mistake, Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import json_answer
from trueup.api.resources.catalog import READ, SETUP, changed, resource_routes
from trueup.api.resources.forms import Form, FormBody, answers, form_name, ref, stored_name, takes
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.setup.apply import SetupOutcome, apply_setup, show_setup
from trueup.setup.forms import WORKSPACE, forms_of_catalog
from trueup.setup.read import read_setup
from trueup.setup.resources import setting_workspace

TOML: Final = "application/toml"
_FILE_TYPES: Final = ("", TOML, "text/plain")
_FILE_BYTES_MAX: Final = 1 << 20  # ten thousand resources; reading more would keep other requests waiting
_FILE: Final = {"schema": {"type": "string"}, "example": '[[traffic_sources]]\nname = "PushAds"\n'}

router = APIRouter(route_class=BodyRoute)


class Edited(BaseModel):
    """One key of a resource that a file changes."""

    before: Any
    after: Any


class ThingChange(BaseModel):
    """One resource that a file makes, or sets anew."""

    action: str = Field(description="`add` or `change`.")
    kind: str
    name: str = Field(description="Empty for the workspace.")
    keys: dict[str, Edited] = Field(description="The keys that differ.")
    cleared: list[str] = Field(description="Those of them that it loses, since the file leaves them out.")


class ThingNamed(BaseModel):
    """One resource of the setup."""

    kind: str
    name: str


class Applied(BaseModel):
    """What a setup file changed, or would change."""

    preview: bool = Field(description="Whether nothing was changed, because it was only looked at.")
    changes: list[ThingChange]
    left_alone: list[ThingNamed] = Field(description="What is set up and does not stand in the file.")
    remarks: list[str] = Field(description="What the file says that nothing comes of.")


@router.get(
    "/setup",
    tags=["setup"],
    summary="Get the whole setup as a file",
    response_class=Response,
    responses={200: {"description": "A setup file; it holds no keys.", "content": {TOML: _FILE}}},
    dependencies=[READ],
)
def get_setup(reader: Reader) -> Response:
    """The whole setup as a file. Applied here, it changes nothing."""
    return Response(show_setup(reader), media_type=TOML)


@router.post(
    "/setup",
    tags=["setup"],
    name="apply_setup",
    summary="Apply a setup file",
    response_model=Applied,
    openapi_extra={"requestBody": {"required": True, "content": {TOML: _FILE, "text/plain": _FILE}}},
    dependencies=[SETUP],
)
async def apply_file(
    request: Request,
    context: ContextHere,
    look: Look,
    preview: Annotated[bool, Query(description="Say what would change, and change nothing.")] = False,
) -> Response:
    """Make what the file mentions as it says there, all of it or nothing; leave everything else as it is."""
    request.state.body.most = min(_FILE_BYTES_MAX, context.settings.body_bytes)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FILE_TYPES:
        raise Problem(ProblemKind.WRONG_MEDIA_TYPE, f"send the file as Content-Type: {TOML}")
    async with AsyncExitStack() as held:
        return await _applied_once(request, context, look, bytes(await received(request, held)), preview=preview)


async def _applied_once(
    request: Request, context: ServerContext, look: Looking, content: bytes, *, preview: bool
) -> Response:
    # First with a connection that only reads: so mistakes are found without the writer.
    file = await look(lambda database: read_setup(content, read_catalog(database)))
    if isinstance(file, list):
        raise _mistaken(file)

    def work(database: Database, also: Also[SetupOutcome]) -> SetupOutcome:
        outcome = apply_setup(database, content, preview=preview, also=also)
        if not preview and not outcome.mistakes:
            context.writer.setup_changed()
        return outcome

    return await answered_once(request, context, work, partial(_applied, preview=preview))


@router.get(
    "/workspace",
    tags=["setup"],
    summary="Get the workspace's settings",
    responses=answers(200, "As it is set up.", ref(stored_name(WORKSPACE))),
    dependencies=[READ],
    response_model=None,
)
def get_workspace(reader: Reader) -> Form:
    """What the whole installation is set to."""
    return forms_of_catalog(read_catalog(reader))[WORKSPACE][""]


@router.put(
    "/workspace",
    tags=["setup"],
    summary="Set the workspace wholly",
    responses={**answers(200, "As it is set now.", ref(stored_name(WORKSPACE))), **declared(ProblemKind.CONFLICT)},
    openapi_extra=takes(ref(form_name(WORKSPACE))),
    dependencies=[SETUP],
    response_model=None,
)
async def set_workspace(context: ContextHere, reader: Reader, form: Annotated[Form, FormBody]) -> Form:
    """A key that is left out takes its default. The currency can change only while no money is recorded."""
    return (await changed(context, reader, setting_workspace(form))).form


def _applied(outcome: SetupOutcome, *, preview: bool) -> Response:
    if outcome.mistakes:
        raise _mistaken(outcome.mistakes)
    return json_answer(Applied(**outcome.to_json(preview=preview)))


def _mistaken(mistakes: "list[str] | tuple[str, ...]") -> Problem:
    errors = [Mistake(where="body", what=mistake) for mistake in mistakes]
    return Problem(ProblemKind.INVALID, "the file has mistakes, nothing is changed", errors=errors)


for _kind in ("conversion_types", "traffic_sources", "offers"):
    router.include_router(resource_routes(_kind))

"""What can be done with every kind of resource of the setup: list, show, make, set and remove."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from trueup.access.keys import KeyScope
from trueup.api.http.bodies import BodyRoute
from trueup.api.http.claims import Also, answered_once
from trueup.api.http.gate import needs
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import Mistake, Problem, ProblemKind, declared
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.forms import Form, FormBody, answers, form_name, ref, settled, stored_name, takes, to_response
from trueup.api.resources.queries import NUMBER_MAX
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.live.context import ServerContext
from trueup.live.readers import written
from trueup.setup.forms import KINDS
from trueup.setup.resources import (
    EditResult,
    Refusal,
    ResourceEdit,
    Stored,
    carry_out,
    find_resource,
    look_at,
    making,
    removing,
    setting,
    stored_resources,
)

Number = Annotated[int, Path(ge=0, le=NUMBER_MAX, description="Our number for it: its `id`.")]
READ: Final = needs(KeyScope.READ)
SETUP: Final = needs(KeyScope.SETUP)


def resource_routes(kind: str) -> APIRouter:
    """Make the operations on the resources of a kind.

    Args:
        kind: The kind, as the setup file calls its tables.

    Returns:
        The operations.
    """
    router = APIRouter(route_class=BodyRoute, prefix=f"/{kind}", tags=[kind.replace("_", " ")])
    _add_reading(router, kind)
    _add_making(router, kind)
    _add_changing(router, kind)
    return router


async def changed(context: ServerContext, reader: Database, change: ResourceEdit) -> Stored:
    """Change the setup, and have the server use the new setup at once.

    The change is tried with the request's own connection first, so that the writer mostly gets changes that are good.

    Args:
        context: What all requests of the process share.
        reader: The request's own connection.
        change: The change.

    Returns:
        The resource as it is now.

    Raises:
        Problem: The change is refused.
    """
    refusal = await run_in_threadpool(look_at, reader, change)
    return settled(await written(context, partial(_carried_out, context, change)) if refusal is None else refusal)


async def made(request: Request, context: ServerContext, reader: Database, kind: str, change: ResourceEdit) -> Response:
    """Make a new resource of a kind, once for an Idempotency-Key.

    Args:
        request: The request.
        context: What all requests of the process share.
        reader: The request's own connection.
        kind: The kind, as the setup file calls its tables.
        change: What makes the resource.

    Returns:
        The answer, with the resource's Location.
    """

    def answer(done: EditResult) -> Response:
        resource = settled(done)
        place = f"{request.scope.get('root_path', '')}/{kind}/{resource.number}"
        return JSONResponse(to_response(resource), 201, {"Location": place})

    refusal = await run_in_threadpool(look_at, reader, change)
    if refusal is not None:
        return answer(refusal)
    return await answered_once(request, context, partial(_carried_out, context, change), answer)


def _carried_out(
    context: ServerContext, change: ResourceEdit, database: Database, also: Also[EditResult] = lambda *_: None
) -> EditResult:
    answer = carry_out(database, change, also)
    if not isinstance(answer, Refusal):
        context.writer.setup_changed()
    return answer


def _add_reading(router: APIRouter, kind: str) -> None:
    label, schema = KINDS[kind].label, ref(stored_name(kind))
    page = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": schema}, "next_cursor": {"type": ["string", "null"]}},
        "required": ["items", "next_cursor"],
    }

    @router.get(
        "",
        name=f"list_{kind}",
        summary=f"List the {label}s",
        responses=answers(200, "In the order they were made.", page),
        dependencies=[READ],
        response_model=None,
    )
    def list_resources(reader: Reader, asked: Asked) -> Page[Form]:
        after = (asked.after(int) or (-1,))[0]
        resources = [resource for resource in stored_resources(read_catalog(reader), kind) if resource.number > after]
        return asked.page(resources, to_response, lambda resource: (resource.number,))

    @router.get(
        "/{number}",
        name=f"get_{_one(kind)}",
        summary=f"Get one {label}",
        responses=answers(200, "As it is set up.", schema),
        dependencies=[READ],
        response_model=None,
    )
    def show_resource(number: Number, reader: Reader) -> Form:
        return to_response(settled(find_resource(read_catalog(reader), kind, number)))


def _add_making(router: APIRouter, kind: str) -> None:
    label = KINDS[kind].label

    @router.post(
        "",
        name=f"create_{_one(kind)}",
        summary=f"Create a new {label}",
        status_code=201,
        responses={**answers(201, "It is set up.", ref(stored_name(kind))), **declared(ProblemKind.NAME_TAKEN)},
        openapi_extra=takes(ref(form_name(kind))),
        dependencies=[SETUP],
        response_model=None,
    )
    async def make(context: ContextHere, reader: Reader, request: Request, form: Annotated[Form, FormBody]) -> Response:
        return await made(request, context, reader, kind, making(kind, form))


def _add_changing(router: APIRouter, kind: str) -> None:
    label = KINDS[kind].label

    @router.put(
        "/{number}",
        name=f"set_{_one(kind)}",
        summary=f"Set one {label} wholly",
        responses={
            **answers(200, "As it is set up now.", ref(stored_name(kind))),
            **declared(ProblemKind.NAME_TAKEN, ProblemKind.CONFLICT),
        },
        openapi_extra=takes(ref(form_name(kind))),
        dependencies=[SETUP],
        response_model=None,
    )
    async def put(number: Number, context: ContextHere, reader: Reader, form: Annotated[Form, FormBody]) -> Form:
        return to_response(await changed(context, reader, setting(kind, number, _of_number(form, number))))

    @router.delete(
        "/{number}",
        name=f"delete_{_one(kind)}",
        summary=f"Delete one {label} that nothing refers to",
        status_code=204,
        responses=declared(ProblemKind.IN_USE),
        dependencies=[SETUP],
    )
    async def remove(number: Number, context: ContextHere, reader: Reader) -> None:
        await changed(context, reader, removing(kind, number))


def _one(kind: str) -> str:
    return KINDS[kind].label.replace(" ", "_")


def _of_number(form: Form, number: int) -> Form:
    """The form without its `id`. An answer's form has it, so it may be sent back, but it must be the path's."""
    if form.get("id", number) != number:
        mistake = Mistake(where="body.id", what=f"is not {number}, which the path says")
        raise Problem(ProblemKind.INVALID, "the body is of another resource than the path", errors=[mistake])
    return {key: value for key, value in form.items() if key != "id"}

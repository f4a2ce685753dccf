"""The API as one application: its operations, its gate, and the document that describes it."""

import asyncio
from functools import cache
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from trueup import __version__
from trueup.api.document import Document
from trueup.api.http.bodies import LARGE_AT_ONCE
from trueup.api.http.gate import Gate, Guard, operations_of
from trueup.api.http.idempotency import Once
from trueup.api.http.problems import problem_answer, problem_of
from trueup.api.resources import (
    audit,
    batches,
    campaigns,
    clicks,
    conversions,
    decide_again,
    journal,
    keys,
    mappings,
    networks,
    reports,
    search,
    setup,
)
from trueup.api.uploads import send as uploads
from trueup.ledger.lines import Lines
from trueup.live.context import ServerContext
from trueup.live.readers import Readers

ROOT: Final = "/api/v1"
DOCUMENT: Final = "/openapi.json"  # it needs no key

# In the order in which the document lists them.
_PARTS: Final = (
    uploads, mappings, conversions, search, batches, decide_again, clicks, journal, reports, audit, setup, networks,
    campaigns, keys,
)  # fmt: skip


def make_api(context: ServerContext) -> FastAPI:
    """Make the API of a server process. What calls it is mounted at ROOT: `root_path` is that, and `path` has it too.

    At the end, `state.readers.close()` closes its connections.
    """
    api = FastAPI(
        title="Trueup",
        version=__version__,
        summary="Uploads, conversions, clicks, reports and the setup of a conversion tracker.",
        servers=[{"url": ROOT}],
        openapi_url=None,  # ours is written once, in a thread of its own
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        routes=_operations(),
        exception_handlers={HTTPException: _to_response, RequestValidationError: _to_response},
    )
    api.state.context = context
    api.state.readers = Readers(context.settings.database_url)
    api.state.lines = Lines()
    api.state.guard = Guard(context, api.state.readers)
    api.state.large_bodies = asyncio.Semaphore(LARGE_AT_ONCE)
    api.add_route(DOCUMENT, Document(api).answer, include_in_schema=False)
    api.add_middleware(Once, context=context)
    api.add_middleware(
        Gate, context=context, guard=api.state.guard, operations=operations_of(api), open_path=ROOT + DOCUMENT
    )
    return api


@cache
def _operations() -> list[BaseRoute]:
    """The operations, for every API of this process: FastAPI takes them apart when the first is asked for one."""
    router = APIRouter(redirect_slashes=False, generate_unique_id_function=_name)
    for part in _PARTS:
        router.include_router(part.router)
    return router.routes


def _name(route: APIRoute) -> str:
    return route.name


async def _to_response(request: Request, error: Exception) -> Response:
    return problem_answer(request, problem_of(error))

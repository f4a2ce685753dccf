"""Campaigns over HTTP: what can be done with every resource of the setup, and clones."""

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trueup.api.http.bodies import BodyRoute
from trueup.api.http.problems import ProblemKind, declared
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.catalog import SETUP, Number, made, resource_routes
from trueup.api.resources.forms import answers, ref, stored_name
from trueup.setup.resources import cloning_campaign

_KIND: Final = "campaigns"

router = APIRouter(route_class=BodyRoute)
router.include_router(resource_routes(_KIND))


class CloneForm(BaseModel):
    """What a clone is called."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "PL push 2", "slug": "pl-push-2"}]}
    )

    name: str = Field(description="Another name than any campaign has.")
    slug: str = Field(description="Its word in links: `a-z`, `0-9` and `-`.")


@router.post(
    f"/{_KIND}/{{number}}/clone",
    tags=[_KIND],
    summary="Clone one campaign",
    status_code=201,
    responses={**answers(201, "It is set up.", ref(stored_name(_KIND))), **declared(ProblemKind.NAME_TAKEN)},
    dependencies=[SETUP],
    response_model=None,
)
async def clone_campaign(
    number: Number, context: ContextHere, reader: Reader, request: Request, clone: CloneForm
) -> Response:
    """A new campaign with the same settings. It begins without clicks, conversions and money."""
    return await made(request, context, reader, _KIND, cloning_campaign(number, clone.name, clone.slug))

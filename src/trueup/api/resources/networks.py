"""Affiliate networks over HTTP: what can be done with every resource of the setup, and their postback keys and URLs."""

from enum import Enum
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from trueup.api.http.claims import Also, answered_once
from trueup.api.http.problems import Mistake, Problem, ProblemKind, not_found
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import json_answer
from trueup.api.resources.catalog import SETUP, Number, resource_routes
from trueup.dialects.names import nearest
from trueup.edge.presets import Preset, postback_url, preset_for, presets
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database, Readable
from trueup.live.context import ServerContext
from trueup.live.readers import written
from trueup.model.catalog import AffiliateNetwork
from trueup.setup.postback_keys import KEY_BYTES, drop_postback_keys, rotate_postback_key

_KIND: Final = "affiliate_networks"
_TAGS: Final[list[str | Enum]] = ["affiliate networks"]

router = APIRouter()
router.include_router(resource_routes(_KIND))


class PostbackKeys(BaseModel):
    """The keys of a network's postbacks."""

    keys: list[str] = Field(description="Newest first; two at most.", examples=[["q1w2e3...", "a9s8d7..."]])


class PostbackUrl(BaseModel):
    """A postback URL to copy and paste."""

    preset: str = Field(description="Whose macros it has.")
    title: str
    url: str = Field(examples=["https://t.example.com/KEY/postback?click_id={sub1}&payout={payout_amount}"])
    link: str = Field(description="What its offers' URLs must have; empty where its own settings say.")
    note: str = Field(description="What else there is to know.")


class PostbackUrls(BaseModel):
    """The postback URLs of a network."""

    items: list[PostbackUrl] = Field(description="The preset that is called as the network is first.")


@router.get(f"/{_KIND}/{{number}}/postback_keys", tags=_TAGS, summary="Get a network's keys", dependencies=[SETUP])
def get_postback_keys(number: Number, reader: Reader) -> PostbackKeys:
    """Only a key with the scope `setup` sees them: whoever has one can report conversions."""
    return PostbackKeys(keys=list(_network(reader, number).postback_keys))


@router.post(
    f"/{_KIND}/{{number}}/postback_keys",
    tags=_TAGS,
    summary="Create a new key for a network",
    status_code=201,
    response_model=PostbackKeys,
    dependencies=[SETUP],
)
async def create_postback_key(number: Number, context: ContextHere, request: Request) -> Response:
    """The newest key until now stays good beside it; one before that is good no more."""

    def work(database: Database, also: Also[AffiliateNetwork | None]) -> AffiliateNetwork | None:
        return _seen(context, rotate_postback_key(database, number, context.randomness(KEY_BYTES), also))

    def answer(network: AffiliateNetwork | None) -> Response:
        return json_answer(_keys(network, number), 201)

    return await answered_once(request, context, work, answer)


@router.delete(
    f"/{_KIND}/{{number}}/postback_keys", tags=_TAGS, summary="Delete a network's older key", dependencies=[SETUP]
)
async def delete_postback_keys(
    number: Number,
    context: ContextHere,
    all_keys: Annotated[bool, Query(alias="all", description="Delete the newest key too.")] = False,
) -> PostbackKeys:
    """Postbacks that bring a dropped key are refused from now on. Answers with the keys that are left."""

    def work(database: Database) -> AffiliateNetwork | None:
        return _seen(context, drop_postback_keys(database, number, all_keys=all_keys))

    return _keys(await written(context, work), number)


@router.get(f"/{_KIND}/{{number}}/postback_urls", tags=_TAGS, summary="Postback URLs to copy", dependencies=[SETUP])
def list_postback_urls(
    number: Number,
    context: ContextHere,
    reader: Reader,
    preset: Annotated[str, Query(max_length=100, description="Only this preset's.")] = "",
) -> PostbackUrls:
    """One for each preset, with the network's newest key, which is a secret: whoever has it can report conversions."""
    network, settings = _network(reader, number), context.settings
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    key = network.postback_keys[0] if network.postback_keys else ""
    return PostbackUrls(
        items=[_to_response(each, postback_url(base, key, each)) for each in _chosen(preset, network.name)]
    )


def _network(reader: Readable, number: int) -> AffiliateNetwork:
    networks = read_catalog(reader).affiliate_networks.values()
    found = next((network for network in networks if network.network_id == number), None)
    if found is None:
        raise not_found(f"affiliate network {number}")
    return found


def _seen(context: ServerContext, network: AffiliateNetwork | None) -> AffiliateNetwork | None:
    """What was changed, once the server knows of it."""
    if network is not None:
        context.writer.setup_changed()
    return network


def _keys(network: AffiliateNetwork | None, number: int) -> PostbackKeys:
    if network is None:
        raise not_found(f"affiliate network {number}")
    return PostbackKeys(keys=list(network.postback_keys))


def _chosen(name: str, network: str) -> list[Preset]:
    if not name:
        own = preset_for(network)
        return [own, *(preset for preset in presets().values() if preset != own)]
    if name not in presets():
        mistake = Mistake(where="query.preset", what=f"there is no preset {name!r}: {nearest(name, presets())}")
        raise Problem(ProblemKind.INVALID, "the preset is not known", errors=[mistake])
    return [presets()[name]]


def _to_response(preset: Preset, url: str) -> PostbackUrl:
    return PostbackUrl(preset=preset.name, title=preset.title, url=url, link=preset.link, note=preset.note)

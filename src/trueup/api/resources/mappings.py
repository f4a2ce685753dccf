"""Saved mappings over HTTP: how files are read that a person mapped by hand."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.bodies import BodyRoute
from trueup.api.http.gate import needs
from trueup.api.http.pages import Asked, Page
from trueup.api.http.problems import not_found
from trueup.api.http.readers import ContextHere, Reader
from trueup.api.resources.answers import Answer
from trueup.dialects.click_columns import CLICK_NAMES
from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.names import FIELDS, nearest, normalised
from trueup.ledger.database import Database
from trueup.ledger.mappings import find_mapping, read_mappings
from trueup.live.readers import written
from trueup.model.mapping import NAME_CHARS, SavedMapping, name_trouble
from trueup.model.time_formats import time_format
from trueup.model.times import time_text
from trueup.model.words import UploadKind
from trueup.model.zones import is_known
from trueup.uploads.mappings import remove_mapping, save_mapping

router = APIRouter(route_class=BodyRoute, prefix="/mappings", tags=["mappings"])

_TITLE_CHARS = 200
_COLUMNS_MOST = 1_000


def fit_name(name: str) -> str:
    """Let a mapping's name pass. Raises: ValueError, where it cannot be one."""
    trouble = name_trouble(name)
    if trouble:
        raise ValueError(trouble)
    return name


_DIALECTS_OF: Final = {UploadKind.CONVERSIONS: DIALECTS, UploadKind.CLICKS: CLICK_DIALECTS}
_FIELDS_OF: Final = {UploadKind.CONVERSIONS: FIELDS, UploadKind.CLICKS: CLICK_NAMES}


def _known_dialect(name: str, form: ValidationInfo) -> str:
    known = _DIALECTS_OF[form.data.get("kind", UploadKind.CONVERSIONS)]
    if name not in known:
        raise ValueError(f"no dialect is called {name!r}. {nearest(name, known)}")
    return name


def _known_field(name: str, form: ValidationInfo) -> str:
    known = _FIELDS_OF[form.data.get("kind", UploadKind.CONVERSIONS)]
    if name and name not in known:
        raise ValueError(f"no field is called {name!r}. {nearest(name, known)}")
    return name


def _known_zone(zone: str) -> str:
    if not is_known(zone):
        raise ValueError(f"no time zone is called {zone!r}")
    return zone


def known_time_format(stated: str) -> str:
    """Let a form of times pass. Raises: ValueError, where it is none."""
    time_format(stated)
    return stated


Name = Annotated[
    str, Path(min_length=1, max_length=NAME_CHARS, description="The mapping's name."), AfterValidator(fit_name)
]
Kind = Literal[UploadKind.CONVERSIONS, UploadKind.CLICKS]
OfKind = Annotated[Kind, Query(description="What its files are of; those of statuses: conversions.")]
Title = Annotated[str, Field(max_length=_TITLE_CHARS)]


class MappingForm(BaseModel):
    """How files with some titles are read."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(UploadKind.CONVERSIONS, description="What its files are of; those of statuses: conversions.")
    titles: list[Title] = Field(
        min_length=1, max_length=_COLUMNS_MOST, description="The column titles of the files that it is for."
    )
    columns: dict[Title, Annotated[str, AfterValidator(_known_field)]] = Field(
        min_length=1, max_length=_COLUMNS_MOST, description="Column title -> field; '' to leave it out."
    )
    dialect: Annotated[str, AfterValidator(_known_dialect)] | None = Field(None, description="Whose files they are.")
    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = Field(
        None, description="Zone of times without an offset."
    )
    time_format: Annotated[str, AfterValidator(known_time_format)] | None = Field(
        None, description="How times are written."
    )
    decimal_comma: bool = Field(False, description="Amounts are written 1,20.")
    thousands: bool = Field(False, description="Thousands are parted.")


class MappingAnswer(Answer):
    """A saved mapping."""

    kind: UploadKind
    name: str
    titles: list[str] = Field(description="Of the files that it is for, in the form in which they are compared.")
    columns: dict[str, str]
    dialect: str | None
    time_zone: str | None
    time_format: str | None
    decimal_comma: bool
    thousands: bool
    made_by: str
    made_at: str


@router.get("", summary="List saved mappings", dependencies=[needs(KeyScope.READ)])
def list_mappings(reader: Reader, asked: Asked) -> Page[MappingAnswer]:
    """All saved mappings, by name."""
    after = asked.after(str, str) or ("", "")
    saved = [mapping for mapping in read_mappings(reader) if _key(mapping) > after]
    return asked.page(saved, _shown, _key)


@router.get("/{name}", summary="Get one saved mapping", dependencies=[needs(KeyScope.READ)])
def get_mapping(name: Name, reader: Reader, kind: OfKind = UploadKind.CONVERSIONS) -> MappingAnswer:
    """How it reads files."""
    mapping = find_mapping(reader, kind, name)
    if mapping is None:
        raise not_found(f"mapping {name}")
    return _shown(mapping)


@router.put("/{name}", summary="Save a mapping")
async def put_mapping(
    caller: Annotated[Caller, needs(KeyScope.UPLOAD)], context: ContextHere, name: Name, form: MappingForm
) -> MappingAnswer:
    """Save it, in the place of one of its kind with its name.

    It is used where an upload says its name, and nowhere else.
    """
    titles = frozenset(map(normalised, form.titles))
    said = form.model_dump(exclude={"kind", "titles"})
    mapping = SavedMapping(form.kind, name, titles, **said, made_by=caller.name, made_at=context.clock())

    def work(database: Database) -> None:
        save_mapping(database, mapping)

    await written(context, work)
    return _shown(mapping)


@router.delete("/{name}", summary="Remove a mapping", status_code=204, dependencies=[needs(KeyScope.UPLOAD)])
async def delete_mapping(context: ContextHere, name: Name, kind: OfKind = UploadKind.CONVERSIONS) -> None:
    """What was uploaded with it stays."""

    def work(database: Database) -> bool:
        return remove_mapping(database, kind, name)

    if not await written(context, work):
        raise not_found(f"mapping {name}")


def _key(mapping: SavedMapping) -> tuple[str, str]:
    return mapping.name, mapping.kind.value


def _shown(mapping: SavedMapping) -> MappingAnswer:
    return MappingAnswer(
        kind=mapping.kind,
        name=mapping.name,
        titles=sorted(mapping.titles),
        **mapping.choices,
        made_by=mapping.made_by,
        made_at=time_text(mapping.made_at),
    )

"""The forms of the setup in the API: the keys of the setup file's tables, and our number as `id`."""

from typing import Any, Final, TypeAlias

from fastapi import Body

from trueup.api.http.problems import Mistake, Problem, ProblemKind
from trueup.setup import tables
from trueup.setup.forms import WORKSPACE
from trueup.setup.resources import EditResult, Refusal, RefusalKind, Stored

Form: TypeAlias = dict[str, Any]
Schema: TypeAlias = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
_ID: Final = {"type": "integer", "minimum": 0, "description": "Our number for it."}

_PROBLEMS: Final = {
    RefusalKind.NOT_THERE: ProblemKind.NOT_FOUND,
    RefusalKind.NAME_TAKEN: ProblemKind.NAME_TAKEN,
    RefusalKind.IN_USE: ProblemKind.IN_USE,
    RefusalKind.FIXED: ProblemKind.CONFLICT,
    RefusalKind.MISTAKES: ProblemKind.INVALID,
}

# kind -> the table with its keys, and an example.
TABLES: Final[dict[str, tuple[type[tables.SetupTable], Form]]] = {
    WORKSPACE: (
        tables.WorkspaceTable,
        {"name": "Acme", "time_zone": "Europe/Warsaw", "currency": "USD", "rates": {"EUR": "1.08"}},
    ),
    "affiliate_networks": (
        tables.AffiliateNetworkTable,
        {"name": "Northwind", "duplicate_mode": "update", "status_map": {"2": "pending"}},
    ),
    "conversion_types": (tables.ConversionTypeTable, {"name": "correction", "include_in_conversions": False}),
    "traffic_sources": (tables.TrafficSourceTable, {"name": "PushAds"}),
    "offers": (
        tables.OfferTable,
        {"name": "VPN trial", "network": "Northwind", "url": "https://example.com/?s={click_id}", "payout": "1.20"},
    ),
    "campaigns": (
        tables.CampaignTable,
        {"name": "PL push", "slug": "pl-push", "offers": [{"offer": "VPN trial", "weight": 1}]},
    ),
}


def form_name(kind: str) -> str:
    """The name of a kind's form in the OpenAPI document, as it is sent."""
    return TABLES[kind][0].__name__.removesuffix("Table") + "Form"


def stored_name(kind: str) -> str:
    """The name of a kind's form in the OpenAPI document, as it is answered."""
    return TABLES[kind][0].__name__.removesuffix("Table")


def form_schemas() -> dict[str, Schema]:
    """The schemas of all forms, by the names that the OpenAPI document has for them."""
    schemas: dict[str, Schema] = {}
    for kind, (table, example) in TABLES.items():
        written = table.model_json_schema(mode="serialization", ref_template=_REF)
        schemas |= written.pop("$defs", {})
        written |= {"description": "A key that is left out takes its default.", "examples": [example]}
        schemas[form_name(kind)] = {**written, "title": form_name(kind)}
        properties = {**({} if kind == WORKSPACE else {"id": _ID}), **written["properties"]}
        answered = {"title": stored_name(kind), "properties": properties, "required": list(properties)}
        del written["examples"]  # the examples are of forms that are sent
        schemas[stored_name(kind)] = {**written, **answered, "description": "As it is set up."}
    return schemas


def ref(name: str) -> Schema:
    """A reference to a schema of the OpenAPI document."""
    return {"$ref": _REF.format(model=name)}


def answers(status: int, description: str, schema: Schema) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation, for what its own function does not say."""
    return {status: {"description": description, "content": {"application/json": {"schema": schema}}}}


def takes(schema: Schema) -> dict[str, Any]:
    """The `openapi_extra` of an operation, which says what JSON it takes: its function takes a `FormBody`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


FormBody: Final = Body()


def to_response(resource: Stored) -> Form:
    """A resource as it is answered."""
    return {"id": resource.number, **resource.form}


def settled(answer: EditResult) -> Stored:
    """Take the resource from the answer to a change of the setup.

    Args:
        answer: What the change of the setup came to.

    Returns:
        The resource as it is now.

    Raises:
        Problem: The change is refused.
    """
    if isinstance(answer, Stored):
        return answer
    raise _problem(answer)


def _problem(refusal: Refusal) -> Problem:
    errors = [
        Mistake(where=".".join(("body", *(str(step) for step in place if step != "[key]"))), what=what)
        for place, what in refusal.mistakes
    ]
    return Problem(_PROBLEMS[refusal.kind], refusal.message, errors=errors)

"""The OpenAPI document. What all operations have in common is written into each of them."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from trueup.access.keys import KeyScope
from trueup.api.http.idempotency import HEADER, KEPT_DAYS, PATTERN
from trueup.api.http.problems import ProblemDetails, ProblemKind, declared
from trueup.api.resources.forms import form_schemas

_EVERYWHERE: Final = (
    ProblemKind.MALFORMED,
    ProblemKind.NO_KEY,
    ProblemKind.BAD_KEY,
    ProblemKind.WRONG_SCOPE,
    ProblemKind.TOO_LARGE,
    ProblemKind.INVALID,
    ProblemKind.TOO_MANY,
    ProblemKind.FAILURE,
    ProblemKind.UNAVAILABLE,
)
_WITH_BODY: Final = (ProblemKind.WRONG_MEDIA_TYPE,)
_WITH_NUMBER: Final = (ProblemKind.NOT_FOUND,)
_OF_POST: Final = (ProblemKind.AT_WORK, ProblemKind.ANSWER_NOT_KEPT, ProblemKind.KEY_REUSED)
_ONCE: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": f"The same request with the same key is done once, and answered again for {KEPT_DAYS} days.",
    "schema": {"type": "string", "pattern": f"^{PATTERN}$"},
}
_FRAMEWORKS: Final = ("HTTPValidationError", "ValidationError")  # FastAPI's own form of problems, which we do not use


class Document:
    """The document of an API, written when it is first asked for."""

    _written = b""  # every API of this process has the same operations, and the same document

    def __init__(self, api: FastAPI) -> None:
        self._api = api

    async def answer(self, _request: Request) -> Response:
        """Answer with the document. It is written in a thread of its own, so that nothing waits for it meanwhile."""
        if not self._written:
            Document._written = await run_in_threadpool(self._write)
        return Response(self._written, media_type="application/json")

    def _write(self) -> bytes:
        return json.dumps(_described(self._api.openapi()), separators=(",", ":")).encode()


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """Complete a document that FastAPI made."""
    document = deepcopy(document)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= form_schemas()
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["ProblemDetails"] = problem
    for name in _FRAMEWORKS:
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method, has_parameters="{" in path)
    return document


def _only_reads(operation: Mapping[str, Any]) -> bool:
    """Whether an operation only needs a key that reads: then it can simply be asked again."""
    return all(scopes == [KeyScope.READ] for needed in operation["security"] for scopes in needed.values())


def _complete(operation: dict[str, Any], method: str, *, has_parameters: bool) -> None:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        if "$ref" in media["schema"]:  # beside it FastAPI says what the function takes: any object
            media["schema"] = {"$ref": media["schema"]["$ref"]}
    kinds = [*_EVERYWHERE]
    kinds += _WITH_BODY if "requestBody" in operation else ()
    kinds += _WITH_NUMBER if has_parameters else ()
    if method == "post" and not _only_reads(operation):
        kinds += _OF_POST
        operation.setdefault("parameters", []).append(_ONCE)
    responses = operation["responses"]
    if any(name in str(responses.get("422")) for name in _FRAMEWORKS):
        del responses["422"]
    for status, response in declared(*kinds).items():
        stated = responses.setdefault(str(status), response)
        if stated is not response:
            stated["description"] = f"{stated['description']}; {response['description']}"

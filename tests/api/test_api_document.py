"""The OpenAPI document keeps its word: whatever is sent, the answer is one that it declares, and never a failure."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from calling import Api, NewApi
from effort import LAW
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from trueup.access.keys import KeyScope
from trueup.api.http.problems import ProblemKind
from trueup.setup.forms import KINDS

pytestmark = pytest.mark.front

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SENT = {"content-type", "idempotency-key"}  # of the headers; the key is the test's own


def operations(api: Api) -> Iterator[Any]:
    """Every operation of the document, as schemathesis knows it."""
    schema = schemathesis.openapi.from_dict(api.get("/openapi.json", key=None).json())
    for found in schema.get_all_operations():
        yield found.ok()


def keeps_its_word(api: Api, operation: Any, keys: Sequence[str | None], examples: int) -> None:  # noqa: ANN401 - schemathesis' own
    """Send what the document allows, and what it forbids, with each of the keys."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: Case) -> None:
        for key in keys:
            answer = sent(api, case, key)
            if answer is not None:
                case.validate_response(answer, checks=CHECKS)

    check()


def sent(api: Api, case: Case, key: str | None) -> httpx2.Response | None:
    """Send a case. Returns: the answer; None for a case that no client could send."""
    words = case.as_transport_kwargs(base_url="http://test/api/v1")
    try:
        asked = requests.Request(**words).prepare()
        headers = [(name, value.encode("latin-1")) for name, value in asked.headers.items() if name.lower() in SENT]
    except (UnicodeEncodeError, AttributeError, requests.RequestException):
        return None
    body = asked.body.encode() if isinstance(asked.body, str) else asked.body
    return api.ask(case.method, asked.path_url, key=key, headers=headers, content=body)


def test_document__is_of_version_3_1_and_names_everything_once(api: Api) -> None:
    document = api.get("/openapi.json", key=None).json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api/v1"}]
    found = [operation for operations in document["paths"].values() for operation in operations.values()]
    assert len(found) > 40
    assert len({operation["operationId"] for operation in found}) == len(found)
    for operation in found:
        assert operation["summary"]
        assert len(set(operation["tags"])) == 1
        declared = {status for status, answer in operation["responses"].items() if status >= "400"}
        assert declared >= {"400", "401", "403", "413", "422", "429", "500", "503"}
        for status in declared:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', api.get("/openapi.json", key=None).text))
    assert references <= set(document["components"]["schemas"])


def test_document__declares_every_kind_of_problem_somewhere(api: Api) -> None:
    text = api.get("/openapi.json", key=None).text
    undeclared = {kind for kind in ProblemKind if f"`{kind.word}`" not in text}
    assert undeclared <= {ProblemKind.WRONG_METHOD}


def test_page__has_every_operation_on_the_setup_and_on_keys(api: Api) -> None:
    paths = api.get("/openapi.json", key=None).json()["paths"]
    declared = {
        f"{method.upper()} {path}"
        for path, found in paths.items()
        for method, operation in found.items()
        if operation["tags"][0] in {"setup", "keys", *(kind.replace("_", " ") for kind in KINDS)}
    }
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+ /[^`]+)` \|", page, re.MULTILINE)
    shown = {row.replace("KIND", kind) for row in rows for kind in KINDS}
    assert shown == declared


@pytest.mark.law
@pytest.mark.timeout(3_600)
def test_operations__answer_what_they_declare(new_api: NewApi) -> None:
    api, failures = new_api(api_per_minute=1_000_000), []
    for operation in operations(api):
        key = api.key(KeyScope.ADMIN)  # a new one: keys are revoked here too
        try:
            keeps_its_word(api, operation, [key], max(2, LAW.max_examples // 2))
        except FailureGroup as failed:
            failures.append(f"{operation.label}: {failed}")
    assert not failures, "\n".join(failures)


def test_operations__without_a_key_are_all_refused(new_api: NewApi) -> None:
    api = new_api(refused_per_minute=1_000_000)
    before = api.get("/setup").text
    for operation in operations(api):
        keeps_its_word(api, operation, [None, "tru_1_" + "0" * 40], 1)
    assert before == api.get("/setup").text

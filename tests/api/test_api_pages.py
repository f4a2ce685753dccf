"""Lists in pages: together they are the whole list, however it is parted, and while it grows."""

import base64
import json
import re

import pytest
from calling import Api, told

from trueup.api.http.problems import ProblemKind

pytestmark = pytest.mark.front


@pytest.fixture
def many(api: Api) -> Api:
    """An API with 23 traffic sources."""
    file = "".join(f'[[traffic_sources]]\nname = "source {number}"\n' for number in range(23))
    assert api.post("/setup", content=file.encode()).status_code == 200
    return api


def test_pages__are_together_the_whole_list(many: Api) -> None:
    whole = many.get("/traffic_sources").json()["items"]
    assert len(whole) == 23
    for limit in (1, 7, 22, 23, 24, 1_000):
        assert in_pages(many, limit) == whole


def in_pages(api: Api, limit: int) -> list[dict[str, object]]:
    """The whole list, page after page."""
    found: list[dict[str, object]] = []
    target = f"/traffic_sources?limit={limit}"
    while target:
        answer = api.get(target)
        page = answer.json()
        assert len(page["items"]) == min(limit, 23 - len(found))
        found += page["items"]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert bool(link) == bool(page["next_cursor"])
        target = link[1] if link else ""
    return found


def test_page__after_an_item_that_is_gone_goes_on(many: Api) -> None:
    first = many.get("/traffic_sources?limit=5").json()
    assert many.delete(f"/traffic_sources/{first['items'][-1]['id']}").status_code == 204
    many.post("/traffic_sources", json={"name": "late"})
    rest = many.get("/traffic_sources", params={"cursor": first["next_cursor"]}).json()["items"]
    assert [source["name"] for source in rest] == [f"source {number}" for number in range(5, 23)] + ["late"]


def test_cursor__of_another_list_is_refused(many: Api) -> None:
    for key in ([1, 2], [], ["1"], [True], [1.0], [None], [2**63], {"a": 1}, 5):
        cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
        problem = told(many.get("/traffic_sources", params={"cursor": cursor}), ProblemKind.INVALID)
        assert problem["errors"] == [{"where": "query.cursor", "what": "is not a cursor of this list"}]

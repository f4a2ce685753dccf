"""How a file comes in over the API: whole, or not at all."""

from collections.abc import AsyncIterator

import pytest
from calling import Api, NewApi, told
from upload_calling import CSV, ROWS, sent

from trueup.api.http.problems import ProblemKind

pytestmark = pytest.mark.front


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("?kind=sales", "query.kind"),
        ("?dialect=keitara", "query.dialect"),
        ("?duplicates=never", "query.duplicates"),
        ("?columns=click_id", "query.columns.0"),
        ("?colums=a=b", "query.colums"),
        ("?decimal_comma=perhaps", "query.decimal_comma"),
    ],
)
def test_send__choices_that_are_none_are_refused(api: Api, query: str, where: str) -> None:
    answer = api.post(f"/uploads{query}", content=b"x", headers=CSV)
    assert [mistake["where"] for mistake in told(answer, ProblemKind.INVALID)["errors"]] == [where]
    assert files_of(api) == []


def test_send__choices_that_do_not_go_together_are_refused(api: Api) -> None:
    answer = api.post("/uploads?kind=clicks&duplicates=update", content=b"x", headers=CSV)
    assert told(answer, ProblemKind.INVALID)["detail"].startswith("duplicates is for conversions")
    assert files_of(api) == []


def files_of(api: Api) -> list[str]:
    folder = api.settings.folder / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_send__media_types_that_are_no_file(api: Api) -> None:
    for media in ("application/json", "application/x-www-form-urlencoded", "image/png", ""):
        headers = {"Content-Type": media} if media else {}
        told(api.post("/uploads", content=b"x", headers=headers), ProblemKind.WRONG_MEDIA_TYPE)


def test_send__larger_than_is_allowed(new_api: NewApi) -> None:
    api = new_api(upload_bytes=2_000)
    told(api.post("/uploads", content=b"x" * 2_001, headers=CSV), ProblemKind.TOO_LARGE)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    told(api.post("/uploads", content=parts(), headers=CSV), ProblemKind.TOO_LARGE)
    form = {"files": {"file": ("x.csv", b"x" * 2_001, "text/csv")}}
    told(api.post("/uploads", **form), ProblemKind.TOO_LARGE)
    assert files_of(api) == []
    assert sent(api, "x" * 2_000)["bytes"] == 2_000


def test_send__no_room_on_the_disk(new_api: NewApi) -> None:
    api = new_api(free_bytes=1 << 60)
    told(api.post("/uploads", content=b"c1,1\n", headers=CSV), ProblemKind.NO_ROOM)
    assert files_of(api) == []


@pytest.mark.parametrize(
    "body",
    [
        b"no form at all",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nc1,1\n',
        b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nclicks\r\n--b--\r\n',
        (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n1\r\n'
            b'--b\r\nContent-Disposition: form-data; name="g"; filename="y"\r\n\r\n2\r\n--b--\r\n'
        ),
    ],
    ids=["no form", "broken off", "no file", "two files"],
)
def test_send__forms_that_are_none(api: Api, body: bytes) -> None:
    answer = api.post("/uploads", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    told(answer, ProblemKind.MALFORMED)
    assert files_of(api) == []


def test_send__a_form_of_very_many_fields(api: Api) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nclicks\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    told(api.post("/uploads", content=part * 101 + b"--b--\r\n", headers=headers), ProblemKind.TOO_LARGE)


def test_send__the_name_is_cut_and_cleaned(api: Api) -> None:
    name = "..%2F..%2Fetc%2F%1B%5B31mred%0A%E2%80%AE" + "x" * 300
    assert sent(api, query=f"?file_name={name}")["file_name"] == ("[31mred" + "x" * 300)[:200]


def test_sent_file__is_for_the_server_alone(api: Api) -> None:
    upload = sent(api)
    path = api.settings.folder / "uploads" / upload["upload_id"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == ROWS


def test_send__again_with_the_same_idempotency_key_sends_once(api: Api) -> None:
    headers = {**CSV, "Idempotency-Key": "one"}
    first = api.post("/uploads", content=ROWS.encode(), headers=headers)
    second = api.post("/uploads", content=ROWS.encode(), headers=headers)
    assert second.json() == first.json()
    assert len(api.get("/uploads").json()["items"]) == 1
    told(api.post("/uploads", content=b"other", headers=headers), ProblemKind.KEY_REUSED)

"""How tests send files, and what they expect to be answered."""

import csv
import io
import json
from typing import Any

import httpx2
from calling import Api

CSV = {"Content-Type": "text/csv"}
ROWS = "click_id,payout,transaction_id\nc1,1.20,T1\nc2,3.40,T2\nnobody,5.00,T3\nc3,much,T4\n"


def sent(api: Api, content: str | bytes = ROWS, query: str = "", **words: Any) -> dict[str, Any]:  # noqa: ANN401 - what the client takes
    """Send a file; it must be taken."""
    body = content.encode() if isinstance(content, str) else content
    answer = api.post(f"/uploads{query}", content=body, headers=CSV, **words)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/uploads/{found['upload_id']}"
    return found


def done(answer: httpx2.Response) -> dict[str, Any]:
    """What was answered; it must be at its end."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def records(answer: httpx2.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def followed(api: Api, path: str) -> list[dict[str, Any]]:
    """Follow an upload until it has ended. A stream ends after some seconds, and its caller asks again."""
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["state"] not in ("done", "cancelled", "failed"):
        events = api.get(f"{path}/events")
        assert events.headers["content-type"].startswith("text/event-stream")
        seen += [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
    return seen

"""Batches, rows of the journal, clicks, reports and the audit over the API, beside what a terminal says of them."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from calling import ONE_OF_EACH, Api, NewApi, told
from command_line import CommandLine
from databases import by_hand
from upload_calling import done, records, sent
from worlds import World, grown, succeeded

from trueup.api.http.problems import ProblemKind
from trueup.ledger.open import open_ledger
from trueup.reports import report

CLICKS = "click_id,campaign,offer,clicked_at,cost,country,sub2\n" + "".join(
    f"k{number},camp,o,2026-02-0{number + 1}T00:00:00Z,0.10,PL,banner\n" for number in range(5)
)


def _grow(world: World) -> None:
    """A workspace with five clicks (batch 1), conversions of some (batch 2), and an undone batch (3, by 4)."""
    world.set_up(ONE_OF_EACH)
    succeeded(world.trueup("clicks", "import", world.file(CLICKS), "--yes"))
    world.upload(
        "click_id,payout,transaction_id,status\n" + "".join(f"k{n},{n}.50,T,pending\n" for n in range(4)) + "x,1,,\n"
    )
    world.upload("click_id,payout,transaction_id\nk0,9,U\n")
    succeeded(world.trueup("undo", 3, "--yes"))


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the workspace is set up
    """An API on that workspace."""
    return new_api()


def pages(api: Api, path: str, limit: int) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    found, cursor = [], ""
    while True:
        page = api.get(f"{path}{'&' if '?' in path else '?'}limit={limit}&cursor={cursor}").json()
        found += page["items"]
        assert len(page["items"]) <= limit
        if page["next_cursor"] is None:
            return found
        cursor = page["next_cursor"]


@pytest.mark.front
def test_batches__are_those_of_the_command(api: Api, world: World) -> None:
    by_hand = json.loads(succeeded(world.trueup("batches", "--json")))
    found = pages(api, "/batches", 2)
    assert [batch["batch_id"] for batch in found] == [4, 3, 2, 1]
    shown = [{name: batch[name] for name in by_hand[0]} for batch in reversed(found)]
    assert shown == by_hand
    assert [batch["undone"] for batch in found] == [False, True, False, False]


@pytest.mark.front
def test_batch__has_the_money_before_and_after(api: Api) -> None:
    batch = api.get("/batches/2").json()
    assert batch["pending_revenue"] == {"before": "0.00", "after": "8.00"}
    assert batch["outcomes"] == {"created": 4, "refused_unknown_click": 1}
    for number in (0, 99, "x"):
        assert api.get(f"/batches/{number}").status_code in (404, 422)
    told(api.get("/batches/99/rows"), ProblemKind.NOT_FOUND)
    told(api.post("/batches/99/undo"), ProblemKind.NOT_FOUND)


@pytest.mark.front
def test_batch_rows__in_pages_and_by_outcome(api: Api) -> None:
    rows = pages(api, "/batches/2/rows", 2)
    assert [(row["line"], row["outcome"]) for row in rows] == [
        (2, "created"),
        (3, "created"),
        (4, "created"),
        (5, "created"),
        (6, "refused_unknown_click"),
    ]
    assert (
        rows[1] | {"click_id": "k1", "payout": "1.50", "n": 1, "conversion_id": "k1-1", "status": "pending"} == rows[1]
    )
    refused = pages(api, "/batches/2/rows?outcome=refused_unknown_click&outcome=updated", 1)
    assert [(row["line"], row["message"][:26]) for row in refused] == [(6, "There is no click 'x'; imp")]
    assert pages(api, "/journal?batch_id=2", 3) == rows


@pytest.mark.front
def test_undo__of_what_cannot_be_undone(api: Api) -> None:
    assert "by batch 4" in told(api.post("/batches/3/undo"), ProblemKind.WRONG_STATE)["detail"]
    assert api.post("/batches/4/undo").json()["undo"]["undoes"] == 4


def test_journal__of_a_click_in_its_order(api: Api) -> None:
    rows = pages(api, "/journal?click_id=k0", 1)
    assert [(row["n"], row["batch_id"], row["transaction_id"]) for row in rows] == [(1, 2, "T"), (2, 3, "U")]
    assert pages(api, "/journal?click_id=nobody", 5) == []
    told(api.get("/journal"), ProblemKind.INVALID)
    told(api.get("/journal?click_id=k0&batch_id=2"), ProblemKind.INVALID)
    told(api.get("/journal?batch_id=77"), ProblemKind.NOT_FOUND)


def test_clicks__in_pages_either_way(api: Api) -> None:
    oldest = pages(api, "/clicks?order=oldest", 2)
    assert [click["click_id"] for click in oldest] == ["k0", "k1", "k2", "k3", "k4"]
    assert pages(api, "/clicks", 2) == oldest[::-1]
    assert (
        oldest[1]
        | {
            "campaign": "camp",
            "offer": "o",
            "affiliate_network": "net",
            "traffic_source": "src",
            "clicked_at": "2026-02-02T00:00:00Z",
            "cost": "0.10",
            "country": "PL",
            "sub_parameters": {"sub2": "banner"},
            "is_bot": False,
        }
        == oldest[1]
    )
    named = api.get("/clicks?click_id=k3&click_id=k1&click_id=nobody").json()
    assert named == {"items": [oldest[1], oldest[3]], "next_cursor": None}


@pytest.mark.front
def test_click__with_its_conversions_and_rows(api: Api) -> None:
    found = api.get("/clicks/k0").json()
    assert found["click"]["click_id"] == "k0"
    assert [conversion["conversion_id"] for conversion in found["conversions"]] == ["k0-1"]
    assert [row["n"] for row in found["rows"]] == [1, 2]
    (way,) = found["arrivals"]
    assert way | {"batch_id": 1, "was_known": False, "undone": False, "counts": True} == way
    told(api.get("/clicks/nobody"), ProblemKind.NOT_FOUND)


@pytest.mark.front
def test_ids_that_cannot_be__are_found_nowhere(api: Api) -> None:
    for impossible in ("k0%20", "x" * 2_000, "%F0%9F%92%A9"):
        assert api.get(f"/clicks?click_id={impossible}").json()["items"] == []
        assert api.get(f"/journal?click_id={impossible}").json()["items"] == []
        told(api.get(f"/clicks/{impossible}"), ProblemKind.NOT_FOUND)
        told(api.get(f"/conversions/{impossible}-1"), ProblemKind.NOT_FOUND)


@pytest.mark.front
def test_report__is_that_of_the_command(api: Api, world: World) -> None:
    for query, words in (
        ("", []),
        ("by=day,campaign", ["--by", "day,campaign"]),
        (
            "by=status&status=pending&from=2026-02-01&date=click",
            ["--by", "status", "--status", "pending", "--from", "2026-02-01", "--date", "click"],
        ),
        ("by=country,weekday&where=sub2=banner", ["--by", "country,weekday", "--where", "sub2=banner"]),
        (
            "by=day&columns=pending_revenue,clicks&sort=pending_revenue&top=2",
            ["--by", "day", "--columns", "pending_revenue,clicks", "--sort", "pending_revenue", "--top", "2"],
        ),
    ):
        answer = api.get(f"/reports?{query}").json()
        by_hand = json.loads(succeeded(world.trueup("report", "--json", *words)))
        assert {name: answer[name] for name in by_hand} == by_hand
        assert answer["currency"] == "USD"
        assert api.get(f"/reports.csv?{query}").text == succeeded(world.trueup("report", "--csv", *words))


def test_conversions__are_filtered_by_what_is_known_of_their_click(api: Api) -> None:
    for order in ("newest", "oldest"):
        found = {
            words: len(pages(api, f"/conversions?order={order}&{words}", 2))
            for words in (
                "where=country=PL",
                "where=country=PL&where=country=DE",
                "where=country=DE",
                "where=label=new",
            )
        }
        assert list(found.values()) == [4, 4, 0, 0]
    assert len(pages(api, "/conversions?where=sub2=banner&where=label=unknown&click_id=k1", 2)) == 1


@pytest.mark.front
def test_report__words_that_are_not_known(api: Api) -> None:
    assert "Did you mean campaign?" in told(api.get("/reports?by=campain"), ProblemKind.INVALID)["detail"]
    assert "named twice" in told(api.get("/reports.csv?by=day,day"), ProblemKind.INVALID)["detail"]
    assert "Did you mean revenue" in told(api.get("/reports?columns=revenu"), ProblemKind.INVALID)["detail"]
    assert "named twice" in told(api.get("/reports?columns=cr,cr"), ProblemKind.INVALID)["detail"]
    assert "Did you mean profit" in told(api.get("/reports.xlsx?sort=proft"), ProblemKind.INVALID)["detail"]
    for wrong in ("limit=5", "top=0", f"top={2**63}"):
        told(api.get(f"/reports?{wrong}"), ProblemKind.INVALID)


@pytest.mark.front
def test_report__has_the_numbers_and_rows_that_are_chosen(api: Api) -> None:
    answer = api.get("/reports?by=day&columns=pending_revenue,clicks&sort=pending_revenue&top=1").json()
    assert [list(row) for row in (*answer["rows"], answer["totals"])] == [
        ["day", "pending_revenue", "clicks"],
        ["pending_revenue", "clicks"],
    ]
    assert answer["totals"] == {"pending_revenue": "8.00", "clicks": 5}


@pytest.mark.front
def test_report__of_more_rows_than_anybody_reads_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROWS_MAX", 1)
    for path in ("/reports?by=day", "/reports.csv?by=day"):
        detail = told(api.get(path), ProblemKind.INVALID)["detail"]
        assert detail.startswith("By day there would be more than 1 rows. Choose a shorter time")


def events(text: str) -> list[tuple[str, Any]]:
    found = (block.split("\n") for block in text.strip().split("\n\n") if block.startswith("event: "))
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in found]


@pytest.mark.front
def test_audit__finds_the_laws_held_and_broken(api: Api, world: World) -> None:
    answer = api.post("/audit")
    assert answer.headers["content-type"].startswith("text/event-stream")
    name, laws = events(answer.text)[-1]
    assert name == "laws"
    assert laws == json.loads(succeeded(world.trueup("audit", "--json")))
    assert all(law["held"] for law in laws)
    with open_ledger(api.url) as ledger:
        by_hand(ledger, "UPDATE conversions SET revenue = 7 WHERE click_id = 'k1'")
    broken = {law["law"] for law in events(api.post("/audit").text)[-1][1] if not law["held"]}
    assert broken == {"conversions", "rollups", "totals", "segments"}


@pytest.mark.front
def test_csv__of_a_report_is_safe_to_open(api: Api, world: World) -> None:
    world.set_up('[[campaigns]]\nname = "=cmd()"\nslug = "cmd"\n')
    world.trueup(
        "clicks",
        "import",
        world.file("click_id,campaign,offer,clicked_at\nz1,=cmd(),o,2026-02-01T00:00:00Z\n"),
        "--yes",
    )
    while "=cmd()" not in api.edge.catalog.campaigns:
        api.get("/batches")
    rows = list(csv.DictReader(io.StringIO(api.get("/reports.csv?by=campaign").text)))
    assert "'=cmd()" in [row["campaign"] for row in rows]


@pytest.mark.front
def test_page__has_every_operation_on_rows(api: Api) -> None:
    paths = api.get("/openapi.json", key=None).json()["paths"]
    tags = {"uploads", "conversions", "batches", "clicks", "journal", "reports", "audit"}
    declared = {
        f"{method.upper()} {path}"
        for path, found in paths.items()
        for method, operation in found.items()
        if operation["tags"][0] in tags
    }
    page = (Path(__file__).parents[2] / "docs" / "api-uploads.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]+)` \|", page, re.MULTILINE)) == declared
    choices = {parameter["name"] for parameter in paths["/uploads"]["post"]["parameters"] if parameter["in"] == "query"}
    assert all(f"| `{choice}` |" in page for choice in choices)
    filters = {parameter["name"] for parameter in paths["/reports"]["get"]["parameters"] if parameter["in"] == "query"}
    assert all(f"`{name}`" in page for name in filters - {"by"})


@pytest.mark.front
def test_rows__show_what_they_come_to_now_beside_what_they_were_told(api: Api, world: World) -> None:
    repeat = "click_id,payout,transaction_id\nk1,9,T\nk4,9,T\n"
    upload = sent(api, repeat, "?duplicates=ignore")["upload_id"]
    batch = done(api.post(f"/uploads/{upload}/apply"))["batch_id"]
    as_told = [("ignored_duplicate", None, None), ("created", None, None)]
    assert [now_of(row) for row in pages(api, f"/batches/{batch}/rows", 5)] == as_told
    succeeded(world.trueup("undo", 2, "--yes"))
    at_last = [("ignored_duplicate", "created", "Conversion k1-2 is created."), ("created", None, None)]
    assert [now_of(row) for row in pages(api, f"/batches/{batch}/rows", 1)] == at_last
    assert [now_of(row) for row in pages(api, f"/journal?batch_id={batch}", 5)] == at_last
    results = records(api.get(f"/uploads/{upload}/results.csv"))
    assert [now_of(row) for row in results] == [tuple(each or "" for each in told_) for told_ in at_last]
    undone = ("created", "undone", "Its batch is undone: the row comes to nothing.")
    assert [now_of(row) for row in pages(api, "/journal?click_id=k1", 5)] == [undone, at_last[0]]
    assert [now_of(row) for row in api.get("/clicks/k1").json()["rows"]] == [undone, at_last[0]]
    assert {row["outcome_now"] for row in pages(api, "/batches/2/rows", 5)} == {"undone"}
    assert [row["line"] for row in pages(api, f"/batches/{batch}/rows?outcome=ignored_duplicate", 5)] == [2]
    history = api.get("/conversions/k1-1").json()["history"]
    assert [(event["what"], event["outcome_now"]) for event in history] == [("created", "undone"), ("removed", None)]
    assert "line 3; that row is undone now)" in succeeded(world.trueup("history", "k1-1"))


def now_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["outcome"], row["outcome_now"], row["message_now"]

"""Conversions over the API: reported as JSON, listed, and looked at one by one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import Api, NewApi, told
from command_line import CommandLine
from databases import by_hand
from worlds import World, grown

from trueup.access.keys import KeyScope
from trueup.api.http.problems import ProblemKind
from trueup.ledger.open import open_ledger
from trueup.model.words import DuplicateMode

SETUP = """
[workspace]
currency = "USD"
rates = { EUR = "1.10" }
[[affiliate_networks]]
name = "net"
status_map = { won = "approved" }
[[conversion_types]]
name = "sale"
[[offers]]
name = "o"
network = "net"
"""

ROWS: list[dict[str, Any]] = [
    {"click_id": "c1", "payout": "1.20", "conversion_type": "sale", "transaction_id": "T1", "status": "won"},
    {
        "click_id": "c2",
        "payout": ".5",
        "currency": "eur",
        "event_id": "E1",
        "converted_at": "2026-02-03T10:00:00+01:00",
    },
    {"click_id": "c1", "payout": "-3", "transaction_id": "=1+1", "status": "PENDING"},
    {"click_id": "c1", "payout": "9.00", "conversion_type": "sale", "transaction_id": "T1"},
    {"click_id": "c3", "payout": "1e3"},
    {"click_id": "c3", "payout": "1.00", "transaction_id": "a\nb"},
    {"click_id": "c3", "payout": "1.00", "status": "hmm"},
    {"click_id": "c3", "payout": "1.00", "converted_at": "2026-02-03"},
    {"click_id": "", "payout": "1.00"},
    {"payout": "1.00"},
    {"click_id": "no such click", "payout": "1.00"},
    {"click_id": "unknown", "payout": "1.00"},
    {"click_id": "c2", "payout": "1.00", "conversion_type": "Sale"},
    {"conversion_id": "c2-1", "payout": "0.75", "status": "approved"},
]


def _grow(world: World) -> None:
    """A workspace with three clicks of one offer."""
    world.set_up(SETUP)
    world.add_clicks("c1", "c2", "c3", offer="o")


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    return grown(World(trueup, tmp_path), _grow)


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the workspace is set up
    """An API on that workspace."""
    return new_api()


def reported(api: Api, *rows: dict[str, Any], **words: Any) -> dict[str, Any]:  # noqa: ANN401 - what the client takes
    """Report rows; they must be taken."""
    headers = words.pop("headers", {})
    answer = api.post("/conversions", json={"rows": list(rows), **words}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The same rows as a file; what no file can hold is told by a control character."""
    fields = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(str(row.get(name, "")).replace("\n", "\x1e") for name in fields) for row in rows]
    return "\n".join([",".join(fields), *lines]) + "\n"


@pytest.mark.parametrize(
    "mode",
    [None, *(pytest.param(mode, marks=pytest.mark.front) for mode in (DuplicateMode.UPDATE, DuplicateMode.ADD_PAYOUT))],
)
def test_report__rows_come_to_what_they_come_to_as_a_file(
    api: Api, world: World, new_url: Callable[[], str], tmp_path: Path, mode: DuplicateMode | None
) -> None:
    other = World(CommandLine(new_url()), tmp_path / "other")
    other.folder.mkdir()
    other.set_up(SETUP)
    other.add_clicks("c1", "c2", "c3", offer="o")
    words = ["--duplicates", mode] if mode else []
    by_hand = other.upload(as_csv(ROWS), "--dialect", "headed", "--time-zone", "UTC", *words)
    told_ = reported(api, *ROWS, **({"duplicates": mode} if mode else {}))
    assert [(row["outcome"], row["conversion_id"] or "") for row in told_["results"]] == [
        (row["outcome"], row["conversion_id"]) for row in by_hand.rows
    ]
    sums = ("rows", "outcomes", "conversions", "revenue", "pending_revenue", "declined_revenue")
    assert {name: told_[name] for name in sums} == {name: by_hand.told[name] for name in sums}
    shown = ("conversion_id", "transaction_id", "event_id", "status", "original_status", "payout", "currency")
    assert world.seen(*shown) == other.seen(*shown)


@pytest.mark.front
def test_report__a_local_time_is_in_the_networks_zone_else_utc(api: Api, world: World) -> None:
    rows = [{"click_id": f"c{n}", "converted_at": "2026-02-10T08:00:00", "transaction_id": "L"} for n in (1, 2)]
    reported(api, rows[0])
    network = api.get("/affiliate_networks/1").json()
    api.put("/affiliate_networks/1", json={**network, "time_zone": "America/New_York"})
    reported(api, rows[1])
    moments = [("c1-1", "2026-02-10T08:00:00+00:00"), ("c2-1", "2026-02-10T13:00:00+00:00")]
    assert world.seen("conversion_id", "converted_at") == moments
    (row,) = api.get("/journal?click_id=c2").json()["items"]
    assert (row["converted_at"], row["local_time"], row["fallback_zone"]) == (None, "2026-02-10T08:00:00", "UTC")


@pytest.mark.front
def test_report__a_preview_changes_nothing(api: Api, world: World) -> None:
    preview = reported(api, *ROWS, preview=True)
    assert (preview["preview"], preview["batch_id"]) == (True, None)
    assert world.conversions() == []
    applied = reported(api, *ROWS)
    assert applied["results"] == preview["results"]
    modes = preview["duplicate_modes"]
    assert {(found["mode"], found["mode_from"]) for found in modes} == {
        ("update", "default"),
        ("update", "conversion_id"),
    }
    of_preview = {"duplicate_modes": modes, "biggest_changes": preview["biggest_changes"]}
    assert {**applied, "batch_id": None, "preview": True, **of_preview} == preview


@pytest.mark.front
def test_report__makes_a_batch_that_can_be_undone(api: Api, world: World) -> None:
    batch_id = reported(api, *ROWS)["batch_id"]
    batch = api.get(f"/batches/{batch_id}").json()
    assert (batch["origin"], batch["made_by"], batch["kind"]) == ("api", "test", "upload")
    assert api.post(f"/batches/{batch_id}/undo").json()["undo"]["state"] == "done"
    assert world.conversions() == []


@pytest.mark.front
def test_report__refused_rows_are_kept_as_they_came(api: Api) -> None:
    batch_id = reported(api, {"click_id": "c1", "payout": "ten", "transaction_id": "T"})["batch_id"]
    rows = api.get(f"/batches/{batch_id}/rows").json()["items"]
    assert json.loads(rows[0]["raw"]) == {"click_id": "c1", "payout": "ten", "transaction_id": "T"}


@pytest.mark.front
@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (1770112800, "2026-02-03T10:00:00Z"),
        ("1770112800", "2026-02-03T10:00:00Z"),
        (1770112800123, "2026-02-03T10:00:00.123000Z"),
        ("2026-02-03T10:00", "2026-02-03T10:00:00Z"),
        ("2026-02-03T10:00:00-02:00", "2026-02-03T12:00:00Z"),
    ],
)
def test_report__times(api: Api, time: object, shown: str) -> None:
    reported(api, {"click_id": "c1", "payout": "1", "converted_at": time})
    assert api.get("/conversions/c1-1").json()["conversion"]["converted_at"] == shown


@pytest.mark.front
@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"click_id": "c1", "payout": 1.2}, "body.rows.0.payout"),
        ({"click_id": "c1", "txid": "T"}, "body.rows.0.txid"),
        ({"click_id": 7}, "body.rows.0.click_id"),
        ({"click_id": "c" * 5_000}, "body.rows.0.click_id"),
        ("c1", "body.rows.0"),
    ],
)
def test_report__what_is_no_row_refuses_all(api: Api, row: object, where: str) -> None:
    answer = api.post("/conversions", json={"rows": [row]})
    assert [mistake["where"] for mistake in told(answer, ProblemKind.INVALID)["errors"]] == [where]
    assert api.get("/batches").json()["items"] == []


@pytest.mark.front
def test_report__more_rows_than_are_taken(api: Api) -> None:
    answer = api.post("/conversions", json={"rows": [{"click_id": "c1"}] * 10_001})
    assert told(answer, ProblemKind.INVALID)["errors"][0]["where"] == "body.rows"


@pytest.mark.front
def test_report__ten_thousand_rows(api: Api) -> None:
    rows = [
        {"click_id": f"c{number % 3 + 1}", "payout": "1", "transaction_id": f"T{number}"} for number in range(10_000)
    ]
    found = reported(api, *rows)
    assert found["outcomes"] == {"created": 3_000, "refused_too_many_rows": 7_000}
    assert [row["outcome"] for row in found["results"][:3_000]] == ["created"] * 3_000
    assert found["results"][4]["conversion_id"] == "c2-2"


@pytest.mark.front
def test_report__no_rows(api: Api) -> None:
    answer = api.post("/conversions", json={"rows": []})
    assert told(answer, ProblemKind.INVALID)["errors"][0]["where"] == "body.rows"


@pytest.mark.front
def test_report__the_same_request_again_is_answered_the_same(api: Api, world: World) -> None:
    headers = {"Idempotency-Key": "k1"}
    row = {"click_id": "c1", "payout": "1", "transaction_id": "T"}
    first = reported(api, row, duplicates="create", headers=headers)
    assert reported(api, row, duplicates="create", headers=headers) == first
    assert len(world.conversions()) == 1


@pytest.mark.front
def test_report__a_request_whose_answer_was_lost_is_not_done_again(api: Api, world: World) -> None:
    """A server that dies after the commit and before the answer leaves the batch, and nothing else."""
    headers = {"Idempotency-Key": "k1"}
    rows = [{"click_id": "c1", "payout": "1", "transaction_id": "T"}, {"click_id": "c9", "payout": "1"}]
    first = reported(api, *rows, duplicates="create", headers=headers)
    with open_ledger(api.url) as ledger:
        by_hand(ledger, "DELETE FROM idempotency")
    assert reported(api, *rows, duplicates="create", headers=headers) == first
    assert reported(api, *rows, duplicates="create", headers={"Idempotency-Key": "k2"})["batch_id"] == 2
    assert len(world.conversions()) == 2


@pytest.mark.front
def test_statuses__are_set_as_from_a_file(api: Api, world: World) -> None:
    reported(api, *ROWS[:3])
    rows = [
        {"click_id": "c1", "status": "declined"},
        {"conversion_id": "c2-1", "status": "other"},
        {"click_id": "c1", "transaction_id": "none", "status": "approved"},
        {"click_id": "c1"},
    ]
    answer = api.post("/conversions/status", json={"rows": rows})
    assert [row["outcome"] for row in answer.json()["results"]] == [
        "updated",
        "updated",
        "refused_unknown_conversion",
        "refused_unknown_status",
    ]
    assert answer.json()["results"][0]["message"] == "The status of 2 conversions of the click is now set."
    assert world.seen("conversion_id", "status") == [("c1-1", "declined"), ("c1-2", "declined"), ("c2-1", "other")]
    kept = reported(api, {"conversion_id": "c2-1", "status": "approved"})
    assert kept["outcomes"] == {"refused_manual_status": 1}
    forced = reported(api, {"conversion_id": "c2-1", "status": "approved"}, force_status=True)
    assert forced["outcomes"] == {"updated": 1}


@pytest.mark.front
def test_one_conversion__has_its_whole_past(api: Api, world: World) -> None:
    reported(api, {"click_id": "c1", "payout": "1", "transaction_id": "T"})
    reported(api, {"click_id": "c1", "payout": "2", "transaction_id": "T"}, duplicates="update")
    found = api.get("/conversions/c1-1").json()
    assert (found["conversion"]["payout"], found["removed"]) == ("2.00", False)
    by_hand = json.loads(world.trueup("history", "c1-1", "--json").stdout)
    assert found["history"] == by_hand
    api.post("/batches/1/undo")
    api.post("/batches/2/undo")
    assert api.get("/conversions/c1-1").json()["removed"]


@pytest.mark.front
def test_one_conversion__that_is_none(api: Api) -> None:
    for name in ("c1-1", "nonsense", "c1-0", "c1-99999999999999999999"):
        told(api.get(f"/conversions/{name}"), ProblemKind.NOT_FOUND)


@pytest.mark.front
def test_list__pages_are_the_log_cut_in_pieces(api: Api, world: World) -> None:
    for number in range(7):
        at = f"2026-03-0{number % 3 + 1}T00:00:00Z"
        reported(
            api,
            *({"click_id": f"c{k}", "payout": "1", "transaction_id": f"T{number}", "converted_at": at} for k in (1, 2)),
        )
    log = [row["conversion_id"] for row in world.conversions()]
    for order, expected in (("oldest", log), ("newest", log[::-1])):
        found, cursor = [], ""
        while True:
            page = api.get(f"/conversions?order={order}&limit=3&cursor={cursor}").json()
            found += [row["conversion_id"] for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == expected


def test_list__filters_are_those_of_the_command(api: Api, world: World) -> None:
    reported(api, *ROWS)
    by_words = [
        ("status=pending", ["--status", "pending"]),
        (
            "type=sale&type=conversion&from=2026-02-03&to=2026-02-03",
            ["--type", "sale", "--type", "conversion", "--from", "2026-02-03", "--to", "2026-02-03"],
        ),
        ("offer=o&network=net", ["--offer", "o", "--network", "net"]),
        ("click_id=c1&transaction_id=T1", ["--click-id", "c1", "--transaction-id", "T1"]),
        (
            "batch=1&date=click&from=2026-02-01&time_zone=Europe/Warsaw",
            ["--batch", "1", "--date", "click", "--from", "2026-02-01", "--time-zone", "Europe/Warsaw"],
        ),
    ]
    for query, words in by_words:
        items = api.get(f"/conversions?order=oldest&{query}").json()["items"]
        assert [row["conversion_id"] for row in items] == [row["conversion_id"] for row in world.conversions(*words)]
        assert items, query
    api.post("/batches/1/undo")
    assert api.get("/conversions").json()["items"] == []
    assert len(api.get("/conversions?removed=true").json()["items"]) == 3


@pytest.mark.front
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("offer=x", "No offer is called 'x'. Known: o."),
        ("from=tomorrow", "`from` 'tomorrow' is not a date"),
        ("time_zone=Mars", "No time zone is called 'Mars'."),
        ("order=random", "see errors"),
        ("stauts=approved", "see errors"),
        ("batch=0", "see errors"),
        ("cursor=abc", "the cursor is not one of this list"),
        ("limit=0", "see errors"),
    ],
)
def test_list__words_that_are_not_known(api: Api, query: str, said: str) -> None:
    assert said in told(api.get(f"/conversions?{query}"), ProblemKind.INVALID)["detail"]


@pytest.mark.front
def test_scopes__a_key_that_reads_reports_nothing(api: Api) -> None:
    reader = api.key(KeyScope.READ)
    for path in ("/conversions", "/conversions/status"):
        told(api.post(path, json={"rows": []}, key=reader), ProblemKind.WRONG_SCOPE)
    assert api.get("/conversions", key=reader).json()["items"] == []

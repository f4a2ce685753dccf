"""`trueup upload` as people and programs meet it: exit codes, JSON, the files it leaves, previews, round trips."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine
from worlds import World, succeeded

SETUP = """
[workspace]
name = "Acme"
time_zone = "Europe/Warsaw"
rates = { EUR = "1.5" }

[[affiliate_networks]]
name = "Northwind"

[[conversion_types]]
name = "sale"

[[conversion_types]]
name = "correction"
include_in_conversions = false
duplicate_mode = "create"

[[offers]]
name = "Shoes"
network = "Northwind"
"""


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    made = World(trueup, tmp_path)
    made.set_up(SETUP)
    made.add_clicks("k1", "k2", "k3", offer="Shoes")
    return made


@pytest.mark.front
def test_upload__the_json(world: World) -> None:
    rows = (
        "click_id,conversion_type,payout,status\nk1,,1.5,\nk2,,2,pending\nk3,,4,declined\nk1,,9,\nk3,correction,-1,\n"
    )
    previewed = json.loads(succeeded(world.trueup("upload", world.file(rows), "--preview", "--json")))
    assert previewed["duplicate_modes"] == [
        {"mode": "update", "mode_from": "default", "rows": 4},
        {"mode": "create", "mode_from": "type", "rows": 1},
    ]
    told = json.loads(succeeded(world.trueup("upload", world.file(rows), "--yes", "--json")))
    assert [(cell["status"], cell["money"]["after"]) for cell in told.pop("by_type_and_status")] == [
        ("approved", "9.00"),
        ("declined", "4.00"),
        ("pending", "2.00"),
        ("approved", "-1.00"),
    ]
    assert told == {
        "batch_id": 1,
        "preview": False,
        "rows": 5,
        "outcomes": {"created": 4, "updated": 1},
        "conversions": {"before": 0, "after": 2},
        "revenue": {"before": "0.00", "after": "8.00"},
        "pending_revenue": {"before": "0.00", "after": "2.00"},
        "declined_revenue": {"before": "0.00", "after": "4.00"},
        "biggest_changes": [],
        "duplicate_modes": [],
        "other_rows": [],
        "rows_chosen": 0,
        "conversion_ids_unknown": False,
        "callbacks": 0,
        "clicks": None,
    }


@pytest.mark.front
@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("click_id,payout\nk1,1\nk1,1\n", 0),  # unchanged is accepted
        ("click_id,payout\nk1,1\nk2,x\n", 1),
        ("click_id,payout\nnobody,1\n", 1),
        ("payout,status\n1,sale\n", 2),
        ("", 2),
        (b"\xff\xfe\x00", 2),
    ],
)
def test_upload__exit_codes(world: World, rows: str | bytes, code: int) -> None:
    assert world.trueup("upload", world.file(rows), "--yes").code == code


@pytest.mark.front
@pytest.mark.parametrize(
    "words",
    [
        ("nowhere.csv", "--yes"),
        ("FILE",),
        ("FILE", "--yes", "--duplicates", "sometimes"),
        ("FILE", "--yes", "--dialect", "voluumm"),
        ("FILE", "--yes", "--map", "payout"),
        ("FILE", "--yes", "--time-zone", "Mars/Olympus"),
        ("FILE", "--yes", "--results", "no/such/folder/results.csv"),
        ("FILE", "--sideways"),
    ],
)
def test_upload__wrong_words_change_nothing(world: World, words: tuple[str, ...]) -> None:
    path = world.file("click_id,payout\nk1,1\n")
    ran = world.trueup("upload", *(path if word == "FILE" else word for word in words))
    assert ran.code == 2
    assert ran.stderr.strip()
    assert world.conversions() == []
    assert json.loads(world.trueup("batches", "--json").stdout) == []


@pytest.mark.front
def test_upload__a_ledger_that_cannot_be_opened(world: World) -> None:
    path = world.file("click_id,payout\nk1,1\n")
    ran = world.trueup("upload", path, "--yes", "--db", f"sqlite:///{path}")
    assert ran.code == 3
    assert "Traceback" not in ran.stderr


@pytest.mark.front
def test_upload__from_standard_input(world: World) -> None:
    ran = world.trueup("upload", "-", "--yes", "--json", stdin="click_id,payout\nk1,1\n")
    assert json.loads(succeeded(ran))["outcomes"] == {"created": 1}


@pytest.mark.front
def test_upload__a_preview_is_what_applying_does_and_changes_nothing(world: World) -> None:
    rows = "click_id,payout,status\nk1,1,\nk1,2,declined\nk1,3,pending\nk2,x,\nk3,5,\n"
    path, words = world.file(rows), ("--json", "--duplicates", "update", "--results")
    world.upload("click_id,payout\nk3,1\n")
    before = world.conversions(), json.loads(world.trueup("batches", "--json").stdout)
    preview = world.trueup("upload", path, "--preview", *words, world.folder / "preview.csv")
    assert (world.conversions(), json.loads(world.trueup("batches", "--json").stdout)) == before
    applied = world.trueup("upload", path, "--yes", *words, world.folder / "applied.csv")
    assert (preview.code, applied.code) == (1, 1)
    told = json.loads(applied.stdout)
    modes = [{"mode": "update", "mode_from": "chosen", "rows": 4}]
    previewed = json.loads(preview.stdout)
    assert [notice["code"] for notice in previewed.pop("notices")] == ["dated_now", "duplicate_modes"]
    assert [cause["outcome"] for cause in previewed.pop("causes")] == [
        "refused_status_regression",
        "refused_bad_payout",
    ]
    assert [change["conversion_id"] for change in previewed.pop("biggest_changes")] == ["k3-1", "k1-1"]
    assert told.pop("biggest_changes") == []  # a preview's alone
    assert previewed == told | {"batch_id": None, "preview": True, "duplicate_modes": modes}
    assert (world.folder / "preview.csv").read_text() == (world.folder / "applied.csv").read_text()


@pytest.mark.front
def test_upload__results_tell_every_line(world: World) -> None:
    uploaded = world.upload("click_id,payout\n\nk2,1\n\nk1,x\nk1,1\n")
    assert [(row["line"], row["click_id"], row["outcome"], row["conversion_id"]) for row in uploaded.rows] == [
        ("3", "k2", "created", "k2-1"),
        ("5", "k1", "refused_bad_payout", ""),
        ("6", "k1", "created", "k1-2"),
    ]
    assert all(row["message"] for row in uploaded.rows)


GOKART = (("k1", "1"), ("k2", "1O"), ("k3", "2"))

# Of each dialect: a file with two good rows and one to mend, and what is wrong in it and what is right.
TO_MEND = {
    "keitaro": ("k1,1,t1,sale\nk2,1O,t2,lead\nk3,2\n", "1O", "10"),
    "voluum": ("k1,1\nk2,1O,t2,sale,2026-02-03T10:00:00\nk3\n", "1O", "10"),
    "redtrack": (
        "clickid,payout,type,status,time\nk1,1,,,\nk2,1O,sale,pending,2026-02-03 10:00:00\nk3,2,,,\n",
        "1O",
        "10",
    ),
    "gokart": (
        "ClickId,EventID,UserCompletedAt,Revenue\n"
        + "".join(f"{click_id},sale,2026-02-03 10:00:00,{revenue}\n" for click_id, revenue in GOKART),
        "1O",
        "10",
    ),
    "trueup": (
        "conversion_type;click_id;payout;converted_at\n;k1;1;\nsale;k2;1O;2026-02-03T10:00:00+01:00\n;k3;2;\n",
        "1O",
        "10",
    ),
}


@pytest.mark.front
@pytest.mark.parametrize("dialect", TO_MEND)
def test_upload__refused_rows_are_mended_and_uploaded_again(world: World, dialect: str) -> None:
    rows, wrong, right = TO_MEND[dialect]
    refused = world.folder / "refused.csv"
    first = world.upload(rows, "--dialect", dialect, "--refused", refused)
    assert first.outcomes == ["created", "refused_bad_payout", "created"]
    text = refused.read_text()
    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["outcome"] for row in found] == ["refused_bad_payout"]
    assert wrong in found[0]["message"]
    mended = world.upload(text.replace(f"{wrong},", f"{right},", 1))
    assert mended.outcomes == ["created"], (text, mended.rows)
    assert world.seen("click_id", "payout")[1] == ("k2", "10.00")
    straight = world.upload(rows.replace(wrong, right), "--dialect", dialect, "--duplicates", "update")
    assert straight.outcomes[1] == "unchanged"


@pytest.mark.front
def test_upload__refused_statuses_are_mended_and_uploaded_again(world: World) -> None:
    world.upload("click_id,payout\nk1,1\nk2,1\n")
    refused = world.folder / "refused.csv"
    rows = "gk_click_id,EventId,status\nk1,,Rejected\nk2,k2-1,Rejectd\n"
    assert world.upload(rows, "--refused", refused, command="update-status").outcomes == [
        "updated",
        "refused_unknown_status",
    ]
    mended = world.upload(refused.read_text().replace("Rejectd,", "Rejected,"), command="update-status")
    assert mended.outcomes == ["updated"]
    assert world.seen("status") == [("declined",), ("declined",)]


@pytest.mark.front
def test_upload__an_export_uploaded_again_changes_nothing(world: World) -> None:
    world.upload(
        "click_id,conversion_type,transaction_id,event_id,status,payout,currency,converted_at\n"
        "k1,,t1,e1,lead,1.5,EUR,2026-02-03T10:00:00.123456Z\n"
        "k1,correction,,,,-2,,\n"
        "k1,correction,,,other,-0.000001,,2026-02-04T23:30:00+05:30\n"
        "k2,sale,=1+1,,paid,,,\n"
        "k3,,@sum,,rejected,3,USD,\n"
    )
    before = world.conversions()
    for zone in ("UTC", "America/New_York"):
        export = world.trueup("conversions", "--csv", "--time-zone", zone).stdout
        again = world.upload(export)
        assert again.outcomes == ["unchanged"] * 5
    assert world.conversions() == before


@pytest.fixture
def moved(world: World, new_url: Callable[[], str], tmp_path: Path) -> tuple[World, str]:
    """Another ledger with the same clicks, and an export of one that has more of them."""
    world.upload("click_id,payout,conversion_id\nk1,1,\nk1,2,k1-9\nk2,3,\n")
    world.upload("click_id,transaction_id,payout\nk1,t1,-4\nk3,,5\n", "--duplicates", "create")
    export = succeeded(world.trueup("conversions", "--csv"))
    there = World(CommandLine(new_url()), tmp_path)
    there.set_up(SETUP)
    there.add_clicks("k1", "k2", "k3", offer="Shoes")
    return there, export


@pytest.mark.front
def test_export_of_another_ledger__is_said_and_its_ids_left_out(moved: tuple[World, str]) -> None:
    there, export = moved
    refused = there.upload(export, "--preview")
    assert set(refused.outcomes) == {"refused_unknown_conversion"}
    assert refused.told["conversion_ids_unknown"]
    shown = there.trueup("upload", there.file(export), "--preview")
    assert "--without-conversion-ids" in shown.stderr
    taken = there.upload(export, "--without-conversion-ids", "--duplicates", "create")
    assert (set(taken.outcomes), taken.told["conversion_ids_unknown"]) == ({"created"}, False)
    assert there.seen("payout") == [("1.00",), ("-4.00",), ("3.00",), ("5.00",)]


@pytest.mark.front
def test_export_of_this_ledger__has_nothing_to_leave_out(world: World) -> None:
    world.upload("click_id,payout\nk1,1\nk2,2\n")
    some = world.upload("conversion_id,payout\nk1-1,1\nk2-7,2\n", "--preview")
    assert some.outcomes == ["unchanged", "refused_unknown_conversion"]
    assert not some.told["conversion_ids_unknown"]


@pytest.mark.front
def test_upload__a_conversion_id_names_its_click(world: World) -> None:
    world.upload("click_id,payout\nk1,1\n")
    named = world.upload("conversion_id,payout\nk1-1,2\n,3\n1001,4\nk9-1,5\n")
    assert named.outcomes == [
        "updated", "refused_missing_click_id", "refused_missing_click_id", "refused_unknown_click",
    ]  # fmt: skip
    assert named.rows[2]["message"] == (
        "The row has no click id, and '1001' is no conversion id of ours, such as c01k5ire1k06-1."
    )
    status = world.upload("conversion_id,status\nk1-1,declined\n1001,sale\n", command="update-status")
    assert status.outcomes == ["updated", "refused_missing_click_id"]


@pytest.mark.front
@pytest.mark.parametrize(
    ("row", "left_unused"),
    [
        ("T1,35,rejected,,", "it says declined, 35.00; the conversion is approved, 33.50; mode ignore."),
        ("T1,35,,EUR,", "it says 35.00 EUR; the conversion is 33.50 USD; mode ignore."),
        ("T1,,,,", "it says nothing more; mode ignore."),
        (
            "T1,,lead,,2026-02-02T10:00:00Z",
            "it says pending, 2026-02-02T10:00:00Z; the conversion is approved, 2026-02-03T10:00:00Z; mode ignore.",
        ),
    ],
)
def test_upload__an_ignored_row_says_what_it_left_unused(world: World, row: str, left_unused: str) -> None:
    titles = "click_id,transaction_id,payout,status,currency,converted_at\n"
    words = ("--duplicates", "ignore")
    world.upload(f"{titles}k1,T1,33.5,sale,,2026-02-03T10:00:00Z\n", *words)
    ignored = world.upload(f"{titles}k1,{row}\n", *words)
    assert ignored.outcomes == ["ignored_duplicate"]
    assert ignored.rows[0]["message"].endswith(left_unused)


@pytest.mark.front
def test_upload__undo_and_back_at_the_command_line(world: World) -> None:
    world.upload("click_id,payout\nk1,1\nk2,2\n")
    world.upload("click_id,payout\nk1,5\nk3,4\n", "--duplicates", "update")
    before = world.seen("conversion_id", "payout")
    undone = json.loads(succeeded(world.trueup("undo", 2, "--yes", "--json")))
    assert undone["revenue"] == {"before": "11.00", "after": "3.00"}
    assert world.seen("conversion_id", "payout") == [("k1-1", "1.00"), ("k2-1", "2.00")]
    succeeded(world.trueup("undo", 3, "--yes"))
    assert world.seen("conversion_id", "payout") == before
    assert world.trueup("undo", 99, "--yes").code == 2
    assert world.trueup("undo", 2).code == 2

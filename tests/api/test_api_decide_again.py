"""Rows of the past decided again over the API."""

from pathlib import Path
from time import monotonic, sleep

import pytest
from calling import Api, told
from command_line import CommandLine
from worlds import World

from trueup.api.http.problems import ProblemKind
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.live.context import now
from trueup.live.upload_jobs import jobs_of
from trueup.model.past import PastRows
from trueup.model.words import Origin
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.decide_again import again_work, applying_again, unfinished

SETUP = """
[[affiliate_networks]]
name = "net"
status_map = {{ {map} }}

[[offers]]
name = "o"
network = "net"
"""
PATH = "/decide-again"


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    """A workspace whose network sent a word that nobody knew."""
    made = World(trueup, tmp_path)
    made.set_up(SETUP.format(map=""))
    made.add_clicks("a", "b", offer="o")
    made.upload("click_id,payout,status\na,2,checked\nb,3,checked\n")
    made.set_up(SETUP.format(map='checked = "approved"'))
    return made


@pytest.mark.front
def test_decide_again__is_previewed_done_and_undone(world: World, api: Api) -> None:
    asked = {"network": ["net"], "outcome": ["refused_unknown_status"], "from": "2026-01-01"}
    foreseen = api.post(PATH + "?preview=true", json=asked).json()
    assert (foreseen["batch"], foreseen["preview"]["rows_chosen"]) == (None, 2)
    assert foreseen["preview"]["revenue"] == {"before": "0.00", "after": "5.00"}
    assert [(turn["outcome"], turn["rows"]) for turn in foreseen["preview"]["other_rows"]] == [("created", 2)]
    assert world.conversions() == []
    done = api.post(PATH + "?wait=60", json=asked).json()["batch"]
    assert (done["kind"], done["state"], done["rows"]) == ("decide_again", "done", 2)
    assert done["revenue"] == foreseen["preview"]["revenue"]
    rows = api.get("/batches/1/rows").json()["items"]
    assert [(row["outcome"], row["outcome_now"]) for row in rows] == [("refused_unknown_status", "created")] * 2
    api.post(f"/batches/{done['batch_id']}/undo?wait=60").json()
    assert world.conversions() == []


@pytest.mark.front
def test_decide_again__goes_on_after_its_server_died(world: World, ledger: Database, api: Api) -> None:
    chosen = PastRows(outcomes=("refused_unknown_status",))
    context = RecordingContext(ledger, now, "program", Origin.API)
    next(applying_again(again_work(context, chosen, read_catalog(ledger).policy(), None), RunOptions(chunk_rows=1)))
    assert len(world.conversions()) == 1
    jobs_of(api.edge).go_on()
    gives_up = monotonic() + 60
    while unfinished(ledger, chosen) is not None and monotonic() < gives_up:
        sleep(0.05)
    assert len(world.conversions()) == 2
    (batch,) = [batch for batch in api.get("/batches").json()["items"] if batch["kind"] == "decide_again"]
    assert (batch["state"], batch["rows"], batch["rows_done"], batch["made_by"]) == ("done", 2, 2, "program")


@pytest.mark.front
def test_decide_again__says_what_is_wrong_with_a_choice(world: World, api: Api) -> None:  # noqa: ARG001 - its ledger
    told(api.post(PATH, json={}), ProblemKind.INVALID)
    told(api.post(PATH, json={"network": ["nett"]}), ProblemKind.INVALID)
    told(api.post(PATH, json={"outcome": ["refused"]}), ProblemKind.INVALID)
    told(api.post(PATH, json={"batch": 9}), ProblemKind.NOT_FOUND)
    assert api.post(PATH + "?wait=60", json={"type": ["conversion"], "outcome": ["created"]}).json() == {
        "preview": None,
        "batch": None,
    }

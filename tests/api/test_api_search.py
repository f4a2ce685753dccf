"""Finding over the API whatever a text names."""

from pathlib import Path

import pytest
from calling import Api, told
from command_line import CommandLine
from worlds import World

from trueup.api.http.problems import ProblemKind


@pytest.mark.front
def test_search__finds_clicks_conversions_and_rows(trueup: CommandLine, tmp_path: Path, api: Api) -> None:
    world = World(trueup, tmp_path)
    world.add_clicks("k1")
    world.upload("click_id,payout,transaction_id\nk1,2,T-100\nk1,x,T-101\n")
    (found,) = api.get("/search?text=T-100").json()["items"]
    assert (found["what"], found["by"], found["exactly"]) == ("conversion", "transaction_id", True)
    found = api.get("/search?text=T-10&rows=true").json()["items"]
    assert [(each["what"], each["outcome"]) for each in found] == [
        ("conversion", ""),
        ("row", "created"),
        ("row", "refused_bad_payout"),
    ]
    assert api.get("/search?text=nothing").json() == {"items": []}
    told(api.get("/search"), ProblemKind.INVALID)

"""Exports of other trackers and networks: the samples of docs/dialects.md, with their money counted by hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from calling import Api, NewApi
from command_line import CommandLine
from upload_calling import done, sent
from worlds import World, succeeded

from trueup.dialects.presets import PRESETS

PAGE = Path(__file__).parents[2] / "docs" / "dialects.md"
SALE_AND_LEAD = {"conversions": 2, "revenue": "35.00", "pending_revenue": "12.50"}
SALE_AND_DECLINED = {"conversions": 1, "revenue": "35.00", "declined_revenue": "12.50"}
TWO_SALES = {"conversions": 2, "revenue": "47.50"}
# For each sample of a preset: what its rows come to.
MONEY: dict[str, list[dict[str, Any]]] = {
    "keitaro-log": [SALE_AND_LEAD, SALE_AND_DECLINED],
    "voluum-report": [TWO_SALES],
    "redtrack-log": [SALE_AND_LEAD],
    "binom": [SALE_AND_LEAD | {"conversions": 3}, SALE_AND_LEAD | {"conversions": 3}],
    "bemob": [SALE_AND_LEAD],
    "clickflare": [TWO_SALES],
    "funnelflux": [TWO_SALES],  # and one that is taken back
    "peerclick": [SALE_AND_LEAD],
    "everflow": [SALE_AND_LEAD],
    "tune": [SALE_AND_LEAD, SALE_AND_DECLINED],
    "affise": [SALE_AND_LEAD],
    "cake": [SALE_AND_LEAD],
    "impact": [SALE_AND_DECLINED],
    "cj": [{"conversions": 3, "revenue": "21.00", "pending_revenue": "12.50"}],  # 35.00, and -14.00 of a correction
}
NOTHING = {"conversions": 0, "revenue": "0.00", "pending_revenue": "0.00", "declined_revenue": "0.00"}


def samples(preset: str) -> list[str]:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n### `{preset}`\n")
    return re.findall(r"^```csv\n(.*?)^```$", rest.split("\n### ")[0], re.MULTILINE | re.DOTALL)


FILES = [(preset, text, money) for preset in MONEY for text, money in zip(samples(preset), MONEY[preset], strict=True)]


def after(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name]["after"] for name in NOTHING}


@pytest.fixture
def world(trueup: CommandLine, tmp_path: Path) -> World:
    """A workspace with the clicks of the samples."""
    made = World(trueup, tmp_path)
    made.add_clicks("k1", "k2", "k3")
    return made


@pytest.fixture
def api(world: World, new_api: NewApi) -> Api:  # noqa: ARG001 - the API begins when the workspace is set up
    """An API on that workspace."""
    return new_api()


def test_presets__each_has_a_sample() -> None:
    assert list(MONEY) == list(PRESETS)


@pytest.mark.front
def test_samples__count_by_hand_on_the_command_line(world: World) -> None:
    for preset, text, money in FILES:
        ran = world.trueup("upload", world.file(text), "--preview", "--json")
        assert f"Read as {preset}: " in ran.stderr, preset
        assert after(json.loads(succeeded(ran))) == NOTHING | money, preset


@pytest.mark.front
def test_samples__count_by_hand_over_the_api(api: Api) -> None:
    for preset, text, money in FILES:
        upload = sent(api, text)
        told = done(api.post(f"/uploads/{upload['upload_id']}/preview"))
        assert told["reading"]["dialect"] == preset
        assert after(told["preview"]) == NOTHING | money, preset


@pytest.mark.front
def test_samples__uploaded_twice_count_once(world: World) -> None:
    for _ in range(2):
        for text in (*samples("everflow"), *samples("cj")):
            world.trueup("upload", world.file(text), "--yes", "--again")
    assert sorted(world.seen("conversion_id", "payout", "status")) == [
        ("k1-1", "35.00", "approved"),
        ("k1-2", "35.00", "approved"),
        ("k1-3", "-14.00", "approved"),
        ("k2-1", "12.50", "pending"),
        ("k2-2", "12.50", "pending"),
    ]


@pytest.mark.front
def test_status_update__reads_the_exports_that_have_statuses(world: World) -> None:
    world.upload("click_id,payout\nk1,35\nk2,12.50\n")
    (text,) = samples("affise")
    ran = world.trueup("update-status", world.file(text.replace("A-1", "").replace("A-2", "")), "--yes", "--json")
    assert json.loads(succeeded(ran))["outcomes"] == {"updated": 2}
    assert world.seen("status") == [("approved",), ("pending",)]


@pytest.mark.front
def test_revenue_alone__is_asked_about(world: World) -> None:
    text = "Conversion ID,Transaction ID,Sub1,Revenue\n9,ab,k1,50.00\n"
    ran = world.trueup("upload", world.file(text), "--preview")
    assert ran.code == 2
    assert '--map "Revenue=payout"' in ran.stderr
    mapped = world.trueup("upload", world.file(text), "--map", "Revenue=payout", "--preview", "--json")
    assert after(json.loads(succeeded(mapped))) == NOTHING | {"conversions": 1, "revenue": "50.00"}


@pytest.mark.front
def test_colons__a_number_alone_may_be_a_payout_or_a_transaction(world: World) -> None:
    text = "k1:35\nk2:12\n"
    ran = world.trueup("upload", world.file(text), "--preview")
    assert ran.code == 2
    assert "--dialect binom for payouts, or --dialect funnelflux" in ran.stderr
    for dialect, revenue in (("binom", "47.00"), ("funnelflux", "0.00")):
        told = world.trueup("upload", world.file(text), "--dialect", dialect, "--preview", "--json")
        assert json.loads(succeeded(told))["revenue"]["after"] == revenue


@pytest.mark.front
def test_lines_with_colons__come_back_refused_and_read_again(world: World) -> None:
    refused = world.folder / "refused.csv"
    ran = world.trueup("upload", world.file("k1:3..5:hold:event_1=5\nk2:1.50:hold\n"), "--yes", "--refused", refused)
    assert ran.code == 1
    assert refused.read_text().splitlines()[:2] == [
        "clickid,payout,cnv_status,cnv_currency,events,outcome,message",
        "k1,3..5,hold,,event_1=5,refused_bad_payout,The payout cannot be used: '3..5' is not a number such as 1.20.",
    ]
    mended = world.upload(refused.read_text().replace("3..5", "3"))
    assert mended.outcomes == ["created"]
    assert sorted(world.seen("click_id", "payout")) == [("k1", "3.00"), ("k2", "1.50")]

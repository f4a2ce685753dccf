"""Each tracker's own examples, sent as postbacks in that tracker's words, come to what its file comes to."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from command_line import CommandLine
from served import Served
from worlds import World

TYPES: Final = """
[[conversion_types]]
name = "app_install"

[[conversion_types]]
name = "correction"
include_in_conversions = false

[[conversion_types]]
name = "Upsell"
duplicate_mode = "create_new_or_repeated"
"""
NETWORK: Final = """
[[affiliate_networks]]
name = "{tracker}"
duplicate_mode = "{mode}"

[[offers]]
name = "{tracker}"
network = "{tracker}"
payout_mode = "manual"
payout = "7.50"
"""
SEEN: Final = (
    "conversion_id",
    "conversion_type",
    "transaction_id",
    "event_id",
    "status",
    "original_status",
    "payout",
    "label",
)

# What the file is, what the network's mode is, and line by line: the file's words and the postback's.
EXAMPLES: Final = {
    "keitaro": (
        ("--dialect", "keitaro"),
        "update",
        [
            ("{click},,,lead", "subid={click}&status=lead"),
            ("{click},,, rejected", "subid={click}&status=rejected"),
            ("{click},100,,lead", "sub_id={click}&payout=100&status=lead"),
            ("{click},0.1,124,rebill", "subid={click}&payout=0.1&tid=124&status=rebill"),
            ("{click},,777,sale", "subid={click}&tid=777&status=sale"),
            ("wrong,,,lead", "subid=wrong&status=lead"),
        ],
    ),
    "voluum": (
        ("--dialect", "voluum"),
        "ignore",
        [
            ("{click}", "cid={click}"),
            ("{click},0.75", "cid={click}&payout=0.75"),
            ("{click},-50,,app_install", "cid={click}&payout=-50&et=app_install"),
            ("{click},-0.4,,correction", "cid={click}&payout=-0.4&et=correction"),
            ("{click},1.2,abc123", "cid={click}&payout=1.2&txid=abc123"),
            ("{click},3,up-1", "cid={click}&payout=3&txid=up-1"),
            ("{click},3,up-1", "cid={click}&payout=3&txid=up-1"),
            ("{click},2,t,,2026-02-03T10:15:30Z", "cid={click}&payout=2&txid=t&time=2026-02-03T10:15:30Z"),
            ("wUNKNOWN0000000000000000,1", "cid=wUNKNOWN0000000000000000&payout=1"),
        ],
    ),
    "redtrack": (
        ("--dialect", "redtrack"),
        "ignore_same_event_id",
        [
            ("clickid,sum,type,status,rdtk_event_id", ""),
            ("{click},10,,approved,", "clickid={click}&sum=10&status=approved"),
            ("{click},10,Upsell,,", "clickid={click}&sum=10&type=Upsell"),
            ("{click},12,Upsell,pending,", "clickid={click}&sum=12&type=Upsell&status=pending"),
            ("{click},10,,,order-1", "clickid={click}&sum=10&rdtk_event_id=order-1"),
            ("{click},11,,,order-1", "clickid={click}&sum=11&rdtk_event_id=order-1"),
            ("{click},11,upsell,,", "clickid={click}&sum=11&type=upsell"),
        ],
    ),
    "gokart": (
        ("--dialect", "trueup"),
        "create",
        [
            ("gk_click_id,cnv_amount,transaction_id", ""),
            ("{click},1.50,c-1", "gk_click_id={click}&cnv_amount=1.50&transaction_id=c-1"),
            ("{click},4,c-1", "gk_click_id={click}&cnv_amount=4&transaction_id=c-1"),
        ],
    ),
}  # fmt: skip


@pytest.mark.front
def test_examples__as_a_file_and_as_postbacks(trueup: CommandLine, served: Served, tmp_path: Path) -> None:
    world = World(trueup, tmp_path)
    networks = (NETWORK.format(tracker=tracker, mode=mode) for tracker, (_, mode, _) in EXAMPLES.items())
    world.set_up(TYPES + "".join(networks))
    for tracker, (words, _, lines) in EXAMPLES.items():
        filed, sent = f"{tracker}.filed", f"{tracker}.sent"
        world.add_clicks(filed, sent, offer=tracker)
        file = "\n".join(line.format(click=filed) for line, _ in lines)
        told = world.upload(file, *words, "--duplicates", "stored").outcomes
        queries = [query.format(click=sent) for _, query in lines if query]
        answers = [served.get(f"/postback?format=json&{quote(query, safe='=&%:')}").json for query in queries]
        assert [answer["outcome"] for answer in answers] == told, tracker
        by_file, by_postback = conversions_of(world, filed), conversions_of(world, sent)
        assert by_postback == by_file, tracker
        assert by_postback, tracker


def conversions_of(world: World, click_id: str) -> list[tuple[str, ...]]:
    """A click's conversions, without its own id."""
    seen = (c for c in world.seen(*SEEN) if c[0].startswith(f"{click_id}-"))
    return [(conversion[0].removeprefix(click_id), *conversion[1:]) for conversion in seen]

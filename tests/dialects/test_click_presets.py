"""Logs of clicks of other trackers: a small made file of each is read as the documents say."""

from typing import Any

import pytest

from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.clicks import read_clicks
from trueup.dialects.missing import Missing
from trueup.dialects.read import Reading
from trueup.model.catalog import Campaign, Catalog, Offer
from trueup.model.times import time_text

CATALOG = Catalog(campaigns={"Push PL": Campaign(7, "Push PL", "push")}, offers={"VPN": Offer(3, "VPN", 1)})
SAID = ("click_id", "campaign_id", "offer_id", "cost", "external_id", "country", "sub1", "refusal")
EXPECTED = ("k1", 7, 3, 15_000, "ext", "PL", "zone", "")
FILES = {
    "keitaro-clicks": """datetime,sub_id,click_id,campaign,offer,ts,cost,external_id,country_code,country,sub_id_1,ip
2026-03-05 10:00:00,k1,99,Push PL,VPN,PushAds,0.015,ext,PL,Poland,zone,10.0.0.1
""",
    "voluum-visits": """Visit timestamp,Click ID,External ID,Campaign,Offer,Cost,Country code,Custom variable 1,Payout
2026-03-05 10:00:00 AM,k1,ext,Push PL,VPN,0.015,PL,zone,9
""",
    "redtrack-clicks": """id,clickid,track_time,created_at,campaign,offer,source,cost,ref_id,country,sub1,payout
55,k1,2026-03-05T10:00:00Z,2026-03-05T10:00:09Z,Push PL,VPN,PushAds,0.015,ext,PL,zone,9
""",
    "binom-clicks": """Clicks of March

Click ID;Click time;Campaign;Offer;Path;Bid;External ID;Country;Token 1
k1;1772704800;push;VPN;2;0.015;ext;PL;zone
""",
    "bemob-visits": """Click ID,Click timestamp,Campaign,Offer,External ID,Cost,Country,Custom variable 1
k1,2026-03-05 10:00:00,Push PL,VPN,ext,0.015,PL,zone
""",
    "clicks": """click_id,campaign,offer,clicked_at,cost,external_id,country,sub1
k1,Push PL,VPN,2026-03-05 10:00:00,0.015,ext,PL,zone
""",
}


def read(text: str, **chosen: Any) -> tuple[Reading, Missing]:  # noqa: ANN401 - whatever a choice holds
    return read_clicks(text.encode(), Choices(**chosen), CATALOG)


def test_presets__each_has_a_file_here() -> None:
    assert FILES.keys() == CLICK_DIALECTS.keys()


@pytest.mark.parametrize("name", FILES)
def test_presets__are_recognised_and_read(name: str) -> None:
    reading, missing = read(FILES[name])
    assert reading.dialect == name
    (row,) = reading.rows.iter_rows(named=True)
    assert tuple(row[field] for field in SAID) == EXPECTED
    assert time_text(row["clicked_at"]) == "2026-03-05T10:00:00Z"
    assert missing == Missing()
    chosen, _ = read(FILES[name], dialect=name)
    assert chosen.rows.equals(reading.rows)
    assert "it was chosen" in str(chosen.statement[0])


def test_presets__say_what_they_leave_unused() -> None:
    reading, _ = read(FILES["keitaro-clicks"])
    assert "Not used: click_id, since it is the tracker's own number of the event." in str(reading.statement)


def test_presets__one_that_is_none() -> None:
    with pytest.raises(UnreadableFile, match="No form of clicks is called"):
        read(FILES["clicks"], dialect="keitaro")


def test_presets__a_persons_word_comes_first() -> None:
    reading, _ = read(FILES["keitaro-clicks"], columns={"country": "country", "ip": "sub2"})
    (row,) = reading.rows.iter_rows(named=True)
    assert (row["country"], row["sub2"]) == ("Poland", "10.0.0.1")

"""Presets for files of clicks: what other trackers' logs of clicks look like, as data. docs/dialects.md shows each.

A preset names every column that counts, so no other column of such a file is ever guessed.
"""

from typing import Final

from trueup.dialects.click_columns import CLICK_NAMES
from trueup.dialects.dialect import Dialect, dialects_by_name, marks, own_names

_OWN_NUMBER: Final = "it is the tracker's own number of the event"
_SHOWN_ELSEWHERE: Final = "it says nothing of a click that is kept here"


def _subs(form: str) -> dict[str, str]:
    """The titles of sub1 to sub10: a form such as `sub_id_{}`, or several with blanks between."""
    return {f"sub{i}": form.format(i) for i in range(1, 11)}


CLICK_DIALECTS: Final = dialects_by_name(
    Dialect(
        name="clicks",
        titles=("click_id", "campaign", "offer", "clicked_at", "cost", "external_id", "country", "sub1", "sub10"),
        own_names={title: field for field, titles in CLICK_NAMES.items() for title in titles},
    ),
    Dialect(
        name="keitaro-clicks",
        titles=("Sub ID", "Campaign", "Offer", "Datetime", "Cost", "External ID", "Country code", "Sub ID 1"),
        marks=marks("sub_id campaign offer datetime", "subid campaign offer datetime"),
        only_own=True,
        own_names=own_names(
            click_id="sub_id subid",
            campaign="campaign",
            offer="offer",
            clicked_at="datetime",
            cost="cost",
            external_id="external_id",
            country="country_code country",
            traffic_source="ts traffic_source",
            affiliate_network="affiliate_network",
            **_subs("sub_id_{}"),
        ),
        unused={
            "click_id": _OWN_NUMBER,
            "event_id": _OWN_NUMBER,
            "source": "it is the referring site",
            "revenue": "it is of conversions",
            "profit": "it is of conversions",
        },
    ),
    Dialect(
        name="bemob-visits",
        titles=("Click ID", "Click timestamp", "Campaign", "Offer", "Cost", "External ID", "Country"),
        marks=marks("click_id click_timestamp campaign offer external_id"),
        only_own=True,
        own_names=own_names(
            click_id="click_id",
            campaign="campaign",
            offer="offer",
            clicked_at="click_timestamp",
            cost="cost",
            external_id="external_id",
            country="country_code country",
            traffic_source="traffic_source",
            affiliate_network="affiliate_network",
            **_subs("custom_variable_{0} c{0}"),
        ),
        unused={"visit_timestamp": "the click has a time of its own", "payout": "it is of conversions"},
        time_zone="UTC",
    ),
    Dialect(
        name="voluum-visits",
        titles=("Click ID", "Visit timestamp", "Campaign", "Offer", "Cost", "External ID", "Country code"),
        marks=marks(
            "click_id visit_timestamp campaign offer",
            "click_id visit_timestamp campaign_name offer_name",
            "clickid visittimestamp campaignname offername",
        ),
        only_own=True,
        own_names=own_names(
            click_id="click_id clickid",
            campaign="campaign campaign_name campaignname",
            offer="offer offer_name offername",
            clicked_at="visit_timestamp visittimestamp",
            cost="cost",
            external_id="external_id externalid",
            country="country_code countrycode country country_name countryname",
            traffic_source="traffic_source traffic_source_name trafficsourcename",
            affiliate_network="affiliate_network affiliate_network_name affiliatenetworkname",
            **_subs("custom_variable_{0} customvariable{0}"),
        ),
        unused={
            "postback_timestamp": "it is of conversions",
            "postbacktimestamp": "it is of conversions",
            "revenue": "it is of conversions",
            "payout": "it is of conversions",
        },
        time_format="%Y-%m-%d %I:%M:%S %p",
    ),
    Dialect(
        name="redtrack-clicks",
        titles=("clickid", "track_time", "campaign", "offer", "cost", "ref_id", "country", "sub1"),
        marks=marks("clickid track_time campaign offer", "click_id click_time campaign offer source network"),
        only_own=True,
        own_names=own_names(
            click_id="clickid click_id",
            campaign="campaign",
            offer="offer",
            clicked_at="track_time click_time",
            cost="cost",
            external_id="ref_id",
            country="country",
            traffic_source="source traffic_channel",
            affiliate_network="network offer_source",
            **_subs("sub{}"),
        ),
        unused={
            "id": _OWN_NUMBER,
            "created_at": "it is when RedTrack noted the click",
            "payout": "it is of conversions",
        },
    ),
    Dialect(
        name="binom-clicks",
        titles=("Click ID", "Click time", "Campaign", "Offer", "Bid", "External ID", "Country", "Token 1"),
        marks=marks("click_id click_time campaign offer bid", "clickid click_time camp_name offer_name"),
        only_own=True,
        own_names=own_names(
            click_id="click_id clickid",
            campaign="campaign camp_name campaign_name",
            offer="offer offer_name",
            clicked_at="click_time",
            cost="bid cost",
            external_id="external_id",
            country="country_code country",
            traffic_source="traffic_source ts_name",
            affiliate_network="affiliate_network",
            **_subs("token_{}"),
        ),
        unused={"payout": "it is of conversions", "path": _SHOWN_ELSEWHERE, "rotation": _SHOWN_ELSEWHERE},
    ),
)

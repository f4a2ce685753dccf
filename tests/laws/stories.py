"""Random stories: a few clicks, settings, and the uploads that come to them, thick with things that meet."""

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st
from model import NO_CLICK, Click, Row, Upload

from trueup.model.policy import NetworkPolicy, OfferPolicy, Policy
from trueup.model.words import Approval, DuplicateMode, PayoutMode, RowKind, Status, UnknownClick

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE
NOON: Final = 1_770_724_800_000_000  # 2026-02-10T12:00:00Z
CLICKS: Final = {
    "a": Click(campaign_id=1, offer_id=1, network_id=1, traffic_source_id=1, clicked_at=NOON - 30 * HOUR),
    "b": Click(campaign_id=1, offer_id=2, network_id=2, traffic_source_id=1, clicked_at=NOON - 29 * HOUR),
    "c": Click(campaign_id=2, offer_id=3, network_id=1, traffic_source_id=2, clicked_at=NOON - 28 * HOUR),
    "d": Click(campaign_id=0, offer_id=0, network_id=0, traffic_source_id=0, clicked_at=NOON - 27 * HOUR),
    # Later than the first upload: a clock has stepped back.
    "e": Click(campaign_id=2, offer_id=2, network_id=2, traffic_source_id=1, clicked_at=NOON + 4 * MINUTE),
}
MODES: Final = st.sampled_from(DuplicateMode)
MUCH: Final = 6_000_000_000_000_000  # two of these are more than a conversion may pay
PAYOUTS: Final = st.sampled_from([None, None, 0, 1_000_000, 2_500_000, -500_000, 333_333, 1, MUCH])
TIMES: Final = [None] * 5 + [NOON - 5 * HOUR, NOON - 4 * HOUR, NOON - 27 * HOUR, NOON - 28 * HOUR, NOON + 9 * HOUR]
TIMES += [NOON - 28 * HOUR - 5 * MINUTE, NOON - 29 * HOUR - 5 * MINUTE - 1, NOON - 30 * HOUR - 1]
# What clocks showed; the last two were skipped in New York, and repeated in Warsaw.
LOCAL_TIMES: Final = [NOON - 5 * HOUR, NOON - 28 * HOUR, NOON + 12 * HOUR, 1_741_487_400_000_000, 1_761_445_800_000_000]
ZONES: Final = ["", "", "Europe/Warsaw", "America/New_York"]
STATUSES: Final = ["", "", "", "approved", "Sale", "lead", "pending", "REJECTED", "declined", "other", "2", "nonsense"]
REFUSALS: Final = [""] * 30 + ["refused_bad_payout", "refused_bad_time", "refused_missing_click_id"]
MODE_CHOICES: Final = st.one_of(st.none(), MODES)


def _networks() -> st.SearchStrategy[NetworkPolicy]:
    maps = st.sampled_from(
        [{}, {"2": Status.DECLINED}, {"lead": Status.OTHER, "2": Status.PENDING}, {"approved": Status.PENDING}]
    )
    return st.builds(NetworkPolicy, MODE_CHOICES, st.sampled_from(Status), maps, st.sampled_from(ZONES))


def _offers() -> st.SearchStrategy[OfferPolicy]:
    payouts = st.sampled_from([{}, {"sale": 700_000}, {"conversion": -1_000_000, "sale": 0}])
    return st.builds(
        OfferPolicy,
        st.sampled_from(PayoutMode),
        st.sampled_from([0, 1_200_000]),
        st.sampled_from(["", "USD", "EUR"]),
        st.sampled_from(Approval),
        payouts,
    )


def policies() -> st.SearchStrategy[Policy]:
    """Settings of every kind; the rates are such that revenue has to be rounded."""
    return st.builds(
        Policy,
        currency=st.just("USD"),
        rates=st.sampled_from([{"EUR": 1_080_000_000, "JPY": 6_500_000}, {"EUR": 500_000_000}]),
        unknown_click=st.sampled_from(UnknownClick),
        rows_per_click=st.sampled_from([1_000, 1_000, 5]),
        types=st.fixed_dictionaries({"conversion": st.none(), "sale": MODE_CHOICES}),
        networks=st.fixed_dictionaries({1: _networks(), 2: _networks()}),
        offers=st.fixed_dictionaries({1: _offers(), 2: _offers(), 3: _offers()}),
    )


def rows() -> st.SearchStrategy[Row]:
    """A row; the story numbers its line."""
    made = st.builds(
        Row,
        line=st.just(0),
        click_id=st.sampled_from(["a", "a", "a", "b", "b", "c", "d", "e", "unknown"]),
        conversion_type=st.sampled_from(["", "", "", "sale", "sale", "Sale", "conversion"]),
        transaction_id=st.sampled_from(["", "", "t1", "t2"]),
        event_id=st.sampled_from(["", "e1", "e2"]),
        status=st.sampled_from(STATUSES),
        dialect_status=st.sampled_from(["", "", "", "", "approved"]),
        payout=PAYOUTS,
        currency=st.sampled_from(["", "", "", "USD", "EUR", "JPY", "XXX"]),
        converted_at=st.sampled_from(TIMES),
        target_n=st.sampled_from([None] * 6 + [0, 1, 2, 3]),
        refusal=st.sampled_from(REFUSALS),
    )
    kept = made.map(lambda row: replace(row, click_id="") if row.refusal in NO_CLICK else row)
    zones = st.sampled_from(["UTC", "Europe/Warsaw"])
    return st.one_of(kept, kept, kept, st.builds(_in_local_time, kept, st.sampled_from(LOCAL_TIMES), zones))


def _in_local_time(row: Row, local_time: int, zone: str) -> Row:
    return replace(row, converted_at=None, local_time=local_time, fallback_zone=zone)


@st.composite
def uploads(draw: st.DrawFn, least: int = 1, most: int = 14) -> Upload:
    """An upload, or now and then a status update."""
    given = draw(st.lists(rows(), min_size=least, max_size=most))
    return Upload(
        rows=tuple(replace(row, line=place + 1) for place, row in enumerate(given)),
        policy=draw(policies()),
        received_at=NOON,
        kind=draw(st.sampled_from([RowKind.CONVERSION] * 3 + [RowKind.STATUS])),
        mode=draw(MODE_CHOICES),
        dialect_mode=draw(MODE_CHOICES),
        forced=draw(st.booleans()),
    )


@st.composite
def stories(draw: st.DrawFn, most: int = 4) -> list[Upload]:
    """Uploads, an hour apart, each under settings of its own or those of the one before."""
    came = draw(st.lists(uploads(), min_size=1, max_size=most))
    settled = draw(st.booleans())
    return [
        replace(upload, received_at=NOON + place * HOUR, policy=came[0].policy if settled else upload.policy)
        for place, upload in enumerate(came)
    ]

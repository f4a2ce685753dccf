"""The examples that trackers print in their own documentation."""

from datetime import UTC, datetime

import pytest
from dialect_reading import column, read, refusals

from trueup.model.words import DuplicateMode, RowKind

CLICK = "c384EFV6JHQODRN70575OK6U"


def micros(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1_000_000


def test_keitaro__omitted_values_and_spaces() -> None:
    reading = read(
        "19j4mhg1br4sa6nhc0,,, rejected\n19j4mhg1br4sa6nhc1,100,,lead\n19j4mhg1br4sa6nhc2 , 0.1 , 124 , rebill"
    )
    assert reading.dialect == "keitaro"
    assert reading.own_mode is None  # it could be Voluum's, too
    assert column(reading, "click_id") == ["19j4mhg1br4sa6nhc0", "19j4mhg1br4sa6nhc1", "19j4mhg1br4sa6nhc2"]
    assert column(reading, "payout") == [None, 100_000_000, 100_000]
    assert column(reading, "transaction_id") == ["", "", "124"]
    assert column(reading, "status") == ["rejected", "lead", "rebill"]
    assert refusals(reading) == {}


def test_keitaro__no_status_is_a_sale() -> None:
    reading = read("a,1,t,lead\nb,2,t\nc,3\nd\ne,,,")
    assert column(reading, "status") == ["lead", "", "", "", ""]
    assert column(reading, "dialect_status") == ["", "approved", "approved", "approved", "approved"]


def test_keitaro__no_status_sets_none_in_a_status_update() -> None:
    reading = read("a,,,lead\nb", dialect="keitaro", row_kind=RowKind.STATUS)
    assert column(reading, "status") == ["lead", ""]
    assert "dialect_status" not in reading.rows.columns
    assert reading.own_mode is None


@pytest.mark.parametrize(
    ("text", "dialect", "mode"),
    [
        ("a,1,,sale", None, None),  # a type of Voluum's may be called sale
        ("a,1,,sale", "keitaro", DuplicateMode.UPDATE),
        ("a,1,,sale", "voluum", DuplicateMode.IGNORE),
        ("a,1", None, None),
        ("a,1,t,upsell", None, DuplicateMode.IGNORE),
        ("a,1,t,upsell\nb,2,t,sale\n", None, None),
        ("ClickId,EventID,UserCompletedAt,Revenue,Reward\na,upsell,,1,", None, DuplicateMode.UPDATE),
        ("clickid,sum\na,1", None, None),
    ],
)
def test_own_way__counts_only_where_the_dialect_is_beyond_doubt(
    text: str, dialect: str | None, mode: DuplicateMode | None
) -> None:
    assert read(text, dialect=dialect).own_mode is mode


def test_voluum__three_examples() -> None:
    reading = read(f"{CLICK}\n{CLICK},0.75\n{CLICK},-50,,app_install\n")
    assert reading.dialect == "voluum"
    assert reading.own_mode is DuplicateMode.IGNORE
    assert column(reading, "click_id") == [CLICK] * 3
    assert column(reading, "payout") == [None, 750_000, -50_000_000]
    assert column(reading, "transaction_id") == ["", "", ""]
    assert column(reading, "conversion_type") == ["", "", "app_install"]
    assert column(reading, "converted_at") == [None, None, None]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2011-12-03T10:15:30+01:00", "2011-12-03 09:15:30"),
        ("2011-12-03T10:15:30.000+01:00", "2011-12-03 09:15:30"),
        ("2011-12-03T10:15Z", "2011-12-03 10:15:00"),
        ("2011-12-03T10:15:30Z", "2011-12-03 10:15:30"),
        ("2011-12-03T10:15:30.000Z", "2011-12-03 10:15:30"),
    ],
)
def test_voluum__five_time_formats(text: str, moment: str) -> None:
    reading = read(f"{CLICK},1.2,abc123,app_install,{text}", time_zone="America/New_York")
    assert column(reading, "converted_at") == [micros(moment)]


def test_redtrack__template_with_click_ids_and_payouts() -> None:
    reading = read("clickid,payout\n5f1,1.5\n5f2,\n")
    assert reading.dialect == "redtrack"
    assert reading.own_mode is None
    assert column(reading, "payout") == [1_500_000, None]


def test_redtrack__times_are_utc_whatever_the_workspace() -> None:
    # Shown as 14:00 to an account in New York (GMT-4) and to one in GMT+4.
    reading = read(
        "clickid,sum,time\na,1,2024-06-01 18:00:00\nb,1,2024-06-01 10:00:00", workspace_time_zone="Asia/Dubai"
    )
    assert reading.time_zone == "UTC"
    assert column(reading, "converted_at") == [micros("2024-06-01 18:00:00"), micros("2024-06-01 10:00:00")]


def test_redtrack__the_person_may_choose_another_zone() -> None:
    reading = read("clickid,sum,created_at\na,1,2024-06-01 14:00:00", time_zone="America/New_York")
    assert column(reading, "converted_at") == [micros("2024-06-01 18:00:00")]


def test_redtrack__types_are_case_sensitive_and_statuses_as_sent() -> None:
    reading = read("clickid,sum,type,status,rdtk_event_id\na,1,Upsell,Pending,e1\na,1,upsell,approved,e2")
    assert column(reading, "conversion_type") == ["Upsell", "upsell"]
    assert column(reading, "status") == ["Pending", "approved"]
    assert column(reading, "event_id") == ["e1", "e2"]


def test_gokart__five_columns() -> None:
    reading = read(
        "ClickId,EventID,UserCompletedAt,Revenue,Reward\na,deposit,2024-06-01 10:00:00,12.5,300\nb,deposit,,1,\n",
        workspace_time_zone="Europe/Warsaw",
    )
    assert reading.dialect == "gokart"
    assert column(reading, "conversion_type") == ["deposit", "deposit"]
    assert column(reading, "converted_at") == [micros("2024-06-01 10:00:00"), None]
    assert column(reading, "payout") == [12_500_000, 1_000_000]
    assert reading.notes.rows() == [(2, "", "", '{"Reward":"300"}')]


def test_gokart__a_refused_row_has_one_note() -> None:
    reading = read("ClickId,EventID,UserCompletedAt,Revenue,Reward\na,deposit,,x,300\nb,deposit,,1,20\n")
    assert reading.notes.select("line", "refusal", "raw").rows() == [
        (2, "refused_bad_payout", "a,deposit,,x,300"),
        (3, "", '{"Reward":"20"}'),
    ]


def test_gokart_status__click_id_only_and_one_event() -> None:
    reading = read("gk_click_id,EventId,Status\na,,Success\na,a-7,Rejected\n,b-2,Pending\n", row_kind=RowKind.STATUS)
    assert reading.dialect == "gokart-status"
    assert column(reading, "click_id") == ["a", "a", "b"]
    assert column(reading, "target_n") == [None, 7, 2]
    assert column(reading, "status") == ["Success", "Rejected", "Pending"]


def test_gokart_status__without_the_event_column() -> None:
    reading = read("gk_click_id;status\na;Success\n", row_kind=RowKind.STATUS)
    assert reading.dialect == "gokart-status"
    assert reading.rows.columns == ["line", "click_id", "status"]

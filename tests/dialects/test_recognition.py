"""Which dialect a file is taken for, and what the person is told."""

import pytest
from dialect_reading import column, read, refusals, sentences, unreadable

from trueup.dialects.dialects import DIALECTS
from trueup.model.words import RowKind

FILES = {
    "fourth fields are statuses": ("a,1,,sale\nb\n", "keitaro"),
    "most fourth fields are statuses": ("a,1,,sale\nb,2,,lead\nc,3,,slae\n", "keitaro"),
    "a fourth field is a type": ("a,1,,app_install\n", "voluum"),
    "five fields": ("a,1,,,2024-01-01T10:00Z\n", "voluum"),
    "most fourth fields are types": ("a,1,,deposit\nb,2,,install\nc,3,,sale\n", "voluum"),
    "nothing but click ids": ("a\nb\n", "voluum"),
    "three fields": ("a,1,t\n", "voluum"),
    "fourth fields are empty": ("a,1,t,\n", "voluum"),
    "titles of keitaro": ("sub_id,payout,tid,status\na,1,,\n", "keitaro"),
    "titles of voluum": ("click id,payout,transaction id,conversion type,conversion time\na,1,,,\n", "voluum"),
    "refused rows of keitaro": ("sub_id,payout,tid,status,outcome,message\na,1,,,x,y\n", "keitaro"),
    "clickid is redtrack's spelling": ("ClickID,payout\na,1\n", "redtrack"),
    "sum is redtrack's word": ("click id,sum\na,1\n", "redtrack"),
    "rdtk_event_id": ("click_id,rdtk_event_id\na,1\n", "redtrack"),
    "gokart": ("clickid,eventid,usercompletedat,revenue,reward\na,x,,1,2\n", "gokart"),
    "an export": ("conversion_id,click_id,original_status,label,batch_id\na-1,a,x,new,3\n", "trueup"),
    "our words": ("click_id,payout\na,1\n", "trueup"),
    "our words, other letters": ("Click_ID,Payout\na,1\n", "headed"),
    "other columns too": ("country,subid,amount\nPL,a,1\n", "headed"),
    "a network's own titles": ("Sub ID;Revenue;Order ID;Comment\na;1;t;x\n", "headed"),
    "gk_click_id with a payout": ("gk_click_id,status,revenue\na,Success,1\n", "headed"),
    "a type named event is no title": ("a,1,,event\n", "voluum"),
}


@pytest.mark.parametrize("case", FILES)
def test_dialect__recognised(case: str) -> None:
    text, dialect = FILES[case]
    reading = read(text)
    assert reading.dialect == dialect
    assert sentences(reading)[0].startswith(f"Read as {dialect}: ")
    assert column(reading, "click_id")[0] == "a"


STATUS_FILES = {
    "click id and status": ("a,approved\nb,declined\n", "click-status"),
    "keitaro lines": ("a,,,rejected\nb,1,t,sale\n", "keitaro"),
    "titles": ("click_id,status\na,approved\n", "trueup"),
    "gokart": ("gk_click_id,conversion_status\na,Success\n", "gokart-status"),
    "redtrack": ("clickid,status\na,approved\n", "redtrack"),
    "an export": ("conversion_id,click_id,conversion_type,transaction_id,status\na-1,a,x,t,approved\n", "trueup"),
}


@pytest.mark.parametrize("case", STATUS_FILES)
def test_status_file__recognised(case: str) -> None:
    text, dialect = STATUS_FILES[case]
    reading = read(text, row_kind=RowKind.STATUS)
    assert reading.dialect == dialect
    assert column(reading, "click_id")[0] == "a"
    assert "" not in column(reading, "status")


def test_dialect__what_cannot_be_told_apart_is_said() -> None:
    reading = read("a,1\n")
    assert "It could also be keitaro: choose with --dialect keitaro." in sentences(reading)
    assert "It could also be keitaro: choose with --dialect keitaro." in sentences(read("a,1,,sale\nb,1,,install\n"))
    assert not any("could also" in sentence for sentence in sentences(read("a,1,,install\n")))
    chosen = read("a,1\n", dialect="keitaro")
    assert sentences(chosen)[0] == "Read as keitaro: it was chosen."
    assert column(chosen, "dialect_status") == ["approved"]


def test_dialect__choice_overrides_what_is_recognised() -> None:
    assert column(read("a,1,,sale\n", dialect="voluum"), "conversion_type") == ["sale"]
    assert read("clickid,sum\na,1\n", dialect="headed").dialect == "headed"


def test_dialect__gokart_event_columns_mean_what_their_file_means_by_them() -> None:
    status = read("gk_click_id,EventId,status\na,a-1,paid", row_kind=RowKind.STATUS)
    assert column(status, "target_n") == [1]
    conversions = read("ClickId,EventID,UserCompletedAt,Revenue,Reward\na,a-1,,,")
    assert column(conversions, "conversion_type") == ["a-1"]
    headed = read("subid,EventId,event_id\na,a-1,e1")
    assert column(headed, "event_id") == ["e1"]
    assert "target_n" not in headed.rows.columns


def test_statement__says_everything_that_was_recognised() -> None:
    text = "\ufeffsep=;\nSub ID;Amount;Time;Comment\na;1;2024-01-01 10:00;x\n"
    reading = read(text, workspace_time_zone="Europe/Warsaw")
    assert sentences(reading) == (
        "Read as headed: it has column titles, and they are no known tracker's.",
        "Fields: click_id (from Sub ID), payout (from Amount), converted_at (from Time). Not used: Comment.",
        "Separator: semicolon. Encoding: UTF-8 (by its byte order mark). The column titles are on line 2.",
        "Times without an offset are in the zone of the click's network, or in Europe/Warsaw where it has none.",
        "Decimal mark: point.",
    )


def test_statement__of_a_keitaro_file() -> None:
    assert sentences(read("a,1,,sale\n")) == (
        "Read as keitaro: the fourth fields are status words.",
        "It could also be voluum: choose with --dialect voluum.",
        "Fields: click_id (from sub_id), payout, transaction_id (from tid), status.",
        "Separator: comma. Encoding: UTF-8. There are no column titles.",
        "Decimal mark: point.",
        "A row without a status is approved.",
    )


def test_titles__of_a_file_without_them_are_its_dialects() -> None:
    assert read("a,1,,sale\n").titles == ["sub_id", "payout", "tid", "status"]


def test_titles__leave_out_what_the_file_of_refused_rows_added() -> None:
    assert read("click_id,payout,outcome,message\na,1,x,y").titles == ["click_id", "payout"]


def test_titles__a_column_of_the_networks_named_message_stays() -> None:
    assert read("click_id,message\na,y").titles == ["click_id", "message"]


def test_status_dialect__is_no_conversion_file() -> None:
    with unreadable(r"trueup update-status.*--dialect headed"):
        read("gk_click_id,EventId,status\na,a-1,paid\n")
    assert read("gk_click_id,EventId,status\na,a-1,paid\n", dialect="headed").rows.height == 1


def test_first_bad_row__is_refused_and_not_taken_for_titles() -> None:
    assert refusals(read("abc,def\n")) == {1: "refused_bad_payout"}
    assert refusals(read("abc,free,x,sale\nabd,5,y,lead\n")) == {1: "refused_bad_payout"}
    assert refusals(read("abc,def\nxyz,ghi\n")) == {1: "refused_bad_payout", 2: "refused_bad_payout"}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect__every_row_kind_it_allows_can_be_chosen(name: str) -> None:
    dialect = DIALECTS[name]
    text = ",".join(dialect.titles) + "\n" + ",".join("a" if n == 0 else "" for n in range(len(dialect.titles))) + "\n"
    for row_kind in dialect.row_kinds - ({RowKind.STATUS} if name in {"voluum", "gokart"} else set()):
        assert read(text, dialect=name, row_kind=row_kind).dialect == name

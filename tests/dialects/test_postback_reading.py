"""The parameters of a postback: the names and rules of files, and what only postbacks say."""

import csv
import io
from typing import Any

import polars as pl
import pytest
from dialect_reading import read
from effort import tried
from hypothesis import example, given
from hypothesis import strategies as st
from worlds import micros_at

from trueup.dialects.names import FIELDS
from trueup.dialects.postback import RAW_CHARS, ReadPostback, read_postback
from trueup.dialects.values import BLANKS
from trueup.model.frames import ROWS, completed
from trueup.model.ids import CLICK_ID
from trueup.model.spreadsheet import defused
from trueup.model.words import Outcome

VALUES = {
    "click_id": "a",
    "payout": "1.20",
    "transaction_id": "T-1",
    "conversion_type": "sale",
    "status": "approved",
    "event_id": "e-1",
    "conversion_id": "a-1",
    "converted_at": "2026-03-01T09:15:00Z",
    "currency": "EUR",
}
READ_AS = {
    "click_id": ("click_id", "a"),
    "payout": ("payout", 1_200_000),
    "transaction_id": ("transaction_id", "T-1"),
    "conversion_type": ("conversion_type", "sale"),
    "status": ("status", "approved"),
    "event_id": ("event_id", "e-1"),
    "conversion_id": ("target_n", 1),
    "converted_at": ("converted_at", micros_at("2026-03-01T09:15:00Z")),
    "currency": ("currency", "EUR"),
}


def said(**parameters: str) -> ReadPostback:
    return read_postback(list(parameters.items()), "GET /postback")


def row(**parameters: str) -> Any:  # noqa: ANN401 - what a row's columns hold
    return said(**parameters).row


def trouble(**parameters: str) -> tuple[str, str]:
    found = row(**parameters)
    return found["refusal"], found["detail"]


@pytest.mark.parametrize(("field", "name"), [(field, name) for field, names in FIELDS.items() for name in names])
def test_names__every_one_gives_its_field_whatever_its_case(field: str, name: str) -> None:
    column, value = READ_AS[field]
    for spelled in (name, name.upper(), name.title(), name.replace("_", " "), name.replace("_", "-"), f" {name} "):
        pairs = [(spelled, VALUES[field]), ("conversion_id" if field == "click_id" else "click_id", "")]
        found = read_postback(pairs if field == "click_id" else [*pairs, ("click_id", "a")], "").row
        assert (found[column], found["refusal"]) == (value, "")


# Without what a file's fields cannot hold as it is: line ends, the mark that parts quoted fields, half a character.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\r\n\x1f"), max_size=12)
CLICK_IDS = st.sampled_from(["a", "a-1", "A_b.c~", "x" * 64, "x" * 65, "a b", "", "a\0"]) | TEXTS
ROWS_GIVEN = st.fixed_dictionaries(
    {
        "click_id": CLICK_IDS,
        "payout": st.from_regex(r"[+-]?[0-9]{0,11}\.?[0-9]{0,8}", fullmatch=True)
        | st.sampled_from(["", " 1 ", "1e3", "0000000000000000001", "9000000000.000001", "-9000000000", "1,5", "٣"])
        | st.sampled_from(["$1", "-$1.5", "1 eur", "€1,5", "USD1", "1 PLN", "C$1", "$", "1.50000000", "00.5", "$1e3"])
        | TEXTS,
        "transaction_id": TEXTS | st.sampled_from(["t" * 128, "t" * 129, "ü" * 128, "t\x7f", "t\0", "=1+1", "'=x"]),
        "event_id": TEXTS | st.sampled_from(["e" * 129, "e\x1b[2J", ""]),
        "conversion_type": TEXTS,
        "status": TEXTS | st.sampled_from(["paid", "\0", "  Hold "]),
        "conversion_id": st.sampled_from(["", "a-1", "a-0", "a-01", "a-99999999999", "b-7", "-1", "x" * 64 + "-3"])
        | TEXTS,
        "converted_at": st.from_regex(
            r"[12][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,10})?)?"
            r"(Z|[+-][0-2][0-9](:?[0-5][0-9])?)?",
            fullmatch=True,
        )
        | st.sampled_from(["", "2026-03-01", "2026-02-30T10:00", "2999-12-31T23:59:59.999999999-23:59", "now"])
        | st.from_regex(r"[0-9]{8,14}", fullmatch=True)
        | TEXTS,
        "currency": TEXTS | st.sampled_from(["usd", " EUR", "ß"]),
    }
)


CURRENCIES = ("USD", "EUR")


def rows_of_file(given: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What the same rows say in a file that is written as Trueup's own exports are."""
    cells = pl.DataFrame(given).select(defused(pl.col(name).str.strip_chars()).alias(name) for name in given[0])
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([cells.columns, *cells.rows()])
    reading = read(file.getvalue(), dialect="trueup", currencies=CURRENCIES)
    notes = {note["line"]: note for note in reading.notes.to_dicts()}
    for note in notes.values():  # a file can be read otherwise, and its messages say how
        note["detail"] = note["detail"].partition("; with \u27e8")[0].partition("; \u27e8")[0]
    return [
        found | {name: notes[found["line"]][name] if found["line"] in notes else "" for name in ("refusal", "detail")}
        for found in completed(reading.rows, ROWS).to_dicts()
    ]


@given(given=st.lists(ROWS_GIVEN, min_size=1, max_size=30))
@tried(15)
@example(given=[dict.fromkeys(FIELDS, "") | {"conversion_id": "a-7"}])
@example(given=[dict.fromkeys(FIELDS, "x") | {"payout": "\x1f1"}])
@example(given=[dict.fromkeys(FIELDS, "") | {"click_id": "a", "converted_at": "1999-12-31 23:59:59.1234567+01"}])
def test_row__is_that_of_the_same_row_in_a_file(given: list[dict[str, str]]) -> None:
    filled = [each for each in given if any(value.strip(BLANKS) for value in each.values())]  # a blank line is no row
    if not filled:
        return
    left_out = {"line", "raw"}
    found = [{**read_postback(list(each.items()), "", CURRENCIES).row} for each in filled]
    assert [{name: row[name] for name in row if name not in left_out} for row in found] == [
        {name: row[name] for name in row if name not in left_out} for row in rows_of_file(filled)
    ]


def test_precedence__the_first_trouble_is_told() -> None:
    wrong = {"click_id": "a b", "payout": "x", "tid": "t\x01", "event_id": "e\x01", "time": "x"}
    told = []
    for mend in (
        {"click_id": ""},
        {},
        {"click_id": "a"},
        {"payout": "1"},
        {"tid": "t"},
        {"event_id": "e"},
        {"time": ""},
    ):
        wrong |= mend if mend != {"click_id": ""} else {}
        told.append(trouble(**(wrong | mend))[0])
    assert told == [
        "refused_missing_click_id",
        "refused_bad_click_id",
        "refused_bad_payout",
        "refused_bad_transaction_id",
        "refused_bad_event_id",
        "refused_bad_time",
        "",
    ]


def test_names__that_give_one_field_must_agree() -> None:
    assert trouble(cid="a", subid="b") == (
        "refused_malformed_row",
        "the parameters 'cid' and 'subid' both give click_id, and differ",
    )
    assert trouble(cid="a", subid=" a ", click_id="")[0] == ""
    assert read_postback([("cid", "a"), ("cid", "b")], "").row["detail"] == (
        "the parameter 'cid' is there twice, with different values"
    )
    assert trouble(cid="a", payout="1", SUM="2", status="x")[0] == "refused_malformed_row"
    assert set(row(cid="a", subid="b")) == {"refusal", "detail", "raw"}


def test_names__of_nobody_are_left_alone() -> None:
    found = row(cid="a", param1="x", param2="y", utm_source="z", click="b", sub1="c")
    assert (found["click_id"], found["refusal"]) == ("a", "")
    assert said(cid="a", sub1="c").sub_parameters is None


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("100000000", 100_000_000_000_000),
        ("1772356500", 1_772_356_500_000_000),
        ("9999999999", 9_999_999_999_000_000),
        ("1772356500123", 1_772_356_500_123_000),
        ("100000000000", 100_000_000_000_000),
    ],
)
def test_unix_times__are_seconds_or_milliseconds_by_their_digits(text: str, micros: int) -> None:
    assert row(cid="a", time=text)["converted_at"] == micros


@pytest.mark.parametrize(
    "text", ["99999999", "12345678901", "12345678901234", "0123456789", "1772356500.5", "-1772356500"]
)
def test_unix_times__of_other_lengths_are_no_times(text: str) -> None:
    assert trouble(cid="a", time=text) == (
        "refused_bad_time",
        f"'{text}' is not a time such as 2011-12-03T10:15:30+01:00",
    )


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("reg", "pending"), (" TopUp ", "pending"), ("billed", "approved"), ("fake", "declined"), ("other", ""), ("", "")],
)
def test_status_lists__say_what_a_word_means(word: str, meaning: str) -> None:
    found = row(
        subid="a", status=word, lead_status="reg, topup", sale_status="billed", rejected_status="canceled,FAKE,"
    )
    assert (found["status"], found["dialect_status"]) == (word.strip(), meaning)


@pytest.mark.parametrize("name", ["ignore_status", "ignore"])
def test_ignored_status__is_told_after_everything_that_is_wrong(name: str) -> None:
    assert trouble(cid="a", status="Ping", **{name: "test, ping"}) == (Outcome.IGNORED_STATUS, "")
    assert trouble(status="ping", **{name: "ping"})[0] == "refused_missing_click_id"
    assert trouble(cid="a", status="sale", **{name: "ping"})[0] == ""
    assert trouble(cid="a", **{name: "ping,"})[0] == ""


def test_sub_parameters__are_those_of_the_click() -> None:
    found = said(sub_id="a", sub_id_1=" x ", sub_id_10="y", sub_id_11="z", sub_id_3="", **{"Sub-Id-2": "w\x1b"})
    assert found.sub_parameters == {"sub1": "x", "sub2": "w\ufffd", "sub10": "y"}
    assert found.row["click_id"] == "a"
    assert said(cid="a", sub_id_1="x" * 1_025).sub_parameters == {"sub1": "x" * 1_024}


@pytest.mark.parametrize("text", ["OK", "1", "ok 200.accepted_-", "a" * 64])
def test_answer__is_the_senders_where_it_is_harmless(text: str) -> None:
    assert said(**{"cid": "a", "return": text}).answer == text


@pytest.mark.parametrize("text", ["<b>", "a" * 65, "ok\r\nset-cookie: a=b", "é", "a&b", "{}", "'", "a\n"])
def test_answer__is_ours_where_it_is_not(text: str) -> None:
    found = said(**{"cid": "a", "return": f"x{text}"})
    assert (found.answer, found.row["refusal"]) == ("", "") or text == "a\n"
    assert "\n" not in found.answer


def test_wishes__are_read() -> None:
    assert said(cid="a", format="JSON", test="1", postback_key="k") == ReadPostback(
        row=row(cid="a"), wants_json=True, test=True, key="k"
    )
    assert not said(cid="a", test="0").test


def test_raw__is_kept_short_and_without_nul() -> None:
    assert read_postback([("cid", "a")], "x\0" * RAW_CHARS).row["raw"] == "x\ufffd" * (RAW_CHARS // 2)
    assert len(read_postback([("cid", "a"), ("cid", "b")], "x" * 9_999).row["raw"]) == RAW_CHARS


@given(
    st.lists(st.tuples(st.sampled_from([*FIELDS, "cid", "return", "sub_id_1", "ignore", "?"]), st.text()), max_size=9)
)
@tried(60)
def test_anything__gives_a_row_that_can_be_kept(pairs: list[tuple[str, str]]) -> None:
    found = read_postback(pairs, "raw").row
    assert set(found) <= set(ROWS)
    assert "\0" not in "".join(value for value in found.values() if isinstance(value, str))
    if not found["refusal"]:
        assert CLICK_ID.fullmatch(found["click_id"])

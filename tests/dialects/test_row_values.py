"""What single fields may hold, and which refusal comes first."""

import string
from decimal import Decimal

import pytest
from dialect_reading import column, details, read, refusals
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.cli.wording import message_in_words
from trueup.dialects.postback import read_postback
from trueup.model.money import PAYOUT_MAX, micros_from_text
from trueup.model.remarks import Way
from trueup.model.words import ROW_ALONE, RowKind


def payouts(texts: list[str], *, decimal_comma: bool = False) -> list[int | None]:
    body = "".join(f"a;{text}\n" for text in texts)
    return column(read(f"click_id;payout\n{body}", decimal_comma=decimal_comma), "payout")


GOOD = {
    "1.20": 1_200_000,
    "-50": -50_000_000,
    "+1": 1_000_000,
    ".5": 500_000,
    "-.5": -500_000,
    "5.": 5_000_000,
    "0": 0,
    "-0": 0,
    "007": 7_000_000,
    "0.000001": 1,
    "1.000000": 1_000_000,
    "000000000000000001": 1_000_000,
    "0000000000000000001": 1_000_000,
    "007.50": 7_500_000,
    "1.2000000": 1_200_000,
    "1.20000000": 1_200_000,
    f"{'0' * 60}1.5{'0' * 60}": 1_500_000,
    f".{'0' * 60}": 0,
    "9000000000": PAYOUT_MAX,
    "-9000000000.000000": -PAYOUT_MAX,
}
BAD = {
    "9000000000.000001": "'9000000000.000001' is beyond 9,000,000,000",
    "99999999999999999999": "'99999999999999999999' is beyond 9,000,000,000",
    "-9000000001": "'-9000000001' is beyond 9,000,000,000",
    "1.0000001": "'1.0000001' has more than 6 decimals",
    "1.12345670": "'1.12345670' has more than 6 decimals",
    "1,5": "'1,5' is not a number such as 1.20; with --decimal-comma it is 1.5",
    "1,234": "'1,234' is not a number such as 1.20; with --decimal-comma it is 1.234; with --thousands it is 1234",
    "1,234.50": "'1,234.50' is not a number such as 1.20; with --thousands it is 1234.50",
    "1.234,56": "'1.234,56' is not a number such as 1.20; with --decimal-comma and --thousands it is 1234.56",
    "1 000": "'1 000' is not a number such as 1.20; with --thousands it is 1000",
    "1\u00a0000": "'1\u00a0000' is not a number such as 1.20; with --thousands it is 1000",
    "\u20ac1,25": "'\u20ac1,25' is not a number such as 1.20; with --decimal-comma it is 1.25",
    "$1": "'$1' does not name exactly one of the workspace's currencies",
    "1\u20ac": "'1\u20ac' does not name exactly one of the workspace's currencies",
    "1 GBP": "'1 GBP' does not name exactly one of the workspace's currencies",
    "\u22121": "'\u22121' does not name exactly one of the workspace's currencies",
} | {
    text: f"'{text}' is not a number such as 1.20"
    for text in (
        "nan",
        "inf",
        "Infinity",
        "1e3",
        "1_000",
        "\u0663",
        "\uff11",
        "--1",
        "-$-1",
        "USD 1 EUR",
        "$",
        "-+1",
        "+",
        "-",
        ".",
        "1.2.3",
        "(5)",
        "0x1",
        "auto",
    )
}


def test_payout__plain_numbers() -> None:
    assert payouts(list(GOOD)) == list(GOOD.values())


@pytest.mark.parametrize("text", BAD)
def test_payout__anything_else_is_refused(text: str) -> None:
    reading = read(f"click_id;payout\na;{text}\n")
    assert refusals(reading) == {2: "refused_bad_payout"}
    assert message_in_words(details(reading)[2]) == BAD[text]
    assert column(reading, "payout") == [None]


def test_payout__absent_is_null() -> None:
    assert payouts(["", " "]) == [None, None]


def test_payout__decimal_comma() -> None:
    reading = read("click_id;payout\na;1,5\nb;-,25\nc;1.5\nd;1.000,5\ne;1,2345678\nf;7\n", decimal_comma=True)
    assert column(reading, "payout") == [1_500_000, -250_000, None, None, None, 7_000_000]
    assert details(reading) == {
        4: "'1.5' is not a number such as 1,20",
        5: f"'1.000,5' is not a number such as 1,20; with {Way.THOUSANDS.marked} it is 1000.5",
        6: "'1,2345678' has more than 6 decimals",
    }


GROUPED = {
    "1,234.50": 1_234_500_000,
    "-12,345,678": -12_345_678_000_000,
    "1 234": 1_234_000_000,
    "1\u202f234.5": 1_234_500_000,
    "1'234": 1_234_000_000,
    "1\u2019234": 1_234_000_000,
    "$1,234": 1_234_000_000,
    "1234": 1_234_000_000,
}
NOT_GROUPED = ("1,23", "1,2345", "12,34,567", "1,234 567", "1,,234", ",234", "1,234,", "1.234,5")


@pytest.mark.parametrize("decimal_comma", [False, True])
def test_payout__thousands_that_a_person_chose(decimal_comma: bool) -> None:
    swapped = str.maketrans(",.", ".,") if decimal_comma else {}
    texts = [text.translate(swapped) for text in (*GROUPED, *NOT_GROUPED)]
    body = "".join(f"a;{text}\n" for text in texts)
    reading = read(f"click_id;payout\n{body}", thousands=True, decimal_comma=decimal_comma, currencies=("USD",))
    assert column(reading, "payout") == [*GROUPED.values(), *[None] * len(NOT_GROUPED)]


BESIDE = {
    "$1.20": (1_200_000, "USD"),
    "-$5": (-5_000_000, "USD"),
    "$-5": (-5_000_000, "USD"),
    "US$ 5": (5_000_000, "USD"),
    "1.20 USD": (1_200_000, "USD"),
    "1.20usd": (1_200_000, "USD"),
    "EUR 1.20": (1_200_000, "EUR"),
    "5\u00a0\u20ac": (5_000_000, "EUR"),
    "1.20": (1_200_000, ""),
    "": (None, ""),
}


def test_payout__with_its_currency_beside_it() -> None:
    body = "".join(f"a;{text}\n" for text in BESIDE)
    reading = read(f"click_id;payout\n{body}", currencies=("USD", "EUR"))
    assert reading.rows.select("payout", "currency").rows() == list(BESIDE.values())
    assert refusals(reading) == {}


def test_payout__whose_currency_is_not_the_rows() -> None:
    text = "click_id;payout;currency\na;$1;usd\nb;$1;EUR\nc;$1;\nd;1 CAD;CAD\n"
    reading = read(text, currencies=("USD", "EUR"))
    assert reading.rows.select("payout", "currency").rows()[::2] == [(1_000_000, "USD"), (1_000_000, "USD")]
    assert details(reading) == {
        3: "'$1' names USD, and the row says EUR",
        5: "'1 CAD' does not name exactly one of the workspace's currencies",
    }


def test_payout__whose_sign_several_currencies_have() -> None:
    text = "click_id;payout\na;$1\nb;C$1\nc;1 USD\n"
    reading = read(text, currencies=("USD", "CAD"))
    assert column(reading, "payout") == [None, 1_000_000, 1_000_000]
    assert column(reading, "currency")[1:] == ["CAD", "USD"]


@given(
    st.lists(st.sampled_from([*BESIDE, "$1,5", "1 CAD", "x", "$", "kr 5", "1e3"]), min_size=1),
    st.sampled_from(["", "EUR"]),
)
@tried(20)
def test_payout__is_read_in_a_file_as_in_a_postback(texts: list[str], currency: str) -> None:
    body = "".join(f"a;{text};{currency}\n" for text in texts)
    rows = read(f"click_id;payout;currency\n{body}", currencies=("USD", "EUR")).rows
    for text, row in zip(texts, rows.iter_rows(named=True), strict=True):
        pairs = [("click_id", "a"), ("payout", text), ("currency", currency)]
        posted = read_postback(pairs, "", ("USD", "EUR")).row
        assert (row["payout"], row["currency"]) == (posted["payout"], posted["currency"]) or posted["refusal"]
        assert (posted["refusal"] == "refused_bad_payout") == (row["payout"] is None and text != "")


@given(st.lists(st.integers(-PAYOUT_MAX, PAYOUT_MAX), min_size=1, max_size=60), st.booleans())
@tried(20)
def test_payout__every_amount_is_read_exactly(amounts: list[int], comma: bool) -> None:
    texts = [f"{Decimal(amount).scaleb(-6):f}" for amount in amounts]
    assert payouts([text.replace(".", ",") if comma else text for text in texts], decimal_comma=comma) == amounts


@given(st.lists(st.text("0123456789.+-e ", min_size=1, max_size=24).filter(str.strip), min_size=1, max_size=60))
@tried(25)
def test_payout__accepts_what_money_accepts(texts: list[str]) -> None:
    def oracle(text: str) -> int | None:
        try:
            micros = micros_from_text(text.strip())
        except ValueError:
            return None
        return micros if abs(micros) <= PAYOUT_MAX else None

    assert payouts(texts) == [oracle(text) for text in texts]


CLICK_LETTERS = string.ascii_letters + string.digits + "_.~-"


@given(st.lists(st.text(CLICK_LETTERS + " é$/", min_size=1, max_size=70).filter(str.strip), min_size=1, max_size=40))
@tried(20)
def test_click_id__letters_and_length(ids: list[str]) -> None:
    reading = read("payout,click_id\n" + "".join(f"1,{click_id}\n" for click_id in ids))
    bad = [len(click_id.strip()) > 64 or not set(click_id.strip()) <= set(CLICK_LETTERS) for click_id in ids]
    assert refusals(reading) == {n + 2: "refused_bad_click_id" for n, is_bad in enumerate(bad) if is_bad}


@pytest.mark.parametrize(
    ("title", "outcome"), [("tid", "refused_bad_transaction_id"), ("event_id", "refused_bad_event_id")]
)
def test_text_id__length_and_control_characters(title: str, outcome: str) -> None:
    reading = read(f'click_id,{title}\na,{"ü" * 128}\nb,{"x" * 129}\nc,x\x7fy\nd,"x\ny"\ne,日本\nf,\n')
    assert refusals(reading) == {3: outcome, 4: outcome, 5: outcome}
    assert details(reading)[3].endswith("has 129 characters, and 128 are the most")
    assert details(reading)[4].endswith("has a control character, or bytes that are no UTF-8")


def test_precedence__the_first_that_applies_wins() -> None:
    title = "click_id,payout,tid,event_id,time"
    rows = [
        "a b,x,\x01,\x01,x,6",
        ",x,\x01,\x01,x",
        "a b,x,\x01,\x01,x",
        "a,x,\x01,\x01,x",
        "a,1,\x01,\x01,x",
        "a,1,t,\x01,x",
        "a,1,t,e,x",
        "a,1,t,e,",
    ]
    reading = read("\n".join([title, *rows]))
    assert list(refusals(reading).values()) == [outcome.value for outcome in ROW_ALONE]


def test_refused_row__keeps_its_record_as_it_came() -> None:
    reading = read('click_id,payout,note\n"a",x, "b, c"\nd,1,\n')
    assert reading.notes.rows(named=True) == [
        {
            "line": 2,
            "refusal": "refused_bad_payout",
            "detail": "'x' is not a number such as 1.20",
            "raw": '"a",x, "b, c"',
        }
    ]
    assert column(reading, "click_id") == ["a", "d"]


def test_detail__is_short_and_safe_to_print() -> None:
    reading = read(f"click_id,payout\na,\x1b[2J{'9' * 100}\n")
    assert details(reading)[2] == f"'\ufffd[2J{'9' * 56}…' is not a number such as 1.20"


def test_fields__are_trimmed_and_otherwise_kept() -> None:
    reading = read("click_id,type,status,currency\n a ,\u00a0Sign Up\t, Hold ,eur \n")
    assert reading.rows.rows() == [(2, "a", "Sign Up", "Hold", "EUR")]


def test_conversion_id__names_click_and_number() -> None:
    reading = read("conversion_id,click_id\nx-1-7,\nx-7,x\ny-7,x\nnonsense,x\nx-0,x\n,x\n,\nnonsense,\n")
    assert column(reading, "click_id") == ["x-1", "x", "x", "x", "x", "x", "", ""]
    assert column(reading, "target_n") == [7, 7, 0, 0, 0, None, None, 0]
    assert refusals(reading) == {8: "refused_missing_click_id", 9: "refused_missing_click_id"}


def test_conversion_id__is_enough() -> None:
    reading = read("conversion_id,payout\nx-7,1\n")
    assert reading.rows.rows() == [(2, "x", 1_000_000, 7)]


def test_status_update__reads_only_what_it_can_use() -> None:
    reading = read(
        "click_id,payout,status,time,event_id,type,tid,currency\na,x,paid,x,\x01,t,1,EUR\n", row_kind=RowKind.STATUS
    )
    assert refusals(reading) == {}
    assert reading.rows.columns == ["line", "click_id", "conversion_type", "transaction_id", "status"]


def test_columns__only_what_the_file_can_give() -> None:
    assert read("a,1\n", dialect="voluum").rows.columns == [
        "line",
        "click_id",
        "conversion_type",
        "transaction_id",
        "payout",
        "converted_at",
    ]
    assert read("click_id\na\n").rows.columns == ["line", "click_id"]


def test_no_rows__below_the_titles() -> None:
    reading = read("click_id,payout\n")
    assert reading.rows.height == 0
    assert reading.rows.columns == ["line", "click_id", "payout"]


def test_defused_text__is_read_back() -> None:
    export = "conversion_id,click_id,transaction_id,payout\n'-a-1,'-a,'=1+1,-50\nb-1,b,''=x,' -1\nc-1,c,'plain,1\n"
    reading = read(export)
    assert column(reading, "click_id") == ["-a", "b", "c"]
    assert column(reading, "target_n") == [1, 1, 1]
    assert column(reading, "transaction_id") == ["=1+1", "'=x", "'plain"]
    assert column(reading, "payout") == [-50_000_000, -1_000_000, 1_000_000]


def test_defused_text__only_in_files_that_trueup_wrote() -> None:
    assert column(read("subid,tid\na,'=1\n"), "transaction_id") == ["'=1"]
    assert column(read("subid,tid,outcome,message\na,'=1,x,y\n"), "transaction_id") == ["=1"]


@pytest.mark.parametrize(("encoding", "half"), [("utf-7", b"+2AA-"), ("unicode_escape", rb"\ud800")])
def test_id__with_half_a_character_is_refused(encoding: str, half: bytes) -> None:
    reading = read(b"click_id,txid,event_id\na,%b,\nb,,%b\n" % (half, half), encoding=encoding)
    assert refusals(reading) == {2: "refused_bad_transaction_id", 3: "refused_bad_event_id"}

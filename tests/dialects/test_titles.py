"""Where the column titles are: statements have text above them. No title is ever read as a row, and no row skipped."""

import pytest
from dialect_reading import column, read, refusals, sentences, unreadable

from trueup.dialects.titles import HEADER_LINES
from trueup.model.words import RowKind

ABOVE = "Northwind Media\nStatement for March 2026;;\n\n"


def test_titles__are_found_below_a_statements_name_and_date() -> None:
    reading = read(f"{ABOVE}Click ID;Sale amount;Payout\nc1;100.00;35.00\nc2;80.00;x\n")
    assert column(reading, "payout") == [35_000_000, None]
    assert column(reading, "line") == [5, 6]
    assert refusals(reading) == {6: "refused_bad_payout"}
    said = sentences(reading)
    assert (
        "Lines 1 to 3 stand above the column titles, and are not read: 'Northwind Media', 'Statement for March 2026'."
        in said
    )
    assert "Separator: semicolon. Encoding: UTF-8. The column titles are on line 4." in said


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_titles__are_found_whatever_separates_them(separator: str) -> None:
    titles = separator.join(("Date, of sale", "Sub ID", "Payout"))
    reading = read(f"a, b; c\n{titles.replace('Date, of sale', 'Date')}\n2026{separator}c1{separator}5\n")
    assert column(reading, "click_id") == ["c1"]
    assert column(reading, "payout") == [5_000_000]


def test_titles__of_a_summary_above_are_not_those_of_the_rows() -> None:
    reading = read("Revenue,Payout\n200,50\n\nsubid,payout,type\nc1,50,sale\n")
    assert column(reading, "payout") == [50_000_000]
    assert column(reading, "line") == [5]
    with unreadable("Line 2 reads like a row"):
        read("Revenue,Payout,Currency\n200,50,USD\n\nsubid,payout,type\nc1,50,sale\n")


def test_titles__are_looked_for_in_twenty_lines() -> None:
    rows = "subid,payout\nc1,5\n"
    assert column(read("\n" * (HEADER_LINES - 1) + rows), "payout") == [5_000_000]
    with unreadable("Line 21 reads like column titles .*--titles-line 21.*--titles-line 0"):
        read("c0,1\n" * HEADER_LINES + rows)
    assert read("c0,1\n" * HEADER_LINES + rows, titles_line=0).rows.height == HEADER_LINES + 2
    assert column(read("c0,1\n" * HEADER_LINES + rows, titles_line=21), "line") == [22]


UNKNOWN = {
    "on the first line": "Visitor,Sale amount,Commission\nv1,100.00,35.00\n",
    "below a statement's name": "Northwind\n\nVisitor,Sale amount,Commission\nv1,100.00,35.00\nv2,80,28\n",
    "with numbers in them": "Northwind\nsub1,sale_amount,Goal 2\nv1,100.00,35.00\n",
    "above rows and a total": "Visitor,Sale amount,Commission\nv1,100.00,35.00\nv2,80,28\nEnd,of,file\n",
    "below a total": "Total;135.00\n\nVisitor;Sale;Commission\nc1;100.00;35.00\nc2;80;28\n",
    "with blank ones": "Northwind\nVisitor,,Sale amount\nv1,,100.00\n",
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_titles__are_never_read_by_position(case: str) -> None:
    with unreadable("looks like column titles .* none of them is known.*--map"):
        read(UNKNOWN[case])


def test_unknown_titles__can_be_mapped_wherever_they_are() -> None:
    reading = read(UNKNOWN["below a statement's name"], columns={"Visitor": "click_id", "Commission": "payout"})
    assert column(reading, "click_id") == ["v1", "v2"]
    assert column(reading, "payout") == [35_000_000, 28_000_000]


def test_rows_above_titles__are_asked_about() -> None:
    text = "c1,5,sale\nc2,6,sale\nclick_id,payout,status\nc3,7,sale\n"
    with unreadable("Line 1 reads like a row, and stands above the column titles on line 3.*--titles-line 3"):
        read(text)
    assert column(read(text, titles_line=3), "click_id") == ["c3"]


def test_second_titles__with_another_order_are_asked_about() -> None:
    text = "click_id,payout,sum of sale\nc1,5,100\nclick_id,sum of sale,payout\nc2,100,5\n"
    with unreadable("Line 3 reads like column titles .*So does line 1"):
        read(text)
    assert refusals(read(text, titles_line=1)) == {3: "refused_bad_payout"}


def test_second_titles__that_are_the_same_are_a_row_like_others() -> None:
    assert refusals(read("click_id,payout\nc1,5\nclick_id,payout\nc2,5\n")) == {3: "refused_bad_payout"}


@pytest.mark.parametrize("line", [2, 1_001, 4])
def test_titles_line__must_hold_something(line: int) -> None:
    with unreadable(f"--titles-line {line}"):
        read("click_id,payout\n\nc1,5\n", titles_line=line)


def test_values_that_are_names_of_columns__are_values() -> None:
    assert column(read("a,1,,event\nb,2,id,goal\n"), "payout") == [1_000_000, 2_000_000]


def test_foreign_conversion_ids__are_left_out_and_said() -> None:
    reading = read("ID,Sub ID,Payout\n9001,c1,5\n9002,c2,6\n")
    assert "target_n" not in reading.rows.columns
    assert any("Not used: ID, since its values are no conversion ids of ours." in said for said in sentences(reading))
    assert column(read("ID,Sub ID,Payout\nc1-1,c1,5\n9002,c2,6\n"), "target_n") == [1, 0]
    assert column(read("ID,Sub ID,Payout\nc9-1,c1,5\n", columns={"ID": "conversion_id"}), "target_n") == [0]


def test_foreign_conversion_ids__widen_no_status_update() -> None:
    reading = read("ID,Sub ID,Status\n9001,c1,sale\n", row_kind=RowKind.STATUS)
    assert column(reading, "target_n") == [0]


def test_saved_mapping__is_offered_and_never_used_in_silence() -> None:
    saved = {"northwind": frozenset({"visitor", "sale_amount", "commission"})}
    with unreadable("No column gives the click id.*A mapping was saved .*--mapping northwind"):
        read(UNKNOWN["below a statement's name"], mappings=saved)
    known = {"other": frozenset({"visitor"}), "mine": frozenset({"sub_id", "payout", "note"})}
    reading = read("Sub ID,Payout,Note\nc1,5,x\n", mappings=known)
    assert sentences(reading)[-1] == "A mapping was saved for files with these titles: --mapping mine."

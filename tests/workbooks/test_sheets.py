"""What a person saw in a workbook is what is read: numbers, times, ids, errors; and which sheet it is."""

import gzip
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from made import by_hand, ods, workbook, xlsb, zipped

from trueup.cli.wording import in_words
from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.read import Reading, original_records, read_file
from trueup.model.times import time_text
from trueup.workbooks.opening import opened

SAMPLES = Path(__file__).parent / "samples"
TITLES = ["click_id", "payout", "transaction_id", "converted_at"]


def read(content: bytes, sheet: str | None = None, **choices: Any) -> Reading:  # noqa: ANN401 - any field of Choices
    return read_file(opened(content, sheet), Choices(sheet=sheet, **choices))


def sheet(*rows: list[Any], **options: bool) -> bytes:
    return workbook({"Sales": [TITLES, *rows]}, **options)


def causes(reading: Reading) -> dict[int, str]:
    return {note["line"]: f"{note['refusal']}: {note['detail']}" for note in reading.notes.rows(named=True)}


def _at(*parts: int) -> datetime:
    """What a cell shows: a workbook knows no zones."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - the same


def unreadable(content: bytes, wanted: str | None = None) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content, wanted)
    return in_words(refused.value.remark)


@pytest.mark.parametrize("since", [False, True])
def test_sheet__values_are_what_the_person_saw(since: bool) -> None:
    at = _at(2026, 3, 5, 9, 15, 30)
    reading = read(
        sheet(
            ["k1", 0.1 + 35, 7, at],
            ["k2", 1e-6, "007", _at(2026, 3, 5)],
            ["k3", -50, 999_999_999_999_999, at],
            [],
            ["k4", "1.20", (7, "00000"), "2026-03-05T10:00:00+01:00"],
            date_1904=since,
        ),
        time_zone="UTC",
    )
    assert reading.rows["line"].to_list() == [2, 3, 4, 6]
    assert reading.rows["payout"].to_list() == [35_100_000, 1, -50_000_000, 1_200_000]
    assert reading.rows["transaction_id"].to_list() == ["7", "007", "999999999999999", "00007"]
    times = [time_text(each) for each in reading.rows["converted_at"]]
    assert times == ["2026-03-05T09:15:30Z", "2026-03-05T00:00:00Z", "2026-03-05T09:15:30Z", "2026-03-05T09:00:00Z"]
    assert 'Sheet: "Sales". The column titles are on line 1.' in reading.statement[1:][1]


def test_sheet__a_day_alone_is_no_time() -> None:
    reading = read(sheet(["k1", 1, "", (date(2026, 3, 5), "yyyy-mm-dd")]))
    assert "no time of day" in causes(reading)[2]


def test_sheet__a_date_is_a_date_whatever_form_is_stated_for_texts() -> None:
    at, text = _at(2026, 3, 5, 9, 15, 30), "05.03.2026 10:00"
    for form in ("%d.%m.%Y %H:%M", "day-month-year"):
        reading = read(sheet(["k1", 1, "", at], ["k2", 1, "", text]), time_zone="UTC", time_format=form)
        times = [time_text(each) for each in reading.rows["converted_at"]]
        assert times == ["2026-03-05T09:15:30Z", "2026-03-05T10:00:00Z"]
    reading = read(sheet(["k1", 1, "", "2026-03-05T09:15:30"]), time_format="%d.%m.%Y %H:%M")
    assert "refused_bad_time" in causes(reading)[2]
    reading = read(sheet(["k1", 1, "", at], ["k2", 1, "", "25.03.2026 10:00"]), time_zone="UTC")
    assert [time_text(each) for each in reading.rows["converted_at"]] == [
        "2026-03-05T09:15:30Z",
        "2026-03-25T10:00:00Z",
    ]


STATEMENT = [
    ["Northwind Media"],
    ["Statement for", date(2026, 3, 31)],
    [],
    ["Click ID", "Sale amount", "Payout", "Status"],
    ["c1", 100, 35.5, "sale"],
    ["c2", 80, "x"],
    [],
    ["c3", 80, 7],
]


def test_sheet__titles_are_found_below_a_statements_name_and_date() -> None:
    reading = read(workbook({"March": STATEMENT}))
    assert reading.rows["line"].to_list() == [5, 6, 8]
    assert reading.rows["payout"].to_list() == [35_500_000, None, 7_000_000]
    assert list(causes(reading)) == [6]
    said = " ".join(map(in_words, reading.statement))
    assert "Lines 1 to 3 stand above the column titles, and are not read: 'Northwind Media', 'Statement for" in said
    assert 'Sheet: "March". The column titles are on line 4.' in said
    refused = original_records(opened(workbook({"March": STATEMENT})), reading, [6])
    assert list(refused) == [(6, ["c2", "80", "x", ""])]


def test_sheet__titles_in_doubt_are_asked_for() -> None:
    row_above = workbook({"March": [["c0", 5], *STATEMENT[3:]]})
    assert read(row_above, titles_line=2).rows["line"].to_list() == [3, 4, 6]
    payouts = [["c0", "", 7], *STATEMENT[3:]]  # a row of a sheet ends with its last cell that has something
    assert "Line 1 reads like a row" in unreadable(workbook({"March": payouts}))
    late = workbook({"March": [["c0", 1]] * 20 + [["subid", "payout"], ["c1", 2]]})
    assert "Line 21 reads like column titles" in unreadable(late)
    assert read(late, titles_line=21).rows["line"].to_list() == [22]


def test_sheet__of_a_preset_and_without_titles() -> None:
    titles = ["Postback timestamp", "Visit timestamp", "Click ID", "Transaction ID", "Conversion type", "Revenue"]
    voluum = workbook({"S": [["Conversions"], titles, [_at(2026, 3, 5, 9, 15), "", "k1", "T1", "", 35]]})
    reading = read(voluum, time_zone="UTC")
    assert (reading.dialect, reading.rows["payout"].to_list()) == ("voluum-report", [35_000_000])
    assert time_text(reading.rows["converted_at"][0]) == "2026-03-05T09:15:00Z"
    reading = read(workbook({"S": [["k1", 35.5, "T1", "sale"], ["k2", 1, "", "lead"], ["k3"]]}))
    assert (reading.dialect, reading.rows["payout"].to_list()) == ("keitaro", [35_500_000, 1_000_000, None])
    for lines in (["k1:35:approved", "k2:T1:lead"], ["k1:T1", "k2:T2"]):
        assert "lines of text" in unreadable(workbook({"S": [[line] for line in lines]}))


def test_sheet__an_error_is_no_empty_cell() -> None:
    reading = read(sheet(["k1", "#N/A"], ["#REF!", 2], ["k3", 3, "#VALUE!"], ["k4", 4, "T", "#NUM!"]))
    assert {line: cause.partition(":")[0] for line, cause in causes(reading).items()} == {
        2: "refused_bad_payout",
        3: "refused_bad_click_id",
        4: "refused_bad_transaction_id",
        5: "refused_bad_time",
    }


def test_sheet__ids_that_became_numbers_are_refused() -> None:
    reading = read(
        sheet(
            ["012345678901", 1], ["112345678901", 1], [12_345_678_901, 1], [112_345_678_902, 1], [123456789012345678, 1]
        )
    )
    told = causes(reading)
    assert set(told) == {4, 6}
    assert "'12345678901' is a number, and the other ids have 12 characters" in told[4]
    assert "'1.23456789012346E+17' is what a spreadsheet makes of a long number" in told[6]


def test_sheet__transaction_ids_that_lost_digits_are_refused() -> None:
    assert "last digits of the id are lost" in causes(read(sheet(["k1", 1, 1234567890123456789])))[2]
    assert causes(read(sheet(["k1", 1, "1E+15"]))) == {}  # it is text


def test_sheet__decimal_commas_are_for_text() -> None:
    assert read(sheet(["k1", 1.5], ["k2", "2,5"]), decimal_comma=True).rows["payout"].to_list() == [
        1_500_000,
        2_500_000,
    ]


def test_sheet__the_refused_row_comes_back() -> None:
    content = sheet(["k1", 1], ["bad id", 35.1, "", _at(2026, 3, 5, 9)])
    reading = read(content)
    assert list(original_records(opened(content), reading, [3])) == [(3, ["bad id", "35.1", "", "2026-03-05T09:00:00"])]
    assert reading.notes["raw"].to_list() == ["bad id\t35.1\t\t2026-03-05T09:00:00"]


def test_sheets__the_one_with_data_is_taken() -> None:
    rows = [["click_id", "payout"], ["k1", 1]]
    several = workbook({"Info": [], "Sales": rows, "Secret": rows}, hidden="Secret")
    assert read(several).rows.height == 1
    assert read(several, "secret").rows.height == 1
    assert read(several, "2").rows.height == 1
    two = workbook({"March": rows, "April": rows})
    assert (
        unreadable(two)
        == 'Several sheets of the workbook have data: 1 "March", 2 "April". Choose one with --sheet "March".'
    )
    assert unreadable(two, "May") == '--sheet "May": the workbook has no such sheet. It has: 1 "March", 2 "April".'
    assert "no data" in unreadable(workbook({"Info": []}))
    assert "has no sheets" in unreadable(b"click_id\nk1\n", "March")


@pytest.mark.parametrize("name", ["libreoffice.xls", "libreoffice.ods", "since1904.xls"])
def test_sheet__of_other_programs(name: str) -> None:
    found = opened((SAMPLES / name).read_bytes())
    assert not isinstance(found, bytes | memoryview)
    rows = {
        line: record.split("\x1f")
        for block in found.records(None)
        for line, record in block.frame.select("line", "record").rows()
    }  # type: ignore[union-attr]  # it is a sheet
    assert rows[3][:5] == ["text", "35.1", "35.1", "7", "1.23456789012346E+17"]
    assert rows[4][:3] == ["2026-03-01T09:15:30", "2026-03-01", "2026-03-01T00:00:00"]
    assert rows[5][1:3] == ["#N/A", "#DIV/0!"]


def test_sheet__binary_workbook() -> None:
    reading = read(xlsb([["click_id", "payout"], ["k1", 2.5], ["k2", None]]))
    assert reading.rows["payout"].to_list() == [2_500_000, None]
    assert "#N/A" in causes(reading)[3]


def test_sheet__open_document_with_repeated_cells() -> None:
    def cell(text: str, more: str = "") -> str:
        return f'<table:table-cell office:value-type="string" {more}><text:p>{text}</text:p></table:table-cell>'

    empty = '<table:table-cell table:number-columns-repeated="16382"/>'
    row = "<table:table-row {}>{}</table:table-row>"
    rows = row.format("", cell("click_id") + cell("payout") + empty)
    rows += row.format('table:number-rows-repeated="2"', cell("k1") + cell("#N/A", 'table:formula="of:=NA()"') + empty)
    rows += row.format('table:number-rows-repeated="1048573"', empty)
    assert set(causes(read(ods(rows)))) == {2, 3}


@pytest.mark.parametrize("name", ["sales.xls", pytest.param("sales.csv", marks=pytest.mark.long)])
def test_packed__is_found_by_its_content(name: str) -> None:
    text, book = b"click_id,payout\nk1,1.5\n", sheet(["k1", 1.5])
    contents = [
        text,
        book,
        gzip.compress(text),
        gzip.compress(book),
        zipped({f"folder/{name}": text}),
        zipped({name: book}),
    ]
    contents.append(gzip.compress(text[:10]) + gzip.compress(text[10:]))
    contents.append(zipped({"__MACOSX/._a": b"x", ".DS_Store": b"x", "../../etc/passwd": text}))
    for content in contents:
        assert read(content).rows["payout"].to_list() == [1_500_000]


def test_packed__what_is_no_workbook_says_so() -> None:
    assert "several files: a.csv, b.csv" in unreadable(zipped({"a.csv": "x", "b.csv": "y"}))
    assert "a Word document" in unreadable(zipped({"[Content_Types].xml": "", "word/document.xml": ""}))
    assert "no file in it" in unreadable(zipped({}))
    assert "The file is empty" in unreadable(gzip.compress(b""))
    assert "web page with a table" in unreadable(b"<html><body><table><tr><td>click_id</td></tr></table>")
    assert "Excel 2003" in unreadable(
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    )
    assert "no data" in unreadable(by_hand(""))

"""Encodings, separators, line ends and quotes; broken lines; line numbers."""

import csv
import io
import mmap
import tempfile
import tracemalloc
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from dialect_reading import column, details, read, refusals
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.dialects.choices import Choices
from trueup.dialects.decode import LINE_CHARS
from trueup.dialects.delimited import RECORD_LINES, records
from trueup.dialects.read import read_file

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1250")
QUOTINGS: dict[str, Literal[0, 1]] = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}
NASTY = (
    ["click_id", "payout", "type", "order id", "note"],
    ["a1", "-1.5", "dépôt", 'o"1', "x,y;z|\tw"],
    ["b.2", "", "", "", ""],
)


@pytest.mark.parametrize("quoting", QUOTINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_file__reads_alike_however_it_is_written(encoding: str, separator: str, line_end: str, quoting: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=line_end, quoting=QUOTINGS[quoting]).writerows(NASTY)
    chosen = encoding if encoding == "windows-1250" else None
    reading = read(out.getvalue().encode(encoding), encoding=chosen)
    expected = pl.DataFrame(
        {
            "line": [2, 3],
            "click_id": ["a1", "b.2"],
            "conversion_type": ["dépôt", ""],
            "transaction_id": ['o"1', ""],
            "payout": [-1_500_000, None],
        }
    )
    assert reading.rows.equals(expected)
    assert reading.notes.height == 0


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^"])
def test_separator__sep_line_is_honoured_and_counted(separator: str) -> None:
    reading = read(f"sep={separator}\r\na{separator}1{separator}{separator}sale\r\n")
    assert column(reading, "line") == [2]
    assert column(reading, "payout") == [1_000_000]


def test_separator__found_beside_decimal_commas() -> None:
    assert column(read("a;1,5\nb;2,25\n", decimal_comma=True), "payout") == [1_500_000, 2_250_000]
    assert column(read("click_id;payout\na;1,5\n", decimal_comma=True), "payout") == [1_500_000]


def test_separator__decided_by_most_lines() -> None:
    reading = read("a|1\nb;2\nc;3\nd\n")
    assert column(reading, "payout") == [None, 2_000_000, 3_000_000, None]
    assert refusals(reading) == {1: "refused_bad_click_id"}


def test_separator__of_mapped_titles_only() -> None:
    assert column(read("Besucher;Betrag, netto\na;1\n", columns={"Besucher": "click_id"}), "click_id") == ["a"]


def test_blank_lines__are_skipped_and_counted() -> None:
    reading = read("\n  \na,1\n\n\t\nb,2\n\n")
    assert column(reading, "line") == [3, 6]


def test_line_number__a_quoted_field_may_span_lines() -> None:
    reading = read('click_id,payout,note\na,1,"two\nlines"\nb,2,x\n"c",3,"\n\n"\nd,4,x\n')
    assert column(reading, "line") == [2, 4, 5, 8]
    assert refusals(reading) == {}


def test_ragged_row__is_its_own_refusal() -> None:
    reading = read("click_id,payout\na,1\nb\nc,1,2\nd,4\n")
    assert refusals(reading) == {3: "refused_malformed_row", 4: "refused_malformed_row"}
    assert details(reading) == {3: "1 field found, 2 expected", 4: "3 fields found, 2 expected"}
    assert column(reading, "click_id") == ["a", "", "", "d"]
    assert column(reading, "payout") == [1_000_000, None, None, 4_000_000]


def test_ragged_row__without_titles_only_too_many_fields_are() -> None:
    reading = read("a\nb,1\nc,1,t,sale,x\n,\n", dialect="keitaro")
    assert refusals(reading) == {3: "refused_malformed_row", 4: "refused_missing_click_id"}
    assert details(reading)[3] == "5 fields found, at most 4 expected"


def test_unclosed_quote__refuses_its_line_and_the_rest_reads() -> None:
    rest = "".join(f"r{n},1\n" for n in range(500))
    reading = read(f'a,1\nb,"2\n{rest}')
    assert refusals(reading) == {2: "refused_malformed_row"}
    assert reading.rows.height == 502
    assert column(reading, "line") == list(range(1, 503))


def test_unclosed_quote__met_by_a_later_quote() -> None:
    reading = read('a,"1\nb,"2"\nc,3\n')
    assert refusals(reading) == {1: "refused_malformed_row"}
    assert column(reading, "payout") == [None, 2_000_000, 3_000_000]


def test_unclosed_quote__on_the_last_line() -> None:
    reading = read('a,1\nb,"2')
    assert refusals(reading) == {2: "refused_malformed_row"}
    assert reading.notes["raw"].to_list() == ['b,"2']


WHERE = {
    'a,1\nb,"2\nc,3\n': "the quote that opens on line 2 is not closed within 100 lines and 65,536 characters",
    'a,"x\ny",z,"2\nb,1\n': "the quote that opens on line 2 is not closed within 100 lines and 65,536 characters",
    'a,"1\nb,"2"\n': "the quote that opens on line 1 closes on line 2, and text follows it",
    'b, "2\n': "the quote that opens on line 1 is not closed within 100 lines and 65,536 characters",
    'a,"1"5\n': "the quote that opens on line 1 closes on line 1, and text follows it",
}


@pytest.mark.parametrize("text", WHERE)
def test_unclosed_quote__says_on_which_line_it_opens(text: str) -> None:
    assert next(iter(details(read(text, dialect="voluum")).values())) == WHERE[text]


def test_quotes__text_after_the_closing_one_is_refused() -> None:
    assert refusals(read('a,"1"5\nb,2\n')) == {1: "refused_malformed_row"}


def test_quotes__inside_a_field_are_characters() -> None:
    assert column(read('click_id,tid\na,5" disk\n'), "transaction_id") == ['5" disk']


def test_quotes__after_a_space_are_quotes() -> None:
    assert column(read('a, "1"\n'), "payout") == [1_000_000]


def test_long_quoted_field__is_an_unclosed_quote() -> None:
    inside = "\n" * RECORD_LINES
    reading = read(f'click_id,note\na,"{inside}"\nb,x\n')
    assert refusals(reading)[2] == "refused_malformed_row"
    assert column(reading, "click_id")[-1] == "b"


def test_long_quoted_field__of_a_few_lines_is_one_too() -> None:
    line = "x" * (LINE_CHARS // 4)
    reading = read(f'click_id,note\na,"{line}\n{line}\n{line}\n{line}"\nb,x\n')
    assert column(reading, "line") == [2, 3, 4, 5, 6]
    assert refusals(reading).keys() == {2, 3, 4, 5}
    assert column(read(f'click_id,note\na,"{line}\n{line}"\nb,x\n'), "line") == [2, 4]


def test_long_line__at_the_end_without_a_line_end() -> None:
    reading = read("a,1\n" + "x" * 100_000)
    assert refusals(reading) == {2: "refused_malformed_row"}


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("length", [LINE_CHARS + 1, 200_000, 3_000_000])
def test_long_line__is_refused_and_the_rest_reads(length: int, quote: str) -> None:
    reading = read(f"a,1\nb,{quote}{'x' * length}{quote}\n{'y' * length}\nc,3\n")
    assert refusals(reading) == {2: "refused_malformed_row", 3: "refused_malformed_row"}
    assert details(reading)[2] == "the row is longer than 65,536 characters"
    assert column(reading, "line") == [1, 2, 3, 4]
    assert reading.notes["raw"].str.len_chars().max() == LINE_CHARS


def test_line_ends__may_be_mixed() -> None:
    reading = read(b"click_id,payout\r\na,1\nb,2\rc,3\r\n\r\nd,4")
    assert column(reading, "click_id") == ["a", "b", "c", "d"]
    assert column(reading, "line") == [2, 3, 4, 6]


def test_titles__may_be_empty_and_the_same() -> None:
    reading = read("click_id,,payout,note,note,\na,x,1,2,3,4\nb,x,1,2,3\n")
    assert column(reading, "payout") == [1_000_000, None]
    assert refusals(reading) == {3: "refused_malformed_row"}
    assert reading.titles == ["click_id", "", "payout", "note", "note", ""]


def test_ten_thousand_columns__are_read() -> None:
    titles = ",".join(["click_id", "payout", *(f"x{n}" for n in range(9_998))])
    reading = read(f"{titles}\n" + f"a,1{',y' * 9_998}\n" * 20)
    assert column(reading, "payout") == [1_000_000] * 20


@pytest.mark.long
def test_very_long_line__takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as out:
        out.write(b"a,1\nb,")
        for _ in range(1_024):
            out.write(b"x" * (1 << 20))
        out.write(b"\nc,3\n")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        tracemalloc.start()
        reading = read_file(mapped, Choices())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert refusals(reading) == {2: "refused_malformed_row"}
    assert details(reading) == {2: "the row is longer than 65,536 characters"}
    assert column(reading, "payout") == [1_000_000, None, 3_000_000]
    assert peak < 64 << 20


def test_nul__is_that_rows_trouble_and_never_kept() -> None:
    reading = read("click_id,payout,tid,type,status\na\0,1,,,\nb,1\0,,,\nc,1,t\0,,\nd,1,,ty\0pe,sa\0le\ne,1,\0x,,,\0\n")
    assert refusals(reading) == {
        2: "refused_bad_click_id",
        3: "refused_bad_payout",
        4: "refused_bad_transaction_id",
        6: "refused_malformed_row",
    }
    assert column(reading, "conversion_type")[3] == "ty\ufffdpe"
    assert column(reading, "status")[3] == "sa\ufffdle"
    for frame in (reading.rows, reading.notes):
        assert not frame.select(pl.any_horizontal(pl.col(pl.String).str.contains("\0").any())).item()


def test_unit_separator__in_a_quoted_field_parts_nothing() -> None:
    reading = read('click_id,tid\na,"x\x1fy"\n"b",z\n')
    assert refusals(reading) == {2: "refused_bad_transaction_id"}
    assert column(reading, "transaction_id")[1] == "z"


def test_other_line_breaks__are_characters() -> None:
    reading = read("click_id,type\na,x\x0b\x0c\x1c\x85\u2028y\nb,z\n")
    assert column(reading, "line") == [2, 3]
    assert column(reading, "conversion_type")[0] == "x\x0b\x0c\x1c\x85\u2028y"


def test_large_file__of_many_blocks_reads_as_its_lines() -> None:
    lines = [f'c{n},{n % 90}.5,"note\n{n}"' if n % 7 == 0 else f"c{n},{n % 90}.5,x" for n in range(150_000)]
    text = "click_id,payout,note\n" + "\n".join(lines)
    progress: list[int] = []
    reading = read_file(text.encode(), Choices(), progress.append)
    starts, line = [], 2
    for record in lines:
        starts.append(line)
        line += 1 + record.count("\n")
    assert column(reading, "line") == starts
    assert column(reading, "click_id") == [f"c{n}" for n in range(150_000)]
    assert reading.rows["payout"].sum() == sum((n % 90) * 1_000_000 + 500_000 for n in range(150_000))
    assert progress == sorted(progress)
    assert progress[-1] == len(text.encode())
    assert reading.notes.height == 0


def test_content__may_be_a_mapped_file_or_a_view() -> None:
    content = "click_id,payout\na,1\nb,é\n".encode()
    whole = read_file(content, Choices())
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert read_file(mapped, Choices()).rows.equals(whole.rows)
    assert read_file(memoryview(content), Choices()).rows.equals(whole.rows)


# Few characters, so that quotes, separators and line ends meet in every way.
SNIPPETS = st.text(alphabet='a",\n\x1f ', max_size=60)


def _found(blocks: list[str]) -> list[tuple[int, list[str], str, str]]:
    return [
        (line, record.split(found.separator), raw, trouble)
        for found in records(blocks, ",")
        for line, record, raw, trouble in found.frame.iter_rows()
    ]


@given(SNIPPETS, st.data())
@tried(40)
def test_records__are_the_same_however_the_text_is_cut(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    cuts = sorted(data.draw(st.sets(st.integers(1, len(lines)), max_size=5)))
    blocks = ["\n".join(lines[a:b]) for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True) if a < b]
    whole = _found([text])
    cut = _found(blocks)
    assert [(line, raw, trouble) for line, _, raw, trouble in cut] == [
        (line, raw, trouble) for line, _, raw, trouble in whole
    ]
    trimmed = [[field.strip(" ").replace("\x1e", "\x1f") for field in fields] for _, fields, _, _ in whole]
    assert [[field.strip(" ").replace("\x1e", "\x1f") for field in fields] for _, fields, _, _ in cut] == trimmed


@given(SNIPPETS)
@tried(40)
def test_records__hold_every_line_once_and_know_where_they_begin(text: str) -> None:
    found = _found([text])
    assert "\n".join(raw for _, _, raw, _ in found) == text
    line = 1
    for start, _, raw, _ in found:
        assert start == line
        line += raw.count("\n") + 1


VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from('",;|\t\n'), max_size=20
)


@given(
    st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    # Left out: "\r" with few quotes, where Python's writer puts no quotes around "\n".
    st.sampled_from([("\n", "minimal"), ("\n", "all"), ("\r\n", "minimal"), ("\r\n", "all"), ("\r", "all")]),
)
@tried(40)
def test_values__written_by_csv_are_read_back(
    pairs: list[tuple[str, str]], separator: str, written: tuple[str, str]
) -> None:
    line_end, quoting = written
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=line_end, quoting=QUOTINGS[quoting])
    writer.writerow(["type", "click_id", "status"])
    writer.writerows([first, f"c{n}", second] for n, (first, second) in enumerate(pairs))
    reading = read(out.getvalue())
    assert column(reading, "click_id") == [f"c{n}" for n in range(len(pairs))]
    assert column(reading, "conversion_type") == [first.strip() for first, _ in pairs]
    assert column(reading, "status") == [second.strip() for _, second in pairs]
    assert refusals(reading) == {}

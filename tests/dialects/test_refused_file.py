"""Records found again, the file of refused rows, and templates: what goes out comes in again."""

import csv
import io

import pytest
from dialect_reading import column, read, refusals

from trueup.dialects.dialects import DIALECTS
from trueup.dialects.read import Reading, original_records
from trueup.dialects.templates import template
from trueup.model.words import RowKind

FILES = {
    "keitaro": "a,x,,lead\nb,1\nc,y\n,1,,sale\n",
    "voluum": "a,1,,app_install\nb c,1\nd,,,,yesterday\n",
    "redtrack": "clickid;sum\na;1\nb;x\n",
    "gokart": "ClickId,EventID,UserCompletedAt,Revenue,Reward\na,x,never,1,5\nb,x,,1,5\n",
    "headed": '\ufeffsep=|\nSub ID|Amount|Note\na|1|"x | y"\nb|x|"two\nlines"\n',
    "trueup": "click_id,payout\na,1\nb,x\n",
}


def refused_file(content: bytes, reading: Reading) -> str:
    """The refused rows with their outcome and a message, as a person gets them."""
    lines = sorted(refusals(reading))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*reading.titles, "outcome", "message"])
    writer.writerows([*fields, "refused", "why, and what"] for _, fields in original_records(content, reading, lines))
    return out.getvalue()


@pytest.mark.parametrize("dialect", FILES)
def test_refused_file__reads_again_as_the_same_dialect(dialect: str) -> None:
    content = FILES[dialect].encode()
    reading = read(content)
    again = read(refused_file(content, reading))
    assert reading.dialect == again.dialect == dialect
    assert list(refusals(again).values()) == list(refusals(reading).values()) != []
    assert again.titles == reading.titles
    assert again.rows.height == len(refusals(reading))


@pytest.mark.parametrize("dialect", FILES)
def test_refused_file__of_a_refused_file_has_no_more_columns(dialect: str) -> None:
    first = read(FILES[dialect])
    once = refused_file(FILES[dialect].encode(), first)
    assert refused_file(once.encode(), read(once)) == once


def test_refused_file__mended_rows_are_accepted() -> None:
    content = b"sub-1,1,,sale\nsub-2,1o,,sale\n"
    mended = refused_file(content, read(content)).replace("1o", "10")
    reading = read(mended)
    assert refusals(reading) == {}
    assert column(reading, "payout") == [10_000_000]
    assert column(reading, "status") == ["sale"]


def test_original_records__are_the_fields_as_they_came() -> None:
    content = b'click_id,payout\na , "1,5"\n\nb,2\n"c,3\nd,1,2,3\n'
    reading = read(content)
    assert list(original_records(content, reading, [2, 5, 6])) == [
        (2, ["a ", "1,5"]),
        (5, ['"c,3', ""]),
        (6, ["d", "1", "2", "3"]),
    ]
    assert list(original_records(content, reading, [])) == []


def test_original_records__have_fields_without_a_title() -> None:
    content = b"click_id;payout\na;1,5;x;;y\nb;2\nc;;\n"
    reading = read(content)
    assert list(original_records(content, reading, [2, 4])) == [(2, ["a", "1,5", "x", "", "y"]), (4, ["c", "", ""])]


def test_original_records__of_a_file_of_many_blocks() -> None:
    content = b"".join(b"c%d,%d\n" % (n, n) for n in range(300_000))
    reading = read(content)
    wanted = [1, 2, 77_777, 150_001, 300_000]
    found = list(original_records(content, reading, wanted))
    assert found == [(line, [f"c{line - 1}", str(line - 1), "", "", ""]) for line in wanted]


@pytest.mark.parametrize("name", DIALECTS)
def test_template__filled_reads_as_its_dialect(name: str) -> None:
    dialect = DIALECTS[name]
    row_kind = min(dialect.row_kinds)
    row = ",".join(
        {"status": "approved"}.get(title, "") or ("a" if n == 0 else "") for n, title in enumerate(dialect.titles)
    )
    reading = read(template(name) + row, row_kind=row_kind, dialect=name)
    assert column(reading, "click_id") == ["a"]
    assert refusals(reading) == {}
    assert column(reading, "line") == [2]


@pytest.mark.parametrize("name", sorted(DIALECTS.keys() - {"headed", "click-status"}))
def test_template__is_recognised(name: str) -> None:
    row_kind = RowKind.STATUS if RowKind.CONVERSION not in DIALECTS[name].row_kinds else RowKind.CONVERSION
    assert read(template(name) + "a" + "," * (len(DIALECTS[name].titles) - 1), row_kind=row_kind).dialect == name

"""Files that cannot be read at all say why, and what to do. So do choices that do not fit the file."""

import gzip
import io
import zipfile
from typing import Any

import polars as pl
import pytest
from dialect_reading import column, details, read, refusals, sentences, unreadable
from effort import tried
from hypothesis import given
from hypothesis import strategies as st

from trueup.cli.wording import in_words
from trueup.dialects.choices import ChoiceNeeded, UnreadableFile
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.read import original_records
from trueup.dialects.templates import template
from trueup.model.words import RowKind


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "The file is empty"),
    "blank lines": (b"\n \r\n\t\n", "The file has no rows"),
    "a byte order mark alone": (b"\xef\xbb\xbf", "The file has no rows"),
    "workbook": (_zip(), "workbook or a zip archive"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "workbook or another document.*as .xlsx or CSV"),
    "gzip": (gzip.compress(b"click_id\na\n"), "gzip.*Unpack"),
    "web page": (b"\n<!DOCTYPE html><html>", "web page.*sign-in"),
    "binary": (bytes(range(32)) * 40, "The file is not text"),
    "another encoding": (
        "click_id,type\na,x\nb,d\u00e9p\u00f4t\n".encode("windows-1252"),
        "0xe9 on line 3 .*--encoding",
    ),
    "another encoding, no line feeds": ("a\rb\rd\u00e9p\u00f4t".encode("windows-1252"), "0xe9 on line 3 .*--encoding"),
    "half a letter at the end": ("a,\u00e9".encode()[:-1], "0xc3 on line 1"),
    "half a letter of UTF-16": ("click_id\na\n".encode("utf-16")[:-1], "not UTF-16-LE"),
    "no click id": (
        b"payout,status,country\n1,paid,PL\n",
        "No column gives the click id.*clickid.*--map .COLUMN=click_id.*country",
    ),
    "unknown titles": (b"Subscriber,Money\nx1,5\nx2,7.5\n", 'none of them is known.*--map "Subscriber=click_id"'),
    "two columns, one field": (
        b"click_id,payout,Revenue\na,1,2\n",
        '"payout" and "Revenue".*--map "payout=payout".*--map "Revenue="',
    ),
    "twice the same title": (b"click_id,payout,payout\na,1,2\n", 'Two columns are titled "payout".*Rename'),
}


@pytest.mark.parametrize("case", FILES)
def test_file__says_why_it_cannot_be_read(case: str) -> None:
    content, message = FILES[case]
    with unreadable(message):
        read(content)


def test_late_byte__of_another_encoding_is_found() -> None:
    content = b"c1,1\n" * 400_000 + b"c\xe9,1\n"
    with unreadable("0xe9 on line 400001 "):
        read(content)


CHOICES: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown dialect": ("a,1\n", {"dialect": "volum"}, '"volum".*Did you mean voluum'),
    "unknown encoding": ("a,1\n", {"encoding": "windows-9999"}, "No encoding is called"),
    "codec that makes no text": ("a,1\n", {"encoding": "hex"}, "No encoding is called"),
    "wrong encoding": ("a,\u0107\n", {"encoding": "ascii"}, "not ASCII.*0xc4 on line 1"),
    "unknown zone": ("a,1\n", {"time_zone": "Europe/Varsovie"}, 'No time zone is called "Europe/Varsovie"'),
    "offset that is none": ("a,1\n", {"time_zone": "+25:00"}, r'No time zone is called "\+25:00"'),
    "time format": ("a,1\n", {"time_format": "d/m/y"}, 'No time format is called "d/m/y"'),
    "unknown field": ("click_id,x\na,1\n", {"columns": {"x": "payuot"}}, '"payuot".*Did you mean payout'),
    "unknown column": (
        "click_id,Betrag\na,1\n",
        {"columns": {"Betrug": "payout"}},
        'no column "Betrug".*Did you mean Betrag',
    ),
    "mapping without titles": ("a,1\n", {"columns": {"x": "payout"}}, 'no column "x"'),
    "two mapped to one": (
        "click_id,x,y\na,1,2\n",
        {"columns": {"x": "payout", "y": "payout"}},
        '"x" and "y" would both be payout',
    ),
    "dialect with titles": ("a,1\n", {"dialect": "redtrack"}, "No column gives the click id"),
    "broken titles": ('"click_id,payout\na,1\n', {"dialect": "headed"}, "cannot be read as column titles"),
    "status update without statuses": (
        "click_id,payout\na,1\n",
        {"row_kind": RowKind.STATUS},
        "No column gives the status.*cnv_status",
    ),
    "status update of a dialect without statuses": (
        "a,1,t,x\n",
        {"row_kind": RowKind.STATUS, "dialect": "voluum"},
        "No column gives the status",
    ),
    "conversions of a status dialect": ("a,paid\n", {"dialect": "click-status"}, "trueup update-status"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_choice__says_why_it_does_not_fit(case: str) -> None:
    text, choices, message = CHOICES[case]
    with unreadable(message):
        read(text, **choices)


def test_mapping__decides_between_two_columns() -> None:
    text = "click_id,payout,revenue\na,1,2\n"
    assert column(read(text, columns={"revenue": "payout"}), "payout") == [2_000_000]
    assert column(read(text, columns={"Payout": "payout"}), "payout") == [1_000_000]
    assert column(read(text, columns={"revenue": ""}), "payout") == [1_000_000]


def test_mapping__gives_titles_a_meaning() -> None:
    text = "Besucher;Betrag;id\na;1,5;17\n"
    reading = read(text, columns={"besucher": "click_id", "Betrag": "amount", "id": ""}, decimal_comma=True)
    assert reading.dialect == "headed"
    assert reading.rows.rows() == [(2, "a", 1_500_000)]


def test_mapping__tells_titles_apart_by_case_where_it_must() -> None:
    reading = read("click_id,Value,value\na,1,2\n", columns={"value": "payout"})
    assert column(reading, "payout") == [2_000_000]


def test_mapping__moves_a_known_title() -> None:
    reading = read("click_id,event\na,e1\n", columns={"event": "event_id"})
    assert column(reading, "event_id") == ["e1"]
    assert "conversion_type" not in reading.rows.columns


def test_encoding__chosen_where_bytes_are_no_utf8() -> None:
    reading = read("click_id,type\na,dépôt\n".encode("windows-1252"), encoding="cp1252")
    assert column(reading, "conversion_type") == ["dépôt"]
    assert "Separator: comma. Encoding: cp1252 (chosen). The column titles are on line 1." in sentences(reading)


READ_AS = {
    "windows-1252": "'d\u00e9p\u00f4t', '\u00fcber'",
    "windows-1250": "'d\u00e9p\u00f4t', '\u00fcber'",
    "windows-1251": "'d\u0439p\u0444t', '\u044cber'",
}


def test_encoding__is_asked_for_with_cells_as_they_would_read() -> None:
    content = "click_id,type\na,x\nb,d\u00e9p\u00f4t\nc,\u00fcber\n".encode("windows-1252")
    with pytest.raises(ChoiceNeeded) as needed:
        read(content)
    assert needed.value.choice == "encoding"
    assert {page: needed.value.readings[page] for page in READ_AS} == READ_AS
    said = in_words(needed.value.remark)
    assert "Name its encoding with --encoding. Cells of it read 'd\u00e9p\u00f4t', '\u00fcber' as windows-1252" in said
    for page in needed.value.readings:
        assert read(content, encoding=page).rows.height == 3


@pytest.mark.parametrize("zone", ["europe/WARSAW", "utc", "+01:00", "+0100", "-0330"])
def test_zone__in_any_case_and_as_an_offset(zone: str) -> None:
    reading = read("click_id,time\na,2026-01-01 12:00\n", time_zone=zone)
    canonical = {"europe/WARSAW": "Europe/Warsaw", "utc": "UTC", "+0100": "+01:00", "-0330": "-03:30"}.get(zone, zone)
    ahead = {"Europe/Warsaw": 60, "UTC": 0, "+01:00": 60, "-03:30": -210}[canonical]
    assert reading.time_zone == canonical
    assert column(reading, "converted_at") == [(1_767_268_800 - ahead * 60) * 1_000_000]


def test_template__of_an_unknown_dialect() -> None:
    with unreadable("Did you mean gokart"):
        template("gokrat")


WORDS = b"a a-1 1.5 click_id payout conversion_id status sale outcome,message 2024-01-01T10:00 gk_click_id sep=".split()
PIECES = st.sampled_from(
    [
        *WORDS,
        b"ClickId,EventID,UserCompletedAt,Revenue,Reward",
        b"x" * 70_000,
        *(b",", b",", b";", b"\t", b"|", b" ", b'"', b'"', b"\n", b"\n", b"\r", b"\0", b"\x1f", b"\x1b"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", "é".encode(), b"\xe9"),
    ]
)


@given(
    st.lists(PIECES, max_size=30).map(b"".join),
    st.sampled_from(list(RowKind)),
    st.sampled_from([None, "latin-1", "utf-16"]),
    st.sampled_from([None, *DIALECTS]),
)
@tried(60)
def test_any_bytes__are_rows_or_a_plain_refusal(
    content: bytes, row_kind: RowKind, encoding: str | None, dialect: str | None
) -> None:
    message = ""
    try:
        reading = read(content, row_kind=row_kind, encoding=encoding, dialect=dialect)
    except UnreadableFile as error:
        message = in_words(error.remark)
    assert message.isprintable()
    if message:
        return
    lines = reading.rows["line"].to_list()
    assert lines == sorted(set(lines))
    assert set(reading.notes["line"]) <= set(lines)
    assert [line for line, _ in original_records(content, reading, lines)] == lines
    for frame in (reading.rows, reading.notes):
        texts = frame.select(pl.col(pl.String))
        assert not any(texts.null_count().row(0))
        assert "\0" not in "".join("".join(row) for row in texts.iter_rows())


def test_very_many_columns__cost_no_memory() -> None:
    titles = ",".join(["click_id", *(f"x{n}" for n in range(8_000))])
    reading = read(titles + "\n" + "a\n" * 200_000)
    assert len(refusals(reading)) == 200_000
    assert details(reading)[2] == "1 field found, 8001 expected"

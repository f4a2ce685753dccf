"""Files made to do harm, and damaged ones.

Run as a program it opens each, and says what came of it; with a folder, it writes them there instead.
"""

import gzip
import io
import json
import random
import resource
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from made import by_hand, locked_zip, lying_zip, ods, ole, overlapping_zip, workbook, xlsb, zipped

from trueup.cli.wording import in_words
from trueup.dialects.choices import Choices, UnreadableFile
from trueup.dialects.read import read_file
from trueup.workbooks.opening import opened

GOOD = [["click_id", "payout"], *[[f"k{number}", number / 4] for number in range(400)]]
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
DAMAGED = "damaged or cut off"


def _cut(content: bytes) -> bytes:
    return content[: len(content) * 3 // 4]


def _spoilt(content: bytes) -> bytes:
    spoilt = bytearray(content)
    generator = random.Random(4)  # noqa: S311 - damage needs no secrets
    for _ in range(60):
        spoilt[generator.randrange(600, len(spoilt))] = generator.randrange(256)
    return bytes(spoilt)


def _sample(name: str) -> bytes:
    return (Path(__file__).parent / "samples" / name).read_bytes()


def _cell(attributes: str, content: str = "<text:p>x</text:p>") -> str:
    return f'<table:table-cell {attributes} office:value-type="string">{content}</table:table-cell>'


def _twice() -> bytes:
    out = io.BytesIO(by_hand(""))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("xl/workbook.xml", "<other/>")
    return out.getvalue()


def _circle() -> bytes:
    made = bytearray(ole({"Workbook": bytes(5_000)}))
    table = len(made) - 512
    made[table : table + 8] = b"\x01\0\0\0\0\0\0\0"  # the first leads to the second, and that to the first
    return bytes(made)


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "cells in the first and the last place": (lambda: by_hand(FAR), "too much memory.*stray cell"),
    "shared strings that laugh": (lambda: by_hand("", shared=LAUGHS + "<sst>&b;</sst>"), "document type declaration"),
    "an external entity": (
        lambda: by_hand("", sheet='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet>&x;</worksheet>'),
        "document type declaration",
    ),
    "an external declaration": (
        lambda: by_hand("", workbook='<!DOCTYPE w SYSTEM "http://127.0.0.1/w.dtd"><workbook/>'),
        "document type declaration",
    ),
    "a declaration behind a long comment": (
        lambda: by_hand("", shared=f"<!--{'x' * (1 << 20)}-->{LAUGHS}<sst/>"),
        "document type declaration",
    ),
    "text in another encoding": (
        lambda: by_hand("", sheet="<worksheet/>".encode("utf-16")),
        DAMAGED,
    ),
    "a zip that unpacks to very much": (lambda: zipped({"a.csv": bytes(30 << 20)}), "more than 200 times"),
    "a gzip that unpacks to very much": (lambda: gzip.compress(bytes(30 << 20)), "more than 200 times"),
    "shared strings that unpack to very much": (
        lambda: by_hand("", strings=f"<si><t>{'a' * (30 << 20)}</t></si>"),
        "more than 200 times",
    ),
    "a size that is stated too small": (lambda: lying_zip(100, b"click_id\n" + bytes(1 << 20)), DAMAGED),
    "a size that is stated too large": (lambda: lying_zip(1 << 31, b"click_id\nk1\n"), "^$"),  # nothing is missing
    "a zip in a zip": (lambda: zipped({"a.zip": zipped({"b.zip": b"PK"})}), "another archive"),
    "a gzip in a gzip": (lambda: gzip.compress(gzip.compress(gzip.compress(b"x"))), "another archive"),
    "a gzip in a zip": (lambda: zipped({"a.csv": gzip.compress(b"x")}), "another archive"),
    "entries that overlap": (  # some versions of Python refuse the archive itself
        lambda: overlapping_zip(3_000, b"<x/>" + b" " * (1 << 20)),
        f"{DAMAGED}|more than 200 times",
    ),
    "very many entries": (lambda: overlapping_zip(60_000, b"<x/>"), "more than 5,000 parts"),
    "a part twice": (_twice, DAMAGED),
    "an .xlsx cut off": (lambda: _cut(workbook({"S": GOOD})), DAMAGED),
    "an .xlsx with other bytes": (lambda: _spoilt(workbook({"S": GOOD})), f"{DAMAGED}|in an unusual way"),
    "an .xlsb cut off": (lambda: _cut(xlsb(GOOD)), DAMAGED),
    "an .xls cut off": (lambda: _cut(_sample("libreoffice.xls")), DAMAGED),
    "an .ods cut off": (lambda: _cut(_sample("libreoffice.ods")), DAMAGED),
    "a gzip cut off": (lambda: _cut(gzip.compress(bytes(range(256)) * 40, 0)), DAMAGED),
    "a gzip with something behind it": (lambda: gzip.compress(b"click_id\nk1\n") + b"more", DAMAGED),
    "a zip with nothing but its beginning": (lambda: b"PK\x03\x04" + bytes(2_000), DAMAGED),
    "an OLE file with nothing but its beginning": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000), DAMAGED),
    "sectors that follow each other for ever": (_circle, f"{DAMAGED}|no sheet"),
    "rows and columns of .ods repeated": (
        lambda: ods(
            '<table:table-row table:number-rows-repeated="1048576">'
            + _cell('table:number-columns-repeated="16384"')
            + "</table:table-row>"
        ),
        f"too much memory|{DAMAGED}",
    ),
    "rows of .ods repeated": (
        lambda: ods(f'<table:table-row table:number-rows-repeated="99999999999">{_cell("")}</table:table-row>'),
        f"too much memory|{DAMAGED}|too long",
    ),
    "a shared string that is not there": (
        lambda: by_hand('<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>'),
        f"{DAMAGED}|no data",
    ),
    "cells without end": (
        lambda: by_hand('<row r="4294967295"><c r="ZZZZZZZ99999999999999"><v>1</v></c></row>'),
        "too much memory",
    ),
    "elements in elements": (lambda: by_hand("<row>" * 200_000), f"{DAMAGED}|no data"),
    "a password on an archive": (locked_zip, "archive has a password"),
    "a password on a workbook": (
        lambda: ole({"EncryptionInfo": bytes(200), "EncryptedPackage": bytes(5_000)}),
        "workbook has a password",
    ),
    "an archive packed in another way": (
        lambda: zipped({"a.csv": b"click_id\nk1\n"}, zipfile.ZIP_LZMA),
        "unusual way",
    ),
    "errors nobody can place": (
        lambda: by_hand('<row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row>'),
        "not certain which",
    ),
}


def said_of(content: bytes) -> str:
    """The message about a file, '' where it is read."""
    try:
        read_file(opened(content), Choices())
    except UnreadableFile as error:
        return in_words(error.remark)
    return ""


def main() -> None:
    if len(sys.argv) > 1:
        for place, (make, _) in enumerate(BOMBS.values()):
            Path(sys.argv[1], f"{place:02}").write_bytes(make())
        return
    told = {}
    for name, (make, _) in BOMBS.items():
        content = make()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said = said_of(content)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        told[name] = [said, grown, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()

"""`python -m trueup.workbooks.child`: open one packed file under limits, and stream what is in it.

It runs as a process of its own, because a workbook can make its reader take all memory, or abort. It reads the file
from its standard input. On its standard output it says one line of JSON, then the rows of the sheet as Arrow. A file of
text is unpacked into another file instead. What it asks of Trueup is little, so that it starts quickly.
"""

import gc
import json
import os
import resource
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from trueup.workbooks.archives import Measure, shown, unpack_gzip, unpack_zip, zip_archive
from trueup.workbooks.cells import records
from trueup.workbooks.limits import CPU_SECONDS, MEMORY_BYTES, NEEDED_TIMES, UNPACKED_BYTES
from trueup.workbooks.parts import Parts, checked_parts, workbook_kind
from trueup.workbooks.signs import GZIP, OLE, ZIP
from trueup.workbooks.troubles import CannotOpenError, Trouble

_BLOCK_ROWS: Final = 20_000
_NOTHING: Final[Mapping[int, str]] = {}
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Open the file. Returns: the exit code; 0 where all was said, be it that the file cannot be opened."""
    gc.disable()  # it lives for one file, and makes no cycles
    asked = json.loads(sys.argv[1])
    out = sys.stdout.buffer
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        _limit(0)
        with os.fdopen(0, "rb", closefd=False) as packed, os.fdopen(asked["unpacked"], "w+b") as unpacked:
            _open(packed, unpacked, asked["sheet"], out)
    except CannotOpenError as error:
        _say(out, {"trouble": error.trouble, "values": error.values})
    except MemoryError:
        _say(out, {"trouble": Trouble.MEMORY, "values": {}})
    except BrokenPipeError:  # nobody wants the rest
        os._exit(0)
    return 0


def _open(packed: BinaryIO, unpacked: BinaryIO, sheet: str | None, out: BinaryIO) -> None:
    """Say what is in a file: a text, which is in `unpacked` then, or the rows of a sheet."""
    size = os.fstat(packed.fileno()).st_size
    measure = Measure(size, UNPACKED_BYTES)
    sign = packed.read(len(OLE))
    packed.seek(0)
    if sign.startswith(OLE):
        _stream_sheet(packed, Parts("xls", size), sheet, out)
    elif sign.startswith(GZIP):
        unpack_gzip(packed, unpacked, measure)
        _open_unpacked(unpacked, sheet, out)
    else:
        with zip_archive(packed) as archive:
            kind = workbook_kind(archive)
            if not kind:
                unpack_zip(archive, unpacked, measure)
        if kind:
            _stream_zip(packed, sheet, out)
        else:
            _open_unpacked(unpacked, sheet, out)


def _open_unpacked(unpacked: BinaryIO, sheet: str | None, out: BinaryIO) -> None:
    """The same for what came out of an archive: it may be a workbook, but no further archive."""
    unpacked.flush()
    size = unpacked.seek(0, os.SEEK_END)
    unpacked.seek(0)
    sign = unpacked.read(len(OLE))
    unpacked.seek(0)
    if sign.startswith(OLE):
        _stream_sheet(unpacked, Parts("xls", size), sheet, out)
    elif sign.startswith(ZIP):
        with zip_archive(unpacked) as archive:
            if not workbook_kind(archive):
                raise CannotOpenError(Trouble.NESTED)
        _stream_zip(unpacked, sheet, out)
    elif sign.startswith(GZIP):
        raise CannotOpenError(Trouble.NESTED)
    else:
        _say(out, {"text": size})


def _stream_zip(file: BinaryIO, sheet: str | None, out: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    with zip_archive(file) as archive:
        parts = checked_parts(archive, workbook_kind(archive), Measure(size, UNPACKED_BYTES))
    _stream_sheet(file, parts, sheet, out)


def _stream_sheet(file: BinaryIO, parts: Parts, wanted: str | None, out: BinaryIO) -> None:
    """Read a sheet, and stream its rows."""
    import python_calamine  # noqa: PLC0415 - only here: an archive needs no such thing

    from trueup.workbooks.ole import refuse_other_documents  # noqa: PLC0415 - the same
    from trueup.workbooks.seen import seen_cells  # noqa: PLC0415 - the same
    from trueup.workbooks.sheets import chosen_sheet  # noqa: PLC0415 - the same

    if parts.kind == "xls":
        refuse_other_documents(file)
    _limit(parts.bytes)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(f"/proc/self/fd/{file.fileno()}")
        sheet = chosen_sheet(workbook, wanted)
    except python_calamine.PasswordError:
        raise CannotOpenError(Trouble.PASSWORD) from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK) from error
    except CannotOpenError:
        raise
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the reader met what it did not expect
            raise CannotOpenError(Trouble.DAMAGED_WORKBOOK) from error
        raise
    number = [one.name for one in workbook.sheets_metadata].index(sheet.name)
    try:
        seen = seen_cells(file, parts, sheet.name, number)
    except (ValueError, IndexError, KeyError, struct.error, SyntaxError) as error:  # the last is that of XML
        raise CannotOpenError(Trouble.DAMAGED_WORKBOOK) from error
    merged = len(sheet.merged_cell_ranges or ())
    _say(out, {"sheet": shown(sheet.name), "rows": sheet.total_height, "merged": merged})
    _stream_rows(sheet, seen, out)


def _stream_rows(sheet: Any, seen: Mapping[int, Mapping[int, str]], out: BinaryIO) -> None:  # noqa: ANN401 - its type would import the reader
    import pyarrow as pa  # noqa: PLC0415 - it is slow to import, and most troubles are found before

    schema = pa.schema([("line", pa.int64()), ("record", pa.large_string()), ("kinds", pa.large_string())])
    with pa.ipc.new_stream(pa.PythonFile(out, "w"), schema) as stream:
        for columns in _blocks(sheet, seen):
            stream.write_batch(pa.record_batch(list(columns), schema=schema))
    out.flush()


def _blocks(
    sheet: Any,  # noqa: ANN401 - the same
    seen: Mapping[int, Mapping[int, str]],
) -> Iterator[tuple[list[int], list[str], list[str]]]:
    """The records of a sheet that are not empty, in blocks: lines, records, kinds."""
    moments = lru_cache(1)(partial(_moments, sheet))
    left = sheet.start[1] if sheet.start else 0
    rows, first = iter(sheet.iter_rows()), 1
    while block := list(islice(rows, _BLOCK_ROWS)):
        places = {
            (line - first, column - left): text
            for line in (range(first, first + len(block)) if seen else ())
            for column, text in seen.get(line, _NOTHING).items()
            if 0 <= column - left < len(block[0])
        }
        found, kinds = records(block, moments, places)
        kept = [place for place, record in enumerate(found) if record]
        if kept:
            yield [first + place for place in kept], [found[place] for place in kept], [kinds[place] for place in kept]
        first += len(block)


def _moments(sheet: Any) -> frozenset[int]:  # noqa: ANN401 - the same
    """The columns in which some cell has a date and a time of day."""
    found: set[int] = set()
    for row in sheet.iter_rows():
        if datetime in map(type, row):
            found |= {column for column, cell in enumerate(row) if type(cell) is datetime}
    return frozenset(found)


def _limit(unpacked_bytes: int) -> None:
    """Bound memory by what a file of this size can need."""
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * _PAGE
    most = used + MEMORY_BYTES + unpacked_bytes * NEEDED_TIMES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _say(out: BinaryIO, told: Mapping[str, Any]) -> None:
    out.write(json.dumps(told).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # the process that asked ends, too
        sys.exit(main())

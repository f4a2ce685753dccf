"""`python -m trueup.workbooks.child`: open one packed file under limits, and stream what is in it.

It runs as a process of its own, because a workbook can make its reader take all memory, or abort. It reads the file
from its standard input. On its standard output it says one line of JSON, then the rows of the sheet as Arrow. A file of
text is unpacked into another file instead. What it asks of Trueup is little, so that it starts quickly.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from trueup.workbooks.archives import Measure, shown, unpack_gzip, unpack_zip, zip_archive
from trueup.workbooks.cells import Rows
from trueup.workbooks.limits import CPU_SECONDS, MEMORY_BYTES, NEEDED_TIMES, UNPACKED_BYTES
from trueup.workbooks.parts import Parts, checked_parts, workbook_kind
from trueup.workbooks.signs import GZIP, OLE, ZIP
from trueup.workbooks.troubles import CannotOpenError, Trouble

_BLOCK_ROWS: Final = 20_000
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Open the file. Returns: the exit code; 0 where all was said, be it that the file cannot be opened."""
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
    seen = seen_cells(file, parts, sheet.name, number)
    merged = len(sheet.merged_cell_ranges or ())
    _say(out, {"sheet": shown(sheet.name), "rows": sheet.total_height, "merged": merged})
    _stream_rows(sheet, seen, out)


def _stream_rows(sheet: Any, seen: Mapping[int, Mapping[int, str]], out: BinaryIO) -> None:  # noqa: ANN401 - its type would import the reader
    import pyarrow as pa  # noqa: PLC0415 - it is slow to import, and most troubles are found before

    schema = pa.schema([("line", pa.int64()), ("record", pa.large_string()), ("kinds", pa.large_string())])
    with pa.ipc.new_stream(pa.PythonFile(out, "w"), schema) as stream:
        for block in _blocks(sheet, seen):
            stream.write_batch(pa.record_batch([list(column) for column in zip(*block, strict=True)], schema=schema))
    out.flush()


def _blocks(sheet: Any, seen: Mapping[int, Mapping[int, str]]) -> Iterator[list[tuple[int, str, str]]]:  # noqa: ANN401 - the same
    """The records of a sheet that are not empty, in blocks: line, record, kinds."""
    rows = Rows()
    left = sheet.start[1] if sheet.start else 0
    block: list[tuple[int, str, str]] = []
    nothing: dict[int, str] = {}
    for line, row in enumerate(sheet.iter_rows(), start=1):
        more = seen.get(line, nothing)
        if more:
            more = {column - left: text for column, text in more.items() if 0 <= column - left < len(row)}
        if rows.moments is None and date in map(type, row):
            rows.moments = _moments(sheet)
        record, kinds = rows.record(row, more)
        if record:
            block.append((line, record, kinds))
            if len(block) == _BLOCK_ROWS:
                yield block
                block = []
    if block:
        yield block


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

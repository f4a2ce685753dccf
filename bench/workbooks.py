"""How long a full sheet takes to be read, beside the same rows as CSV and beside the reader of workbooks alone.

A sheet holds 1,048,576 rows, its titles included. Each is read in a process of its own, three times; the median counts.
"""

import argparse
import csv
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import xlsxwriter

ROWS = 1_048_575
TITLES = ("click_id", "payout", "transaction_id", "conversion_type", "status", "converted_at")
READS = {
    "csv": "from trueup.dialects.choices import Choices\nfrom trueup.dialects.read import read_file\n"
    "from trueup.workbooks.opening import opened\nread_file(opened(Path(sys.argv[1]).read_bytes()), Choices())",
    "calamine": "import python_calamine\n"
    "for row in python_calamine.load_workbook(sys.argv[1]).get_sheet_by_index(0).iter_rows(): pass",
}
READS["workbook"] = READS["csv"]


def make(rows: int, book: Path, text: Path) -> None:
    generator = random.Random(1)
    began = datetime(2026, 3, 1)  # noqa: DTZ001 - a workbook knows no zones
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    with xlsxwriter.Workbook(str(book), options) as workbook, text.open("w", newline="") as file:
        sheet, lines = workbook.add_worksheet(), csv.writer(file)
        sheet.write_row(0, 0, TITLES)
        lines.writerow(TITLES)
        for row in range(1, rows + 1):
            at = began + timedelta(seconds=generator.randrange(2_500_000))
            click_id, payout = f"c01{generator.getrandbits(36):09x}", generator.randrange(100, 9_000) / 100
            cells = (click_id, payout, f"T-{row}", "sale", "approved")
            for column, cell in enumerate(cells):
                (sheet.write_number if column == 1 else sheet.write_string)(row, column, cell)
            sheet.write_datetime(row, len(cells), at)
            lines.writerow([*cells, at.isoformat(sep=" ")])


def seconds(read: str, file: Path) -> float:
    """The median of three runs, without the start of Python."""
    code = f"import sys, time\nfrom pathlib import Path\nbegan = time.monotonic()\n{READS[read]}\n"
    taken = []
    for _ in range(3):
        ran = subprocess.run(
            [sys.executable, "-c", f"{code}print(time.monotonic() - began)", str(file)],
            check=True,
            capture_output=True,
            text=True,
        )
        taken.append(float(ran.stdout))
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        book, text = Path(folder) / "rows.xlsx", Path(folder) / "rows.csv"
        began = time.monotonic()
        make(rows, book, text)
        print(f"{rows:,} rows made in {time.monotonic() - began:.0f} s; .xlsx {book.stat().st_size >> 20} MB")
        taken = {read: seconds(read, text if read == "csv" else book) for read in READS}
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    for read, took in taken.items():
        print(f"{read:9} {took:6.1f} s   {took / taken['csv']:5.2f} times the CSV")
    ratio = taken["workbook"] / (2 * taken["csv"] + taken["calamine"])
    print(f"the workbook to twice the CSV and calamine's own read: {ratio:.2f}; most memory of a process: {most} MB")


if __name__ == "__main__":
    main()

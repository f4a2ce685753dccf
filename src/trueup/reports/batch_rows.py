"""The rows of one batch: what they came to, what they come to now, and the refused ones ready to be mended."""

import csv
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple, TextIO

import polars as pl

from trueup.decide.messages import MESSAGE_COLUMNS, message_of
from trueup.ledger.batches import read_rows
from trueup.ledger.database import Readable
from trueup.ledger.lines import Lines
from trueup.ledger.pages import rows_of_batch
from trueup.ledger.past import rows_decided_again
from trueup.ledger.sorted_postbacks import ROWS_SORTED_BY, sorted_rows
from trueup.ledger.sorting import LEAST, SORTED_MOST, Asked, Place, Sort, SortedPage, page_of_few
from trueup.model.batches import BatchRecord
from trueup.model.frames import JournalRows, RowOutcomes
from trueup.model.ids import conversion_id
from trueup.model.money import text_from_micros
from trueup.model.spreadsheet import defused
from trueup.model.times import local_time_text, time_text
from trueup.model.visible import on_one_line
from trueup.model.words import BatchKind, Outcome
from trueup.reports.now import with_messages_and_now
from trueup.workbooks.writing import Cells, write_workbook

IN_ORDER: Final = Sort("line", goes_down=False)
SORTS: Final = (IN_ORDER.by, *ROWS_SORTED_BY)
ROW_PLACE_KINDS: Final = {"payout": (int, int), "click_id": (str, int), "status": (str, int)}  # with their lines
COUNTED_MOST: Final = 200_000  # rows of a batch whose outcomes now are counted
_PAGE: Final = 10_000
_FAR: Final = 2**62  # after all lines
_DIGITS: Final = 18
_COUNTED: Final = "counted"  # the place of a row that was decided again
_UNREADABLE: Final = "?"  # so that nothing is guessed where a cell could not be read
_COLUMNS: Final = ["batch_id", "line", *MESSAGE_COLUMNS]
TITLES: Final = (
    "click_id", "conversion_id", "conversion_type", "transaction_id", "event_id", "status", "payout", "currency",
    "converted_at", "outcome", "message", "record",
)  # fmt: skip


def first_rows(database: Readable, batch: BatchRecord, outcomes: Sequence[str], most: int) -> pl.DataFrame:
    """The first rows of a batch, or those of some outcomes: JOURNAL, NOW and `message`."""
    if batch.kind is BatchKind.DECIDE_AGAIN:
        rows = rows_decided_again(database, batch.batch_id)
        chosen = rows.filter(pl.col("outcome").is_in(list(outcomes))) if outcomes else rows
        found = JournalRows(chosen.head(most))
    else:
        found = rows_of_batch(database, Lines(), batch, outcomes, -1, most)
    return with_messages_and_now(database, found)


class BatchRows(NamedTuple):
    """A page of a batch's rows."""

    rows: pl.DataFrame  # JOURNAL, NOW and `message`
    next: str  # by line: the cut where the next page in the same direction begins; '' on the last one
    sort: Sort  # the one it was read in: by line where too many rows match for another
    page: SortedPage | None = None  # by something else: the page, with its places


def read_batch_rows(
    database: Readable, lines: Lines, batch: BatchRecord, outcomes: Sequence[str], sort: Sort, asked: Asked
) -> BatchRows:
    """Read a page of a batch's rows. Those that were decided again are counted, not lined.

    Args:
        database: The ledger.
        lines: The remembered order of large batches.
        batch: The batch as it is now.
        outcomes: The outcomes to look for; none for all.
        sort: By what, of SORTS.
        asked: Which page. By line, a place is a cut: `next` of a page beside it. One of another sort is the beginning.
    """
    matching = sum(batch.outcomes.get(each, 0) for each in outcomes) if outcomes else batch.rows_done
    if sort.by != IN_ORDER.by and matching > SORTED_MOST:
        sort = IN_ORDER
    if sort.by != IN_ORDER.by:
        page = _sorted(database, batch, outcomes, sort, asked.of_places(len(ROW_PLACE_KINDS[sort.by])))
        return BatchRows(with_messages_and_now(database, JournalRows(page.rows)), "", sort, page)
    cut = _line_of(asked.place)
    is_before = asked.is_before and cut is not None
    goes_back = sort.goes_down is not is_before
    after = (_FAR if goes_back else -1) if cut is None else cut
    found = _by_line(database, lines, batch, outcomes, after, asked.most + 1, goes_back)
    shown = found.head(asked.most)
    following = ""
    if found.height > asked.most:
        following = str(shown[_COUNTED if _COUNTED in shown.columns else "line"][-1] - goes_back)
    shown = shown.drop(_COUNTED, strict=False)
    return BatchRows(
        with_messages_and_now(database, JournalRows(shown.reverse() if is_before else shown)), following, sort
    )


def _line_of(place: Place | None) -> int | None:
    """The line that a cut is after; None where it is none."""
    text = str(place[0]) if place and len(place) == 1 else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _by_line(
    database: Readable,
    lines: Lines,
    batch: BatchRecord,
    outcomes: Sequence[str],
    after: int,
    most: int,
    goes_back: bool,
) -> pl.DataFrame:
    if batch.kind is not BatchKind.DECIDE_AGAIN:
        return rows_of_batch(database, lines, batch, outcomes, after, most, goes_back=goes_back)
    every = _decided_again(database, batch, outcomes).with_row_index(_COUNTED).cast({_COUNTED: pl.Int64})
    beside = every.filter(pl.col(_COUNTED) <= after if goes_back else pl.col(_COUNTED) > after)
    return (beside.reverse() if goes_back else beside).head(most)


def _sorted(database: Readable, batch: BatchRecord, outcomes: Sequence[str], sort: Sort, asked: Asked) -> SortedPage:
    if batch.kind is not BatchKind.DECIDE_AGAIN:
        return sorted_rows(database, batch.batch_id, outcomes, sort, asked)
    column = pl.col("payout").fill_null(LEAST) if sort.by == "payout" else pl.col(sort.by)
    every = _decided_again(database, batch, outcomes).with_row_index(_COUNTED).with_columns(of_sort=column)
    page = page_of_few(every, ["of_sort", _COUNTED], sort, asked)
    return page._replace(rows=page.rows.drop(_COUNTED, "of_sort"))


def _decided_again(database: Readable, batch: BatchRecord, outcomes: Sequence[str]) -> JournalRows:
    rows = rows_decided_again(database, batch.batch_id)
    return JournalRows(rows.filter(pl.col("outcome").is_in(list(outcomes)))) if outcomes else rows


def outcomes_now(database: Readable, batch: BatchRecord) -> pl.DataFrame:
    """Count the rows of a batch by their outcome, as it was recorded and as it is now.

    Returns:
        outcome, outcome_now ('' where it is the same), rows, and `line` and `message` of the first.
    """
    again = batch.kind is BatchKind.DECIDE_AGAIN
    rows: JournalRows | RowOutcomes
    rows = rows_decided_again(database, batch.batch_id) if again else read_rows(database, batch.batch_id, _COLUMNS)
    counted = with_messages_and_now(database, rows).group_by("outcome", "outcome_now")
    firsts = (pl.col(name).sort_by("line").first() for name in ("line", "message", "message_now"))
    return counted.agg(*firsts, rows=pl.len()).sort("rows", "outcome", "outcome_now", descending=[True, False, False])


def write_refused_again(database: Readable, batch: BatchRecord, out: TextIO) -> int:
    """Write the refused rows of a batch as CSV: `refused_again` says how.

    Returns:
        How many rows were written.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(TITLES)
    written = 0
    for record in refused_again(database, batch):
        writer.writerow(record)
        written += 1
    return written


def write_refused_again_xlsx(database: Readable, batch: BatchRecord, out: BinaryIO) -> int:
    """Write the same as a workbook whose cells are all text. Raises: OSError, where none can hold it."""
    return write_workbook("refused", TITLES, [Cells.TEXT] * len(TITLES), refused_again(database, batch), out)


def refused_again(database: Readable, batch: BatchRecord) -> Iterator[list[str]]:
    """Find the refused rows of a batch as the journal has them, each with its outcome, message and record.

    A payout or a time that could not be read is `?`, so that nothing is taken in its place before a person mends it.

    Args:
        database: The ledger.
        batch: The batch.

    Yields:
        The cells of each, below TITLES.
    """
    for rows in _refused_pages(database, batch):
        yield from map(_record, rows.with_columns(message=message_of(rows)).iter_rows(named=True))


def _refused_pages(database: Readable, batch: BatchRecord) -> Iterator[pl.DataFrame]:
    lines, after = Lines(), -1
    refused = [outcome.value for outcome in Outcome if outcome.refused]
    while True:
        page = rows_of_batch(database, lines, batch, refused, after, _PAGE)
        yield page
        if page.height < _PAGE:
            return
        after = page["line"][-1]


def _record(row: dict[str, object]) -> list[str]:
    texts = {name: str(row.get(name) or "") for name in TITLES}
    target, payout, exact, local = (row[name] for name in ("target_n", "payout", "converted_at", "local_time"))
    if isinstance(target, int) and target:
        texts["conversion_id"] = conversion_id(texts["click_id"], target)
    if isinstance(payout, int):
        texts["payout"] = text_from_micros(payout)
    elif row["outcome"] == Outcome.REFUSED_BAD_PAYOUT:
        texts["payout"] = _UNREADABLE
    if isinstance(exact, int):
        texts["converted_at"] = time_text(exact)
    elif isinstance(local, int):
        texts["converted_at"] = local_time_text(local)
    elif row["outcome"] == Outcome.REFUSED_BAD_TIME:
        texts["converted_at"] = _UNREADABLE
    texts["message"], texts["record"] = on_one_line(texts["message"]), str(row["raw"])
    words = [name for name in TITLES if name not in ("payout", "converted_at")]
    return list(pl.DataFrame([texts]).with_columns(defused(pl.col(name)).alias(name) for name in words).row(0))

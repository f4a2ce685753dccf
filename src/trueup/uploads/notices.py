"""What a person must know of a file before it counts: said at the top of its preview, from the most general down."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Final

from trueup.dialects.names import listed, normalised, quoted_title
from trueup.dialects.read import original_records
from trueup.ledger.batches import undone_batches, undos_of
from trueup.ledger.database import Database
from trueup.ledger.snapshot import known_clicks
from trueup.model.batches import BatchRecord
from trueup.model.currencies import parted
from trueup.model.ids import CLICK_ID
from trueup.model.money import amount, ungrouped
from trueup.model.remarks import Notice, NoticeCode, Remark, Way, remark_of_message
from trueup.model.times import time_text
from trueup.model.words import ModeFrom, Outcome, RowKind
from trueup.recording.summary import WHY, Summary, modes_in_order
from trueup.uploads.conversions import Upload
from trueup.uploads.same_file import Earlier, earlier_batches

_SAMPLED: Final = 50  # rows in which another column's values are compared with the clicks
_UNKNOWN: Final = (Outcome.REFUSED_UNKNOWN_CLICK.value, Outcome.PARKED_UNKNOWN_CLICK.value)
_NEW: Final = (Outcome.CREATED.value, Outcome.PARKED_UNKNOWN_CLICK.value)


def notices_of(database: Database, upload: Upload, preview: Summary) -> tuple[Notice, ...]:
    """Say what a person must know before a file is applied.

    Args:
        database: The ledger.
        upload: The file that was read.
        preview: What applying it would do.

    Returns:
        What is to be said, in order.
    """
    earlier = earlier_batches(database, upload.kind, upload.sha256)
    said = {
        NoticeCode.SAME_FILE: same_file(database, earlier),
        NoticeCode.DATED_NOW: _dated_now(upload, preview),
        NoticeCode.NO_PAYOUT: _no_payout(upload, preview),
        NoticeCode.MOSTLY_REFUSED: _mostly_refused(preview),
        NoticeCode.IDS_OF_ANOTHER_COLUMN: _ids_of_another_column(database, upload, preview),
        NoticeCode.CONVERSION_IDS_UNKNOWN: _conversion_ids_unknown(preview),
        NoticeCode.DUPLICATE_MODES: _duplicate_modes(preview),
    }
    return tuple(Notice(code, remark) for code, remark in said.items() if remark)


def same_file(database: Database, earlier: Earlier) -> Remark:
    """Say when the same content was applied before, and whether that was undone. Nothing where it is new."""
    last = earlier.last
    if last is None:
        return ""
    when = f"batch {last.batch_id}, {time_text(last.received_at)} by {last.made_by}"
    return f"This very file was uploaded before: {when}.{_undone(database, last)}"


def _undone(database: Database, batch: BatchRecord) -> str:
    if batch.batch_id not in undone_batches(database):
        return ""
    return f" That upload was undone, by batch {undos_of(database, batch.batch_id)[-1].batch_id}."


def _dated_now(upload: Upload, preview: Summary) -> Remark:
    """Say that nothing gives the time, so that all is dated with the moment of the upload."""
    rows, reading = upload.reading.rows, upload.reading
    given = [rows[name] for name in ("converted_at", "local_time") if name in rows.columns]
    dated = sum(preview.outcomes.get(outcome, 0) for outcome in _NEW)
    if upload.row_kind is not RowKind.CONVERSION or not dated or any(each.null_count() < rows.height for each in given):
        return ""
    times = [title for title in _unused(upload).values() if {"time", "date", "timestamp"} & _words(title)]
    unused = f" (not used: {listed(times)})" if times else ""
    count = f"All {dated:,} conversions" if dated > 1 else "The one conversion"
    if "converted_at" in reading.reader.columns.positions:
        return f"{count} will be dated now: no row gives its time{unused}."
    told = f"{count} will be dated now: no column gives the time{unused}."
    own = [title for title in times if not {"click", "visit"} & _words(title)]
    if not own:
        return told
    return (f"{told} Say which it is with ", Way.COLUMN.of(title=quoted_title(own[0]), field="converted_at"), ".")


def _no_payout(upload: Upload, preview: Summary) -> Remark:
    """Say that no column gives the payout, and which unused ones have amounts."""
    columns, unused = upload.reading.reader.columns, _unused(upload)
    if upload.row_kind is not RowKind.CONVERSION or not upload.reading.has_titles or "payout" in columns.positions:
        return ""
    own = {place: title for place, title in unused.items() if place not in columns.reasons}
    amounts = [own[place] for place, values in _values(upload, {*own}).items() if _are_amounts(values)]
    new = sum(preview.outcomes.get(outcome, 0) for outcome in _NEW)
    not_used = f" (not used: {listed(amounts)})" if amounts else ""
    if new:
        count = f"All {new:,} new conversions" if new > 1 else "The one new conversion"
        told = f"{count} will get the offer's payout, or none: no column gives the payout{not_used}."
    elif amounts and preview.refused < preview.rows:
        told = f"No payout will change: no column gives the payout{not_used}."
    else:
        return ""
    if amounts:
        shown = quoted_title(amounts[0])
        return (f"{told} If it is {shown}, say so with ", Way.COLUMN.of(title=shown, field="payout"), ".")
    return (f"{told} Say which one does with ", Way.COLUMN.of(title="COLUMN", field="payout"), ".") if own else told


def _are_amounts(texts: Collection[str]) -> bool:
    """Whether texts look like money: all are amounts, and one has decimals or a currency."""
    return all(map(_is_amount, texts)) and any(re.search("[^0-9+-]", text) for text in texts)


def _is_amount(text: str) -> bool:
    number = parted(text).number
    readings = ungrouped(number), ungrouped(number, decimal_comma=True).replace(",", ".")
    return any(amount(reading) is not None for reading in readings)


def _words(title: str) -> set[str]:
    name = normalised(title)
    return set(name.replace("/", "_").split("_")) | {end for end in ("time", "date", "timestamp") if name.endswith(end)}


def _unused(upload: Upload) -> Mapping[int, str]:
    """The columns that are no field: position -> title. None where the file has no titles."""
    columns = upload.reading.reader.columns
    if not upload.reading.has_titles:
        return {}
    titles = dict(zip(columns.places, columns.titles, strict=True))
    used = {*columns.positions.values(), *columns.kept.values()}
    return {place: title for place, title in titles.items() if title and place not in used}


def _mostly_refused(preview: Summary) -> Remark:
    """Say that half of the rows or more are refused, and the cause that most of them share."""
    refused = {code: rows for code, rows in preview.outcomes.items() if code.startswith("refused_")}
    if not refused or 2 * preview.refused < preview.rows:
        return ""
    code = max(refused, key=refused.__getitem__)
    first = preview.samples.filter(outcome=code).head(1)
    main = f"most of them are {code} ({refused[code]:,})" if len(refused) > 1 else f"they are {code}"
    told = f"{preview.refused:,} of {preview.rows:,} rows are refused; {main}."
    if not first.height:
        return told
    return (f"{told} Line {first['line'][0]}: ", *remark_of_message(first["message"][0]))


def _ids_of_another_column(database: Database, upload: Upload, preview: Summary) -> Remark:
    """Say that none of the click ids is known, and that another column's values are."""
    unknown = sum(preview.outcomes.get(outcome, 0) for outcome in _UNKNOWN)
    others = _unused(upload)
    positions = upload.reading.reader.columns.positions
    if not unknown or 2 * unknown < preview.rows or not others or "click_id" not in positions:
        return ""
    own = positions["click_id"]
    values = {place: set(filter(CLICK_ID.fullmatch, found)) for place, found in _values(upload, {*others, own}).items()}
    known = set(known_clicks(database, sorted(set().union(*values.values()))))
    if values[own] & known:
        return ""
    best = max(others, key=lambda place: len(values[place] & known))
    if not values[best] & known:
        return ""
    titles = dict(zip(upload.reading.reader.columns.places, upload.reading.reader.columns.titles, strict=True))
    mine, theirs = quoted_title(titles[own]), quoted_title(others[best])
    return (
        f'None of the ids in "{mine}" is a click here, but those in "{theirs}" are. Take them with ',
        Way.COLUMN.of(title=quoted_title(others[best]), field="click_id"),
        ".",
    )


def _values(upload: Upload, places: set[int]) -> dict[int, set[str]]:
    """What some columns of the first rows hold, trimmed."""
    found: dict[int, set[str]] = {place: set() for place in sorted(places)}
    lines = upload.reading.rows["line"].head(_SAMPLED)
    for fields in _first(upload, lines.to_list()):
        for place, value in zip(upload.reading.reader.columns.places, fields, strict=False):
            if place in places and value.strip():
                found[place].add(value.strip())
    return found


def _first(upload: Upload, lines: list[int]) -> Iterator[list[str]]:
    for _, fields in islice(original_records(upload.content, upload.reading, lines), len(lines)):
        yield fields


def _conversion_ids_unknown(preview: Summary) -> Remark:
    if not preview.conversion_ids_unknown:
        return ""
    return (
        "None of the file's conversion ids is known here. If they are of another ledger, ",
        Way.WITHOUT_CONVERSION_IDS.of(),
        " leaves them out, and the rows are ordinary rows.",
    )


def _duplicate_modes(preview: Summary) -> Remark:
    """Say which duplicate modes act, and why."""
    if not preview.modes:
        return ""
    modes = "; ".join(
        f"{rows:,} {'row acts' if rows == 1 else 'rows act'} by {mode}, because {WHY[ModeFrom(mode_from)]}"
        for (mode, mode_from), rows in modes_in_order(preview)
    )
    return (f"{modes}. Another mode is chosen with ", Way.DUPLICATES.of(), ".")

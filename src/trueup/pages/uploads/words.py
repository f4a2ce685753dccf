"""A batch in the words of pages: what it is called, and what can be done with it now."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request

from trueup.model.upload import AT_WORK
from trueup.model.words import BatchKind, BatchState, Origin, UploadState
from trueup.pages.shell.formats import count
from trueup.pages.shell.words import words_of
from trueup.pages.upload.words import KINDS as FILE_KINDS
from trueup.recording.summary import in_order
from trueup.reports.batch_list import BatchItem

KINDS: Final = {
    BatchKind.UPLOAD: "Conversions",
    BatchKind.UPDATE_STATUS: "Statuses",
    BatchKind.POSTBACKS: "Postbacks",
    BatchKind.CLICKS: "Clicks",
    BatchKind.LATE_CLICKS: "Late clicks",
    BatchKind.UNDO: "Undo",
    BatchKind.DECIDE_AGAIN: "Decided again",
}
ORIGINS: Final = {
    Origin.POSTBACK: "Postback",
    Origin.PIXEL: "Pixel",
    Origin.UPLOAD: "Upload",
    Origin.API: "API",
    Origin.PAGE: "Page",
    Origin.CLI: "Command line",
    Origin.UNDO: "Undo",
    Origin.REDIRECT: "Redirect",
}
_NUMBER_DIGITS: Final = 18
_TAKE_ROWS: Final = (BatchKind.POSTBACKS, BatchKind.LATE_CLICKS)
_UPLOADED: Final = (BatchKind.UPLOAD, BatchKind.UPDATE_STATUS, BatchKind.CLICKS)


_GROUPS: Final = (
    ("changed", "circle-plus", "neutral", ("created", "updated", "added_to_payout", "imported")),
    ("the same", "circle-minus", "neutral", ("unchanged", "ignored_duplicate", "ignored_status", "known", "repeated")),
    ("waiting", "clock", "pending", ("parked_unknown_click",)),
)


class OutcomeGroup(NamedTuple):
    """Outcomes that mean the same to who looks over many batches."""

    text: str
    icon: str
    tone: str
    rows: int
    each: str  # the outcomes one by one


def groups_of(outcomes: Mapping[str, int]) -> list[OutcomeGroup]:
    """Count the outcomes of a batch by what they mean; refused is what is in no other group."""
    known = {outcome for group in _GROUPS for outcome in group[3]}
    refused = ("refused", "circle-x", "declined", tuple(outcome for outcome in outcomes if outcome not in known))
    found = []
    for text, icon, tone, members in (*_GROUPS, refused):
        counted = {outcome: outcomes[outcome] for outcome in members if outcomes.get(outcome)}
        if counted:
            each = ", ".join(f"{count(rows)} {words_of(outcome).lower()}" for outcome, rows in counted.items())
            found.append(OutcomeGroup(text, icon, tone, sum(counted.values()), each))
    return found


def as_shown(item: BatchItem) -> dict[str, Any]:
    """A batch, or a sent file that is none yet, as templates show it."""
    batch, file = item.batch, item.file
    kind = _kind(item)
    return {
        "number": batch.batch_id if batch else None,
        "upload_id": file.upload_id if file else "",
        "place": f"/uploads/{batch.batch_id}" if batch else f"/upload/{file.upload_id}" if file else "",
        "title": _title(item, kind),
        "state": item.state,
        "state_text": "Open" if _is_open(item) else "",
        "groups": groups_of(batch.outcomes) if batch else [],
        "at": item.at,
        "kind": kind,
        "undoes": batch.undoes if batch else None,
        "file_name": item.file_name,
        "made_by": item.made_by,
        "outcomes": in_order(dict(batch.outcomes)) if batch else {},
        "rows": batch.rows_done if batch else 0,
        "rows_total": batch.rows_total if batch else 0,
        "of_clicks": batch is not None
        and batch.kind in (BatchKind.UNDO, BatchKind.DECIDE_AGAIN, BatchKind.LATE_CLICKS),
        "money": item.added.revenue,
        "pending": item.added.pending_revenue,
        "declined": item.added.declined_revenue,
        "conversions": item.added.conversions,
        "origin": ORIGINS[batch.origin] if batch else ORIGINS[file.origin] if file else "",
        "undone_by": item.undone_by,
        "is_at_work": _is_at_work(item),
        "acts": acts_of(item),
    }


def acts_of(item: BatchItem) -> frozenset[str]:
    """What can be done with it now: resume, cancel, undo, redo, download, look."""
    batch, file = item.batch, item.file
    acts = set()
    if file is not None and file.can_go_on:
        acts.add("resume")
    if file is not None and file.state not in (UploadState.DONE, UploadState.CANCELLED):
        acts.add("cancel")
    if file is not None and batch is not None and batch.kind in _UPLOADED:
        acts.add("download")
    if batch is not None and batch.kind is not BatchKind.LATE_CLICKS:
        if item.undone_by is not None:
            acts.add("redo")
        elif item.state != "undone":
            acts.add("undo")
    return frozenset(acts)


def _is_open(item: BatchItem) -> bool:
    return item.state == BatchState.RUNNING.value and item.batch is not None and item.batch.kind in _TAKE_ROWS


def _is_at_work(item: BatchItem) -> bool:
    """Whether it changes by itself before long; a batch of postbacks is open for an hour and is not at work."""
    if item.batch is not None:
        return item.batch.state is BatchState.RUNNING and item.batch.kind not in _TAKE_ROWS
    return item.file is not None and item.file.state in AT_WORK


def _kind(item: BatchItem) -> str:
    if item.batch is not None:
        undone = f" of batch {item.batch.undoes}" if item.batch.undoes else ""
        return f"{KINDS[item.batch.kind]}{undone}"
    return FILE_KINDS[item.file.choices.kind][0] if item.file else ""


def _title(item: BatchItem, kind: str) -> str:
    if item.batch is None:
        return item.file_name or "A file"
    name = f": {item.file_name}" if item.file_name else ""
    return f"Batch {item.batch.batch_id}, {kind[0].lower()}{kind[1:]}{name}"


def number_of(request: Request) -> int:
    """The number in a batch's path.

    Raises:
        HTTPException: It is none.
    """
    text = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS):
        raise HTTPException(404)
    return int(text)

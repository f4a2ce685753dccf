"""Rows of the past decided again under the settings of today: chosen, previewed, applied. Then it is a batch."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.ledger.batches import BatchMovedError, batches_of_choices, read_batch
from trueup.ledger.database import Database
from trueup.live.again_previews import again_preview, begin_again_preview, forget_again_preview
from trueup.live.context import ServerContext
from trueup.live.kept_previews import KeptPreview
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.batches import BatchRecord
from trueup.model.past import PastRows
from trueup.model.words import DEFAULT_TYPE, BatchKind, BatchState, Origin, Outcome, Role
from trueup.pages.forms import read_form
from trueup.pages.gate import PageRoute
from trueup.pages.lists.period import ALL_TIME, Period, period_of
from trueup.pages.lists.query import Filter, Query
from trueup.pages.rendering import Basis, View, pages_of, render
from trueup.pages.shell.toasts import Toast, with_toast
from trueup.pages.shell.words import chip_of
from trueup.pages.upload.begin import WAIT_SECONDS, name_of
from trueup.pages.upload.figures import figures_of
from trueup.pages.upload.words import in_words, message_in_words
from trueup.recording.decide_again import unfinished
from trueup.reports.filters import Filters, past_rows
from trueup.reports.spans import WrongWordError
from trueup.uploads.jobs import Asker

PATH: Final = "/postbacks/decide-again"
_GOOD_FOR_MICROS: Final = 60 * 1_000_000
_DIGITS: Final = 18  # of a number that a database holds
_FIELDS: Final = ("outcome", "network", "type", "batch", "line", "from", "to")
# What no settings of today make another: it stands in the row itself, or was decided once at the door.
_STAYS: Final = Outcome.REFUSED_TOO_MANY_ROWS


@dataclass(frozen=True)
class _Stand:
    """How deciding some rows again stands."""

    chosen: PastRows | None  # None: nothing is said yet
    period: Period
    mistake: str = ""
    preview: KeptPreview | None = None
    running: BatchRecord | None = None
    is_about_to: bool = False  # this process is about to begin it
    last: BatchRecord | None = None  # the last batch that did the same


def may_change(row: dict[str, Any]) -> bool:
    """Whether other settings can make a row of `PostbackList.rows` come to something else."""
    return bool(row["refusal"] == "" and row["outcome"] != _STAYS and row["is_known"])


async def show(request: Request) -> Response:
    """Show which rows are meant, and what deciding them again would come to."""
    stand = await _stand(request)
    context = pages_of(request).context
    if stand.chosen and stand.chosen.batch_id and not _is_at_work(stand) and _is_old(stand.preview, context.clock()):
        await _preview(context, stand.chosen)  # so few rows that nobody has to ask for it
        stand = await _stand(request)
    return await _shown(request, stand)


async def act(request: Request) -> Response:
    """Preview it, or apply what was previewed."""
    sent, stand = await read_form(request), await _stand(request)
    context = pages_of(request).context
    if stand.chosen is None:
        return await _shown(request, stand, 422)
    if sent.get("act") != "apply":
        await _preview(context, stand.chosen)
        return RedirectResponse(Query(request).url(), 303)
    if stand.preview is None or sent.get("previewed_at") != str(stand.preview.made_at):
        return await _shown(
            request, stand, 409, "Meanwhile the preview changed. Look at it as it is now, then apply it."
        )
    work = asyncio.wrap_future(jobs_of(context).decide_again(stand.chosen, Asker(name_of(request), Origin.PAGE)))
    if await waited(context, work, 2 * WAIT_SECONDS):
        forget_again_preview(context, stand.chosen)
        if isinstance(work.exception(), BatchMovedError):
            return await _shown(request, await _stand(request), 409, "Another program does the same just now.")
    after = stand.last.batch_id if stand.last else 0
    made = await pages_of(request).look(partial(_last, chosen=stand.chosen, after=after))
    if made is None:
        return RedirectResponse(Query(request).url(), 303)
    place = f"/uploads/{made.batch_id}"
    said = Toast(f"Decided again as batch {made.batch_id}.", f"{place}?undo", "Undo…")
    return with_toast(request, RedirectResponse(place, 303), said)


def _is_old(preview: KeptPreview | None, now: int) -> bool:
    """Whether a preview has to be made, or made anew."""
    return preview is None or (preview.summary is not None and preview.made_at < now - _GOOD_FOR_MICROS)


def _last(database: Database, chosen: PastRows, after: int = 0) -> BatchRecord | None:
    same = batches_of_choices(database, BatchKind.DECIDE_AGAIN, chosen.text)
    return next((batch for batch in reversed(same) if batch.batch_id > after), None)


def _is_at_work(stand: _Stand) -> bool:
    return stand.running is not None or stand.is_about_to


async def _preview(context: ServerContext, chosen: PastRows) -> None:
    await waited(context, asyncio.wrap_future(begin_again_preview(context, chosen)), WAIT_SECONDS)


async def _stand(request: Request) -> _Stand:
    pages, query = pages_of(request), Query(request)
    context = pages.context
    zone = context.catalog.workspace.time_zone
    period = period_of(query, zone, context.clock(), ALL_TIME)
    try:
        chosen = _chosen(query, period, context)
    except WrongWordError as error:
        is_said = any(query.one(name) for name in _FIELDS)
        return _Stand(None, period, in_words(error.remark) if is_said else "")

    def look(database: Database) -> _Stand:
        if chosen.batch_id is not None and read_batch(database, chosen.batch_id) is None:
            raise HTTPException(404)
        return _Stand(
            chosen,
            period,
            preview=again_preview(context, chosen),
            running=unfinished(database, chosen),
            is_about_to=jobs_of(context).is_deciding(chosen),
            last=_last(database, chosen),
        )

    return await pages.look(look)


def _chosen(query: Query, period: Period, context: ServerContext) -> PastRows:
    """The rows that a URL means. Raises: WrongWordError: A word of it is not known, or nothing is said."""
    catalog = context.catalog
    batch, lines = _number(query.one("batch"), "batch"), [_number(text, "line") for text in query.all("line")]
    filters = Filters(period.from_, period.to, type=query.all("type"), network=query.all("network"), batch=batch)
    zone = catalog.workspace.time_zone
    meant = past_rows(filters, query.all("outcome"), catalog, zone, context.clock())
    if lines and batch is None:
        raise WrongWordError("A line is one of a batch: say which.")
    return PastRows(**{**vars(meant), "lines": tuple(line for line in lines if line is not None)})


def _number(text: str, what: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise WrongWordError(f"A {what} is a number; {text!r} is none.")
    return int(text)


def filters_of(request: Request) -> list[Filter]:
    """What rows of the past can be chosen by."""
    catalog = pages_of(request).context.catalog
    types = dict.fromkeys((DEFAULT_TYPE, *catalog.conversion_types))
    return [
        Filter("outcome", "Decided as", [(each.value, chip_of(each).text) for each in reversed(Outcome)]),
        Filter("network", "Network", [(name, name) for name in catalog.affiliate_networks]),
        Filter("type", "Type", [(name, name) for name in types]),
        Filter("batch", "Batch"),
    ]


async def _shown(request: Request, stand: _Stand, status: int = 200, trouble: str = "") -> Response:
    catalog = pages_of(request).context.catalog
    zone, currency = catalog.workspace.time_zone, catalog.workspace.currency
    summary = stand.preview.summary if stand.preview else None
    view = View(
        "postbacks/again.html",
        "Decide again",
        Basis(zone, currency, stand.period.text),
        part="postbacks/_again.html",
        status=status,
    )
    return await render(
        request,
        view,
        query=Query(request),
        stand=stand,
        period=stand.period,
        filters=filters_of(request),
        figures=figures_of(summary, catalog, is_undo=True) if summary else None,
        summary=summary,
        turned=summary.turned.to_json() if summary and summary.turned else [],
        mistake=trouble or stand.mistake,
        is_at_work=_is_at_work(stand) or bool(stand.preview and summary is None),
        was_done=stand.last if stand.last and stand.last.state is not BatchState.RUNNING else None,
        message_in_words=message_in_words,
        zone=zone,
        currency=currency,
    )


routes = [
    PageRoute(PATH, show, needs=Role.EDITOR, name="decide_again"),
    PageRoute(PATH, act, needs=Role.EDITOR, methods=("POST",), name="do_decide_again"),
]

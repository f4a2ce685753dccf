"""The page of one upload, whatever its state: what was recognised, the preview, the work, the result, the undo."""

import asyncio
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.dialects.click_columns import CLICK_NAMES
from trueup.dialects.click_presets import CLICK_DIALECTS
from trueup.dialects.dialects import DIALECTS
from trueup.dialects.names import FIELDS_OF
from trueup.live.context import ServerContext
from trueup.live.undo_previews import begin_undo_preview
from trueup.live.upload_jobs import waited
from trueup.model.batches import BatchRecord
from trueup.model.remarks import NoticeCode
from trueup.model.words import Role, RowKind, UploadKind
from trueup.pages.forms import Form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import Basis, View, pages_of, person_of, render
from trueup.pages.upload.begin import WAIT_SECONDS
from trueup.pages.upload.figures import Figures, differences, figures_of
from trueup.pages.upload.points import first_rows, points_of
from trueup.pages.upload.stand import Stage, Stand, read_stand
from trueup.pages.upload.words import (
    KINDS,
    MODES,
    NOTICE_TITLES,
    TIME_FORMATS,
    in_words,
    message_in_words,
    notice_in_words,
    remedy_in_words,
    remedy_sets,
)
from trueup.recording.summary import summary_of

ID: Final = "{upload_id:str}"
_NO_FORM: Final = Form()


async def show(request: Request) -> Response:
    """Show how an upload stands."""
    stand, person = await stand_of(request), person_of(request)
    if _asks_undo(request, stand) and stand.undo_preview is None and person and person.may(Role.EDITOR):
        await begin_undo(pages_of(request).context, stand)
        stand = await stand_of(request)
    return await shown(request, stand)


async def begin_undo(context: ServerContext, stand: Stand) -> None:
    """Begin to find out what taking an upload back, or bringing it back, would come to, and wait a little."""
    assert stand.to_undo is not None  # noqa: S101 - something was applied
    work = begin_undo_preview(context, stand.to_undo.batch_id)
    await waited(context, asyncio.wrap_future(work), WAIT_SECONDS)


def _asks_undo(request: Request, stand: Stand) -> bool:
    return stand.stage in (Stage.RESULT, Stage.STOPPED) and "undo" in request.query_params


async def stand_of(request: Request) -> Stand:
    """How the upload stands that a request names.

    Raises:
        HTTPException: There is no such upload.
    """
    pages = pages_of(request)
    look = partial(read_stand, context=pages.context, upload_id=request.path_params["upload_id"])
    return await pages.look(look)


async def shown(request: Request, stand: Stand, form: Form = _NO_FORM, status: int = 200) -> Response:
    """Answer with the page.

    Args:
        request: The request.
        stand: How the upload stands.
        form: What is wrong with what was asked; nothing where all is well.
        status: The HTTP status.
    """
    catalog = pages_of(request).context.catalog
    zone, currency = catalog.workspace.time_zone, catalog.workspace.currency
    title = stand.record.file_name or stand.record.upload_id
    basis, part = Basis(zone, currency), "upload/_upload.html"
    view = View("upload/upload.html", title, basis, part=part, status=status, part_has_toasts=True)
    words: dict[str, Any] = {
        "stand": stand,
        "record": stand.record,
        "account": stand.account,
        "batch": stand.batch,
        "stage": stand.stage,
        "asks_undo": _asks_undo(request, stand),
        "form": form,
        "zone": zone,
        "currency": currency,
        "in_words": in_words,
        "message_in_words": message_in_words,
        "kinds": KINDS,
    }
    words |= _check(request, stand) if stand.stage in (Stage.CHECK, Stage.PREVIEW) else {}
    words |= _preview(request, stand) if stand.stage is Stage.PREVIEW else {}
    words |= _result(request, stand) if stand.batch else {}
    return await render(request, view, **words)


def _check(request: Request, stand: Stand) -> dict[str, Any]:
    """What is shown of how a file was read, and what else can be chosen."""
    choices, person = stand.record.choices, person_of(request)
    is_clicks = choices.kind is UploadKind.CLICKS
    row_kind = RowKind.STATUS if choices.kind is UploadKind.STATUS else RowKind.CONVERSION
    dialects = list(CLICK_DIALECTS if is_clicks else DIALECTS)
    return {
        "choices": choices,
        "look": stand.account.look if stand.account else None,
        "points": points_of(stand.record, stand.account, pages_of(request).context.catalog),
        "first_rows": first_rows(stand.account.look) if stand.account else None,
        "dialect_options": [("", "Recognise it"), *((name, name) for name in dialects)],
        "mapping_options": [("", "None"), *((name, name) for name in stand.mappings)],
        "mode_options": [("", "As set up"), *((mode.value, said) for mode, said in MODES.items())],
        "time_format_names": [name for name, _ in TIME_FORMATS],
        "fields": list(CLICK_NAMES if is_clicks else FIELDS_OF[row_kind]),
        "time_formats": TIME_FORMATS,
        "may_set_up": person is not None and person.may(Role.ADMIN),
    }


def _preview(request: Request, stand: Stand) -> dict[str, Any]:
    account = stand.account
    assert account is not None and account.preview is not None  # noqa: S101, PT018 - its stage says so
    notices = [
        (code, NOTICE_TITLES[code], notice_in_words(code, remark, account.preview))
        for code, remark in account.notices
        if code is not NoticeCode.SAME_FILE
    ]
    return {
        "figures": figures_of(account.preview, pages_of(request).context.catalog),
        "notices": notices,
        "causes": [(cause, remedy_in_words(cause.remedy), remedy_sets(cause.remedy)) for cause in account.causes],
    }


def _result(request: Request, stand: Stand) -> dict[str, Any]:
    catalog, batch = pages_of(request).context.catalog, stand.batch
    assert batch is not None  # noqa: S101 - the caller has looked
    told, known = stand.undo_preview, stand.account.preview if stand.account else None
    differs = differences(stand.account, batch, catalog) if stand.account and _is_whole(stand, batch) else []
    undo_figures: Figures | None = figures_of(told.summary, catalog, is_undo=True) if told and told.summary else None
    return {
        "figures": figures_of(summary_of(batch), catalog, first_rows=None if differs or not known else known.samples),
        "differs": differs,
        "setup_changed": bool(stand.account and stand.account.policy_id not in (0, batch.policy_id)),
        "undo_figures": undo_figures,
        "turned": told.summary.turned.to_json() if told and told.summary and told.summary.turned else [],
        "clicks_turned": told.summary.clicks_turned if told and told.summary else None,
    }


def _is_whole(stand: Stand, batch: BatchRecord) -> bool:
    """Whether all of a file was applied, so that it can be compared with its preview."""
    return stand.stage is Stage.RESULT and batch.rows_done == batch.rows_total


routes = [PageRoute(f"/upload/{ID}", show, needs=Role.VIEWER, name="upload_page")]

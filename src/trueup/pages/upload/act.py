"""What can be done with an upload: preview, apply, go on, cancel, undo. Each step is the same as the API's."""

import asyncio
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.dialects.choices import UnreadableFile
from trueup.dialects.names import normalised
from trueup.ledger.database import Database
from trueup.live.readers import written
from trueup.live.undo_previews import forget_undo_preview
from trueup.live.upload_jobs import jobs_of, waited
from trueup.model.mapping import SavedMapping, name_trouble
from trueup.model.upload import UploadChoices
from trueup.model.words import Origin, Role, UploadState
from trueup.pages.forms import Form, Sent, read_form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import pages_of, person_of
from trueup.pages.shell.toasts import with_toast_of_undo, with_toast_of_upload
from trueup.pages.upload.begin import WAIT_SECONDS, name_of, preview, to_page, work_on
from trueup.pages.upload.choices import chosen_by
from trueup.pages.upload.show import begin_undo, shown, stand_of
from trueup.pages.upload.stand import Stage, Stand
from trueup.pages.upload.words import in_words
from trueup.uploads.jobs import Asker
from trueup.uploads.mappings import mapped_as, save_mapping, with_mapping
from trueup.uploads.states import Refusal, RefusalKind, begin_applying, cancel, go_on

_MOVED: Final = "Meanwhile it was changed elsewhere. This is how it stands now; nothing was changed by you."
_REFUSED: Final = {
    RefusalKind.BEING_APPLIED: "The same file is being applied, as batch {batch}. Finish or undo that first.",
    RefusalKind.APPLIED_BEFORE: "The same file was applied before, as batch {batch}. Tick the box if it is meant.",
    RefusalKind.SENT_TWICE: "The same file is being applied under another name. Wait for that, or cancel it.",
    RefusalKind.WRONG_STATE: _MOVED,
}


async def preview_it(request: Request) -> Response:
    """Preview a file, with the choices of the page's form."""
    sent, stand = await read_form(request), await stand_of(request)
    chosen = chosen_by(sent, stand.record.choices)
    if chosen.errors:
        return await shown(request, stand, Form(dict(sent), chosen.errors), 422)
    if stand.batch is not None:
        return await _moved(request, stand)
    choices, person, errors = chosen.choices, person_of(request), {}
    if choices.create_missing and not (person and person.may(Role.ADMIN)):
        errors = {"create_missing": "Only an admin sets up what is missing."}
    elif choices.mapping and choices.mapping != stand.record.choices.mapping:
        choices, errors = await _mapped(request, choices)
    if not errors and sent.get("save_as", "").strip():
        errors = await _saved(request, stand, sent, choices)
    if errors:
        return await shown(request, stand, Form(dict(sent), errors), 422)
    if not await preview(pages_of(request).context, stand.record, choices):
        return await _moved(request, await stand_of(request))
    return to_page(stand.record.upload_id)


async def apply_it(request: Request) -> Response:
    """Apply a file as it was previewed."""
    sent, stand = await read_form(request), await stand_of(request)
    record, context = stand.record, pages_of(request).context
    if record.state in (UploadState.APPLYING, UploadState.DONE):  # to ask twice is to ask once
        return to_page(record.upload_id)
    seen = sent.get("previewed_at", "")
    if stand.stage is not Stage.PREVIEW or stand.account is None or seen != str(stand.account.previewed_at):
        return await _moved(request, stand)
    again = sent.get("again") == "on" or record.choices.again
    refusal = await written(context, partial(begin_applying, record=record, again=again))
    if refusal is not None:
        return await shown(request, await stand_of(request), Form(errors={"again": _why(refusal)}), 409)
    await work_on(context, record)
    return with_toast_of_upload(request, to_page(record.upload_id), record.upload_id)


async def go_on_with_it(request: Request) -> Response:
    """Go on where a failure stopped it."""
    stand, context = await stand_of(request), pages_of(request).context
    if stand.record.can_go_on and await written(context, partial(go_on, upload_id=stand.record.upload_id)):
        await work_on(context, stand.record)
        return with_toast_of_upload(request, to_page(stand.record.upload_id), stand.record.upload_id)
    return to_page(stand.record.upload_id)


async def cancel_it(request: Request) -> Response:
    """Do no more of it. What is applied stays, and can be undone."""
    stand, context = await stand_of(request), pages_of(request).context
    await written(context, partial(cancel, upload_id=stand.record.upload_id))
    return to_page(stand.record.upload_id)


async def preview_undo_of_it(request: Request) -> Response:
    """Find out what taking it back, or bringing it back, would come to."""
    stand, context = await stand_of(request), pages_of(request).context
    if stand.to_undo is None:
        return await _moved(request, stand)
    await begin_undo(context, stand)
    return RedirectResponse(f"/upload/{stand.record.upload_id}?undo", 303)


async def undo_it(request: Request) -> Response:
    """Take it back, or bring it back."""
    sent, stand = await read_form(request), await stand_of(request)
    record, context, to_undo = stand.record, pages_of(request).context, stand.to_undo
    if to_undo is None or sent.get("batch") != str(to_undo.batch_id):
        return await _moved(request, stand)
    if record.state is UploadState.APPLYING:
        await written(context, partial(cancel, upload_id=record.upload_id))
    asker, began = Asker(name_of(request), Origin.PAGE), context.clock()
    work = asyncio.wrap_future(jobs_of(context).undo(to_undo.batch_id, to_undo.rows_total, asker))
    await waited(context, work, WAIT_SECONDS)
    forget_undo_preview(context, to_undo.batch_id)
    return with_toast_of_undo(request, to_page(record.upload_id), to_undo.batch_id, began)


async def _moved(request: Request, stand: Stand) -> Response:
    return await shown(request, stand, Form(errors={"": _MOVED}), 409)


def _why(refusal: Refusal) -> str:
    return _REFUSED[refusal.kind].format(batch=refusal.batch.batch_id if refusal.batch else "")


async def _mapped(request: Request, choices: UploadChoices) -> tuple[UploadChoices, dict[str, str]]:
    """Choose as a saved mapping says."""

    def look(database: Database) -> UploadChoices:
        assert choices.mapping is not None  # noqa: S101 - the caller has looked
        return UploadChoices(**with_mapping(database, choices.kind, choices.mapping, vars(choices)))

    try:
        return await pages_of(request).look(look), {}
    except UnreadableFile as error:
        return choices, {"mapping": in_words(error.remark)}


async def _saved(request: Request, stand: Stand, sent: Sent, choices: UploadChoices) -> dict[str, str]:
    """Save the choices under a name. Returns: what is wrong with that."""
    name, context = sent["save_as"].strip(), pages_of(request).context
    trouble = name_trouble(name)
    if trouble:
        return {"save_as": f"{trouble[0].upper()}{trouble[1:]}."}
    columns = stand.account.look.columns if stand.account else ()
    mapping = SavedMapping(
        mapped_as(choices.kind),
        name,
        frozenset(title for title in (normalised(column.title) for column in columns) if title),
        {column.title: column.field for column in columns if column.title and column.field} | dict(choices.columns),
        choices.dialect,
        choices.time_zone,
        choices.time_format,
        choices.decimal_comma,
        choices.thousands,
        name_of(request),
        context.clock(),
    )
    await written(context, partial(save_mapping, mapping=mapping))
    return {}


def _routes() -> list[PageRoute]:
    acts = {
        "preview": preview_it,
        "apply": apply_it,
        "go-on": go_on_with_it,
        "cancel": cancel_it,
        "preview-undo": preview_undo_of_it,
        "undo": undo_it,
    }
    return [
        PageRoute(f"/upload/{{upload_id}}/{name}", act, needs=Role.EDITOR, methods=("POST",), name=name)
        for name, act in acts.items()
    ]


routes = _routes()

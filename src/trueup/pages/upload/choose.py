"""The first step: a file is chosen or dropped, or lines are pasted, and sent."""

from starlette.requests import Request
from starlette.responses import Response

from trueup.dialects.dialects import DIALECTS
from trueup.ledger.database import Readable
from trueup.ledger.uploads import read_uploads
from trueup.live.receiving import FORM, Arrival, ReceivingError, ReceivingTrouble, arriving, media_of
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.model.words import Origin, Role, UploadKind, UploadState
from trueup.pages.forms import Form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, render
from trueup.pages.upload.begin import name_of, note, preview, to_page
from trueup.pages.upload.words import KINDS, makers

_NEWEST = "v"  # comes after all upload ids
_LOOKED_AT = 50
_WAITING = 5
_PASTED = "Pasted lines"
_STATUSES = {ReceivingTrouble.TOO_LARGE: 413, ReceivingTrouble.MALFORMED: 400, ReceivingTrouble.NO_ROOM: 507}


async def show(request: Request) -> Response:
    """Show what can be sent, and how."""
    return await _shown(request, Form({"kind": request.query_params.get("kind", "")}))


async def send(request: Request) -> Response:
    """Take a file, or lines that were pasted; have it previewed."""
    context = pages_of(request).context
    headers = request.headers
    content_type = headers.get("content-type", "")
    if media_of(content_type) != FORM:
        return await _shown(request, Form(errors={"": "This takes the page's own form."}), 415)
    try:
        async with arriving(context) as arrival:
            receiver = arrival.receiver
            await receiver.receive(content_type, headers.get("content-length", ""), request.stream(), "text")
            given = dict(receiver.fields)
            form = Form({"kind": given.get("kind", ""), "text": given.get("text", "")})
            trouble = _trouble(arrival, form)
            if trouble:
                return await _shown(request, Form(form.values, {"file": trouble}), 422)
            choices = UploadChoices(kind=_kind(form))
            record = await arrival.keep(receiver.file_name or _PASTED, choices, name_of(request), Origin.PAGE)
    except ReceivingError as error:
        said = str(error)[:1].upper() + str(error)[1:]
        return await _shown(request, Form(errors={"file": f"{said}."}), _STATUSES[error.trouble])
    await note(context, record)
    await preview(context, record, choices)
    return to_page(record.upload_id)


def _trouble(arrival: Arrival, form: Form) -> str:
    """Why what was sent is no file, '' where it is one."""
    if not arrival.bytes:
        return "Choose a file with rows, or paste lines. An empty file holds nothing."
    if arrival.receiver.file_name and form.value("text").strip():
        return "A file was chosen, and lines were pasted. Send one after the other."
    return ""


def _kind(form: Form) -> UploadKind:
    said = form.value("kind")
    return UploadKind(said) if said in set(UploadKind) else UploadKind.CONVERSIONS


async def _shown(request: Request, form: Form, status: int = 200) -> Response:
    pages = pages_of(request)
    return await render(
        request,
        View("upload/choose.html", "Upload", status=status),
        form=form,
        kinds=KINDS,
        kind=_kind(form),
        makers=makers(DIALECTS),
        size=_size,
        most_bytes=pages.context.settings.upload_bytes,
        waiting=await pages.look(_waiting),
    )


def _size(count: int) -> str:
    """Bytes as people say them."""
    for unit, power in (("GB", 30), ("MB", 20), ("KB", 10)):
        if count >= 1 << power:
            return f"{count / (1 << power):.3g} {unit}"
    return f"{count} bytes"


def _waiting(database: Readable) -> list[UploadRecord]:
    """The files that were previewed last, and wait for somebody to apply them."""
    newest = read_uploads(database, _NEWEST, _LOOKED_AT)
    return [record for record in newest if record.state is UploadState.PREVIEWED][:_WAITING]


routes = [
    PageRoute("/upload", show, needs=Role.EDITOR, name="upload"),
    PageRoute("/upload", send, needs=Role.EDITOR, methods=("POST",), name="send"),
]

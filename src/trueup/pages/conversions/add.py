"""Add conversions: click ids and payouts are typed or pasted; they become rows like those of a file."""

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.model.money import micros_from_text
from trueup.model.upload import UploadChoices
from trueup.model.words import DEFAULT_TYPE, DuplicateMode, Role, Status
from trueup.pages.conversions.lines import LINES_MOST, ORDERS, LineError, Row, as_frame, rows_of_text
from trueup.pages.conversions.made_rows import DIALECT, as_file, send_on
from trueup.pages.forms import Form, Sent, read_form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, render
from trueup.pages.shell.words import chip_of
from trueup.pages.upload.words import MODES

PATH: Final = "/conversions/add"
TYPED: Final = ("click_id", "payout", "conversion_type", "status", "converted_at", "transaction_id")
_FOR_ALL: Final = ("payout", "conversion_type", "status", "converted_at", "currency")  # `all_` before them in the form
_ROWS, _MORE, _ROWS_MOST = 3, 5, 200
_TEXT_BYTES: Final = 2 << 20


async def show(request: Request) -> Response:
    """Ask for them."""
    click_id = request.query_params.get("click_id", "")
    typed: list[Row] = [{"click_id": click_id}] if click_id else []
    return await _shown(request, Form(), typed, _ROWS)


async def send(request: Request) -> Response:
    """Have them previewed; or show more lines to type into."""
    sent = await read_form(request, _TEXT_BYTES)
    typed, places = _typed(sent), max(len(sent.getlist("click_id")), _ROWS)
    if "more" in sent:
        return await _shown(request, Form(dict(sent)), typed, min(places + _MORE, _ROWS_MOST))
    rows, errors = _rows(sent, typed)
    if errors:
        return await _shown(request, Form(dict(sent), errors), typed, places, 422)
    mode, zone = sent.get("duplicates", ""), pages_of(request).context.catalog.workspace.time_zone
    choices = UploadChoices(
        dialect=_dialect(sent), duplicates=DuplicateMode(mode) if mode in set(DuplicateMode) else None, time_zone=zone
    )
    name = f"Add {len(rows):,} conversion{'s' * (len(rows) != 1)}"
    return await send_on(request, as_file([as_frame(rows)], choices.dialect), name, choices)


def _dialect(sent: Sent) -> str:
    """Whose way lines are meant in: that of the tracker whose order of fields was chosen for what was pasted."""
    return sent["order"] if sent.get("lines", "").strip() and sent.get("order", "") in ORDERS else DIALECT


def _typed(sent: Sent) -> list[Row]:
    """The lines that were typed field by field, empty ones too."""
    columns = {field: sent.getlist(field)[:_ROWS_MOST] for field in TYPED}
    most = max(map(len, columns.values()))
    return [
        {field: cells[place].strip() for field, cells in columns.items() if place < len(cells) and cells[place].strip()}
        for place in range(most)
    ]


def _rows(sent: Sent, typed: list[Row]) -> tuple[list[Row], dict[str, str]]:
    """All lines with what holds for those that do not say it themselves; and what is wrong, by field."""
    for_all = {field: text for field in _FOR_ALL if (text := sent.get(f"all_{field}", "").strip())}
    errors: dict[str, str] = {}
    pasted: list[Row] = []
    try:
        pasted = rows_of_text(sent.get("lines", ""), ORDERS.get(sent.get("order", ""), ORDERS[DIALECT]))
    except LineError as error:
        errors["lines"] = str(error)
    for place, row in enumerate(typed):
        if row and "click_id" not in row:
            errors[f"click_id-{place}"] = f"Line {place + 1} has no click id."
        errors |= _payout_error(f"payout-{place}", row.get("payout", ""))
    errors |= _payout_error("all_payout", for_all.get("payout", ""))
    rows: list[Row] = [{**for_all, **row} for row in (*filter(None, typed), *pasted)]
    if not rows and not errors:
        errors["lines"] = "Type or paste a click id."
    return rows, errors


def _payout_error(field: str, text: str) -> dict[str, str]:
    try:
        micros_from_text(text or "0")
    except ValueError as error:
        return {field: f"{str(error)[:1].upper()}{str(error)[1:]}."}
    return {}


async def _shown(request: Request, form: Form, typed: list[Row], places: int, status: int = 200) -> Response:
    catalog = pages_of(request).context.catalog
    return await render(
        request,
        View("shell/popup.html", "Add conversions", part="conversions/_add.html", status=status),
        form=form,
        typed=[Form({**(typed[place] if place < len(typed) else {})}) for place in range(places)],
        types=list(dict.fromkeys((DEFAULT_TYPE, *catalog.conversion_types))),
        statuses=list(Status),
        currency_options=[
            ("", f"That of the offer, else {catalog.workspace.currency}"),
            *_pairs(catalog.workspace.currencies),
        ],
        type_options=[("", DEFAULT_TYPE), *_pairs(each for each in catalog.conversion_types if each != DEFAULT_TYPE)],
        status_options=[("", "By offer and network"), *((each.value, chip_of(each).text) for each in Status)],
        modes=[("", "As it is set up"), *MODES.items()],
        zone=catalog.workspace.time_zone,
        lines_most=LINES_MOST,
    )


def _pairs(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


routes = [
    PageRoute(PATH, show, needs=Role.EDITOR, name="add_conversions"),
    PageRoute(PATH, send, needs=Role.EDITOR, methods=("POST",), name="send_conversions"),
]

"""Download template: empty files to fill, our own and those of other trackers."""

from collections.abc import Mapping
from io import BytesIO
from typing import Final, NamedTuple
from urllib.parse import quote

import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from trueup.dialects.dialects import dialect_named
from trueup.model.words import Role
from trueup.pages.gate import PageRoute
from trueup.pages.lists.files import FileForm, file_form
from trueup.pages.rendering import View, render
from trueup.reports.export import write_csv, write_xlsx

_NUMBERS: Final = ("payout",)
_MEDIA: Final = {
    FileForm.CSV: "text/csv; charset=utf-8",
    FileForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Template(NamedTuple):
    """An empty file."""

    title: str
    text: str  # what its rows do
    columns: tuple[str, ...]


OWN: Final[Mapping[str, Template]] = {
    "conversions": Template(
        "Conversions",
        "Adds conversions, and corrects those that exist. Only the click id is needed.",
        ("click_id", "payout", "currency", "conversion_type", "status", "converted_at", "transaction_id"),
    ),
    "statuses": Template(
        "Statuses",
        "Sets statuses. A click id alone means all its conversions; a conversion id that one. Choose Statuses when you "
        "upload it.",
        ("click_id", "conversion_id", "status"),
    ),
    "payouts": Template(
        "Payouts",
        "Corrects the payout of conversions by their ids.",
        ("conversion_id", "payout", "currency"),
    ),
}
TRACKERS: Final = {"redtrack": "RedTrack", "voluum": "Voluum", "keitaro": "Keitaro", "gokart": "GoKart",
                   "gokart-status": "GoKart, statuses"}  # fmt: skip


async def show(request: Request) -> Response:
    """Show which there are."""
    view = View("shell/popup.html", "Download template", part="conversions/_templates.html")
    return await render(request, view, own=OWN, trackers=TRACKERS)


async def as_file(request: Request) -> Response:
    """Answer with one.

    Raises:
        HTTPException: There is no such template, or none in this form.
    """
    name, form, out = request.query_params.get("of", "conversions"), file_form(request), BytesIO()
    if name not in OWN and name not in TRACKERS:
        raise HTTPException(404)
    titles = OWN[name].columns if name in OWN else dialect_named(name).titles
    table = pl.DataFrame(schema=dict.fromkeys(titles, pl.String))
    if form is FileForm.CSV:
        write_csv([table], _NUMBERS, out)
    else:
        write_xlsx([table], _NUMBERS, out, name=name)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}-template.{form.value}"}
    return Response(out.getvalue(), headers=headers, media_type=_MEDIA[form])


routes = [
    PageRoute("/conversions/template", show, needs=Role.VIEWER, name="templates"),
    PageRoute("/conversions/template.{form}", as_file, needs=Role.VIEWER, name="template_file"),
]

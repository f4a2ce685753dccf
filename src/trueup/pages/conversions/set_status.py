"""Set status: the same status for the ticked conversions, or for all that match the list's filters."""

from collections.abc import Iterator
from functools import partial

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database, ReadTransaction
from trueup.model.upload import UploadChoices
from trueup.model.words import Role, Status, UploadKind
from trueup.pages.conversions.chosen import NONE_MATCH, Chosen, Tally, chosen_of, named, read_chosen, tally_of
from trueup.pages.conversions.made_rows import DIALECT, made_of, send_on
from trueup.pages.forms import Form, read_form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, render

PATH = "/conversions/set-status"
_CHOOSE = "Choose the status that they get."


async def show(request: Request) -> Response:
    """Ask which status."""
    return await _shown(request, chosen_of(request), Form())


async def send(request: Request) -> Response:
    """Have it previewed."""
    sent, chosen = await read_form(request), chosen_of(request)
    status = sent.get("status", "")
    if status not in set(Status):
        return await _shown(request, chosen, Form(dict(sent), {"status": _CHOOSE}), 422)
    tally = await pages_of(request).look(partial(_tally, chosen=chosen))
    if not tally.conversions:
        return await _shown(request, chosen, Form(dict(sent), {"": NONE_MATCH}), 422)
    content = await made_of(request, lambda transaction: _rows(transaction, chosen, status))
    choices = UploadChoices(UploadKind.STATUS, dialect=DIALECT, again=True)  # to set it twice is to set it once
    return await send_on(request, content, f"Set status of {named(chosen, tally)} to {status}", choices)


def _rows(transaction: ReadTransaction, chosen: Chosen, status: str) -> Iterator[pl.DataFrame]:
    for page in read_chosen(transaction, chosen):
        yield page.select(pl.format("{}-{}", "click_id", "n").alias("conversion_id"), pl.lit(status).alias("status"))


def _tally(database: Database, chosen: Chosen) -> Tally:
    with database.read_transaction() as transaction:
        return tally_of(transaction, chosen)


async def _shown(request: Request, chosen: Chosen, form: Form, status: int = 200) -> Response:
    tally = await pages_of(request).look(partial(_tally, chosen=chosen))
    view = View(
        "shell/popup.html", f"Set status of {named(chosen, tally)}", part="conversions/_set_status.html", status=status
    )
    return await render(request, view, chosen=chosen, tally=tally, form=form, statuses=list(Status))


routes = [
    PageRoute(PATH, show, needs=Role.EDITOR, name="set_status"),
    PageRoute(PATH, send, needs=Role.EDITOR, methods=("POST",), name="send_status"),
]

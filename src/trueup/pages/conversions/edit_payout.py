"""Edit payout: an amount for the ticked conversions or all that match, or each its own; instead of theirs, or added."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database, ReadTransaction
from trueup.model.money import micros_from_text
from trueup.model.upload import UploadChoices
from trueup.model.words import DuplicateMode, Role
from trueup.pages.conversions.chosen import (
    NONE_MATCH,
    Chosen,
    Tally,
    chosen_of,
    named,
    read_chosen,
    read_ticked,
    shown,
    tally_of,
)
from trueup.pages.conversions.made_rows import DIALECT, made_of, send_on
from trueup.pages.forms import Form, Sent, read_form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, render

PATH: Final = "/conversions/edit-payout"
OWN: Final = "payout:"  # before a conversion's id: the field of its own amount
_ADD, _REPLACE = "add", "replace"
_EACH_MOST: Final = 200  # conversions that have a field of their own


@dataclass(frozen=True)
class Amounts:
    """What was typed."""

    common: str  # '' for none
    own: Mapping[str, str]  # conversion id -> its own amount
    currency: str  # '' for the one that each conversion's payout is in
    adds: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was."""
        return not (self.common or self.own)


async def show(request: Request) -> Response:
    """Ask which amount."""
    return await _shown(request, chosen_of(request), Form({"how": _REPLACE}))


async def send(request: Request) -> Response:
    """Have it previewed."""
    sent, chosen = await read_form(request), chosen_of(request)
    currencies = pages_of(request).context.catalog.workspace.currencies
    amounts = _amounts(sent)
    errors = _errors(amounts, currencies)
    if errors:
        return await _shown(request, chosen, Form(dict(sent), errors), 422)
    tally, _ = await pages_of(request).look(partial(_read, chosen=chosen))
    if not tally.conversions:
        return await _shown(request, chosen, Form(dict(sent), {"": NONE_MATCH}), 422)
    content = await made_of(request, lambda transaction: _rows(transaction, chosen, amounts))
    mode = DuplicateMode.ADD_PAYOUT if amounts.adds else None
    # To set an amount twice is to set it once; to add it twice is not.
    choices = UploadChoices(dialect=DIALECT, duplicates=mode, again=not amounts.adds)
    which = named(chosen, tally) if amounts.common else _counted(len(amounts.own), chosen, tally)
    return await send_on(request, content, f"{'Add to' if amounts.adds else 'Edit'} payout of {which}", choices)


def _counted(own: int, chosen: Chosen, tally: Tally) -> str:
    return named(chosen, tally) if own == tally.conversions else f"{own:,} conversion{'s' * (own != 1)}"


def _amounts(sent: Sent) -> Amounts:
    own = {name.removeprefix(OWN): text.strip() for name, text in sent.items() if name.startswith(OWN) and text.strip()}
    return Amounts(sent.get("payout", "").strip(), own, sent.get("currency", ""), sent.get("how") == _ADD)


def _errors(amounts: Amounts, currencies: tuple[str, ...]) -> dict[str, str]:
    if amounts.is_empty:
        return {"payout": "Write an amount, or one for some of the conversions."}
    errors = {f"{OWN}{each}": why for each, text in amounts.own.items() if (why := _trouble(text))}
    if amounts.common and (why := _trouble(amounts.common)):
        errors = {"payout": why, **errors}
    if amounts.currency and amounts.currency not in currencies:
        errors["currency"] = "Choose one of the currencies."
    return errors


def _trouble(text: str) -> str:
    """What is wrong with an amount, '' for nothing."""
    try:
        micros_from_text(text)
    except ValueError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""


def _rows(transaction: ReadTransaction, chosen: Chosen, amounts: Amounts) -> Iterator[pl.DataFrame]:
    """The rows: each says its currency, so that no other is taken for it."""
    ids, texts = list(amounts.own), list(amounts.own.values())
    for page in read_chosen(transaction, chosen):
        rows = page.select(pl.format("{}-{}", "click_id", "n").alias("conversion_id"), "currency")
        own = pl.col("conversion_id").replace_strict(ids, texts, default=None, return_dtype=pl.String)
        payout = own if ids else pl.lit(None, pl.String)
        amount = payout.fill_null(pl.lit(amounts.common)).alias("payout")
        currency = pl.lit(amounts.currency) if amounts.currency else pl.col("currency")
        yield rows.select("conversion_id", amount, currency.alias("currency")).filter(pl.col("payout") != "")


def _read(database: Database, chosen: Chosen) -> tuple[Tally, list[dict[str, Any]]]:
    with database.read_transaction() as transaction:
        rows = shown(read_ticked(transaction, chosen)) if len(chosen.ids) <= _EACH_MOST else []
        return tally_of(transaction, chosen), rows


async def _shown(request: Request, chosen: Chosen, form: Form, status: int = 200) -> Response:
    tally, rows = await pages_of(request).look(partial(_read, chosen=chosen))
    title = f"Edit payout of {named(chosen, tally)}"
    return await render(
        request,
        View("shell/popup.html", title, part="conversions/_edit_payout.html", status=status),
        chosen=chosen,
        tally=tally,
        rows=rows,
        form=form,
        own=OWN,
        has_own=any(name.startswith(OWN) and text for name, text in form.values.items()),
        currencies=pages_of(request).context.catalog.workspace.currencies,
    )


routes = [
    PageRoute(PATH, show, needs=Role.EDITOR, name="edit_payout"),
    PageRoute(PATH, send, needs=Role.EDITOR, methods=("POST",), name="send_payout"),
]

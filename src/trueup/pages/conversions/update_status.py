"""Update status: click ids, conversion ids or transaction ids are pasted, and the status that all of them get."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.ledger.database import Database, Readable, ReadTransaction
from trueup.ledger.queries import Selection
from trueup.ledger.queries import read_conversions as read_selected
from trueup.ledger.snapshot import known_clicks, read_conversions
from trueup.model.ids import CLICK_ID, conversion_id, split_conversion_id
from trueup.model.upload import UploadChoices
from trueup.model.words import DEFAULT_TYPE, Role, Status, UploadKind
from trueup.pages.conversions.lines import LINES_MOST, LineError, Row, as_frame, ids_of_text
from trueup.pages.conversions.made_rows import DIALECT, as_file, send_on
from trueup.pages.forms import Form, Sent, read_form
from trueup.pages.gate import PageRoute
from trueup.pages.rendering import View, pages_of, render

PATH: Final = "/conversions/update-status"
_CLICKS, _CONVERSIONS, _TRANSACTIONS = "click_id", "conversion_id", "transaction_id"
IDS: Final[Mapping[str, str]] = {
    "": "Recognise each",
    _CLICKS: "Click ids",
    _CONVERSIONS: "Conversion ids",
    _TRANSACTIONS: "Transaction ids",
}
LEAVE_OUT: Final = "leave_out"  # the field by which a person leaves out transaction ids that no conversion has
_TEXT_BYTES: Final = 2 << 20
_NAMED_MOST: Final = 5


@dataclass(frozen=True)
class Known:
    """Which of the pasted ids the ledger has, as what."""

    clicks: frozenset[str]
    conversions: frozenset[str]
    transactions: Mapping[str, list[str]]  # transaction id -> the ids of its conversions

    def kinds(self, text: str) -> list[str]:
        """As what an id is known."""
        among = ((_CLICKS, self.clicks), (_CONVERSIONS, self.conversions), (_TRANSACTIONS, self.transactions))
        return [kind for kind, ids in among if text in ids]


async def show(request: Request) -> Response:
    """Ask for ids and the status."""
    return await _shown(request, Form({"ids": ""}))


async def send(request: Request) -> Response:
    """Have it previewed."""
    sent = await read_form(request, _TEXT_BYTES)
    errors = {} if sent.get("status", "") in set(Status) else {"status": "Choose the status that they get."}
    try:
        ids = ids_of_text(sent.get("lines", ""))
        if not ids:
            errors["lines"] = "Paste an id."
    except LineError as error:
        ids, errors["lines"] = [], str(error)
    if not errors:
        kind = _kind(sent)
        known = await pages_of(request).look(lambda database: _known(database, ids, kind))
        errors = _nowhere(ids, known, sent) if kind == _TRANSACTIONS else {} if kind else _doubts(ids, known)
    if errors:
        return await _shown(request, Form(dict(sent), errors), 422)
    if kind == _TRANSACTIONS:
        ids = [each for each in ids if each in known.transactions]
    rows = list(_rows(ids, known, sent))
    name = f"Update status of {len(ids):,} {'id' if len(ids) == 1 else 'ids'} to {sent['status']}"
    choices = UploadChoices(UploadKind.STATUS, dialect=DIALECT, again=True)
    return await send_on(request, as_file([as_frame(rows)]), name, choices)


def _kind(sent: Sent) -> str:
    """What the person says the ids are, '' for each to be recognised."""
    return sent["ids"] if sent.get("ids", "") in IDS else ""


def _known(database: Database, ids: Sequence[str], kind: str) -> Known:
    """Look the ids up, as what they may be."""
    with database.read_transaction() as transaction:
        clicks = frozenset(known_clicks(transaction, [each for each in ids if CLICK_ID.fullmatch(each)]))
        transactions = _of_transactions(transaction, ids) if kind in ("", _TRANSACTIONS) else {}
        return Known(clicks, _conversions(transaction, ids), transactions)


def _conversions(database: Readable, ids: Sequence[str]) -> frozenset[str]:
    named = [key for each in ids if (key := split_conversion_id(each))]
    stored = read_conversions(database, sorted({click_id for click_id, _ in named}))
    return frozenset(conversion_id(*key) for key in {*named} & {*stored.select("click_id", "n").rows()})


def _of_transactions(transaction: ReadTransaction, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for page in read_selected(transaction, Selection(any_of={_TRANSACTIONS: list(ids)})):
        for transaction_id, click_id, n in page.select(_TRANSACTIONS, "click_id", "n").iter_rows():
            found.setdefault(transaction_id, []).append(conversion_id(click_id, n))
    return found


def _doubts(ids: Sequence[str], known: Known) -> dict[str, str]:
    """What cannot be recognised beyond doubt: only a person can say which is meant."""
    for each in ids:
        kinds = known.kinds(each)
        if len(kinds) > 1:
            names = " and a ".join(kind.replace("_", " ") for kind in kinds)
            return {"ids": f"{each} is a {names}. Say what the ids are."}
    return {}


def _nowhere(ids: Sequence[str], known: Known, sent: Sent) -> dict[str, str]:
    """Say which transaction ids no conversion has: such an id names no click, so no row can be made of it."""
    unknown = [each for each in ids if each not in known.transactions]
    if not unknown or (sent.get(LEAVE_OUT) == "on" and len(unknown) < len(ids)):
        return {}
    some, more = ", ".join(unknown[:_NAMED_MOST]), len(unknown) - _NAMED_MOST
    rest = f" and {more:,} more" if more > 0 else ""
    is_one = len(unknown) == 1
    what = "the transaction id" if is_one else f"any of these {len(unknown):,} transaction ids:"
    it = "it" if is_one else "them"
    if len(unknown) == len(ids):
        return {"lines": f"No conversion has {what} {some}{rest}. Correct {it}, or say what the ids are."}
    return {LEAVE_OUT: f"No conversion has {what} {some}{rest}. Correct {it}, or leave {it} out."}


def _rows(ids: Sequence[str], known: Known, sent: Sent) -> Iterator[Row]:
    """The rows. An id that nothing is known by stays a row: the Preview says so of it."""
    kind, of_type = _kind(sent), sent.get("conversion_type", "")
    narrowed = {"conversion_type": of_type} if of_type else {}
    for each in ids:
        is_a = kind or next(iter(known.kinds(each)), _CONVERSIONS if split_conversion_id(each) else _CLICKS)
        found = known.transactions.get(each, []) if is_a == _TRANSACTIONS else []
        named = [{_CONVERSIONS: of} for of in found] or [{is_a: each}]
        yield from ({**row, **narrowed, "status": sent["status"]} for row in named)


async def _shown(request: Request, form: Form, status: int = 200) -> Response:
    catalog = pages_of(request).context.catalog
    return await render(
        request,
        View("shell/popup.html", "Update status", part="conversions/_update_status.html", status=status),
        form=form,
        ids=list(IDS.items()),
        statuses=list(Status),
        types=[("", "Any"), *((each, each) for each in dict.fromkeys((DEFAULT_TYPE, *catalog.conversion_types)))],
        lines_most=LINES_MOST,
    )


routes = [
    PageRoute(PATH, show, needs=Role.EDITOR, name="update_status"),
    PageRoute(PATH, send, needs=Role.EDITOR, methods=("POST",), name="send_statuses"),
]

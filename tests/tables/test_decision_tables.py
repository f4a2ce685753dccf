"""Every rule as a table: rows come one after another, as files, into a fresh workspace; each must become what it says.

The click `k` was clicked at 10:00 UTC on 2026-02-10, and every row is received at 12:00. A row's `do` is empty for a
conversion, `status` for a status update, `postback` for a postback, `clicks` for an import of the click, `undo 2` for
undoing the second row's batch; `by` is the mode that is chosen for its upload, `force` forces statuses; an empty cell
of what is expected is not looked at. `-` is a sub-parameter that the click does not have then.
"""

import csv
import io
from collections.abc import Callable
from typing import Final

import polars as pl
import pytest
from decision_tables import Line, Table, read_tables
from worlds import micros_at

from trueup.dialects.choices import Choices
from trueup.ledger.arrivals import read_stored_clicks
from trueup.ledger.batches import read_batches, read_rows
from trueup.ledger.catalog import read_catalog, write_resource, write_workspace
from trueup.ledger.commit import commit_clicks
from trueup.ledger.database import Database
from trueup.ledger.snapshot import read_conversions
from trueup.model.catalog import AffiliateNetwork, Campaign, ConversionType, Offer, Workspace
from trueup.model.frames import CLICKS
from trueup.model.money import micros_from_text, rate_from_text, text_from_micros
from trueup.model.policy import NetworkPolicy, OfferPolicy
from trueup.model.traffic import IncomingConversion
from trueup.model.words import (
    OF_MESSAGES,
    Approval,
    DuplicateMode,
    Origin,
    Outcome,
    PayoutMode,
    RowKind,
    Status,
    UnknownClick,
)
from trueup.recording.batch_loop import apply_batch
from trueup.recording.chunks import RunOptions
from trueup.recording.context import RecordingContext
from trueup.recording.incoming import LiveLedger
from trueup.recording.undo import apply_undo, undoable
from trueup.uploads.click_file import read_click_file
from trueup.uploads.clicks import click_work
from trueup.uploads.conversions import read_upload, upload_work

TABLES: Final = read_tables()
DAY: Final = "2026-02-10"
NOW: Final = micros_at(f"{DAY}T12:00:00Z")
FIELDS: Final = (
    "click_id", "conversion_type", "transaction_id", "event_id", "status", "payout", "currency", "converted_at",
    "conversion_id",
)  # fmt: skip
SUBS: Final = ("sub1", "sub2")
WHY: Final = ["mode", "mode_from"]
SHORT: Final = {"type": "conversion_type", "txid": "transaction_id", "event": "event_id", "time": "converted_at"}


# What a row becomes is decided before the database has it: there, the modes stand for all.
EACH: Final = [
    pytest.param(
        table,
        id=table.name.replace(" ", "_"),
        marks=() if table.name.startswith("modes:") else pytest.mark.front,
    )
    for table in TABLES
]


@pytest.mark.front
@pytest.mark.parametrize("table", EACH)
def test_table(ledger: Database, table: Table) -> None:
    _set_up(ledger, table.settings)
    batches: list[int] = []
    for line in table.lines:
        do = line.given.get("do", "")
        told = _DO.get(do.split(" ")[0], _upload)(ledger, batches, line, do) | _sub_parameters(ledger)
        expected = {title: text for title, text in line.expected.items() if title != "live"}
        assert {title: told.get(title, "") for title in expected} == expected, line.where
        live = read_conversions(ledger, ["k"]).filter(pl.col("removed") == 0)["n"].sort().to_list()
        if "live" in line.expected:
            assert " ".join(str(n) for n in live) == line.expected["live"].removesuffix("none"), line.where


def test_tables__show_every_outcome() -> None:
    shown = {line.expected["outcome"] for table in TABLES for line in table.lines if "outcome" in line.expected}
    assert shown == set(Outcome) - set(OF_MESSAGES)  # no upload has those


def test_tables__show_every_mode() -> None:
    set_up = {table.settings.get("mode") for table in TABLES}
    of_types = {table.settings.get("type_mode") for table in TABLES}
    chosen = {line.given.get("by") for table in TABLES for line in table.lines}
    assert set(DuplicateMode) <= set_up
    assert set(DuplicateMode) <= of_types | chosen


def _upload(ledger: Database, batches: list[int], line: Line, do: str) -> dict[str, str]:
    given = {SHORT.get(title, title): _value(title, cell) for title, cell in line.given.items()}
    kind = RowKind.STATUS if do == "status" else RowKind.CONVERSION
    mode = DuplicateMode(given["by"]) if "by" in given else None
    workspace = read_catalog(ledger).workspace
    choices = Choices(
        row_kind=kind,
        dialect="headed",
        columns={"conversion_id": "conversion_id"} if "conversion_id" in given else {},  # else foreign ids are left out
        workspace_time_zone=workspace.time_zone,
        currencies=workspace.currencies,
    )
    if kind is RowKind.STATUS:
        given.setdefault("status", "")
    upload = read_upload(_file(given), "table", choices, duplicates=mode, force_status="force" in given)
    batch_id = apply_batch(upload_work(_context(ledger), upload, None), RunOptions()).batch_id
    assert batch_id is not None
    batches.append(batch_id)
    row = read_rows(ledger, batch_id, ["line", "click_id", "outcome", "conversion_n", *WHY]).row(0, named=True)
    told = {"outcome": row["outcome"], "n": str(row["conversion_n"]), "mode": row["mode"], "why": row["mode_from"]}
    conversions = read_conversions(ledger, [row["click_id"]]) if row["conversion_n"] else pl.DataFrame({"n": []})
    for conversion in conversions.filter(pl.col("n") == row["conversion_n"]).iter_rows(named=True):
        money = {name: text_from_micros(conversion[name]) for name in ("payout", "revenue")}
        told |= {name: str(conversion[name]) for name in ("status", "original_status", "currency", "label")} | money
        told["by_person"] = str(conversion["status_by_person"])
        told["at"] = _clock_time(conversion["converted_at"])
    return told


def _sub_parameters(ledger: Database) -> dict[str, str]:
    stored = read_stored_clicks(ledger, ["k"], CLICKS).select(SUBS)
    return {name: value or "-" for click in stored.iter_rows(named=True) for name, value in click.items()}


def _postback(ledger: Database, batches: list[int], line: Line, _do: str) -> dict[str, str]:
    subs = {name: text for name, text in line.given.items() if name in SUBS}
    row = {SHORT.get(title, title): _value(title, cell) for title, cell in line.given.items()}
    live = LiveLedger(ledger, lambda: NOW, "tests")
    given = {name: text for name, text in row.items() if name in FIELDS}
    (result,) = live.record([IncomingConversion(given, Origin.POSTBACK, sub_parameters=subs)])
    live.finish()
    batches.append(read_batches(ledger)[-1].batch_id)
    return {"outcome": result.outcome.value}


def _clicks(ledger: Database, batches: list[int], line: Line, _do: str) -> dict[str, str]:
    given = {"campaign": "Push", "offer": "Shoes", "clicked_at": f"{DAY}T10:00:00Z"}
    given |= {title: cell for title, cell in line.given.items() if title != "do"}
    content = f"{','.join(given)}\n{','.join(given.values())}\n".encode()
    file = read_click_file(content, "clicks", Choices(), read_catalog(ledger))
    batch_id = apply_batch(click_work(_context(ledger), file, None), RunOptions()).batch_id
    assert batch_id is not None
    batches.append(batch_id)
    return {}


def _undo(ledger: Database, batches: list[int], _line: Line, do: str) -> dict[str, str]:
    batch, resumed = undoable(ledger, batches[int(do.removeprefix("undo ")) - 1])
    batch_id = apply_undo(_context(ledger), batch, resumed, RunOptions()).batch_id
    assert batch_id is not None
    batches.append(batch_id)
    return {}


_DO: Final = {"postback": _postback, "clicks": _clicks, "undo": _undo}


def _context(ledger: Database) -> RecordingContext:
    return RecordingContext(ledger, lambda: NOW, "tests", Origin.CLI)


def _file(given: dict[str, str]) -> bytes:
    """A file of one row; `extra` is a field that no column titles."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["click_id", *(name for name in FIELDS[1:] if name in given), "remark"])
    cells = [given.get("click_id", ""), *(given[name] for name in FIELDS[1:] if name in given), "."]
    writer.writerow([*cells, *([given["extra"]] if "extra" in given else [])])
    return text.getvalue().encode()


def _value(title: str, cell: str) -> str:
    """A cell as a file has it: `x*129` is that many x; a time may leave out the day."""
    if title == "time" and cell[2:3] == ":":
        return f"{DAY}T{cell}Z"
    letter, star, count = cell.partition("*")
    return letter * int(count) if star else cell.replace("\\a", "\a")


def _clock_time(micros: int) -> str:
    seconds, fraction = divmod(micros - micros_at(DAY), 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


# What the settings of a table may say; a value such as EUR:1.08,GBP:2 is several.
def _several(text: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in text.split(",") if pair)


def _set_up(ledger: Database, given: dict[str, str]) -> None:
    read: Callable[..., str] = given.get
    rates = {currency: rate_from_text(rate) for currency, rate in _several(read("rates", "")).items()}
    payouts = {name: micros_from_text(amount) for name, amount in _several(read("payouts", "")).items()}
    statuses = {word: Status(status) for word, status in _several(read("map", "")).items()}
    mode, of_type = read("mode", "ignore"), read("type_mode", "")
    of_network = DuplicateMode(mode) if mode != "none" else None
    network = NetworkPolicy(of_network, Status(read("default", "approved")), statuses, read("zone", ""))
    offer = OfferPolicy(
        PayoutMode(read("payout_mode", "auto")),
        micros_from_text(read("payout", "0")),
        read("offer_currency", ""),
        Approval(read("approval", "automatic")),
        payouts,
    )
    unknown, limit = UnknownClick(read("unknown", "refuse")), int(read("limit", "1000"))
    zone = read("workspace_zone", "UTC")
    workspace = Workspace(time_zone=zone, unknown_click=unknown, rows_per_click=limit, rates=rates)
    kind = ConversionType(0, "sale", duplicate_mode=DuplicateMode(of_type) if of_type else None)
    with ledger.transaction() as transaction:
        write_workspace(transaction, workspace)
        write_resource(transaction, AffiliateNetwork(0, "Northwind", network))
        write_resource(transaction, kind)
        write_resource(transaction, Offer(0, "Shoes", 1, policy=offer))
        write_resource(transaction, Campaign(0, "Push", "push"))
        text = {name: "" for name, dtype in CLICKS.items() if dtype == pl.String}
        numbers = {name: 0 for name, dtype in CLICKS.items() if dtype != pl.String}
        here = {
            "click_id": "k",
            "offer_id": 1,
            "network_id": 1,
            "clicked_at": micros_at(f"{DAY}T{read('clicked', '10:00')}:00Z"),
        }
        here |= {name: read(name, "") for name in SUBS}
        if read("click", "") != "no":
            commit_clicks(transaction, pl.DataFrame([{**text, **numbers, **here}], schema=dict(CLICKS)).select(*CLICKS))

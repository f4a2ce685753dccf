"""How a batch's numbers look to a person, and to a program."""

import json
from collections.abc import Sequence
from typing import Final

import polars as pl
from rich.table import Column, Table

from trueup.cli.consoles import Text
from trueup.cli.terminal import notices, output
from trueup.cli.wording import in_words, message_in_words, remedy_in_words
from trueup.model.batches import BatchRecord
from trueup.model.catalog import Catalog
from trueup.model.counting import Sums
from trueup.model.money import text_from_micros
from trueup.model.remarks import Notice
from trueup.model.words import ModeFrom
from trueup.recording.biggest import big_as_json
from trueup.recording.summary import MONEY, WHY, ClicksTurned, Summary, Turned, as_json, in_order, modes_in_order
from trueup.uploads.causes import Cause

_BIGGEST_SHOWN: Final = 3


def print_json(
    summary: Summary, catalog: Catalog, said: Sequence[Notice] | None = None, causes: Sequence[Cause] = ()
) -> None:
    """Print a summary as one JSON object, with what a preview says beside it; None for no such place."""
    beside = (
        {}
        if said is None
        else {
            "notices": [{"code": code, "text": in_words(remark)} for code, remark in said],
            "causes": [cause.to_json() | {"message": message_in_words(cause.message)} for cause in causes],
        }
    )
    output.print_json(json.dumps(as_json(summary, catalog) | beside))


def say_going_on(resumed: BatchRecord) -> None:
    """Say that a batch is gone on with, and how far it is."""
    done = f"{resumed.rows_done:,} of {resumed.rows_total:,} rows are done"
    notices.print(f"Going on with batch {resumed.batch_id}: {done}.")


def show(summary: Summary, catalog: Catalog) -> None:
    """Print a summary as tables: outcomes with an example, the money before and after, changes by type and status."""
    if summary.rows_chosen:
        output.print(f"{summary.rows_chosen:,} rows of {summary.rows:,} clicks, under the settings of today:\n")
    if summary.outcomes:
        output.print(_outcomes_table(summary))
    if summary.modes:
        output.print(_modes_table(summary))
    show_sums(summary, catalog)
    if summary.totals_delta.height:
        output.print(_changes_table(summary.totals_delta))
    if summary.clicks_turned:
        output.print(_clicks_table(summary.clicks_turned))
    if summary.turned and summary.turned.counts.height:
        which = "Rows come" if summary.rows_chosen else "Rows of other batches come to life, or come"
        output.print(f"\n{which} to something else:")
        output.print(_turned_everywhere(summary.turned) if summary.rows_chosen else _turned_table(summary.turned))


def show_preview(summary: Summary, catalog: Catalog, causes: Sequence[Cause]) -> None:
    """Print what `show` does, and of a preview: its biggest changes, and what mends the refused rows."""
    show(summary, catalog)
    if summary.biggest.height:
        output.print(_biggest_table(summary, catalog.workspace.currency))
    if causes:
        output.print(_causes_table(causes))


def _biggest_table(summary: Summary, currency: str) -> Table:
    table = Table("biggest changes", "line", "before", "after", _right(currency), box=None, pad_edge=False)
    for change in big_as_json(summary.biggest)[:_BIGGEST_SHOWN]:
        before, after = (
            f"{state['status']} {state['payout']} {state['currency']}" if state else "none"
            for state in (change["before"], change["after"])
        )
        money = change["revenue_change"]
        table.add_row(Text(change["conversion_id"]), str(change["line"]), before, after, money)
    return table


def _causes_table(causes: Sequence[Cause]) -> Table:
    table = Table("to mend", _right("rows"), "what mends it", title_justify="left", box=None, pad_edge=False)
    for cause in causes:
        what = f"{cause.outcome} '{cause.what}'" if cause.what else cause.outcome
        table.add_row(Text(what), f"{cause.rows:,}", Text(remedy_in_words(cause.remedy), style="dim"))
    return table


def show_sums(summary: Summary, catalog: Catalog) -> None:
    """Print the money before and after a batch."""
    output.print(_money_table(*summary.sums(catalog), catalog.workspace.currency))


def _outcomes_table(summary: Summary) -> Table:
    table = Table("outcome", _right("rows"), "for example", title_justify="left", box=None, pad_edge=False)
    for outcome, count in in_order(summary.outcomes).items():
        first = summary.samples.filter(pl.col("outcome") == outcome).head(1)
        example = f"line {first['line'][0]}: {message_in_words(first['message'][0])}" if first.height else ""
        style = "red" if outcome.startswith("refused_") else None
        table.add_row(Text(outcome, style=style or ""), f"{count:,}", Text(example, style="dim"))
    return table


def _modes_table(summary: Summary) -> Table:
    table = Table("duplicate mode", _right("rows"), "because", title_justify="left", box=None, pad_edge=False)
    for (mode, mode_from), rows in modes_in_order(summary):
        table.add_row(mode, f"{rows:,}", Text(WHY[ModeFrom(mode_from)], style="dim"))
    return table


def _money_table(before: Sums, after: Sums, currency: str) -> Table:
    table = Table("", _right("before"), _right("after"), _right("change"), box=None, pad_edge=False)
    table.add_row(
        "conversions",
        f"{before.conversions:,}",
        f"{after.conversions:,}",
        f"{after.conversions - before.conversions:+,}",
    )
    for name in MONEY:
        was, now = getattr(before, name), getattr(after, name)
        table.add_row(
            f"{name.replace('_', ' ')}, {currency}",
            *(text_from_micros(amount) for amount in (was, now)),
            _signed(now - was),
        )
    return table


def _changes_table(delta: pl.DataFrame) -> Table:
    table = Table("type", "status", _right("conversions"), _right("revenue"), box=None, pad_edge=False)
    for conversion_type, status, conversions, revenue in delta.iter_rows():
        table.add_row(Text(conversion_type), status, f"{conversions:+,}", _signed(revenue))
    return table


def _clicks_table(clicks: ClicksTurned) -> Table:
    table = Table("clicks", _right(""), box=None, pad_edge=False)
    for what, count in (
        ("go", clicks.gone),
        ("come back", clicks.back),
        ("stay, as another import or a visit brought them", clicks.other),
        ("stay as they are, since they came another way before", clicks.same),
    ):
        if count:
            table.add_row(what, f"{count:,}")
    return table


def _turned_table(turned: Turned) -> Table:
    table = Table("batch", _right("rows"), "were", "would be", "for example", box=None, pad_edge=False)
    for turn in turned.to_json():
        words = (str(turn["batch_id"]), f"{turn['rows']:,}", turn["was"], turn["outcome"])
        for place, row in enumerate(turn["first"]):
            example = Text(f"line {row['line']}: {row['message']}", style="dim")
            table.add_row(*(words if not place else [""] * len(words)), example)
    return table


def _turned_everywhere(turned: Turned) -> Table:
    """The same of all batches together: postbacks have a batch for every hour."""
    table = Table(_right("rows"), "were", "would be", "for example", box=None, pad_edge=False)
    counts = turned.counts.group_by("was", "outcome").agg(pl.col("rows").sum()).sort("rows", "was", "outcome")
    for was, outcome, rows in counts.reverse().iter_rows():
        first = turned.first.filter(was=was, outcome=outcome).head(1)
        example = f"batch {first['batch_id'][0]}, line {first['line'][0]}: {first['message'][0]}"
        table.add_row(f"{rows:,}", was, outcome, Text(example, style="dim"))
    return table


def _signed(micros: int) -> str:
    return ("+" if micros > 0 else "") + text_from_micros(micros)


def _right(title: str) -> Column:
    return Column(title, justify="right")

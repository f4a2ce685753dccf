"""How a batch's numbers look to a person, and to a program."""

import json
from typing import Any

import polars as pl
from rich.table import Column, Table
from rich.text import Text

from trueup.cli.terminal import output
from trueup.intake.summary import Summary
from trueup.model.catalog import Catalog
from trueup.model.counting import Sums
from trueup.model.money import text_from_micros
from trueup.model.words import ClickOutcome, Outcome

_MONEY = ("revenue", "pending_revenue", "declined_revenue")


def print_json(summary: Summary, catalog: Catalog) -> None:
    """Print a summary as one JSON object, money as decimal strings."""
    before, after = summary.sums(catalog)
    told: dict[str, Any] = {
        "batch_id": summary.batch_id,
        "preview": summary.batch_id is None,
        "rows": summary.rows,
        "outcomes": _in_order(summary.outcomes),
        "conversions": {"before": before.conversions, "after": after.conversions},
    }
    for name in _MONEY:
        told[name] = {
            "before": text_from_micros(getattr(before, name)),
            "after": text_from_micros(getattr(after, name)),
        }
    output.print_json(json.dumps(told | {"callbacks": 0}))


def show(summary: Summary, catalog: Catalog) -> None:
    """Print a summary as tables: outcomes with an example, the money before and after, changes by type and status."""
    if summary.outcomes:
        output.print(_outcomes_table(summary))
    output.print(_money_table(*summary.sums(catalog), catalog.workspace.currency))
    if summary.totals_delta.height:
        output.print(_changes_table(summary.totals_delta))


def _outcomes_table(summary: Summary) -> Table:
    table = Table("outcome", _right("rows"), "for example", title_justify="left", box=None, pad_edge=False)
    for outcome, count in _in_order(summary.outcomes).items():
        first = summary.samples.filter(pl.col("outcome") == outcome).head(1)
        example = f"line {first['line'][0]}: {first['message'][0]}" if first.height else ""
        style = "red" if outcome.startswith("refused_") else None
        table.add_row(Text(outcome, style=style or ""), f"{count:,}", Text(example, style="dim"))
    return table


def _money_table(before: Sums, after: Sums, currency: str) -> Table:
    table = Table("", _right("before"), _right("after"), _right("change"), box=None, pad_edge=False)
    table.add_row(
        "conversions",
        f"{before.conversions:,}",
        f"{after.conversions:,}",
        f"{after.conversions - before.conversions:+,}",
    )
    for name in _MONEY:
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


def _in_order(outcomes: dict[str, int]) -> dict[str, int]:
    """By precedence, the accepted ones first."""
    kind = Outcome if outcomes.keys() <= set(Outcome) else ClickOutcome
    return {outcome.value: outcomes[outcome] for outcome in reversed(kind) if outcomes.get(outcome)}


def _signed(micros: int) -> str:
    return ("+" if micros > 0 else "") + text_from_micros(micros)


def _right(title: str) -> Column:
    return Column(title, justify="right")

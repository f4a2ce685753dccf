"""Lines that part their fields in ways of their own: the fields of a line become the fields of its dialect.

What a line has too much of comes after them, so the line is refused for its number of fields.
"""

import polars as pl


def binom_line(fields: pl.Expr) -> pl.Expr:
    """Read a line of Binom's updates: `click:payout:status:event_1=5`, or `click:payout=5:cnv_status=Hold`.

    Args:
        fields: What stands between the colons.

    Returns:
        Click id, payout, status and currency, and the events as they are. A value that is given twice has both, so it
        is refused.
    """
    rest = fields.list.slice(1).list.eval(pl.element().str.strip_chars())
    named = rest.list.eval(pl.element().filter(pl.element().str.contains("=", literal=True)))
    bare = rest.list.eval(pl.element().filter(~pl.element().str.contains("=", literal=True)))
    given = "^(payout|cnv_status|cnv_currency)="
    events = named.list.eval(pl.element().filter(~pl.element().str.contains(given)))
    return pl.concat_list(
        fields.list.first(),
        pl.concat_list(bare.list.slice(0, 1), _named(named, "payout")).list.join(" and "),
        pl.concat_list(bare.list.slice(1, 1), _named(named, "cnv_status")).list.join(" and "),
        _named(named, "cnv_currency").list.join(" and "),
        events.list.join(":"),
        bare.list.slice(2).list.eval(pl.element().filter(pl.element() != "")),
    )


def funnelflux_line(fields: pl.Expr) -> pl.Expr:
    """Read a line of FunnelFlux' updates: `hit, 20.50` or `hit:transaction, 20.50`.

    Args:
        fields: What stands between the commas.

    Returns:
        Hit id, transaction id and payout.
    """
    hit = fields.list.first().str.split(":")
    payout = fields.list.get(1, null_on_oob=True).fill_null("")
    return pl.concat_list(hit.list.first(), hit.list.slice(1).list.join(":"), payout, fields.list.slice(2))


def _named(fields: pl.Expr, name: str) -> pl.Expr:
    """The values that fields give by this name."""
    own = pl.element().filter(pl.element().str.starts_with(f"{name}="))
    return fields.list.eval(own.str.strip_prefix(f"{name}="))

"""What a file of clicks names and the setup does not have: all of it at once, so that it can be set up at once."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trueup.model.catalog import Catalog
from trueup.model.words import ClickOutcome

_UNKNOWN: Final = {
    "campaign": ("traffic_source", ClickOutcome.REFUSED_UNKNOWN_CAMPAIGN),
    "offer": ("affiliate_network", ClickOutcome.REFUSED_UNKNOWN_OFFER),
}


@dataclass(frozen=True)
class Missing:
    """Names that are not set up. A campaign's source, and an offer's network, is '' where the file does not say one."""

    campaigns: Mapping[str, str] = field(default_factory=dict)  # name -> traffic source
    offers: Mapping[str, str] = field(default_factory=dict)  # name -> affiliate network
    traffic_sources: tuple[str, ...] = ()
    affiliate_networks: tuple[str, ...] = ()
    rows: int = 0  # that are refused for want of a campaign or an offer

    @property
    def names(self) -> int:
        """How many names are missing."""
        return sum(map(len, (self.campaigns, self.offers, self.traffic_sources, self.affiliate_networks)))


class MissingNames:
    """Names that rows are refused for, gathered block by block."""

    def __init__(self) -> None:
        """Nothing is missing yet."""
        self._rows = 0
        self._found: dict[str, Counter[tuple[str, str]]] = {kind: Counter() for kind in _UNKNOWN}

    def look(self, table: pl.DataFrame) -> None:
        """Look at a block of rows, with the texts of their columns and their refusals."""
        wanting = table.filter(pl.col("refusal").is_in([outcome.value for _, outcome in _UNKNOWN.values()]))
        self._rows += wanting.height
        for kind, (beside, _) in _UNKNOWN.items():
            refused = wanting.filter((pl.col(f"{kind}_id") == 0) & (pl.col(kind) != ""))
            others = pl.col(beside) if beside in table.columns else pl.lit("").alias(beside)
            named = refused.group_by(pl.col(kind), others).len()
            self._found[kind].update({(name, said): rows for name, said, rows in named.iter_rows()})

    def found(self, catalog: Catalog) -> Missing:
        """Say what is missing of the setup, each name once, in the order of the alphabet."""
        campaigns, offers = (_each_once(self._found[kind]) for kind in _UNKNOWN)
        return Missing(
            campaigns,
            offers,
            _unknown(campaigns.values(), catalog.traffic_sources),
            _unknown(offers.values(), catalog.affiliate_networks),
            self._rows,
        )


def _each_once(counted: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Each name with what stands beside it in all of its rows, '' where that differs."""
    beside: dict[str, set[str]] = {}
    for name, said in counted:
        beside.setdefault(name, set()).add(said)
    return {name: said.pop() if len(said) == 1 else "" for name, said in sorted(beside.items())}


def _unknown(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name and name not in known}))

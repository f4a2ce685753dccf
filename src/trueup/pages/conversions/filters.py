"""What the list of conversions can be filtered by, and which conversions a URL means."""

from dataclasses import replace

from trueup.ledger.queries import Selection
from trueup.model.catalog import Catalog
from trueup.model.words import DEFAULT_TYPE, Label, ReportClock, Status
from trueup.pages.lists.period import Period
from trueup.pages.lists.query import Filter, Query
from trueup.pages.shell.words import chip_of
from trueup.reports.filters import Filters, selection
from trueup.reports.spans import WrongWordError


def filters_of(catalog: Catalog) -> list[Filter]:
    """All filters, with what there is to choose from."""
    types = dict.fromkeys((DEFAULT_TYPE, *catalog.conversion_types))
    return [
        Filter("status", "Status", [(each.value, chip_of(each).text) for each in Status], are_ticks=True),
        Filter("label", "Label", [(each.value, chip_of(each).text) for each in Label], are_ticks=True),
        Filter("type", "Type", [(name, name) for name in types]),
        Filter("network", "Network", [(name, name) for name in catalog.affiliate_networks]),
        Filter("offer", "Offer", [(name, name) for name in catalog.offers]),
        Filter("campaign", "Campaign", [(name, name) for name in catalog.campaigns]),
        Filter("source", "Traffic source", [(name, name) for name in catalog.traffic_sources]),
        Filter("click_id", "Click id"),
        Filter("transaction_id", "Transaction id"),
        Filter("batch", "Batch"),
        Filter("where", "Click", []),
    ]


def selection_of(query: Query, period: Period, catalog: Catalog, now: int) -> Selection:
    """Find which conversions a URL means.

    Args:
        query: The URL.
        period: Its period.
        catalog: The setup, in which names are looked up.
        now: The moment, in microseconds since the epoch.

    Raises:
        WrongWordError: A word of it is not known.
    """
    batch = query.one("batch")
    if batch and not (batch.isascii() and batch.isdigit() and len(batch) <= 18):  # noqa: PLR2004 - so much a database holds
        raise WrongWordError(f"A batch is a number; {batch!r} is none.")
    filters = Filters(
        period.from_,
        period.to,
        query.one("date") or ReportClock.CONVERSION.value,
        query.all("status"),
        query.all("type"),
        query.all("campaign"),
        query.all("offer"),
        query.all("network"),
        query.all("source"),
        batch=int(batch) if batch else None,
        removed=query.one("removed") == "1",
        where=[*query.all("where"), *(f"label={label}" for label in query.all("label"))],
    )
    chosen = selection(filters, catalog, catalog.workspace.time_zone, now)
    exact = {name: values for name in ("click_id", "transaction_id") if (values := query.all(name))}
    return replace(chosen, any_of={**chosen.any_of, **exact})

"""What a file of clicks needs of the setup and does not find: as the lines of a setup file, and set up by them."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.dialects.choices import UnreadableFile
from trueup.dialects.missing import Missing
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.model.catalog import AffiliateNetwork, Campaign, Catalog, Offer, TrafficSource
from trueup.model.remarks import Way
from trueup.setup.apply import SetupOutcome, apply_setup
from trueup.setup.fields import NAME_MAX, is_printable
from trueup.setup.forms import toml_of
from trueup.uploads.click_file import ClickFile, read_by

MOST: Final = 1_000  # names; more are no setup, but a column of another meaning
_KINDS: Final = ("affiliate_networks", "traffic_sources", "offers", "campaigns")


@dataclass(frozen=True)
class Lacking:
    """Resources that a file of clicks names and the setup does not have, as a setup file states them."""

    resources: dict[str, list[dict[str, str]]]  # kind -> forms
    rows: int  # of the file that are refused for want of them
    others: int  # names that no resource can have

    @property
    def names(self) -> int:
        """How many resources they are."""
        return sum(map(len, self.resources.values()))

    @property
    def too_many(self) -> bool:
        """Whether these are so many that a column is likely to be another than it seems."""
        return self.names > MOST

    def toml(self, most: int | None = None) -> str:
        """The lines of a setup file that sets them up.

        Args:
            most: How many resources to write at most; None for all.
        """
        return "\n".join(list(_tables(self.resources))[:most])

    def counted(self) -> str:
        """How many of each kind, for a sentence: `2 campaigns and 1 offer`."""
        counts = [(len(forms), kind.replace("_", " ")) for kind, forms in reversed(self.resources.items()) if forms]
        said = [f"{count:,} {kind if count > 1 else kind[:-1]}" for count, kind in counts]
        return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)


def lacking(missing: Missing, catalog: Catalog) -> Lacking | None:
    """Find what has to be set up for a file of clicks.

    Args:
        missing: What its reading did not find.
        catalog: The setup.

    Returns:
        The resources; None where nothing is missing.
    """
    if not missing.rows:
        return None
    slugs = {campaign.slug for campaign in catalog.campaigns.values()}
    named = {
        "affiliate_networks": [{"name": name} for name in missing.affiliate_networks if _can_be_set_up(name)],
        "traffic_sources": [{"name": name} for name in missing.traffic_sources if _can_be_set_up(name)],
        "offers": [_form(name, network=network) for name, network in missing.offers.items() if _can_be_set_up(name)],
        "campaigns": [
            _form(name, slug=_free_slug(name, slugs), traffic_source=source)
            for name, source in missing.campaigns.items()
            if _can_be_set_up(name)
        ],
    }
    found = Lacking(named, missing.rows, 0)
    return replace(found, others=missing.names - found.names)


def lack_of(file: ClickFile) -> Lacking | None:
    """What has to be set up for a file of clicks, None where nothing is missing."""
    return lacking(file.missing, file.catalog)


def lack_to_set_up(file: ClickFile) -> Lacking | None:
    """The same where it is to be set up without another question.

    Raises:
        UnreadableFile: It is too much to be meant.
    """
    lack = lack_of(file)
    if lack and lack.too_many:
        raise UnreadableFile(
            f"The file names {lack.counted()} that are not set up. These are so many that a column may be another than "
            "it seems. Say which is which with ",
            Way.COLUMN.of(title="COLUMN", field="campaign"),
            ".",
        )
    return lack if lack and lack.names else None


def as_planned(file: ClickFile) -> ClickFile:
    """A file as it reads once everything is set up that is missing; for a preview alone."""
    lack = lack_to_set_up(file)
    return read_by(file, planned(file.catalog, lack)) if lack else file


def planned(catalog: Catalog, lack: Lacking) -> Catalog:
    """The setup as it will be, with numbers that hold for a preview alone."""
    networks = dict(catalog.affiliate_networks)
    for form in lack.resources["affiliate_networks"]:
        networks[form["name"]] = AffiliateNetwork(_next(n.network_id for n in networks.values()), form["name"])
    sources = dict(catalog.traffic_sources)
    for form in lack.resources["traffic_sources"]:
        sources[form["name"]] = TrafficSource(_next(s.traffic_source_id for s in sources.values()), form["name"])
    offers = dict(catalog.offers)
    for form in lack.resources["offers"]:
        network = networks[form["network"]].network_id if "network" in form else None
        offers[form["name"]] = Offer(_next(o.offer_id for o in offers.values()), form["name"], network)
    campaigns = dict(catalog.campaigns)
    for form in lack.resources["campaigns"]:
        source = sources[form["traffic_source"]].traffic_source_id if "traffic_source" in form else None
        number = _next(c.campaign_id for c in campaigns.values())
        campaigns[form["name"]] = Campaign(number, form["name"], form["slug"], source)
    return replace(catalog, affiliate_networks=networks, traffic_sources=sources, offers=offers, campaigns=campaigns)


def set_up(database: Database, lack: Lacking, *, preview: bool = False) -> SetupOutcome:
    """Set up what is missing, in a transaction of its own. What somebody has set up meanwhile stays as it is.

    Args:
        database: The ledger.
        lack: What is missing.
        preview: Whether to change nothing.

    Returns:
        What was changed in the setup, or would be.
    """
    catalog = read_catalog(database)
    slugs = {campaign.slug for campaign in catalog.campaigns.values()}
    left = {
        kind: [form for form in forms if form["name"] not in getattr(catalog, kind)]
        for kind, forms in lack.resources.items()
    }
    left["campaigns"] = [{**form, "slug": _free_slug(form["slug"], slugs)} for form in left["campaigns"]]
    return apply_setup(database, "\n".join(_tables(left)).encode(), preview=preview)


def _tables(resources: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    return (toml_of({kind: {form["name"]: form}}) for kind in _KINDS for form in resources[kind])


def _form(name: str, **others: Any) -> dict[str, str]:  # noqa: ANN401 - texts
    return {"name": name, **{key: value for key, value in others.items() if value and _can_be_set_up(value)}}


def _can_be_set_up(name: str) -> bool:
    return bool(name) and len(name) <= NAME_MAX and is_printable(name)


def _free_slug(name: str, taken: set[str]) -> str:
    """A slug for a campaign: its name, as links have it, and a number where that is taken."""
    plain = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[: NAME_MAX - 8] or "campaign"
    slug, number = plain, 1
    while slug in taken:
        number += 1
        slug = f"{plain}-{number}"
    taken.add(slug)
    return slug


def _next(numbers: Collection[int] | Iterator[int]) -> int:
    return max(numbers, default=0) + 1

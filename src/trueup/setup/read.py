"""Read a setup file: the whole of it, or every mistake in it, each with where it stands and what to do."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trueup.model.catalog import Catalog, Workspace
from trueup.setup import tables
from trueup.setup.fields import NAME_MAX, Surroundings, nearest
from trueup.setup.forms import KINDS
from trueup.setup.tables import SetupFile, SetupTable

Raw: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str, ...]
Place: TypeAlias = tuple[str | int, ...]

_TABLES: Final[Mapping[Path, type[SetupTable]]] = {
    (): SetupFile,
    ("workspace",): tables.WorkspaceTable,
    ("affiliate_networks",): tables.AffiliateNetworkTable,
    ("conversion_types",): tables.ConversionTypeTable,
    ("traffic_sources",): tables.TrafficSourceTable,
    ("offers",): tables.OfferTable,
    ("campaigns",): tables.CampaignTable,
    ("campaigns", "offers"): tables.WeightedOffer,
}

_PARTS_MOST: Final = 100  # of a key; ours have three
_LONG_KEY: Final = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)""" + f"{{{_PARTS_MOST}}}"
)

# pydantic's names of mistakes, in words for who writes the file.
_MISTAKES: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "value_error": "{error}",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number, without quotes",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "list_type": "must be a list of tables",
    "dict_type": "must be a table of keys and values",
    "model_type": "must be one table",
}


@dataclass(frozen=True)
class SetupMistake:
    """One resource that is wrong with a setup."""

    place: Place  # kind, number, key and so on down
    title: str  # the place, as who wrote the file knows it
    what: str

    def __str__(self) -> str:
        """As a person reads it: `[[offers]] "VPN trial", payout: must be ...`."""
        return f"{self.title}: {self.what}"


def read_setup(content: bytes, catalog: Catalog) -> SetupFile | list[str]:
    """Read a setup file against what is set up already (docs/setup-file.md).

    Args:
        content: The file, TOML.
        catalog: What is set up already.

    Returns:
        The file; or all that is wrong with it, a line for each mistake.
    """
    raw = parse_setup(content)
    if isinstance(raw, str):
        return [raw]
    file = check_setup(raw, catalog)
    return [str(mistake) for mistake in file] if isinstance(file, list) else file


def check_setup(raw: Raw, catalog: Catalog) -> SetupFile | list[SetupMistake]:
    """Check plain values by key, as a file states them, against what is set up already.

    Args:
        raw: The values.
        catalog: What is set up already.

    Returns:
        The file that they make; or all that is wrong with them.
    """
    try:
        return SetupFile.model_validate(raw, context=_surroundings(raw, catalog))
    except ValidationError as error:
        found = error.errors(include_url=False)
        return [SetupMistake(mistake["loc"], _where(mistake["loc"], raw), _what(mistake)) for mistake in found]


def parse_setup(content: bytes) -> Raw | str:
    """Read a setup file as plain values by key.

    Args:
        content: The file, TOML.

    Returns:
        The values; or why the file cannot be read.
    """
    try:
        text = content.decode("utf-8-sig")
        # The parser would take hours for it: the square of its parts.
        if any(line.count(".") >= _PARTS_MOST and _LONG_KEY.search(line) for line in text.splitlines()):
            return "is not a setup file: it has a key of a hundred parts"
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        column = len(before) - before.rfind("\n")
        return f"is not UTF-8 (at line {before.count(chr(10)) + 1}, column {column}): save it as UTF-8"
    except RecursionError:
        return "is not a setup file: its values are nested too deeply"
    except ValueError as error:
        return f"is not TOML: {error}"


def _surroundings(raw: Raw, catalog: Catalog) -> Surroundings:
    given = {kind: _texts(raw, kind, "name") for kind in KINDS}
    kept = [campaign.slug for name, campaign in catalog.campaigns.items() if name not in given["campaigns"]]
    return Surroundings(
        names={kind: frozenset((*filter(None, names), *getattr(catalog, kind))) for kind, names in given.items()},
        repeated={kind: _several(names) for kind, names in given.items()},
        shared_slugs=_several([*_texts(raw, "campaigns", "slug"), *kept]),
        currencies=_currencies(raw, catalog.workspace),
        kept_offers={
            name: offer.policy.currency for name, offer in catalog.offers.items() if name not in given["offers"]
        },
    )


def _texts(raw: Raw, kind: str, key: str) -> list[str]:
    """What the resources of a kind say for a key, where it is text; the checks tell of all else."""
    resources = raw.get(kind)
    found = (
        [resource.get(key) for resource in resources if isinstance(resource, dict)]
        if isinstance(resources, list)
        else []
    )
    return [text.strip() for text in found if isinstance(text, str)]


def _several(texts: list[str]) -> frozenset[str]:
    return frozenset(text for text, times in Counter(texts).items() if times > 1)


def _currencies(raw: Raw, stored: Workspace) -> frozenset[str]:
    given = raw.get("workspace")
    if not isinstance(given, dict):
        return frozenset((stored.currency, *stored.rates))
    rates = given.get("rates")
    words = (given.get("currency", Workspace.currency), *(rates if isinstance(rates, dict) else ()))
    return frozenset(word.upper() for word in words if isinstance(word, str))


def _where(loc: Place, raw: Raw) -> str:
    kind, *path = loc
    heading = "[workspace]" if kind == "workspace" else f"[[{kind}]]" if kind in KINDS else _step(kind)
    if path and isinstance(path[0], int):
        place = path.pop(0)
        heading = f"{heading} {_title(raw[str(kind)][place]) or _step(place)}"
    return ", ".join((heading, *(_step(step) for step in path if step != "[key]")))


def _title(resource: object) -> str:
    name = resource.get("name") if isinstance(resource, dict) else None
    fit = isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= NAME_MAX
    return json.dumps(str(name).strip(), ensure_ascii=False) if fit else ""


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"number {step + 1}"
    return step if step.isprintable() else repr(step)


def _what(mistake: ErrorDetails) -> str:
    loc = mistake["loc"]
    if mistake["type"] == "extra_forbidden":
        table = _TABLES[tuple(step for step in loc[:-1] if isinstance(step, str))]
        return f"unknown key: {nearest(str(loc[-1]), table.model_fields)}"
    words = _MISTAKES.get(mistake["type"])
    return words.format_map(mistake.get("ctx", {})) if words else mistake["msg"]

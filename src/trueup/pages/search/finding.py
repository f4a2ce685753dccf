"""What a person means by a few words: an id, a page, a file, or something of the setup."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from trueup.access.users import Person
from trueup.ledger.batches import read_batch
from trueup.ledger.database import Database
from trueup.ledger.search import batches_of_files_named
from trueup.ledger.uploads import find_upload
from trueup.model.catalog import Catalog
from trueup.pages.shell.navigation import APART, SECTIONS, Place
from trueup.reports.search import MOST, Found, found_by_keys, search

_BATCH_DIGITS: Final = 18
_NAMED: Final = ("campaign", "offer", "network", "source")
_FILES_SHORTEST: Final = 2
_CERTAIN: Final = 12  # characters: a click id as long as this is hardly the transaction id of something else


@dataclass(frozen=True)
class Named:
    """Something of the setup, and the conversions of it."""

    kind: str
    name: str
    url: str


@dataclass(frozen=True)
class Finds:
    """All that was found."""

    opens: str = ""  # the path that the text names exactly, and nothing else; '' for none
    places: list[Place] = field(default_factory=list)
    ids: list[Found] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.places or self.ids or self.files or self.named)


def find(database: Database, text: str, person: Person, catalog: Catalog, *, with_rows: bool) -> Finds:
    """Find what a text names.

    Args:
        database: The ledger.
        text: The text, trimmed, not empty.
        person: Who asks: pages that they may not see are not found.
        catalog: The setup.
        with_rows: Whether to look among refused and ignored rows, too.
    """
    numbered = list(_numbered(database, text))
    by_keys = found_by_keys(database, text)
    certain = {_path(each, []) for each in by_keys if each.exactly and len(text) >= _CERTAIN}
    if len(certain) == 1 and not with_rows:
        return Finds(certain.pop())
    ids = search(database, text, with_rows=with_rows, by_keys=by_keys)
    opens = {*numbered, *(_path(each, ids) for each in ids if each.exactly and each.what != "row")}
    files = batches_of_files_named(database, text, MOST).to_dicts() if len(text) >= _FILES_SHORTEST else []
    return Finds(
        opens.pop() if len(opens) == 1 else "",
        places_named(text, person),
        ids,
        files,
        list(_named(text, catalog)),
    )


def places_named(text: str, person: Person) -> list[Place]:
    """The pages that some words mean, by their title or by a name that another tracker has for them."""
    words = text.casefold().split()
    every = [place for _, places in SECTIONS for place in places] + list(APART)
    allowed = [place for place in every if person.may(place.needs)]
    found = [place for place in allowed if all(word in f"{place.title} {place.words}".casefold() for word in words)]
    return sorted(found, key=lambda place: _rank(place, text.casefold()))


def _rank(place: Place, text: str) -> int:
    """Whole names come before parts of names."""
    names = [place.title.casefold(), *place.words.split(", ")]
    return 0 if names[0] == text else 1 if text in names else 2


def _numbered(database: Database, text: str) -> Iterator[str]:
    """The batch and the sent file of a number."""
    number = text.removeprefix("#")
    is_number = number.isascii() and number.isdigit() and len(number) <= _BATCH_DIGITS
    if is_number and read_batch(database, int(number)):
        yield f"/uploads/{int(number)}"
    if find_upload(database, text):
        yield f"/upload/{quote(text, safe='')}"


def _path(found: Found, every: list[Found]) -> str:
    """Where something is shown that is exactly what was asked for."""
    if found.what == "click":
        return f"/clicks/{quote(found.click_id, safe='')}"
    if found.by == "transaction_id" and _has_others(found, every):
        return "/conversions?" + urlencode({"from": "", "to": "", "transaction_id": found.transaction_id})
    return f"/conversions/{quote(found.conversion_id, safe='')}"


def _has_others(found: Found, every: list[Found]) -> bool:
    same = [each for each in every if each.what == "conversion" and each.transaction_id == found.transaction_id]
    return len(same) > 1


def _named(text: str, catalog: Catalog) -> Iterator[Named]:
    """Campaigns, offers, networks and traffic sources whose name holds the text."""
    kinds = (catalog.campaigns, catalog.offers, catalog.affiliate_networks, catalog.traffic_sources)
    for word, by_name in zip(_NAMED, kinds, strict=True):
        for name in [name for name in by_name if text.casefold() in name.casefold()][:MOST]:
            yield Named(word, name, "/conversions?" + urlencode({word: name}))

"""Laws of setup files, whatever is in them: show gives back what apply was given, and apply only adds and sets."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import pytest
from databases import execute
from effort import law
from hypothesis import given
from hypothesis import strategies as st

from trueup.ledger import schema
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Database
from trueup.ledger.open import open_ledger
from trueup.model.money import PAYOUT_MAX, RATE_SCALE, text_from_micros, text_from_rate
from trueup.model.words import Approval, DuplicateMode, PayoutMode, Status, UnknownClick
from trueup.setup.apply import apply_setup, show_setup
from trueup.setup.forms import Forms, forms_of_catalog, toml_of

CATALOG = (
    schema.workspace,
    schema.affiliate_networks,
    schema.conversion_types,
    schema.traffic_sources,
    schema.offers,
    schema.campaigns,
)

CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
NAMES = st.sampled_from("ABC") | st.text(CHARACTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
SLUGS = st.from_regex("[a-z0-9-]{1,8}", fullmatch=True)
ZONES = st.sampled_from(["UTC", "Europe/Warsaw", "Asia/Kathmandu", "America/New_York"])
PAYOUTS = st.integers(-PAYOUT_MAX, PAYOUT_MAX).map(text_from_micros)
RATES = st.integers(1, RATE_SCALE**2).map(text_from_rate)
URLS = st.sampled_from(["http://example.com", "https://example.com/{campaign}?s={click_id}&x={sub10}#é"])


def some_of(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A table with any of the keys left out."""
    return st.fixed_dictionaries({}, optional=keys)


def words(enum: type[StrEnum]) -> st.SearchStrategy[str]:
    return st.sampled_from([word.value for word in enum])


WORKSPACES = some_of(
    name=NAMES, time_zone=ZONES, unknown_click=words(UnknownClick), rows_per_click=st.integers(1, 100_000)
)
NETWORKS = some_of(
    duplicate_mode=words(DuplicateMode),
    default_status=words(Status),
    status_map=st.dictionaries(NAMES.map(str.casefold).map(str.strip).filter(bool), words(Status), max_size=3),
    time_zone=ZONES | st.just(""),
    only_with_key=st.booleans(),
    allowed_addresses=st.lists(st.sampled_from(["203.0.113.7", "198.51.100.0/24", "::/0"]), unique=True),
    always_200=st.booleans(),
)
TYPES = some_of(include_in_conversions=st.booleans(), duplicate_mode=words(DuplicateMode), in_journey=st.booleans())


def offers(networks: list[str], types: list[str], currencies: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return some_of(
        network=st.sampled_from(networks),
        url=URLS,
        payout_mode=words(PayoutMode),
        payout=PAYOUTS,
        currency=st.sampled_from(currencies),
        approval=words(Approval),
        payouts=st.dictionaries(st.sampled_from(types), PAYOUTS, max_size=3),
    )


def campaigns(sources: list[str], offers: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    weights = st.dictionaries(st.sampled_from(offers), st.integers(1, 1_000_000), max_size=3)
    weighted = weights.map(lambda chosen: [{"offer": name, "weight": weight} for name, weight in chosen.items()])
    return some_of(traffic_source=st.sampled_from(sources), offers=weighted)


@st.composite
def setups(draw: st.DrawFn) -> Forms:
    """A setup file without mistakes."""
    networks, types, sources, products, links = (
        draw(st.lists(NAMES, unique=True, min_size=1, max_size=3)) for _ in range(5)
    )
    slugs = draw(st.lists(SLUGS, unique=True, min_size=3, max_size=3))
    rates = draw(st.fixed_dictionaries({"EUR": RATES}, optional={"GBP": RATES}))
    kinds = {
        "affiliate_networks": dict.fromkeys(networks, NETWORKS),
        "conversion_types": dict.fromkeys([*types, "conversion"], TYPES),
        "traffic_sources": dict.fromkeys(sources, some_of()),
        "offers": dict.fromkeys(products, offers(networks, [*types, "conversion"], ["USD", "EUR"])),
        "campaigns": dict.fromkeys(links, campaigns(sources, products)),
    }
    forms = {kind: {name: {"name": name} | draw(keys) for name, keys in named.items()} for kind, named in kinds.items()}
    for form in forms["campaigns"].values():
        form["slug"] = slugs.pop()
    return {"workspace": {"": draw(WORKSPACES) | {"rates": rates}}} | forms


@pytest.fixture
def pair(new_url: Callable[[], str]) -> Iterator[tuple[Database, Database]]:
    with open_ledger(new_url()) as first, open_ledger(new_url()) as second:
        yield first, second


def emptied(pair: tuple[Database, Database]) -> tuple[Database, Database]:
    for ledger in pair:
        for table in CATALOG:
            execute(ledger, table.delete())
    return pair


@law
@given(setup=setups())
def test_show__is_a_file_that_says_the_same(setup: Forms, pair: tuple[Database, Database]) -> None:
    first, second = emptied(pair)
    assert apply_setup(first, toml_of(setup).encode()).mistakes == ()
    assert apply_setup(first, toml_of(setup).encode()).changes == ()
    shown = show_setup(first)
    assert apply_setup(first, shown.encode()).changes == ()
    assert apply_setup(second, shown.encode()).mistakes == ()
    assert show_setup(second) == shown


@law
@given(old=setups(), new=setups())
def test_apply__sets_what_the_file_mentions_and_nothing_else(
    old: Forms, new: Forms, pair: tuple[Database, Database]
) -> None:
    both, alone = emptied(pair)
    apply_setup(both, toml_of(old).encode())
    before = forms_of_catalog(read_catalog(both))
    outcome = apply_setup(both, toml_of(new).encode())
    after = forms_of_catalog(read_catalog(both))
    if outcome.mistakes:  # a slug or a currency of what is set up already
        assert after == before
        return
    apply_setup(alone, toml_of(new).encode())
    wanted = forms_of_catalog(read_catalog(alone))
    for kind, forms in after.items():
        assert forms == before[kind] | {name: wanted[kind][name] for name in new[kind]}

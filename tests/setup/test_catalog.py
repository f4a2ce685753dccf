"""What the ledger keeps of the setup and of policies comes back as it was."""

from dataclasses import replace

import pytest
from databases import write

from trueup.ledger.catalog import read_catalog, vacate_slugs, write_resource, write_workspace
from trueup.ledger.database import Database, DatabaseError
from trueup.ledger.policies import read_policies, store_policy
from trueup.model.catalog import AffiliateNetwork, Campaign, Catalog, ConversionType, Offer, TrafficSource, Workspace
from trueup.model.money import PAYOUT_MAX, rate_from_text
from trueup.model.policy import NetworkPolicy, OfferPolicy, Policy
from trueup.model.words import Approval, DuplicateMode, PayoutMode, Status, UnknownClick

NAME = 'Ünïcode "quoted" 名前'
WORKSPACE = Workspace(NAME, "Asia/Kathmandu", "JPY", UnknownClick.PARK, 7, {"EUR": rate_from_text("161.123456789")})
NETWORK = AffiliateNetwork(
    0,
    NAME,
    NetworkPolicy(
        DuplicateMode.ADD_PAYOUT, Status.PENDING, {"straße": Status.DECLINED, "2": Status.OTHER}, "Europe/Warsaw"
    ),
    only_with_key=True,
    allowed_addresses=("203.0.113.7", "2001:db8::/32"),
    always_200=True,
)
KIND = ConversionType(0, NAME, include_in_conversions=False, duplicate_mode=DuplicateMode.UPDATE, in_journey=True)
SOURCE = TrafficSource(0, NAME)
OFFER = Offer(
    0,
    NAME,
    network_id=1,
    url="https://example.com/?s={click_id}",
    policy=OfferPolicy(PayoutMode.MANUAL, -PAYOUT_MAX, "EUR", Approval.MANUAL, {"sale": PAYOUT_MAX, "upsell": 1}),
)
CAMPAIGN = Campaign(0, NAME, "a-b", traffic_source_id=1, offers=((1, 3), (2, 1)))


def test_catalog__of_a_new_ledger_is_the_defaults(ledger: Database) -> None:
    assert read_catalog(ledger) == Catalog(conversion_types={"conversion": ConversionType(0, "conversion")})


def test_catalog__comes_back_as_it_was_written(ledger: Database) -> None:
    write(ledger, write_workspace, WORKSPACE)
    for thing in (NETWORK, KIND, SOURCE, OFFER, CAMPAIGN):
        assert write(ledger, write_resource, thing) == 1
    assert read_catalog(ledger) == Catalog(
        workspace=WORKSPACE,
        affiliate_networks={NAME: replace(NETWORK, network_id=1)},
        conversion_types={"conversion": ConversionType(0, "conversion"), NAME: replace(KIND, type_id=1)},
        traffic_sources={NAME: replace(SOURCE, traffic_source_id=1)},
        offers={NAME: replace(OFFER, offer_id=1)},
        campaigns={NAME: replace(CAMPAIGN, campaign_id=1)},
    )


def test_catalog__change_keeps_the_number(ledger: Database) -> None:
    for name in ("first", "second", "third"):
        write(ledger, write_resource, replace(OFFER, name=name))
    changed = replace(OFFER, offer_id=2, name="second", url="")
    assert write(ledger, write_resource, changed) == 2
    write(ledger, write_workspace, Workspace())
    write(ledger, write_workspace, WORKSPACE)
    stored = read_catalog(ledger)
    assert stored.workspace == WORKSPACE
    assert list(stored.offers) == ["first", "second", "third"]
    assert stored.offers["second"] == changed


def test_catalog__conversion_type_can_be_given_settings_of_its_own(ledger: Database) -> None:
    write(ledger, write_resource, SOURCE)
    write(ledger, write_resource, KIND)
    write(ledger, write_resource, ConversionType(0, "conversion", duplicate_mode=DuplicateMode.CREATE))
    types = read_catalog(ledger).conversion_types
    assert types["conversion"].duplicate_mode is DuplicateMode.CREATE
    assert list(types) == ["conversion", NAME]


def test_slugs__can_be_swapped(ledger: Database) -> None:
    first, second = replace(CAMPAIGN, name="first", slug="a"), replace(CAMPAIGN, name="second", slug="b")
    numbers = [write(ledger, write_resource, first), write(ledger, write_resource, second)]
    with ledger.transaction() as transaction:
        vacate_slugs(transaction, numbers)
        write_resource(transaction, replace(first, campaign_id=numbers[0], slug="b"))
        write_resource(transaction, replace(second, campaign_id=numbers[1], slug="a"))
    assert [campaign.slug for campaign in read_catalog(ledger).campaigns.values()] == ["b", "a"]


def test_names__cannot_be_stored_twice(ledger: Database) -> None:
    write(ledger, write_resource, SOURCE)
    with pytest.raises(DatabaseError):
        write(ledger, write_resource, SOURCE)


def test_policies__come_back_by_their_ids(ledger: Database) -> None:
    catalog = Catalog(
        WORKSPACE, {NAME: replace(NETWORK, network_id=4)}, {NAME: KIND}, offers={NAME: replace(OFFER, offer_id=9)}
    )
    # Of this database alone: what a program has read once it does not read again.
    of_this = Policy(rates={ledger.dialect.name: 3})
    policies = [catalog.policy(), Policy(), of_this]
    with ledger.transaction() as transaction:
        for policy in [*policies, *policies]:
            store_policy(transaction, policy)
    wanted = [policy.policy_id for policy in policies]
    assert read_policies(ledger, wanted) == {policy.policy_id: policy for policy in policies}
    assert read_policies(ledger, [wanted[2], wanted[2]]) == {wanted[2]: of_this}
    assert read_policies(ledger, []) == {}


def test_policies__one_that_is_not_there_is_an_error(ledger: Database) -> None:
    with pytest.raises(DatabaseError, match="lacks policy 12"):
        read_policies(ledger, [12])


def test_policies__of_a_transaction_that_failed_are_not_kept(ledger: Database) -> None:
    policy = Policy(currency="XTS")
    with pytest.raises(ZeroDivisionError):
        store_and_fail(ledger, policy)
    with pytest.raises(DatabaseError, match="lacks policy"):
        read_policies(ledger, [policy.policy_id])


def store_and_fail(ledger: Database, policy: Policy) -> None:
    with ledger.transaction() as transaction:
        store_policy(transaction, policy)
        raise ZeroDivisionError

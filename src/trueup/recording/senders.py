"""Who may report conversions of whose clicks: a network's keys, and the addresses its messages come from."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from trueup.ledger.database import Readable
from trueup.ledger.snapshot import read_click_facts
from trueup.model.catalog import AffiliateNetwork, Catalog
from trueup.model.ids import CLICK_ID
from trueup.model.traffic import IncomingConversion, Stranger


def refused_senders(database: Readable, catalog: Catalog, messages: Sequence[IncomingConversion]) -> list[int]:
    """The places of the messages whose senders may not report conversions of their clicks.

    A key is good for the clicks of its own network. A network may ask for a key, and for certain addresses. A click
    that nobody knows yet has no network: where any network asks for something, the message must bring a key.
    """
    careful = {n.network_id: n for n in catalog.affiliate_networks.values() if n.only_with_key or n.allowed_addresses}
    doubtful = [place for place, message in enumerate(messages) if message.sender is not Stranger.NO_KEY or careful]
    if not doubtful:
        return []
    ids = {messages[place].row.get("click_id", "") for place in doubtful}
    fit = sorted(click_id for click_id in ids if CLICK_ID.fullmatch(click_id))
    facts = read_click_facts(database, fit)
    network_of = dict(zip(facts["click_id"].to_list(), facts["network_id"].to_list(), strict=True))
    return [place for place in doubtful if not _may_report(messages[place], network_of, careful)]


def _may_report(
    message: IncomingConversion, network_of: Mapping[str, int], careful: Mapping[int, AffiliateNetwork]
) -> bool:
    network_id = network_of.get(message.row.get("click_id", ""))
    has_key = isinstance(message.sender, int)
    if message.sender is Stranger.UNKNOWN_KEY:
        return False
    if network_id is None:
        return has_key or not careful
    if has_key and message.sender != network_id:
        return False
    network = careful.get(network_id)
    if network is None:
        return True
    return (has_key or not network.only_with_key) and _comes_from(message.address, network.allowed_addresses)


@lru_cache(maxsize=4_096)
def _comes_from(address: str, allowed: tuple[str, ...]) -> bool:
    if not allowed:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found  # a socket of both kinds shows IPv4 callers so
    return any(found in ip_network(network, strict=False) for network in allowed)

"""The keys of a network's postbacks: made, and dropped.

A network has two keys at most, so that it can be given a new one while it still sends the one before.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from trueup.ledger.catalog import lock_catalog, move_catalog_version, read_catalog, write_postback_keys
from trueup.ledger.database import Database, Transaction
from trueup.model.catalog import AffiliateNetwork

Keys = tuple[str, ...]

KEY_BYTES: Final = 24  # of randomness in a key, which has 32 characters then
KEYS_MOST: Final = 2


def rotate_postback_key(
    database: Database,
    network_id: int,
    randomness: bytes,
    also: Callable[[Transaction, AffiliateNetwork], None] = lambda *_: None,
) -> AffiliateNetwork | None:
    """Give a network a new key; the newest of those it had stays good beside it (docs/postbacks.md, Keys).

    Args:
        database: The ledger.
        network_id: Our number for the network.
        randomness: KEY_BYTES random bytes.
        also: What else to do in the same transaction.

    Returns:
        The network with its keys, the new one first; None where there is no such network.
    """
    key = base64.urlsafe_b64encode(randomness[:KEY_BYTES]).decode()
    return _set(database, network_id, lambda keys: (key, *keys)[:KEYS_MOST], also)


def drop_postback_keys(database: Database, network_id: int, *, all_keys: bool = False) -> AffiliateNetwork | None:
    """Drop the key before the newest, or all keys: postbacks that bring a dropped one are refused.

    Args:
        database: The ledger.
        network_id: Our number for the network.
        all_keys: Whether the newest key is dropped too.

    Returns:
        The network with the keys it has left; None where there is no such network.
    """
    return _set(database, network_id, lambda keys: () if all_keys else keys[:1])


def _set(
    database: Database,
    network_id: int,
    changed: Callable[[Keys], Keys],
    also: Callable[[Transaction, AffiliateNetwork], None] = lambda *_: None,
) -> AffiliateNetwork | None:
    with database.transaction() as transaction:
        lock_catalog(transaction)
        networks = read_catalog(transaction).affiliate_networks.values()
        network = next((each for each in networks if each.network_id == network_id), None)
        if network is None:
            return None
        network = replace(network, postback_keys=changed(network.postback_keys))
        write_postback_keys(transaction, network_id, network.postback_keys)
        move_catalog_version(transaction)
        also(transaction, network)
    return network

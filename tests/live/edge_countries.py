"""Writes small country databases in MaxMind's format, of IPv4 networks."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

_MARK = b"\xab\xcd\xefMaxMind.com"
_MAP, _STRING, _UINT16, _UINT32, _UINT64, _ARRAY = 7, 2, 5, 6, 9, 11


def write_countries(path: Path, records: Mapping[str, object]) -> Path:
    """Write a database of countries.

    Args:
        path: Where to write it.
        records: network -> record.

    Returns:
        The path.
    """
    nodes: list[list[object]] = [[None, None]]
    section, places = b"", {}
    for network, record in records.items():
        places[network] = len(section)
        section += _value(record)
        _put(nodes, network)
    count = len(nodes)
    tree = b"".join(_pointer(side, count, places).to_bytes(3, "big") for node in nodes for side in node)
    path.write_bytes(tree + bytes(16) + section + _MARK + _value(_metadata(count)))
    return path


def _put(nodes: list[list[object]], network: str) -> None:
    """Lead the bits of a network to its name."""
    found = ip_network(network)
    bits = [int(bit) for bit in f"{int(found.network_address):032b}"[: found.prefixlen]]
    node = nodes[0]
    for bit in bits[:-1]:
        if node[bit] is None:
            nodes.append([None, None])
            node[bit] = len(nodes) - 1
        place = node[bit]
        assert isinstance(place, int), "one network lies in another"
        node = nodes[place]
    node[bits[-1]] = network


def _pointer(side: object, count: int, places: Mapping[str, int]) -> int:
    if isinstance(side, str):
        return count + 16 + places[side]
    return side if isinstance(side, int) else count


def _metadata(count: int) -> dict[str, object]:
    return {
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1_700_000_000),
        "database_type": "Countries of tests",
        "description": {"en": "Countries of tests"},
        "ip_version": (_UINT16, 4),
        "languages": ["en"],
        "node_count": (_UINT32, count),
        "record_size": (_UINT16, 24),
    }


def _value(value: object) -> bytes:
    match value:
        case str():
            return _control(_STRING, len(value.encode())) + value.encode()
        case dict():
            return _control(_MAP, len(value)) + b"".join(_value(name) + _value(each) for name, each in value.items())
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(_value, value))
        case (int(kind), int(number)):
            content = number.to_bytes((number.bit_length() + 7) // 8, "big")
            return _control(kind, len(content)) + content
    raise TypeError(value)


def _control(kind: int, size: int) -> bytes:
    assert size < 29
    return bytes([kind << 5 | size]) if kind <= _MAP else bytes([size, kind - 7])

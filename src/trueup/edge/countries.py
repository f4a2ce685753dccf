"""In which country an address is, by a file in MaxMind's form."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

import maxminddb

Address = IPv4Address | IPv6Address

_COUNTRY_CHARS: Final = 2
_UNKNOWN_COUNTRY: Final = "XX"


class CountryDatabaseError(OSError):
    """The file that countries are found in cannot be used. The message says why."""


def open_countries(path: Path | None) -> Callable[[Address], str]:
    """Open a MaxMind file of countries.

    Args:
        path: The file; None for none.

    Returns:
        A function that finds an address's country; '' where the file does not say, or where there is no file.

    Raises:
        CountryDatabaseError: The file cannot be read.
    """
    if path is None:
        return lambda _address: ""
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise CountryDatabaseError(f"the country database {path} cannot be used: {error}") from None

    def find(address: Address) -> str:
        try:
            return _of_record(reader.get(address))
        except (ValueError, maxminddb.InvalidDatabaseError):  # an IPv6 address in a file of IPv4, or a damaged page
            return ""

    return find


def _of_record(record: object) -> str:
    """The country of a record: MaxMind and DB-IP nest it, others write it plainly."""
    if not isinstance(record, dict):
        return ""
    country = record.get("country") or record.get("country_code")
    return country_of(country.get("iso_code") if isinstance(country, dict) else country)


def country_of(told: object) -> str:
    """The code of a country, in capitals; '' for what is none."""
    fit = isinstance(told, str) and len(told) == _COUNTRY_CHARS and told.isascii() and told.isalpha()
    country = str(told).upper() if fit else ""
    return "" if country == _UNKNOWN_COUNTRY else country

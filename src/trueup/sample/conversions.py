"""Sample conversions: what the networks would have reported of the sample clicks."""

from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Final

from trueup.model.words import DEFAULT_TYPE, Status
from trueup.sample.clicks import SECOND, Click

# Offer -> the type of its conversions, how many clicks convert, and the hours that they take on average.
_CONVERTS: Final = {
    "VPN trial": (DEFAULT_TYPE, 0.085, 1),
    "VPN yearly": (DEFAULT_TYPE, 0.031, 6),
    "Antivirus": (DEFAULT_TYPE, 0.026, 4),
    "Credit card": (DEFAULT_TYPE, 0.055, 20),
    "Car insurance": (DEFAULT_TYPE, 0.07, 12),
    "Energy switch": ("lead", 0.06, 8),
    "Puzzle game": ("app_install", 0.11, 0.5),
    "Racing game": ("app_install", 0.08, 0.5),
}
_PREFIXES: Final = {"lead": "L", "app_install": "A", DEFAULT_TYPE: "T"}
_CONTOSO: Final = ("Credit card", "Car insurance", "Energy switch")  # this network decides later


@dataclass(frozen=True)
class Conversion:
    """One conversion as its network first reported it. Its click pays what its offer is set up with."""

    click: Click
    conversion_type: str
    transaction_id: str
    status: Status
    converted_at: int  # microseconds since the epoch

    @property
    def conversion_id(self) -> str:
        """What Trueup calls it: the first row of its click made it."""
        return f"{self.click.click_id}-1"


def sample_conversions(clicks: list[Click], now: int, random: Random) -> list[Conversion]:
    """Let some clicks convert, each some time after it came.

    Args:
        clicks: The clicks.
        now: The moment, in microseconds since the epoch.
        random: Where chance comes from.

    Returns:
        The conversions that have happened by `now`, in order of time.
    """
    numbers = count(100_001)
    found = []
    for click in clicks:
        conversion_type, chance, hours = _CONVERTS[click.offer]
        converted_at = click.clicked_at + (60 + round(random.expovariate(1 / (hours * 3_600)))) * SECOND
        if random.random() < chance and converted_at < now:
            transaction_id = f"{_PREFIXES[conversion_type]}-{next(numbers)}"
            status = Status.PENDING if click.offer in _CONTOSO else Status.APPROVED
            found.append(Conversion(click, conversion_type, transaction_id, status, converted_at))
    return sorted(found, key=lambda conversion: conversion.converted_at)

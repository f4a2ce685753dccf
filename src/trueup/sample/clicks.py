"""Sample clicks: thirty days of visits to the sample workspace's campaigns, with the rhythm of a day and of a week."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from random import Random
from typing import Any, Final

from trueup.model.ids import RANDOM_BYTES, new_click_id

SETUP: Final = files("trueup.sample").joinpath("setup.toml").read_text(encoding="utf-8")
DAYS: Final = 30
SECOND: Final = 1_000_000  # microseconds
DAY: Final = 86_400 * SECOND

_KEY: Final = b"the key of a sample is no secret"
_BY_HOUR: Final = (3, 2, 1, 1, 1, 2, 4, 6, 8, 9, 9, 10, 11, 10, 9, 9, 10, 12, 14, 16, 17, 15, 10, 6)  # UTC
_WEEKEND: Final = (5, 6)
_ON_WEEKENDS: Final = 0.7  # as many visits as on a working day
# Campaign -> how often it is seen, what a click costs in micros, and whence its visitors come.
_TRAFFIC: Final = {
    "PL push": (7, 9_000, ("PL",)),
    "FR push": (5, 11_000, ("FR", "FR", "BE")),
    "DE search": (2, 390_000, ("DE", "DE", "AT")),
    "US search": (2, 340_000, ("US", "US", "CA")),
    "DE social": (3, 62_000, ("DE", "AT", "CH")),
    "US social": (4, 21_000, ("US",)),
}


@dataclass(frozen=True)
class Click:
    """One visit."""

    click_id: str
    campaign: str
    offer: str
    clicked_at: int  # microseconds since the epoch
    cost: int  # micros
    country: str
    external_id: str
    creative: str


def sample_clicks(now: int, count: int, random: Random) -> list[Click]:
    """Invent clicks of the thirty days before `now`, in the order of their time."""
    campaigns = {campaign["name"]: campaign for campaign in tomllib.loads(SETUP)["campaigns"]}
    weights = [_TRAFFIC[name][0] for name in campaigns]
    names = random.choices(list(campaigns), weights, k=count)
    times = sorted(_moments(now, count, random))
    return [_click(campaigns[name], at, random) for name, at in zip(names, times, strict=True)]


def _moments(now: int, count: int, random: Random) -> list[int]:
    """Moments in busy hours and quiet ones, in whole seconds: a tracker's export has no finer ones."""
    today = now // DAY
    days = range(today - DAYS + 1, today + 1)
    # Day 0 of the epoch was a Thursday.
    weights = [_ON_WEEKENDS if (day + 3) % 7 in _WEEKEND else 1.0 for day in days]
    chosen = zip(random.choices(days, weights, k=count), random.choices(range(24), _BY_HOUR, k=count), strict=True)
    moments = (day * DAY + (hour * 3_600 + random.randrange(3_600)) * SECOND for day, hour in chosen)
    return [at if at < now else at - DAYS * DAY for at in moments]


def _click(campaign: dict[str, Any], at: int, random: Random) -> Click:
    _, cost, countries = _TRAFFIC[campaign["name"]]
    offers = campaign["offers"]
    (offer,) = random.choices([each["offer"] for each in offers], [each["weight"] for each in offers])
    return Click(
        click_id=new_click_id(at, random.randbytes(RANDOM_BYTES), _KEY),
        campaign=campaign["name"],
        offer=offer,
        clicked_at=at,
        cost=round(cost * random.uniform(0.6, 1.5)),
        country=random.choice(countries),
        external_id=f"{random.getrandbits(48):012x}",
        creative=f"creative-{random.randint(1, 5)}",
    )

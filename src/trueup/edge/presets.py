"""Postback URLs to copy and paste: ours, with the macros of the network or tracker that is to send them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from trueup.edge.postback import PATH

PLAIN: Final = "plain"


@dataclass(frozen=True)
class Preset:
    """How one network or tracker writes a postback."""

    name: str
    title: str
    source: str  # the page that says so
    click_id_in: str  # the parameter of its links that carries our click id, '' where its own settings say which
    parameters: Mapping[str, str]  # ours -> its macro
    note: str  # what else there is to know, '' for nothing

    @property
    def link(self) -> str:
        """What an offer's URL must have, so that postbacks can name the click; '' where this preset cannot say."""
        return f"{self.click_id_in}={{click_id}}" if self.click_id_in else ""


# For a network without a preset: its own macros stand where the words in capitals are.
PLAIN_PRESET: Final = Preset(
    name=PLAIN,
    title="",
    source="",
    click_id_in="",
    parameters={
        "click_id": "CLICK_ID",
        "payout": "PAYOUT",
        "currency": "CURRENCY",
        "transaction_id": "TRANSACTION_ID",
        "status": "STATUS",
    },
    note="Put its own macros where the words in capitals are; leave out what it does not say.",
)


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset, by name."""
    text = files("trueup.edge").joinpath("presets.toml").read_text(encoding="utf-8")
    return {name: Preset(name, **said) for name, said in tomllib.loads(text).items()} | {PLAIN: PLAIN_PRESET}


def preset_for(network: str) -> Preset:
    """The preset of a network that is called as one is, whatever the case; else the plain one."""
    asked = network.strip().casefold()
    named = (preset for preset in presets().values() if asked in (preset.name, preset.title.casefold()))
    return next(named, PLAIN_PRESET)


def postback_url(base_url: str, key: str, preset: Preset) -> str:
    """Write the URL that a network is given. The macros stand as they are: the network fills them before it asks.

    Args:
        base_url: Where the world reaches the server.
        key: The network's key; '' for none.
        preset: Whose macros the URL has.

    Returns:
        The URL, ready to copy.
    """
    path = f"/{key}{PATH}" if key else PATH
    query = "&".join(f"{name}={macro}" for name, macro in preset.parameters.items())
    return f"{base_url.rstrip('/')}{path}?{query}"

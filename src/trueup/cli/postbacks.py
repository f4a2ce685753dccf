"""`trueup postbacks`: the URLs that networks are given, and their keys."""

import json as json_format
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trueup.cli.consoles import Text
from trueup.cli.terminal import DatabaseUrl, notices, output, stop
from trueup.cli.workspace import workspace
from trueup.dialects.names import nearest
from trueup.ledger.catalog import read_catalog
from trueup.ledger.database import Readable
from trueup.model.catalog import AffiliateNetwork
from trueup.model.words import DuplicateMode
from trueup.setup.postback_keys import KEY_BYTES, drop_postback_keys, rotate_postback_key

if TYPE_CHECKING:
    from trueup.edge.presets import Preset

commands = typer.Typer()
postbacks = typer.Typer(help="The postback URLs of networks, and their keys.", no_args_is_help=True)
commands.add_typer(postbacks, name="postbacks")

Network = Annotated[str, typer.Argument(metavar="NETWORK", help="The affiliate network's name.", show_default=False)]
OneNetwork = Annotated[
    str | None, typer.Option("--network", metavar="NAME", help="Of this affiliate network; else of each.")
]
PresetName = Annotated[
    str | None,
    typer.Option("--preset", metavar="P", help="Whose macros; else those of the preset that is called as the network."),
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="Where the world reaches the server.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
All = Annotated[bool, typer.Option("--all", help="Drop the newest key too.")]


@postbacks.command()
def urls(
    context: typer.Context,
    network: OneNetwork = None,
    preset: PresetName = None,
    base_url: BaseUrl = None,
    json: Json = False,
    db: DatabaseUrl = None,
) -> None:
    """Print the postback URL of each network, ready to copy."""
    with workspace(context, db) as database:
        networks = [_named(database, network)] if network else list(read_catalog(database).affiliate_networks.values())
    if not networks:
        stop("No affiliate network is set up yet; `trueup setup apply` does that.")
    told = [_to_json(each, _chosen(preset, each.name), base_url or _base_url()) for each in networks]
    if json:
        output.print_json(json_format.dumps(told))
        return
    for each in told:
        output.print(Text(each["network"], "bold"))
        output.print(Text(each["url"]))
        for line in _remarks(each):
            notices.print(Text(f"  {line}", "dim"))


@postbacks.command("rotate-key")
def rotate_key(context: typer.Context, network: Network, db: DatabaseUrl = None) -> None:
    """Make a new key for a network. The one before stays good beside it, until it is dropped."""
    with workspace(context, db) as database:
        changed = rotate_postback_key(database, _named(database, network).network_id, os.urandom(KEY_BYTES))
    _show_keys(changed)


@postbacks.command("drop-key")
def drop_key(context: typer.Context, network: Network, all_keys: All = False, db: DatabaseUrl = None) -> None:
    """Drop a network's key before the newest: postbacks that bring it are refused from now on."""
    with workspace(context, db) as database:
        changed = drop_postback_keys(database, _named(database, network).network_id, all_keys=all_keys)
    _show_keys(changed)


def _named(database: Readable, name: str) -> AffiliateNetwork:
    """The network of this name. Ends the command when there is none."""
    networks = read_catalog(database).affiliate_networks
    if name not in networks:
        stop(f"There is no affiliate network {name!r}. {nearest(name, networks) if networks else 'There is none yet.'}")
    return networks[name]


def _chosen(name: str | None, network: str) -> "Preset":
    """The preset that was chosen, else the network's. Ends the command when there is none of that name."""
    from trueup.edge.presets import preset_for, presets  # noqa: PLC0415 - slow to import

    if name is None:
        return preset_for(network)
    if name not in presets():
        stop(f"There is no preset {name!r}. {nearest(name, presets())}")
    return presets()[name]


def _base_url() -> str:
    """Where the settings say that the server is. Ends the command when they cannot be read."""
    from trueup.settings import SettingsError, read_settings  # noqa: PLC0415 - slow to import

    try:
        settings = read_settings({})
    except SettingsError as error:
        stop(str(error))
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _to_json(network: AffiliateNetwork, preset: "Preset", base_url: str) -> dict[str, Any]:
    from trueup.edge.presets import postback_url  # noqa: PLC0415 - slow to import

    keys = network.postback_keys
    return {
        "network": network.name,
        "preset": preset.name,
        "url": postback_url(base_url, keys[0] if keys else "", preset),
        "link": preset.link,
        "note": preset.note,
        "keys": len(keys),
        "only_with_key": network.only_with_key,
        "duplicate_mode": network.policy.duplicate_mode or "",
    }


def _remarks(told: dict[str, Any]) -> Iterator[str]:
    if told["link"]:
        yield f"Its offers' URLs must have {told['link']}."
    if told["note"]:
        yield told["note"]
    if told["duplicate_mode"] == DuplicateMode.IGNORE and "&status=" in told["url"]:
        yield "A conversion that it reports again, with another status, is ignored: duplicate_mode update takes it up."
    if told["only_with_key"] and not told["keys"]:
        yield f'It takes postbacks only with a key, and has none: trueup postbacks rotate-key "{told["network"]}"'


def _show_keys(network: AffiliateNetwork | None) -> None:
    if network is None:
        stop("The network is gone.")
    for key in network.postback_keys:
        output.out(key, highlight=False)
    kept = {0: "It has no key now.", 1: "It has this key now.", 2: "It has these keys now, the newest first."}
    notices.print(kept[len(network.postback_keys)])

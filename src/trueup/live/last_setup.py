"""The last setup that a server saw, kept beside its spool: with it visitors are sent on while the database is away."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from trueup.model.catalog import Catalog
from trueup.uploads.durable_files import write_whole

_NAME: Final = "setup.json"


@dataclass(frozen=True)
class LastSetup:
    """What a redirect needs of the ledger."""

    click_key: str  # of our own click ids, as hexadecimal digits
    catalog: Catalog


_FORM: Final = TypeAdapter(LastSetup)


def read_last_setup(folder: Path) -> LastSetup | None:
    """Read it.

    Args:
        folder: The server's folder.

    Returns:
        None where there is none, or none that can be read: then the ledger has to be waited for.
    """
    try:
        return _FORM.validate_json((folder / _NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def keep_last_setup(folder: Path, setup: LastSetup) -> None:
    """Keep it, readable by its owner alone: it holds the keys of networks. Half a file is never seen.

    Args:
        folder: The server's folder.
        setup: The setup.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    write_whole(folder / _NAME, _FORM.dump_json(setup))

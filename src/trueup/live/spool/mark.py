"""Whose folder it is: a mark in the server's folder names the ledger that its clicks and sent files belong to.

The ledger's id is kept in the ledger (`ledger_id` of `ledger/secrets.py`), and so in its backups. At the start:

    claim_folder(folder, ledger_id(database, os.urandom), shown_database(url))   # FolderError: do not start
    folder_ledger_id(folder)                              # the mark alone, while the ledger cannot be asked
"""

import json
from pathlib import Path
from typing import Final

from trueup.ledger.urls import showable
from trueup.live.spool.dead_letters import DeadLetters
from trueup.live.spool.folder import SpoolFolder
from trueup.model.remarks import RemarkError, Way
from trueup.uploads.durable_files import make_folder, write_first, write_whole

MARK: Final = "ledger.json"
SENT_FILES: Final = "uploads"  # the folder below
_SQLITE: Final = "sqlite:///"


class FolderError(RemarkError):
    """The folder is another ledger's, or nobody knows whose. The remark says what to do."""


def folder_ledger_id(folder: Path) -> str:
    """The id of the ledger that a folder belongs to, '' for one that has no mark.

    Raises:
        FolderError: The mark cannot be read.
        OSError: The folder cannot be.
    """
    return _read_mark(folder)[0]


def folder_ledger_shown(folder: Path) -> str:
    """The database that a folder belongs to, as its mark shows it, '' for none.

    Raises:
        FolderError: The mark cannot be read.
        OSError: The folder cannot be.
    """
    return _read_mark(folder)[1]


def claim_folder(folder: Path, ledger_id: str, shown: str) -> None:
    """See that a folder is this ledger's, and mark it where it has neither a mark nor any click or sent file yet.

    Two programs may start at once.

    Args:
        folder: Is made where it is missing.
        ledger_id: The ledger's id.
        shown: The database's URL, without a password: for a person who reads the mark.

    Raises:
        FolderError: It is another's; or it has no mark, and something in it that must not go to a wrong ledger.
        OSError: The folder cannot be written.
    """
    make_folder(folder)
    left = "" if _read_mark(folder)[0] else _left(folder)
    found, found_shown = _read_mark(folder)  # again: another program may have marked it, and put something into it
    if left and not found:
        raise FolderError(
            f"the folder {folder} holds {left} and does not say of which ledger. If that is {shown}, say so with ",
            Way.CLAIM_FOLDER.of(),
            "; else choose another folder",
        )
    if not found:
        write_first(folder / MARK, _mark(ledger_id, shown))
        found, found_shown = _read_mark(folder)
    if found != ledger_id:
        raise FolderError(
            f"the folder {folder} belongs to another ledger, {found_shown}: what is in it must not come into {shown}. "
            "Choose another folder with ",
            Way.FOLDER.of(),
            "; or give it to this ledger with ",
            Way.CLAIM_FOLDER.of(),
        )


def mark_folder(folder: Path, ledger_id: str, shown: str) -> None:
    """Give a folder to a ledger, whatever is in it. Only a person can know that this is right.

    Raises:
        OSError: The folder cannot be written.
    """
    make_folder(folder)
    write_whole(folder / MARK, _mark(ledger_id, shown))


def shown_database(url: str) -> str:
    """A database's URL as a mark shows it: without its password, a file by its whole path."""
    file = url.removeprefix(_SQLITE)
    return showable(url) if file == url else f"{_SQLITE}{Path(file).resolve()}"


def _mark(ledger_id: str, shown: str) -> bytes:
    return json.dumps({"ledger_id": ledger_id, "database": shown}, indent=2).encode() + b"\n"


def _read_mark(folder: Path) -> tuple[str, str]:
    try:
        mark = json.loads((folder / MARK).read_bytes())
        return str(mark["ledger_id"]), str(mark["database"])
    except FileNotFoundError:
        return "", ""
    except (ValueError, KeyError, TypeError):
        raise FolderError(
            f"{folder / MARK} cannot be read. If the folder belongs to this ledger, say so with ", Way.CLAIM_FOLDER.of()
        ) from None


def _left(folder: Path) -> str:
    """What in a folder belongs to some ledger, in words; '' for nothing."""
    spool = SpoolFolder(folder, 0)
    if spool.waiting_bytes() or spool.damaged_files() or DeadLetters(folder).count():
        return "clicks"
    return "sent files" if any((folder / SENT_FILES).glob("*")) else ""

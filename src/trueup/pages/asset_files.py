"""The files that pages load: style sheets, scripts and icons, our own and those that the build brought from npm.

All of them are below one folder whose name is the digest of all their bytes, so that browsers may keep them for ever,
and so that one file finds another by its plain name.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

ROOT: Final = "/assets"
_HERE: Final = Path(__file__).parent
_FOLDERS: Final = (_HERE / "built", _HERE / "assets")
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_DIGEST_CHARS: Final = 12
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = "The pages' assets are not built. In a checkout: make again, or pip install -e . in its .venv."


@dataclass(frozen=True)
class AssetFile:
    """One file, as it is and compressed."""

    content: bytes
    compressed: bytes
    content_type: str


class AssetFiles:
    """All of the files, in memory."""

    def __init__(self) -> None:
        """Read them.

        Raises:
            OSError: What the build brings is not there.
        """
        if not (_HERE / "built").is_dir():
            raise FileNotFoundError(_NOT_BUILT)
        self._files = dict(_read(path) for folder in _FOLDERS for path in sorted(folder.iterdir()) if _is_sent(path))
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(name.encode() + b"\0" + file.content)
        self._digest = digest.hexdigest()[:_DIGEST_CHARS]

    def url(self, name: str) -> str:
        """Where a file is.

        Args:
            name: Its name.

        Raises:
            KeyError: There is none of this name.
        """
        if name not in self._files:
            raise KeyError(name)
        return f"{ROOT}/{self._digest}/{name}"

    async def answer(self, request: Request) -> Response:
        """Send a file. A page that was loaded before an update gets the file as it is now, and keeps it for nobody.

        Raises:
            HTTPException: There is no such file.
        """
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        is_current = request.path_params["digest"] == self._digest
        headers = {"cache-control": _FOR_EVER if is_current else "no-cache", "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                file.compressed, headers={**headers, "content-encoding": "gzip"}, media_type=file.content_type
            )
        return Response(file.content, headers=headers, media_type=file.content_type)


def _is_sent(path: Path) -> bool:
    return path.suffix in _TYPES


def _read(path: Path) -> tuple[str, AssetFile]:
    content, beside = path.read_bytes(), path.with_name(f"{path.name}.gz")
    compressed = beside.read_bytes() if beside.exists() else gzip.compress(content, mtime=0)
    return path.name, AssetFile(content, compressed, _TYPES[path.suffix])

